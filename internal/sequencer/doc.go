// Package sequencer is the second stop of a message: it owns the log's records, gives each the next number of its room,
// stores them in batches, publishes them, and tells the log what became of each.
//
// Invariants: a room's numbers are stored without a hole; every record that was read is settled; after a commit that
// failed, nothing in memory is believed any more: the states of rooms and the offset are read again from the store before
// the next number is given.
//
// # Alone
//
// The store's commit is the log, so the order is number, commit, publish, settle: nothing is ever shown or acknowledged
// that a crash could take back. A run is whatever had been appended while the run before it was being committed, so one
// fsync is shared by all who wait, and batches grow with load. When the store is down, records are refused with
// `unavailable`; their senders send them again with the same ids, and the state read back from the store says which had
// been stored after all.
//
// # In a cluster
//
// The log is durable by itself, and numbering is a function of the log. So two passes read each partition, one after the
// other, and come to the same numbers:
//
//	log ──▶ Announce: number, publish            never waits for the store
//	  └───▶ Store: number, commit, settle        never ahead of Announce
//
// Announce makes chat live; Store is the truth, and does in order what a server alone does. What Announce cannot number
// by itself, it leaves to Store, which publishes it after the commit. That is said by a hold on a room: from one offset on
// its records are Store's, until Store has passed the last of them, when what the store says of the room is exact again.
// A room is held
//
//   - whose state, or a message that a record changes, is not in memory while the store is away or behind;
//   - that has a record which may have been sent before, beyond what the room remembers: only the store knows;
//   - for which the store made a number void that had been announced, which is not what Announce had taken it for.
//
// Memory does not grow with what the store lags behind: Announce keeps a bounded number of rooms and messages, and Store
// reads again from the log.
//
// An owner that has been replaced and does not know it yet can only repeat what was said: its Announce computes the same
// numbers, is held by every look into a store that is ahead of it, and begins anew there; its Store loses the
// compare-and-set of the stored offset.
//
// # Again
//
// A store that was lost is made again by the second pass alone (Options.StoreOnly): the same log gives the same numbers,
// and voids those that were void. Nobody is told anything.
//
// # What happens when something dies
//
// The store: Announce goes on with the rooms it knows, Store tries again from the stored offset. Who comes to own a
// partition meanwhile waits for the store, which alone knows where to begin. The bus: publishing is given up, and gateways
// notice the missing numbers and read them from the store. The log: nothing arrives. This process: another owner begins at
// the stored offset and announces again what had been announced and not stored, with the same numbers.
package sequencer
