// Package room is the use cases of rooms: making and changing them, who is in them, who is kept out, and who may be
// let in.
//
// What it owns: the rules of membership, on top of chat.Access and chat.Role; and the [Relay], which carries the records
// of these changes from the outbox to the log.
//
// Invariants:
//
//   - A change of a room and the record that tells of it are one transaction: either both are, or neither.
//   - Records of one room reach the log in the order of their changes, and none is left out, whatever dies in between.
//   - Who may do something is decided inside the transaction that does it, so nobody acts on a role that was just taken
//     away. It is also asked before, so that strangers' requests never wait for, nor hold up, a transaction.
//   - A room that somebody may not know of answers everything like one that does not exist.
//   - A room that has members has an owner.
//   - An invite is worth what its maker's membership is worth: whoever is put out cannot come back by a link of their own.
//
// What it does when a dependency dies: without the store it answers unavailable. Without the log, changes are made and
// their records wait in the outbox; answers then carry the head of before. Signals may be lost.
package room
