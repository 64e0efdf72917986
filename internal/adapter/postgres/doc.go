// Package postgres is the store of a cluster: one PostgreSQL database that every node reads and changes at the same time.
//
// It owns the schema and every statement on it; connections, transactions and what the server says are package engine's.
// [Store] implements the store ports of sequencer, message, history, room, account, archive and gateway.
//
// Invariants:
//
//   - The numbers 1 to head of a room stand exactly once each, in messages or in events. A number whose record already
//     stands under another is a void event.
//   - A page and its head are of one moment.
//   - What grows without bound is never walked: every statement finds its rows by an index.
//   - A read waits for no lock, and has a connection whatever the changes wait for.
//   - A room that is deleted is gone at once for everybody; its rows go a few at a time afterwards, by whichever node comes first.
//
// Lock order, top down. Whoever holds a lock takes only locks further down, and of several rows on one line the lower key
// first:
//
//  1. the partition's row, by a commit: of two owners one waits here, and finds the offset moved
//  2. rooms, by their number: a commit takes all of its batch in one statement, a change of a room its only one
//  3. a person's row, and then that person's sessions
//  4. members, bans, invites, messages, events, mentions: always under their room's lock, but for the marks of one member
//  5. the outbox, skipping what somebody else has
//
// Two invites of one code in two rooms, or a row of an account that is imported twice, can still meet the wrong way round;
// the server then breaks one transaction off and engine runs it again.
//
// When PostgreSQL dies every call answers chat.Unavailable until it is back, and then succeeds without a restart. A commit
// that was under way is stored or not, as a whole: the offset says which. A node that hangs in the middle of a change
// loses it, and its locks, after the server's idle_in_transaction_session_timeout. When a node dies the server rolls back
// what it had not committed; rows of deleted rooms that it was removing are taken on by another.
package postgres
