package modelstore

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/wire"
)

// Store is what is durable. Make it with New.
type Store struct {
	positions map[int]chat.Offset
	rooms     map[chat.RoomID]*room
	order     []chat.RoomID // of rooms, as they were made
	outbox    []chat.OutboxEntry
	entries   int64
}

// room is one room's rows. What is not found in its own maps is looked up in past, which many forks share and none
// changes.
type room struct {
	info     chat.Room
	events   []chat.Event // events[n] has number n+1
	records  map[chat.MessageID]chat.Known
	messages map[chat.MessageID]*chat.Message
	members  map[chat.UserID]chat.Member
	past     *room
}

// New makes an empty store.
func New() *Store {
	return &Store{positions: make(map[int]chat.Offset), rooms: make(map[chat.RoomID]*room)}
}

// AddRoom makes a room without a single event.
func (s *Store) AddRoom(info chat.Room) {
	info.Head = 0
	s.rooms[info.ID] = newRoom(info, nil)
	s.order = append(s.order, info.ID)
}

func newRoom(info chat.Room, past *room) *room {
	return &room{
		info: info, past: past, records: make(map[chat.MessageID]chat.Known),
		messages: make(map[chat.MessageID]*chat.Message), members: make(map[chat.UserID]chat.Member),
	}
}

// Fork gives a store that goes on from here. The two share what has been stored so far; this one must not be changed
// any more.
func (s *Store) Fork() *Store {
	forked := New()
	maps.Copy(forked.positions, s.positions)
	forked.order = slices.Clone(s.order)
	forked.outbox, forked.entries = slices.Clone(s.outbox), s.entries
	for id, r := range s.rooms {
		copied := newRoom(r.info, r)
		copied.events = slices.Clip(r.events)
		maps.Copy(copied.members, r.members)
		forked.rooms[id] = copied
	}
	return forked
}

func (r *room) record(id chat.MessageID) (chat.Known, bool) {
	for ; r != nil; r = r.past {
		if known, ok := r.records[id]; ok {
			return known, true
		}
	}
	return chat.Known{}, false
}

func (r *room) message(id chat.MessageID) *chat.Message {
	for ; r != nil; r = r.past {
		if message, ok := r.messages[id]; ok {
			return message
		}
	}
	return nil
}

// Position is the offset up to which a partition is stored.
func (s *Store) Position(_ context.Context, partition int) (chat.Offset, error) {
	return s.positions[partition], nil
}

// Load implements sequencer.Store.
func (s *Store) Load(_ context.Context, partition int, rooms []chat.RoomID, messages []chat.MessageRef) (chat.Loaded, error) {
	loaded := chat.Loaded{
		Stored: s.positions[partition],
		Rooms:  make(map[chat.RoomID]chat.RoomState, len(rooms)), Messages: make(map[chat.MessageRef]*chat.Message, len(messages)),
	}
	for _, id := range rooms {
		if r, ok := s.rooms[id]; ok {
			loaded.Rooms[id] = r.state(id)
		}
	}
	for _, ref := range messages {
		if r, ok := s.rooms[ref.Room]; ok {
			if m := r.message(ref.ID); m != nil {
				loaded.Messages[ref] = m.Clone()
			}
		}
	}
	return loaded, nil
}

func (r *room) state(id chat.RoomID) chat.RoomState {
	state := chat.RoomState{Room: id, Head: r.info.Head}
	for i := max(0, len(r.events)-chat.WindowSize); i < len(r.events); i++ {
		event := &r.events[i]
		known, ok := r.record(event.RecordID)
		if !ok {
			continue // a change of nothing
		}
		if event.Kind == chat.KindVoid {
			known.Seq, known.First = event.Seq, known.Seq
		}
		state.Recent = append(state.Recent, known)
	}
	return state
}

// Message implements message.Store.
func (s *Store) Message(_ context.Context, id chat.RoomID, message chat.MessageID) (*chat.Message, error) {
	r, ok := s.rooms[id]
	if !ok {
		return nil, chat.ErrNotFound
	}
	if m := r.message(message); m != nil {
		return m.Clone(), nil
	}
	return nil, chat.ErrNotFound
}

