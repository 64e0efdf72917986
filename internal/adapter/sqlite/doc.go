// Package sqlite is the store of a server that runs alone: one database file in the data directory, WAL, every commit
// synced to the disk before it is answered.
//
// It owns the file, its schema and the only writer. [Store] implements the store ports of sequencer, message, history,
// room and account.
//
// Invariants:
//
//   - One writer. Every change goes through one queue to one connection; what waits together is committed together, one
//     transaction and one fsync for all (group commit), and nobody is answered before that fsync. A change that fails
//     takes only itself back, by its savepoint.
//   - The numbers 1 to head of a room stand exactly once each, in messages or in events. A number whose record already
//     stands under another is a void event.
//   - Readers are few, bounded, read-only, and each sees one moment: a page and its head agree.
//   - One process. A second one on the same directory is refused by a lock that dies with its holder.
//
// What happens when the disk fails: a commit that fails (no space, an I/O error, a failing fsync) answers everybody in
// it with chat.Unavailable and leaves open whether it is stored; the connection, whose cache can no longer be trusted, is
// closed and the next change opens a new one. Reading goes on meanwhile. When there is room again the next change
// succeeds; nobody has to restart anything.
package sqlite
