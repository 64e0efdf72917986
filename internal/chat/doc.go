// Package chat holds the words of the product: rooms, members, messages, events and their numbers, who may do what,
// the limits of everything a person can send, and the stable codes of every refusal.
//
// It does no I/O, reads no clock and starts no goroutine; everything above it may rely on its types, and port
// signatures between packages use these types and the standard library alone.
package chat
