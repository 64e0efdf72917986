// Package sqlite is the store of a server that runs alone: one database file in the data directory, every commit synced
// to the disk before it is answered.
//
// It owns the schema and every statement on it; the file, its connections and the group commit are package engine's.
// [Store] implements the store ports of sequencer, message, history, room, account and archive.
//
// Invariants:
//
//   - The numbers 1 to head of a room stand exactly once each, in messages or in events. A number whose record already
//     stands under another is a void event.
//   - A page and its head are of one moment.
//   - What grows without bound is never walked: every statement finds its rows by an index.
//   - A room that is deleted is gone at once for everybody; its rows go a few at a time afterwards, also over a restart.
//
// When the disk fails, changes answer chat.Unavailable and reading goes on; see package engine.
package sqlite