// Commit implements sequencer.Store. An error means that nothing was changed.
func (s *Store) Commit(_ context.Context, batch chat.Batch) ([]chat.Void, error) {
	if s.positions[batch.Partition] != batch.From {
		return nil, chat.ErrFenced
	}
	if err := s.check(batch); err != nil {
		return nil, err
	}
	s.positions[batch.Partition] = batch.To
	var voids []chat.Void
	for i := range batch.Events {
		event := batch.Events[i]
		r, ok := s.rooms[event.Room]
		if !ok {
			continue
		}
		if void, ok := r.store(event); !ok {
			voids = append(voids, void)
		}
	}
	return voids, nil
}

var errBroken = errors.New("the batch breaks the contract")

// check refuses batches that no sequencer may make.
func (s *Store) check(batch chat.Batch) error {
	if batch.To < batch.From {
		return fmt.Errorf("%w: offsets run from %d back to %d", errBroken, batch.From, batch.To)
	}
	heads := make(map[chat.RoomID]chat.Seq)
	for i := range batch.Events {
		event := &batch.Events[i]
		r, ok := s.rooms[event.Room]
		if !ok {
			continue
		}
		head, seen := heads[event.Room]
		if !seen {
			head = r.info.Head
		}
		if event.Seq != head+1 {
			return fmt.Errorf("%w: number %d follows head %d in room %s", errBroken, event.Seq, head, event.Room)
		}
		heads[event.Room] = event.Seq
		switch event.Kind {
		case chat.KindEdit, chat.KindDelete, chat.KindReaction, chat.KindMood:
			if before := r.message(event.Message.ID); before != nil && before.Seq != event.Message.Seq {
				return fmt.Errorf("%w: event %d moves message %s from number %d to %d", errBroken, event.Seq, before.ID, before.Seq, event.Message.Seq)
			}
		}
	}
	return nil
}

// store takes one event with its number, or gives the number up.
func (r *room) store(event chat.Event) (void chat.Void, ok bool) {
	r.info.Head = event.Seq
	if first, known := r.record(event.RecordID); known {
		r.events = append(r.events, chat.Event{Room: event.Room, Seq: event.Seq, Kind: chat.KindVoid, RecordID: first.ID})
		return chat.Void{Room: event.Room, Seq: event.Seq, First: first}, false
	}
	known := chat.Known{ID: event.RecordID, Seq: event.Seq}
	switch event.Kind {
	case chat.KindMessage:
		known.Fingerprint = event.Message.Fingerprint
		r.messages[event.Message.ID] = event.Message
	case chat.KindEdit, chat.KindDelete, chat.KindReaction, chat.KindMood:
		if r.message(event.Message.ID) == nil {
			r.events = append(r.events, chat.Event{Room: event.Room, Seq: event.Seq, Kind: chat.KindVoid})
			return chat.Void{Room: event.Room, Seq: event.Seq}, false
		}
		r.messages[event.Message.ID] = event.Message
	}
	r.events = append(r.events, event)
	r.records[event.RecordID] = known
	return chat.Void{}, true
}

// Changes implements gateway.Store and history.Store.
func (s *Store) Changes(_ context.Context, id chat.RoomID, after chat.Seq, limit int) (chat.Page, error) {
	r, ok := s.rooms[id]
	if !ok {
		return chat.Page{}, chat.ErrNotFound
	}
	page := chat.Page{Through: max(after, r.info.Head), Head: r.info.Head}
	for seq := after + 1; seq <= r.info.Head; seq++ {
		event := r.events[seq-1]
		if event.Kind == chat.KindVoid {
			continue
		}
		if len(page.Events) == limit {
			page.Through, page.More = page.Events[limit-1].Seq, true
			break
		}
		if event.Message != nil {
			event.Message = r.message(event.Message.ID)
		}
		page.Events = append(page.Events, event)
	}
	return page, nil
}

