// Package message is the first stop of a message: it decides whether a person may say this here, finds out whether it
// has been said before, and appends it to the log.
//
// While the store is down, sends by people whose place in the room is remembered go on as long as the log does; other
// sends are refused with `unavailable`. While the log is down, all are. Nothing is acknowledged before the log has it.
package message
