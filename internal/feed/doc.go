// Package feed is the live end of one room at one gateway: which number was passed on last, the newest events to resume
// from, and what to do with each event that arrives and each listener that comes.
//
// It does no I/O, takes no lock and starts no goroutine; the gateway owns a Feed under the room's lock and does what it
// says. Invariant: what is passed on is every event of the room after the first, each once, in order; numbers left out
// are void.
package feed
