// Package engine is one SQLite file with one writer and a few readers: how to open it for this process alone, how changes
// share a commit, and what a failing disk means. It knows nothing of what the tables hold.
//
// Invariants:
//
//   - One writer. Every change goes through one bounded queue to one connection; what waits together is committed
//     together, one transaction and one sync of the disk for all, and nobody is answered before that sync. A change that
//     fails takes only itself back, by its savepoint.
//   - Readers are few, bounded and read-only; [Engine.ReadMoment] sees one moment.
//   - One process. A second one on the same directory is refused by a lock that dies with its holder.
//   - A caller whose context ends is answered at once; its change has then either not begun or is over, and nobody else's
//     transaction is touched by it.
//
// What happens when the disk fails: a commit that fails (no space, an I/O error, a failing sync) answers everybody in it
// with chat.Unavailable and leaves open whether it is stored; the connection, whose cache can no longer be trusted, is
// closed and the next change opens a new one. Reading goes on meanwhile. When there is room again the next change
// succeeds; nobody has to restart anything.
package engine
