// Package mood finds how texts sound: it reads what is said in rooms whose owners want it, and tells a room's mood over time.
//
// What it owns: the `sentiment` role, which takes texts from where they are durable to a model and leaves what the model says
// in the log as a record, and the question how a room's mood was.
//
// Invariants:
//
//   - A text of a room goes to a model only if the room's mood was on when it was said and still is when it is read.
//   - None is lost: a text is done when the log has what the model said of it.
//   - None is said twice: the record's id follows from the text's, and numbering takes one mood for each text of a message.
//   - Nobody waits for it: sending, numbering and storing know nothing of it.
//
// What it does when a dependency dies: whatever is away (the model, the store, the log) it tries again with growing pauses
// until it is back, and the texts wait where they are. A text that a model refuses, or fails on while it answers for others, is
// given up: it has no mood, which is counted.
package mood
