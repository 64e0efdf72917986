package recent

import (
	"context"
	"errors"
	"slices"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// errApart says that events lie between what is stored and what the bus keeps.
var errApart = errors.New("the store is behind by more than the bus keeps")

// Reader reads the store and what the bus has beyond it. Its methods may be called concurrently.
type Reader struct {
	People

	store Store
	bus   Bus
}

// New makes a reader.
func New(store Store, bus Bus) *Reader { return &Reader{People: store, store: store, bus: bus} }

// beyond reads the tail after a position; nothing where the bus does not answer, which counts its failures itself.
func (r *Reader) beyond(ctx context.Context, room chat.RoomID, after chat.Seq) tail {
	events, err := r.bus.Tail(ctx, room, after)
	if err != nil {
		return newTail(after, nil)
	}
	return newTail(after, events)
}

// kept gives the bus's heads; none where it does not answer.
func (r *Reader) kept(ctx context.Context, rooms ...chat.RoomID) map[chat.RoomID]chat.Seq {
	heads, err := r.bus.Heads(ctx, rooms)
	if err != nil {
		return nil
	}
	return heads
}

func away(err error) bool { return chat.CodeOf(err) == chat.Unavailable }

// inTheGap answers who asks for what neither the store nor the bus has.
func inTheGap() error { return chat.Away("this part of the room's history", errApart) }

// Heads gives the higher of what is stored and what is kept. With the store away it answers only where the bus keeps
// something of every room that was asked for: one left out would look as if it were gone.
func (r *Reader) Heads(ctx context.Context, rooms []chat.RoomID) (map[chat.RoomID]chat.Seq, error) {
	stored, err := r.store.Heads(ctx, rooms)
	switch {
	case err != nil && !away(err):
		return nil, err
	case err != nil:
		kept := r.kept(ctx, rooms...)
		for _, id := range rooms {
			if _, ok := kept[id]; !ok {
				return nil, err
			}
		}
		return kept, nil
	case len(stored) == 0:
		return stored, nil
	}
	for id, head := range r.kept(ctx, rooms...) {
		if before, there := stored[id]; there {
			stored[id] = max(before, head)
		}
	}
	return stored, nil
}

// Access is the store's, with the newest head.
func (r *Reader) Access(ctx context.Context, room chat.RoomID, user chat.UserID) (chat.Access, error) {
	access, err := r.store.Access(ctx, room, user)
	if err != nil {
		return chat.Access{}, err
	}
	access.Room.Head = max(access.Room.Head, r.kept(ctx, room)[room])
	return access, nil
}

// Changes reads the events after a position.
func (r *Reader) Changes(ctx context.Context, room chat.RoomID, after chat.Seq, limit int) (chat.Page, error) {
	page, err := r.store.Changes(ctx, room, after, limit)
	switch {
	case err != nil && !away(err):
		return chat.Page{}, err
	case err != nil:
		return r.changesKept(ctx, room, after, limit, chat.Page{}, err)
	case after > page.Head:
		return r.changesKept(ctx, room, after, limit, page, nil)
	}
	t := r.beyond(ctx, room, page.Head)
	if !t.apart() {
		for i := range page.Events {
			if m := page.Events[i].Message; m != nil {
				page.Events[i].Message = t.newer(m)
			}
		}
		if page.Through == t.after {
			t.fill(&page, limit)
		}
	}
	page.Head = t.top
	page.More = page.Through < page.Head
	if page.More && page.Through <= after {
		return chat.Page{}, inTheGap()
	}
	return page, nil
}

// changesKept answers where the store has nothing to say of what comes after the position: it is behind it, and stored is
// its answer, or it is away, which storeErr says.
func (r *Reader) changesKept(ctx context.Context, room chat.RoomID, after chat.Seq, limit int, stored chat.Page, storeErr error) (chat.Page, error) {
	head, there := r.kept(ctx, room)[room]
	switch {
	case (!there || head <= stored.Head) && storeErr == nil:
		return stored, nil
	case !there:
		return chat.Page{}, storeErr
	case head <= after:
		return chat.Page{Through: max(head, stored.Through), Head: head}, nil
	}
	t := r.beyond(ctx, room, after)
	switch {
	case len(t.events) > 0 && !t.apart():
		var page chat.Page
		t.fill(&page, limit)
		page.Head, page.More = t.top, page.Through < t.top
		return page, nil
	case storeErr != nil:
		return chat.Page{}, storeErr
	}
	return chat.Page{}, inTheGap()
}

// Message reads a message in its newest state. The stored head is read first, so that a change that is not in the message
// as it is read afterwards is above that head.
func (r *Reader) Message(ctx context.Context, room chat.RoomID, id chat.MessageID) (*chat.Message, error) {
	heads, err := r.store.Heads(ctx, []chat.RoomID{room})
	var stored *chat.Message
	if err == nil {
		if _, there := heads[room]; !there {
			return nil, chat.ErrNotFound
		}
		stored, err = r.store.Message(ctx, room, id)
	}
	if err != nil && chat.CodeOf(err) != chat.NotFound && !away(err) {
		return nil, err
	}
	t := r.beyond(ctx, room, heads[room])
	if stored != nil {
		return t.newer(stored), nil
	}
	for _, event := range slices.Backward(t.events) {
		if m := event.Message; m != nil && m.ID == id {
			return m, nil
		}
	}
	return nil, err
}
