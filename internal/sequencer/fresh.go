package sequencer

import "github.com/blabber-hive/blabber-hive/internal/chat"

// freshMax is how many messages that the store does not have yet are remembered to be edited, deleted and reacted to, by all
// partitions of a process together: they take about a kilobyte each. Beyond it the oldest are forgotten, and a record that
// changes a message that is not remembered waits for the store.
const freshMax = 20_000

// fresh remembers the newest states of messages that were announced and are not stored.
type fresh struct {
	messages map[chat.MessageRef]made
	order    []madeBy // by offset; a message that was changed again stands in it more than once
	// forgotten is the offset up to which messages were forgotten that the store may not have.
	forgotten chat.Offset
}

// made is a message's state and the offset of the record that made it.
type made struct {
	message *chat.Message
	at      chat.Offset
}

type madeBy struct {
	ref chat.MessageRef
	at  chat.Offset
}

func newFresh() fresh { return fresh{messages: make(map[chat.MessageRef]made)} }

// message is a message's newest state; nil where it is not remembered.
func (f *fresh) message(ref chat.MessageRef) *chat.Message { return f.messages[ref].message }

// add remembers a message, and at most so many.
func (f *fresh) add(message *chat.Message, at chat.Offset, most int) {
	ref := chat.MessageRef{Room: message.Room, ID: message.ID}
	f.messages[ref] = made{message, at}
	f.order = append(f.order, madeBy{ref, at})
	for len(f.order) > most {
		f.forgotten = f.order[0].at + 1
		f.forgetOldest()
	}
}

// stored forgets what the store has: everything that was made before the offset.
func (f *fresh) stored(offset chat.Offset) {
	for len(f.order) > 0 && f.order[0].at < offset {
		f.forgetOldest()
	}
	if len(f.order) == 0 {
		f.order = nil // lets go of the array's used part
	}
}

func (f *fresh) forgetOldest() {
	oldest := f.order[0]
	f.order = f.order[1:]
	if f.messages[oldest.ref].at == oldest.at {
		delete(f.messages, oldest.ref)
	}
}
