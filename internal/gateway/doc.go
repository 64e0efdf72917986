// Package gateway is the first stop of a message and the last: it keeps the WebSocket connections of this node, takes
// what clients send, and passes each room's events on to those who listen, in order and without a hole.
//
// An event is encoded once, as the bytes of a WebSocket frame that all its receivers share. Each connection has a
// bounded queue that is written in as few system calls as there are wake-ups; who falls behind the bound is closed with
// slow_consumer and comes back with its positions. A connection that does nothing costs one goroutine in a read, a small
// read buffer and its place in its rooms: no timer (one sweep a second serves all), no writing goroutine, no queue.
//
// Locks are taken in the order room, then connection; a shard's lock is never held while another is taken. No lock is
// held while the store or the bus is asked, but for the one that orders a shard's bus subscriptions.
//
// When the store is down, connections stay and events go on as long as the bus does; sign-ins and resumes that need
// history are refused with `unavailable`. When the bus loses events, the numbers tell, and the store fills the hole. When
// the bus is down, and for a while after it is back, the store is asked for what it would have brought: heads of rooms
// with listeners every half second, sessions and memberships every three, all of them in batches. Typing and presence are
// silent then. Beside a bus that may lose a room's last event, heads are looked at now and then all the same.
package gateway
