// Package socket is one client's WebSocket, without a word of what is said over it: messages come in to RFC 6455, frames
// that are ready to be written go out through a bounded queue.
//
// What it owns: the sockets, the queue of each, the few goroutines that write for all of them, and the buffers that are
// borrowed while bytes arrive or leave.
//
// Invariants:
//
//   - Nobody who sends waits. A client that is further behind than its queue may hold is a slow consumer and is closed.
//   - Whatever waits for a client is written in as few system calls as fit a buffer.
//   - A silent socket holds no buffer: a goroutine waits for bytes, on a stack that shrinks to its least.
//   - The first reason to end is the one that the client is told, after what was queued before.
//
// A Socket's lock is the last but one to be taken, that of the writers' line the last; neither is held across I/O.
//
// When a client dies, its reader ends with an error, or the sweep of whoever owns the sockets finds that it takes nothing
// any more. There are no other dependencies that could die.
package socket
