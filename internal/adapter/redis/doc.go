// Package redis is what the nodes of a cluster share beside the log and the store: the bus (events by sharded pub/sub,
// signals by one channel), the newest events of each active room ([Bus.Tail]), who is online ([Presence]) and how often
// something may happen ([Limiter]). Nothing durable rests on any of it, and all of it may vanish at any time.
//
// One [Client] is shared by all of them. When a call finds that Redis cannot be reached, further calls fail at once, and
// one goroutine asks with backoff until it answers again. Subscriptions live on connections of their own, whose loss and
// return the gateway is told of.
//
// Keys. A room belongs to one of 16 shards by the last byte of its id. The names of its channel and keys have the shard in
// braces, so that on Redis Cluster one connection can hold all subscriptions of a shard and one pipeline all of a room's
// writes; the nodes of one deployment, and only they, share a prefix.
//
//	{<prefix>07}c:<room>   channel: envelopes, a small header and the event's JSON
//	{<prefix>00}signals    channel: signals, JSON
//	{<prefix>07}t:<room>   hash: the newest 200 events by number, a day after the last of them
//	{<prefix>07}h:<room>   sorted set of one member, whose score is the highest number of the tail: it only ever grows
//	{<prefix>p}…           presence: nodes by the end of their lease, who is on each, on how many nodes each person is
//	<prefix>l:<key>        the time at which a bucket is full again
//
// Invariants: what is kept of a room under a number is that event, whoever wrote it last, as all who publish a number
// publish the same; a room's tail has at most 200 events of 64 KiB each; a person is counted once for each node on which
// that person is, and a node that has died is uncounted as a whole, by exactly one of the others.
//
// What happens without Redis: publishing and signalling fail at once, with nothing but the signals for this node
// delivered; subscribing succeeds and stands when the link is up again; tails and presence are unavailable; limits are
// those of this process alone. A Redis that comes back empty is filled again by itself: presence within a heartbeat, tails
// by what is said next.
package redis
