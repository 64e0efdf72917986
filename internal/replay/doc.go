// Package replay makes the store of a cluster again from the log, where the store was lost, with a backup of it or without.
//
// What it owns: what of a store is not numbered and has to be read out of the log, in four steps:
//
//	survey   read the log once: who is in it, which rooms were made, which were deleted
//	people   put accounts and rooms, as they were when they were made, into the empty store
//	number   have the sequencer's store pass number and store every record again ([Stretch] is its log)
//	fold     read from the stored events who is in each room now, who is kept out, and what it is called
//
// Where there is a backup, [CatchUp] takes the same steps from where each partition is stored in it: people and rooms since are put in,
// rooms that were deleted since are taken away, and members are folded from the events since, so that who was a member stays it as he was.
//
// # Why the numbers are the same
//
// Numbering is a function of the log and of the store: of a room's newest records, of the messages that are changed, of the
// ids that stand already. The log gives all of them, if it has the room from its creation on. What the store decided
// otherwise, live, was whether there was a room at all: it had been made, and was deleted, before the log said so. So every
// room that the log makes is there from the first record on, and none that it deletes ever is. A room of which the log does
// not have the creation is left out: its numbers would be others than those that its members have seen.
//
// # What cannot be had from the log
//
// [Lost] says it to the operator. People are as they were when they last did something.
//
// # Invariants
//
//   - Into a store that holds anything, or beside sequencers that are at work, nothing is written; nor of a log that lacks
//     something, unless the operator accepts that.
//   - A store that is not whole is marked so, and no server serves it. Run again after it was cut short it goes on from the
//     stored offsets, with the same log and no other.
//
// When the store or the log fails, it ends with that error, and is run again.
package replay
