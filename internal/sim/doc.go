// Package sim plays the whole product in one process, one thread and one seed: people with devices, gateways, the log,
// the sequencer, the store, the bus and the network between them, as a server alone or as a cluster. Every drop, delay, repeat, crash and restart is drawn
// from the seed, and time is virtual, so that a failure is one number and minutes of bad luck take milliseconds.
//
// # What is real and what is modelled
//
// Real are chat, numbering, feed, wire, message.Service, the sequencer and memory.Log: each is driven through the ports it
// has in the product. Modelled are the store (porttest/modelstore behind crash points), the bus, the gateway's use of a
// feed (conn_test.go and gateway_test.go do what package gateway does, without sockets), the relay of the outbox and the client.
//
// The sequencer runs one run of the log a step; each call of its ports lets time pass, and with it everything that would
// happen on other threads and machines meanwhile, a crash of the very process that waits included. So a crash can fall
// before a commit, between commit and answer, between commit and publishing, and between publishing and the ack.
//
// # A cluster
//
// Half of the seeds, or -core, put a cluster beneath the same people and gateways (cluster_test.go and what it names): a
// log of 1 to 3 partitions that acks before anything is numbered, loses, forgets and refuses; 2 or 3 nodes, each with
// sequencer.Partition as Sequencer.Run drives it. Each pass is a routine of its own (node_test.go) that gives way where a
// port makes it wait, so a node can be stopped for seconds in the middle of a commit and go on beside who has replaced it.
//
// What goes wrong: partitions move, and who had them may not notice for a while; nodes crash in any call, are stopped, and
// wake up; all of them at once; the store fails before a commit, after it, or does it long after it was given up, loses
// the compare-and-set, is away for seconds or minutes; either pass lags by up to seconds; the log is away, has gaps, is
// read again from the stored offset by whoever takes over; the bus is away, fails in the middle of a batch and loses the
// newest events that it keeps for readers; a reader is shown an older state of the store.
//
// What differs for people: gateways read the store's rows and then the bus's tail (tail_test.go); acks have no number;
// refusals come after them; changes are waited for until they show. Whoever sends an old id again in a room whose window
// does not reach back to it says so: otherwise it is published before the store can recognise it, and then void.
//
// # What is judged
//
// When people are done, faults end, and within two minutes of virtual time every client must be connected, at the head of
// its rooms and rid of its outbox. Then porttest/checker reads the history: what was sent and answered, the store, what
// each connection carried, and what each client took in and shows. While the run goes on, each event that is given to a
// connection is checked to be for somebody who may have it.
//
// In a cluster also: one published number of a room is the same bytes for ever, whoever publishes it, and they are what is
// stored; what is settled was published, and what is refused was told; nobody is told of a refusal of what stands; every
// partition has one owner in the end, who has settled all of it.
//
// All of it is test code, and so are its files.
//
// # How to use it
//
//	go test ./internal/sim -run TestSimulation -args -seeds=10000     # -first says where to begin
//	go test ./internal/sim -run TestSimulation -v -args -core=alone -seed=68 # one run, told step by step
//	go test ./internal/sim -run TestMutations -v -args -mutations     # is every planted bug found?
//
// A seed that fails goes into testdata/seeds with a word on what it caught. Changing what a seed means (a new draw from
// the luck anywhere) makes new runs of old seeds; that is expected, and the list then tests other runs.
//
// # What it is known to find
//
// mutation_test.go plants these bugs, one at a time; the number is the first seed that finds it with -core=alone.
//
//	1      feed: holes are passed; repeats are passed
//	1      numbering: a deleted message keeps its body
//	1      log: a run is settled in another order
//	1      sequencer: the offset is kept after a failed commit
//	2      sequencer: states are kept after a failed commit; acknowledged before it is stored; a failed commit is acknowledged
//	2      numbering: no repeat is recognised; a repeat with another body is a success
//	2      feed: who is ahead is taken for live
//	2      gateway: lost events without a successor are not looked for
//	3      numbering: a refused change takes a number
//	4, 5   feed: a resume begins one too late; the tail is believed too far back; a resume begins one too early
//	6      sequencer: published before it is stored
//	8, 9   numbering: anybody may delete; sequencer: a void number is acknowledged
//	51     numbering: the impostor of an old message is remembered in its place
//	104    sequencer: changes of one run do not see each other
//	104    gateway: a removal older than the membership ends it
//	314    feed: void numbers are not stepped over
//	4695   gateway: a page of a resume goes on beyond the reader's own removal
//
// And with -core=cluster:
//
//	1      holds are released early; what is held is not published when it is stored; what is stored is forgotten early
//	1      the next owner stores, or announces, from one record too late
//	2      refusals are told to nobody
//	3      stored before it is announced; the offset is kept after a failed commit
//	5      states are kept after a failed commit
//	27     resends are not held
//	32     a room that the store cannot give is taken for one that is not
//	34     a store that is ahead is not noticed by Announce
//	73     a message of the store is believed while a newer one is not stored; a new beginning keeps what was known
//
// It does not find that heads are not told again, or not after a lost commit answer, because the gateways here look for
// heads themselves, every second (the real ones every ten). Without that they stay behind now and then: who takes a
// partition over does not tell the heads of what its predecessor published, the bus lost and the store has. A void number that does not hold its room was
// not found by 400 seeds either.
package sim
