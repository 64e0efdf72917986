package sequencer

import "github.com/blabber-hive/blabber-hive/internal/chat"

// freshMax is how many messages are remembered to be edited, deleted, reacted to and given a mood, by all partitions of a
// process together: they take about a kilobyte each. Beyond it the oldest are forgotten, and a record that changes a message
// that is not remembered needs the store, or waits for it where the store may not have the message yet.
const freshMax = 20_000

// distrustMax is for how many rooms it is remembered that they were held.
const distrustMax = 1000

// fresh remembers the newest states of messages that were announced, also when the store has them: most changes come soon
// after the message, and what is remembered is there while the store is away.
type fresh struct {
	messages map[chat.MessageRef]made
	order    []madeBy // by offset; a message that was changed again stands in it more than once
	// since is, for rooms that were held, from which offset on what was made is true: before and in between Store has
	// judged records that Announce has not seen.
	since map[chat.RoomID]chat.Offset
	// forgotten is the offset up to which messages were forgotten that the store did not have.
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

func newFresh() fresh {
	return fresh{messages: make(map[chat.MessageRef]made), since: make(map[chat.RoomID]chat.Offset)}
}

// message is a message's newest state; nil where it is not remembered.
func (f *fresh) message(ref chat.MessageRef) *chat.Message {
	if m := f.messages[ref]; m.at >= f.since[ref.Room] {
		return m.message
	}
	return nil
}

// add remembers a message, and at most so many; what was made before the stored offset the store has.
func (f *fresh) add(message *chat.Message, at chat.Offset, most int, stored chat.Offset) {
	ref := chat.MessageRef{Room: message.Room, ID: message.ID}
	f.messages[ref] = made{message, at}
	f.order = append(f.order, madeBy{ref, at})
	for len(f.order) > most {
		f.forgetOldest(stored)
	}
}

// distrust takes nothing for true any more that was made of a room before the offset.
func (f *fresh) distrust(room chat.RoomID, before chat.Offset) {
	f.since[room] = max(f.since[room], before)
	if len(f.since) <= distrustMax {
		return
	}
	for id, since := range f.since {
		if len(f.order) == 0 || since <= f.order[0].at {
			delete(f.since, id) // nothing older is left
		}
	}
	if len(f.since) > distrustMax {
		f.forgotten = f.order[len(f.order)-1].at + 1
		f.order = nil
		clear(f.messages)
		clear(f.since)
	}
}

func (f *fresh) forgetOldest(stored chat.Offset) {
	oldest := f.order[0]
	f.order = f.order[1:] // append moves what is left to a new array now and then
	if oldest.at >= stored {
		f.forgotten = oldest.at + 1
	}
	if f.messages[oldest.ref].at == oldest.at {
		delete(f.messages, oldest.ref)
	}
}