// Access implements message.Store.
func (s *Store) Access(_ context.Context, id chat.RoomID, user chat.UserID) (chat.Access, error) {
	r, ok := s.rooms[id]
	if !ok {
		return chat.Access{}, chat.ErrNotFound
	}
	access := chat.Access{Room: r.info}
	if member, ok := r.members[user]; ok {
		access.Member = &member
	}
	return access, nil
}

// MembersNamed implements message.Store.
func (s *Store) MembersNamed(_ context.Context, id chat.RoomID, usernames []string) ([]chat.UserID, error) {
	r, ok := s.rooms[id]
	if !ok {
		return nil, chat.ErrNotFound
	}
	var found []chat.UserID
	for user, member := range r.members {
		if slices.Contains(usernames, member.User.Username) {
			found = append(found, user)
		}
	}
	return found, nil
}

// RoomOf reads a room as its member sees it, without counts; chat.ErrNotFound for outsiders.
func (s *Store) RoomOf(_ context.Context, id chat.RoomID, user chat.UserID) (chat.MemberRoom, error) {
	if r, ok := s.rooms[id]; ok {
		if member, ok := r.members[user]; ok {
			return chat.MemberRoom{Room: r.info, Member: member}, nil
		}
	}
	return chat.MemberRoom{}, chat.ErrNotFound
}

// RoomsOf reads every room of a person, without counts, as they were made.
func (s *Store) RoomsOf(_ context.Context, user chat.UserID) ([]chat.MemberRoom, error) {
	var rooms []chat.MemberRoom
	for _, id := range s.order {
		if member, ok := s.rooms[id].members[user]; ok {
			rooms = append(rooms, chat.MemberRoom{Room: s.rooms[id].info, Member: member})
		}
	}
	return rooms, nil
}

// SetMember changes who is in a room and leaves the record that tells of it in the outbox, as one transaction.
func (s *Store) SetMember(record *chat.Record, member chat.Member) error {
	r, ok := s.rooms[record.Room]
	if !ok {
		return chat.ErrNotFound
	}
	payload, err := wire.EncodeRecord(record)
	if err != nil {
		return err
	}
	if record.Member.Change.Leaves() {
		delete(r.members, member.User.ID)
	} else {
		r.members[member.User.ID] = member
	}
	s.entries++
	s.outbox = append(s.outbox, chat.OutboxEntry{Position: s.entries, ID: record.ID, Room: record.Room, Payload: payload})
	return nil
}

// Outbox reads the entries after a position, oldest first, at most limit.
func (s *Store) Outbox(_ context.Context, after int64, limit int) ([]chat.OutboxEntry, error) {
	var entries []chat.OutboxEntry
	for _, entry := range s.outbox {
		if entry.Position > after && len(entries) < limit {
			entries = append(entries, entry)
		}
	}
	return entries, nil
}

// OutboxDone forgets entries that the log has.
func (s *Store) OutboxDone(_ context.Context, positions []int64) error {
	s.outbox = slices.DeleteFunc(s.outbox, func(entry chat.OutboxEntry) bool { return slices.Contains(positions, entry.Position) })
	return nil
}

// Rooms are the ids of all rooms, as they were made.
func (s *Store) Rooms() []chat.RoomID { return s.order }

// Events are all that a room's numbers stand for, void ones included: the event of number n is at n-1. The caller must
// not change them; Message is the state of then, see Newest.
func (s *Store) Events(id chat.RoomID) []chat.Event { return s.rooms[id].events }

// Newest is a message's newest state, or nil. The caller must not change it.
func (s *Store) Newest(id chat.RoomID, message chat.MessageID) *chat.Message {
	return s.rooms[id].message(message)
}

// Known is where a record stands in a room, whatever became of it since.
func (s *Store) Known(id chat.RoomID, record chat.MessageID) (chat.Known, bool) {
	return s.rooms[id].record(record)
}
