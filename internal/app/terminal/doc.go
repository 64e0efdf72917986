// Package terminal is the person before whom a command runs: how far it is, and what it has to ask.
//
// It owns no goroutine and keeps nothing. Where nobody sits there, progress is plain lines, and asking is the caller's not to
// do ([Is]).
package terminal
