package sim

import (
	"bytes"
	"context"
	"errors"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/feed"
	"github.com/blabber-hive/blabber-hive/internal/porttest/checker"
	"github.com/blabber-hive/blabber-hive/internal/wire"
)

// delivery is an event that was given to somebody who had just been put out of the room, by a record that nobody knew the
// number of yet.
type delivery struct {
	user   chat.UserID
	room   chat.RoomID
	seq    chat.Seq
	record chat.MessageID // that put the person out
}

// delivered remembers what can be judged only when all is numbered.
func (c *cluster) delivered(user chat.UserID, item feed.Item) {
	at := place{item.Room, user}
	if c.w.leaving[at] == 0 {
		return
	}
	if _, err := c.w.store.RoomOf(context.Background(), item.Room, user); errors.Is(err, chat.ErrNotFound) {
		c.doubtful = append(c.doubtful, delivery{user, item.Room, item.Seq, c.removals[at]})
	}
}

// judge holds what was published, acked and delivered against what is stored, and finds out which acks were taken back.
func (c *cluster) judge() {
	for _, room := range c.w.rooms {
		c.judgePublished(room)
	}
	for _, d := range c.doubtful {
		if removed, ok := c.w.store.Known(d.room, d.record); !ok || d.seq > removed.Seq {
			c.w.violate("number %d of room %d was sent to a person who was out of it from number %d on", d.seq, d.room[15], removed.Seq)
		}
	}
	for i := range c.w.attempts {
		a := &c.w.attempts[i]
		// The log acks what it has; that the id stands for another message is found out later, and may be told to nobody if
		// its node dies just then.
		if _, known := c.w.store.Known(a.Room, a.ID); a.Answer == checker.Acked && a.Seq == 0 && known && !c.stands(a) {
			a.Answer = checker.Refused
		}
	}
	for _, client := range c.w.clients {
		for _, ref := range client.refusals {
			c.judgeRefusal(client, ref)
		}
	}
}

// stands reports whether an attempt is what its id stands for.
func (c *cluster) stands(a *checker.Attempt) bool {
	known, ok := c.w.store.Known(a.Room, a.ID)
	return ok && known.Fingerprint == chat.FingerprintOf(a.Sender, a.Body, a.ReplyTo)
}

func (c *cluster) judgePublished(room chat.RoomID) {
	events := c.w.store.Events(room)
	for seq, said := range c.published[room] {
		if int(seq) > len(events) {
			c.w.violate("number %d of room %d was published and is not stored", seq, room[15])
			continue
		}
		event := &events[seq-1]
		if event.Kind == chat.KindVoid {
			c.w.violate("number %d of room %d was published and is void", seq, room[15])
			continue
		}
		if stored, err := wire.Envelope(event); err != nil || !bytes.Equal(stored.Body, said.item.Body) {
			c.w.violate("number %d of room %d was published as\n%s\nand is stored as\n%s", seq, room[15], said.item.Body, stored.Body)
		}
	}
}

// judgeRefusal checks that nobody is told of the refusal of what stands: the person has sent something else under that id.
func (c *cluster) judgeRefusal(client *client, ref chat.MessageRef) {
	for i := range c.w.attempts {
		a := &c.w.attempts[i]
		if a.Room == ref.Room && a.ID == ref.ID && a.Sender == client.person.ID && !c.stands(a) {
			return
		}
	}
	c.w.violate("%s was told that message %s of room %d is refused, which stands", client.name, ref.ID, ref.Room[15])
}
