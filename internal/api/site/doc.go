// Package site serves the files of the built web client.
//
// What it owns: what is found at an address, and in which form and for how long a browser may keep it. A file is read
// and compressed when it is asked for the first time, and kept: most files (languages to highlight, the description of the
// API) are asked for seldom or never, and reading all of them would triple the time that a server takes to start.
//
// Invariants:
//
//   - A name that holds the hash of its content (assets/) may be kept for ever; everything else is asked for each time.
//   - Only the client's own addresses lead to its page; what is not there is not found, never a page in its place.
//
// There are no dependencies that could die.
package site
