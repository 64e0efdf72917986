// Package numbering is a room as a state machine: a state and a record give a state and an event with the next number.
//
// It does no I/O, reads no clock, draws no randomness and starts no goroutine, so the same log always gives the same
// numbers, on whichever node and however often it is read. Two invariants hold after every Apply: the head grew by one
// exactly if an event came out, and the window holds the records of the newest chat.WindowSize numbers, each id once.
package numbering
