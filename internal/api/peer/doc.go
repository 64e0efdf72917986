// Package peer tells who is on the other side of a request: from which address, over TLS or not, and from a page of which
// site.
//
// Invariants:
//
//   - Nobody but a trusted proxy says for whom it asks.
//   - An origin is one of the list to the letter, or it is not; with no list, it is the host that was asked.
//
// There are no dependencies that could die.
package peer
