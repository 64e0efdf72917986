// Package wire is every byte that leaves the process: the JSON shapes of the contract, the frames of the WebSocket, the
// problems of HTTP, and the records of the log. Nothing else in the program knows a field's spelling.
//
// It turns the core's values into these shapes and back, and does nothing else.
package wire
