// Package recent is what happened, up to now: the store's rows and, beyond them, the newest events that the bus keeps of
// each active room, joined by number.
//
// In a cluster a message is acked when the log has it and shown when it has its number; the store has it milliseconds
// later, or minutes later where PostgreSQL was away. Who reads in between must find what they were just shown, above all
// their own message. [Reader] is the reading ports of message, history and gateway over a store that lags.
//
// Two words: the stored head is the highest number of a room that the store has; the tail is the run of events above it
// that the bus keeps. Each event of a tail holds its message as it was after the change, so of two states of a message
// the one that was changed last is the newer one.
//
// # Invariants
//
//   - Up to the stored head the store alone says what there is; what the bus keeps of those numbers is not looked at. An
//     event that was announced and whose number the store then gave up is therefore shown only until the store is there,
//     which is as long as those are shown it who were there when it was announced.
//   - Above the stored head no number is skipped. Numbers that are void are never published, but so is an event that the
//     bus lost missing, and the bus cannot tell which it is. So a tail counts from the number after the stored head up to
//     the first that is missing: no page ends beyond a number of which neither the store nor the tail says anything. Once
//     the store has passed it, the store says whether it is void.
//   - The store is read first and the tail afterwards, from the stored head on. What the store takes in between is in
//     both, and counts once. In the other order it could be in neither.
//   - A message is the one of its number. An event under a number above the stored head that bears the id of a message
//     that the store has under another is a repeat that will be void, and never replaces it.
//   - Members, rooms and their names are in the store before the log tells of them: nothing of that is joined.
//
// # Apart
//
// Where the tail begins further up than the number after the stored head, because more than it can hold waits to be
// stored or because it lost something, the two are apart. Then the store's rows are shown as if nothing were above them,
// except what the tail by itself answers exactly: changes after a number within it, a page of messages that lies within
// it, a message by its id. Page.Head is the tail's, so that who reads on knows that there is more. Who asks for what lies
// in between gets `unavailable`: an empty answer would say that there is nothing, and a page from beyond the gap would
// hide it.
//
// # What it costs
//
// Where the store has caught up, one question to the bus, whose answer is empty: the tail after the stored head, or for
// all rooms of a person their heads, and then a tail only of those rooms that have one. A message by its id also asks the
// store for the room's head. Counts of unread messages are sums, unless a message that the store counts was edited or
// deleted in the tail such that its earlier state matters: then that room's unread messages are read.
//
// # What happens when something dies
//
// The bus: the store answers alone, as far as it has come. The store: what the tail answers exactly goes on, which is changes
// after a number within the tail or at its end, the heads of rooms of which it keeps something, the newest messages where it
// holds a whole page, and messages by their ids; all else is the store's `unavailable`. That a room or a message is not
// there, only the store can say.
package recent
