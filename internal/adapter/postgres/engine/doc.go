// Package engine runs one PostgreSQL database: its connections, its transactions, its schema, and what becomes of them when
// the server is away.
//
// It owns three small pools, so that what waits for a lock never keeps a connection from what does not: one for commits of
// batches, one for everybody's changes, one for reads. It knows no table.
//
// Invariants:
//
//   - A transaction costs the round trips of its statements: "begin" travels with the first, and "commit", where the caller
//     says which one is the last, with that one.
//   - Every statement is prepared once for each connection, and has a time after which the server gives it up.
//   - A transaction that the server broke off to end a deadlock is run again; nobody sees it.
//   - Of what PostgreSQL says, only [Translate] knows what it means to the product.
//
// When the server dies, calls answer chat.Unavailable: at once where the connection is refused, after ConnectTimeout where
// nothing answers, after the statement's time where a server hangs. No call waits for a connection longer than its
// context. Connections that were broken are thrown away with all others that are idle, so that the calls after the
// server's return find fresh ones. A commit that was under way may have happened or not; its caller has to look.
package engine
