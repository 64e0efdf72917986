// Package redis is the bus of a cluster: what must reach other servers at once, and may be lost. Everything durable is in
// the log and the store; what is lost here is noticed by the numbers, or found out later by itself.
//
// It keeps, under one prefix:
//
//	{bus}:room:<id>  a sharded channel: the events of a room, on their way to every server with a listener
//	signals          a channel: news that is part of no log
//	{<id>}:tail      a sorted set: the newest 200 events of a room, by number, for whoever reads what the store lacks yet
//	{<id>}:head      the number of the newest of them
//
// When Redis dies, publishing fails at once and is not tried again for a moment, so that numbering never waits for it;
// Listen says that the link is down, tries again until it is up, subscribes to every room anew, and says so: whatever was
// said in between is fetched from the store. A Redis that comes back empty has lost the tails: readers see what is stored.
package redis
