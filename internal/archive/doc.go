// Package archive writes a whole instance to one file, reads it back into an empty one, and checks an instance against
// itself.
//
// An archive is a tar file of NDJSON: archive.json (which archive, of when, by which version), then users, rooms, members,
// bans, invites, log and outbox, each in parts of some megabytes that are named like log/00000001.ndjson, and at the end
// manifest.json with the count of every table and a hash of all that came before. What is not in it: signing keys and
// sessions, so everybody signs in again, and the offsets of the log, which mean nothing elsewhere.
//
// Invariants:
//
//   - An archive is of one moment, whatever is written meanwhile.
//   - Neither writing nor reading holds more than a part in memory.
//   - An archive is checked to its last byte before the first row of it is taken. Names of its entries are compared with
//     the ones that there can be, never used as paths.
//   - An import that was cut short goes on when it is started again with the same archive, and changes nothing that is
//     already there. Into an instance that holds anything else it is refused.
//
// [Verify] checks an instance against itself, [Agree] that of a cluster against its log.
//
// When the store fails, export, import and verify end with its error; an import is then started again. An unfinished
// import is marked as such in the store, so that nobody serves half an instance.
package archive
