// Package presence is who is here.
//
// What it owns: the counting of a person's connections through its port, and the news that somebody came or went.
//
// Invariants:
//
//   - A person who is back within [Grace] never went: reloading a page is not news.
//   - One goroutine waits for all; a person costs no timer.
//
// A node that dies takes its people with it without a word; the store finds that out and this package tells of them.
//
// What it does when a dependency dies: without the store nobody comes or goes and the caller gets the error, which is no
// reason to close a connection. Signals may be lost: others then see the old state until they ask.
package presence
