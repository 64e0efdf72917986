package sim

import (
	"context"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/feed"
	"github.com/blabber-hive/blabber-hive/internal/porttest/checker"
)

// tailMax is how many of a room's newest events the bus keeps.
const tailMax = 200

// tail is what the bus keeps of a room, for those who read while the store is behind.
type tail struct {
	items    map[chat.Seq]feed.Item
	newest   chat.Seq
	messages map[chat.MessageID]*checker.Message // the newest state of each that it ever had
	prints   map[chat.MessageID]chat.Fingerprint
}

// keep adds an event to its room's tail.
func (b *bus) keep(w *world, item feed.Item) {
	t := b.tails[item.Room]
	if t == nil {
		t = &tail{
			items: make(map[chat.Seq]feed.Item), messages: make(map[chat.MessageID]*checker.Message),
			prints: make(map[chat.MessageID]chat.Fingerprint),
		}
		b.tails[item.Room] = t
	}
	if item.Seq+tailMax <= t.newest {
		return
	}
	t.items[item.Seq] = item
	for ; t.newest < item.Seq; t.newest++ {
		if t.newest >= tailMax {
			delete(t.items, t.newest-tailMax+1)
		}
	}
	m := w.codec.decode(item.Frame).Message
	if m == nil {
		return
	}
	if held := t.messages[m.ID]; held == nil || held.ChangedSeq < m.ChangedSeq {
		t.messages[m.ID] = m
	}
	if item.Kind == chat.KindMessage {
		t.prints[m.ID] = chat.FingerprintOf(m.Sender, m.Body, m.ReplyTo)
	}
}

// reads says whether a reader gets at a room's tail.
func (b *bus) reads(w *world, room chat.RoomID) *tail {
	if w.now < b.away && !w.calm {
		return nil
	}
	return b.tails[room]
}

// head is a room's head as a gateway sees it: the store's, and what the tail has right after it.
func (w *world) head(room chat.RoomID) (chat.Seq, error) {
	page, err := w.store.Changes(context.Background(), room, 1<<62, 1)
	return w.beyond(room, page.Head), err
}

func (w *world) beyond(room chat.RoomID, head chat.Seq) chat.Seq {
	if t := w.bus.reads(w, room); t != nil {
		for ; t.items[head+1].Seq != 0; head++ {
		}
	}
	return head
}

// readChanges is a page of a room as a gateway reads it: the store's rows and then the bus's tail.
func (w *world) readChanges(room chat.RoomID, after chat.Seq, limit int) ([]feed.Item, chat.Page, error) {
	page, err := w.store.Changes(context.Background(), room, after, limit)
	items := make([]feed.Item, 0, len(page.Events))
	for i := range page.Events {
		items = append(items, w.codec.encode(&page.Events[i]))
	}
	t := w.bus.reads(w, room)
	if err != nil || page.More || t == nil {
		return items, page, err
	}
	page.Head = w.beyond(room, page.Head)
	for len(items) < limit && page.Through < page.Head {
		item, ok := t.items[page.Through+1]
		if !ok {
			break
		}
		items = append(items, item)
		page.Through++
	}
	page.More = page.Through < page.Head
	return items, page, nil
}

// readMessage is a message as a gateway reads it: its newest state in the store or in the bus's tail.
func (w *world) readMessage(ctx context.Context, room chat.RoomID, id chat.MessageID) (*chat.Message, error) {
	if err := w.reachable(); err != nil {
		return nil, err
	}
	if w.chance(w.faults.stale) {
		return nil, chat.ErrNotFound
	}
	stored, err := w.store.Message(ctx, room, id)
	t := w.bus.reads(w, room)
	if t == nil {
		return stored, err
	}
	m := t.messages[id]
	if m == nil || (err == nil && max(stored.Seq, stored.ChangedSeq) >= max(m.Seq, m.ChangedSeq)) {
		return stored, err
	}
	fingerprint, known := t.prints[id]
	if err == nil {
		fingerprint, known = stored.Fingerprint, true
	}
	if !known {
		return nil, chat.ErrNotFound // the tail has only a change of it
	}
	message := &chat.Message{
		ID: id, Room: room, Seq: m.Seq, ChangedSeq: m.ChangedSeq, Sender: chat.Profile{ID: m.Sender}, Body: m.Body, ReplyTo: m.ReplyTo,
		Fingerprint: fingerprint,
	}
	if m.Deleted {
		message.DeletedAt = epoch
	}
	return message, nil
}

// memberRoom is a room as its member sees it. The head is of no later moment than the membership: a removal up to there is
// older than it.
func (w *world) memberRoom(room chat.RoomID, user chat.UserID) (chat.MemberRoom, error) {
	found, err := w.store.RoomOf(context.Background(), room, user)
	found.Head = w.beyond(room, found.Head)
	return found, err
}

func (w *world) memberRooms(user chat.UserID) ([]chat.MemberRoom, error) {
	rooms, err := w.store.RoomsOf(context.Background(), user)
	for i := range rooms {
		rooms[i].Head = w.beyond(rooms[i].ID, rooms[i].Head)
	}
	return rooms, err
}

// dies takes the bus away for a while, and mostly all that it keeps. Gateways look for what they have missed when it is back.
func (b *bus) dies(w *world, pause time.Duration) {
	b.away = w.now + pause
	w.tell("the bus is away until %v", b.away)
	if w.chance(w.faults.tailLoss) {
		clear(b.tails)
	}
	w.after(pause, func() {
		for _, g := range w.gateways {
			if g.up {
				g.lookForHeads()
			}
		}
	})
}
