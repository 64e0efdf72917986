// Package history is what happened in rooms and how far each member has read.
//
// What it owns: who may read what, how much at once, and the news to a person's other devices that a room was read.
//
// Invariants:
//
//   - Only members read, from the moment they are one to the moment they are not; what they may read then is the whole room.
//   - No answer is longer than chat.PageMax messages or chat.ChangesMax events.
//   - A read line never moves back and never passes the head.
//
// What it does when a dependency dies: without the store it answers unavailable. Signals may be lost: other devices then
// see the old read line until they ask.
package history
