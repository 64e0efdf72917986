// Package kafka is the log of a cluster: records are durable when they are appended, and each partition has one owner at
// a time who numbers them.
//
// What it owns: the topic with the rooms' records and the one with those that could not be read ([Options]), how they are
// made and checked ([Migrate], [Log.Check]), the producer ([Log.Append]), the membership in the group of owners
// ([Log.Own]) and what of each partition is kept in memory ([Log.Read]).
//
// # Invariants
//
//   - A record is acknowledged when all replicas in sync have it. Whoever is told chat.Unavailable may find it in the log
//     all the same, later or twice: its id makes it one.
//   - A room's records are in one partition, in the order in which they were appended, also over retries. The number of
//     partitions is never changed: rooms would move.
//   - Settled is called exactly once for each record that Append has taken.
//   - What waits for Kafka is bounded in bytes ([bufferBytesMax]): who appends beyond waits, at most as long as its
//     context. What was read is bounded in bytes, for each partition ([tailBytesMax]) and for all of them
//     ([tailsBytesMax]), however far behind a reader is.
//   - Positions are the store's. The group commits none to Kafka: it only says who owns what.
//   - A gap in what is read is one that never held a record. A log that begins after the asked offset, or ends before it,
//     has lost records, and reading says so instead of going on.
//
// # Reading
//
// Two readers follow each partition: one at the end, one behind it by what the store lags, from milliseconds to hours. The
// first Read starts a feed: a client of its own that fetches from there on into the tail, a bounded stretch of decoded
// records. A reader whose place is in the tail is served from memory, so near the end each record is fetched and decoded
// once for both. One whose place is before the tail reads through a client of its own, until it has caught up with the
// tail. The feed waits when the tail is full of records that no reader has read yet, so it never runs ahead of the first
// reader by more than the tail holds. That each partition has a client, instead of all partitions one, keeps a slow
// partition from holding up the others and costs a connection.
//
// # What happens when something dies
//
// One broker that is stopped in order: its partitions move first, and nobody notices. One that is killed: its partitions
// move when the others miss it, after 9 s as Kafka comes (broker.session.timeout.ms), and we ask who leads several times a
// second; what was appended to them meanwhile is settled with chat.Unavailable after [deliveryMax], reads wait. All
// brokers, or too many to have the replicas in sync: the same for as long as they are away; the owners own on, since
// nobody can say otherwise. A broker that forgets its
// producers or takes us for an old one: the sequence begins anew and the record is sent again, or is settled with
// chat.Unavailable; nobody is stuck. Power of all brokers at once: what they had acknowledged and not written to disk is
// gone, see docs/operations.md. A member of the group that is killed or frozen loses its partitions after
// [sessionMax]; one that stops hands them over at once. Whoever wakes up and does not know yet that it owns nothing any
// more can do no harm: it computes the same numbers, and the store refuses it.
//
// Records that cannot be read go to a topic of their own when they are settled. A process that dies in between has not sent
// them; they stand in the log still.
package kafka
