// Package client is a client of the product that tests talk to a real server with. It knows nothing of the server's code
// but the names of ids: what it sends and reads is the contract, docs/protocol.md.
//
// A [Person] signs up and calls HTTP. A [Device] of theirs keeps a WebSocket open, through any number of deaths of the
// server: it comes back with its positions, sends again what was not acknowledged, and repairs holes from /changes. All
// that devices did and saw is in the [Record] they share, in the form that the checker of runs judges.
package client
