// Package sequencer is the second stop of a message: it owns the log's records, gives each the next number of its room,
// stores them in batches, publishes them, and tells the log what became of each.
//
// Alone on one machine the store's commit is the log, so the order is number, commit, publish, settle: nothing is ever
// shown or acknowledged that a crash could take back. A batch is whatever had been appended while the batch before it was
// being committed, so one fsync is shared by all who wait, and batches grow with load.
//
// Invariants: a room's numbers are stored without a hole; an event is published only after it is stored; every record
// that was polled is settled exactly once. After a commit that failed, nothing in memory is believed any more: the states
// of rooms and the offset are read again from the store before the next number is given.
//
// When the store is down, records are refused with `unavailable`; their senders send them again with the same ids, and
// the state read back from the store says which had been stored after all. When the bus is down, publishing is given up
// after the commit: gateways notice the missing numbers and read them from the store.
package sequencer
