// Package checker judges what a run of the product did, whatever the run was: a simulation, the real binary that was
// killed in between, or a cluster that lost a node. It is given what clients sent, what they were answered and what they
// saw, and each room's history as it stood when all was quiet, and it says in sentences what the contract
// (docs/protocol.md, "Rooms are numbered logs") promised and did not happen:
//
//   - what was acknowledged is in the history, once, with its content, under the number that the ack told;
//   - numbers have no hole but void ones, and a void one has its reason;
//   - everybody sees the same event under the same number; nobody goes back, sees one twice or misses one;
//   - what one client sends over one connection keeps its order, and nobody changes what is not theirs to change;
//   - who is out of a room sees nothing of it;
//   - nothing appears that nobody sent, and one id never stands for two messages;
//   - what a client shows in the end is the newest state.
//
// checker_test.go plants a breach of each and shows that it is found: a check that cannot fail protects nothing.
package checker
