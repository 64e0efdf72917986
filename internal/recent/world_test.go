package recent_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/numbering"
	"github.com/blabber-hive/blabber-hive/internal/porttest/modelstore"
)

var (
	start   = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	errDown = chat.Away("the test's database", nil)
)

func person(n int) chat.Profile {
	return chat.Profile{ID: chat.UserID{byte(n) + 1}, Username: fmt.Sprint("person", n)}
}

func roomID(n int) chat.RoomID { return chat.RoomID{byte(n >> 8), byte(n), 7} }

func messageID(n int) (id chat.MessageID) {
	binary.BigEndian.PutUint32(id[:], uint32(n)+1)
	return id
}

// table is what a database would answer of a modelstore's rows. What it says about a room ends at the room's head.
type table struct {
	*modelstore.Store
	down      bool
	byNumbers bool // a page of changes is a range of numbers, as in PostgreSQL, and not of events
	reads     int
}

func (s *table) err() error {
	s.reads++
	if s.down {
		return errDown
	}
	return nil
}

func (s *table) head(room chat.RoomID) chat.Seq { return chat.Seq(len(s.Events(room))) }

func (s *table) has(room chat.RoomID) bool { return slices.Contains(s.Rooms(), room) }

func (s *table) messages(room chat.RoomID) (all []chat.Message) {
	for _, event := range s.Events(room) {
		if event.Kind == chat.KindMessage {
			all = append(all, *s.Newest(room, event.Message.ID))
		}
	}
	return all
}

func (s *table) Message(ctx context.Context, room chat.RoomID, id chat.MessageID) (*chat.Message, error) {
	if err := s.err(); err != nil {
		return nil, err
	}
	return s.Store.Message(ctx, room, id)
}

func (s *table) Access(ctx context.Context, room chat.RoomID, user chat.UserID) (chat.Access, error) {
	if err := s.err(); err != nil {
		return chat.Access{}, err
	}
	return s.Store.Access(ctx, room, user)
}

// Messages says the contract a second time, one message after the other.
func (s *table) Messages(_ context.Context, room chat.RoomID, query chat.HistoryQuery) ([]chat.Message, chat.Seq, error) {
	if err := s.err(); err != nil {
		return nil, 0, err
	}
	if !s.has(room) {
		return nil, 0, chat.ErrNotFound
	}
	var older, newer []chat.Message
	for _, m := range s.messages(room) {
		switch {
		case query.After > 0 || query.FromStart:
			if m.Seq > query.After && len(newer) < query.Limit {
				newer = append(newer, m)
			}
		case query.Around > 0 && m.Seq >= query.Around:
			newer = append(newer, m)
		case query.Around > 0 || query.Before == 0 || m.Seq < query.Before:
			older = append(older, m)
		}
	}
	if query.Around > 0 {
		below := min(len(older), query.Limit/2)
		newer = newer[:min(len(newer), query.Limit-below)]
		older = older[len(older)-min(len(older), query.Limit-len(newer)):]
	}
	if query.Around == 0 {
		older = older[max(0, len(older)-query.Limit):]
	}
	return append(older, newer...), s.head(room), nil
}

func (s *table) Changes(ctx context.Context, room chat.RoomID, after chat.Seq, limit int) (chat.Page, error) {
	if err := s.err(); err != nil {
		return chat.Page{}, err
	}
	page, err := s.Store.Changes(ctx, room, after, limit)
	if err == nil && s.byNumbers && after < page.Head {
		page.Through = min(after+chat.Seq(limit), page.Head)
		page.More = page.Through < page.Head
		page.Events = slices.DeleteFunc(page.Events, func(e chat.Event) bool { return e.Seq > page.Through })
	}
	page.Through = min(page.Through, page.Head)
	return page, err
}

func (s *table) Heads(_ context.Context, rooms []chat.RoomID) (map[chat.RoomID]chat.Seq, error) {
	if err := s.err(); err != nil {
		return nil, err
	}
	heads := make(map[chat.RoomID]chat.Seq)
	for _, id := range rooms {
		if s.has(id) {
			heads[id] = s.head(id)
		}
	}
	return heads, nil
}

func (s *table) RoomOf(ctx context.Context, room chat.RoomID, user chat.UserID) (chat.MemberRoom, error) {
	if err := s.err(); err != nil {
		return chat.MemberRoom{}, err
	}
	seen, err := s.Store.RoomOf(ctx, room, user)
	if err != nil {
		return seen, err
	}
	from := seen.Member.ReadSeq + 1
	if seen.Member.UnreadFrom != 0 {
		from = seen.Member.UnreadFrom
	}
	for _, m := range s.messages(room) {
		seen.LastMessage = &m
		if m.Seq < from || m.Sender.ID == user || !m.DeletedAt.IsZero() {
			continue
		}
		seen.Unread = min(seen.Unread+1, chat.UnreadCap)
		if m.MentionsAll || slices.Contains(m.Mentions, user) {
			seen.Mentions = min(seen.Mentions+1, chat.UnreadCap)
		}
	}
	return seen, nil
}

func (s *table) RoomsOf(ctx context.Context, user chat.UserID) ([]chat.MemberRoom, error) {
	if err := s.err(); err != nil {
		return nil, err
	}
	rooms, err := s.Store.RoomsOf(ctx, user)
	for i := range rooms {
		if rooms[i], err = s.RoomOf(ctx, rooms[i].ID, user); err != nil {
			return nil, err
		}
	}
	at := func(r chat.MemberRoom) time.Time {
		if r.LastMessage == nil {
			return r.CreatedAt
		}
		return r.LastMessage.CreatedAt
	}
	slices.SortFunc(rooms, func(a, b chat.MemberRoom) int {
		if order := at(b).Compare(at(a)); order != 0 {
			return order
		}
		return bytes.Compare(a.ID[:], b.ID[:])
	})
	return rooms, err
}

func (s *table) RoomIDs(ctx context.Context, user chat.UserID) (ids []chat.RoomID, err error) {
	rooms, err := s.Store.RoomsOf(ctx, user)
	for _, r := range rooms {
		ids = append(ids, r.ID)
	}
	return ids, err
}

func (s *table) RoomIDsOf(ctx context.Context, users []chat.UserID) (map[chat.UserID][]chat.RoomID, error) {
	ids := make(map[chat.UserID][]chat.RoomID)
	for _, user := range users {
		ids[user], _ = s.RoomIDs(ctx, user)
	}
	return ids, nil
}

// keeper is a bus that keeps what a test gives it.
type keeper struct {
	kept         map[chat.RoomID][]chat.Event // ascending
	down         bool
	broken       bool // breaks its promise: the tail has gaps, and begins where it likes
	tails, heads int  // calls
}

func (k *keeper) Tail(_ context.Context, room chat.RoomID, after chat.Seq) ([]chat.Event, error) {
	k.tails++
	if k.down {
		return nil, errDown
	}
	if k.broken {
		after = 0
	}
	return slices.Clone(k.tail(room, after)), nil
}

func (k *keeper) tail(room chat.RoomID, after chat.Seq) (tail []chat.Event) {
	kept := k.kept[room]
	for i := len(kept) - 1; i >= 0 && kept[i].Seq > after; i-- {
		if len(tail) > 0 && tail[0].Seq != kept[i].Seq+1 && !k.broken {
			break
		}
		tail = slices.Insert(tail, 0, kept[i])
	}
	return tail
}

func (k *keeper) top(room chat.RoomID) (head chat.Seq) {
	if kept := k.kept[room]; len(kept) > 0 {
		head = kept[len(kept)-1].Seq
	}
	return head
}

func (k *keeper) Heads(_ context.Context, rooms []chat.RoomID) (map[chat.RoomID]chat.Seq, error) {
	k.heads++
	if k.down {
		return nil, errDown
	}
	heads := make(map[chat.RoomID]chat.Seq)
	for _, id := range rooms {
		if len(k.kept[id]) > 0 {
			heads[id] = k.top(id)
		}
	}
	return heads, nil
}

// world is a history of some rooms, all of it, and how to store any prefix of it.
type world struct {
	rooms   []chat.RoomID
	events  map[chat.RoomID][]chat.Event // as they were numbered, those that will be void included
	voids   map[chat.RoomID]map[chat.Seq]bool
	members map[chat.RoomID][]chat.Member
	whole   *table
	number  map[chat.RoomID]*numbering.Room
	serial  int
}

func newWorld(rooms int) *world {
	w := &world{
		events: make(map[chat.RoomID][]chat.Event), voids: make(map[chat.RoomID]map[chat.Seq]bool),
		members: make(map[chat.RoomID][]chat.Member), number: make(map[chat.RoomID]*numbering.Room),
	}
	for n := range rooms {
		id := roomID(n)
		w.rooms = append(w.rooms, id)
		w.voids[id] = make(map[chat.Seq]bool)
		w.number[id] = numbering.NewRoom(chat.RoomState{Room: id})
	}
	w.whole = w.stored(nil)
	return w
}

// stored is a store that has the rooms up to the given numbers, those of them that are not void.
func (w *world) stored(heads map[chat.RoomID]chat.Seq) *table {
	s := &table{Store: modelstore.New()}
	for n, id := range w.rooms {
		s.AddRoom(chat.Room{ID: id, Name: fmt.Sprint("room ", n), CreatedAt: start.Add(time.Duration(n%3) * time.Second)})
		for _, member := range w.members[id] {
			w.place(s, member)
		}
		for seq := range heads[id] {
			w.commit(s, w.events[id][seq])
		}
	}
	return s
}

func (w *world) place(s *table, member chat.Member) {
	record := &chat.Record{Room: member.Room, Kind: chat.KindMember, Member: &chat.MemberDetail{Change: chat.MemberJoined}}
	if err := s.SetMember(record, member); err != nil {
		panic(err)
	}
}

func (w *world) commit(s *table, event chat.Event) []chat.Void {
	at, _ := s.Position(context.Background(), 0)
	voids, err := s.Commit(context.Background(), chat.Batch{From: at, To: at + 1, Events: []chat.Event{event}})
	if err != nil {
		panic(err)
	}
	return voids
}

func (w *world) join(member chat.Member) {
	w.members[member.Room] = append(w.members[member.Room], member)
	w.place(w.whole, member)
}

// apply numbers a record and stores it in the whole.
func (w *world) apply(record *chat.Record) {
	w.serial++
	record.At = start.Add(time.Duration(w.serial/2) * time.Second)
	if record.ID == (chat.MessageID{}) {
		record.ID = messageID(1_000_000 + w.serial)
	}
	room := record.Room
	event := w.number[room].Apply(record, w.whole.Newest(room, record.Target)).Receipt.Event
	if event == nil {
		return
	}
	w.events[room] = append(w.events[room], *event)
	for _, void := range w.commit(w.whole, *event) {
		w.voids[room][void.Seq] = true
		if void.First.Seq > 0 {
			w.number[room].Void(void.Seq, void.First)
		}
	}
}

// forget lets a room's owner forget what it has numbered, as after many more events, so that a repeat gets a number.
func (w *world) forget(room chat.RoomID) {
	w.number[room] = numbering.NewRoom(chat.RoomState{Room: room, Head: w.number[room].Head()})
}

func said(room chat.RoomID, id, sender int, mentions ...chat.UserID) *chat.Record {
	body := fmt.Sprint("message ", id)
	return &chat.Record{
		ID: messageID(id), Room: room, Kind: chat.KindMessage, Actor: person(sender), Body: body, Mentions: mentions,
		Fingerprint: chat.FingerprintOf(person(sender).ID, body, chat.MessageID{}),
	}
}

const people = 3

// draw makes a random history.
func draw(t *rapid.T) *world {
	w := newWorld(rapid.IntRange(1, 3).Draw(t, "rooms"))
	mention := func() []chat.UserID {
		return rapid.SampledFrom([][]chat.UserID{nil, nil, {person(0).ID}, {person(0).ID, person(1).ID}}).Draw(t, "mentions")
	}
	if rapid.IntRange(0, 9).Draw(t, "long") == 7 { // long enough for counts at their cap
		for n := range chat.UnreadCap + 3 {
			w.apply(said(w.rooms[0], 1000+n, n%2+1, person(0).ID))
		}
	}
	for range rapid.IntRange(0, 40).Draw(t, "records") {
		room := rapid.SampledFrom(w.rooms).Draw(t, "room")
		target := messageID(rapid.IntRange(0, 14).Draw(t, "target"))
		if m := w.whole.messages(room); len(m) > 0 && rapid.Bool().Draw(t, "any") {
			target = rapid.SampledFrom(m).Draw(t, "message").ID
		}
		record := &chat.Record{Room: room, Actor: person(rapid.IntRange(0, people-1).Draw(t, "actor")), Target: target}
		switch record.Kind = rapid.SampledFrom([]chat.Kind{
			chat.KindMessage, chat.KindMessage, chat.KindMessage, chat.KindEdit, chat.KindDelete, chat.KindReaction, chat.KindMember, chat.KindVoid,
		}).Draw(t, "kind"); record.Kind {
		case chat.KindMessage:
			record = said(room, rapid.IntRange(0, 14).Draw(t, "id"), rapid.IntRange(0, people-1).Draw(t, "sender"), mention()...)
			record.MentionsAll = rapid.IntRange(0, 9).Draw(t, "all") == 0
		case chat.KindEdit:
			record.Body, record.Mentions = rapid.SampledFrom([]string{"ha", "he"}).Draw(t, "body"), mention()
			if m := w.whole.Newest(room, target); m != nil {
				record.Actor = m.Sender
			}
		case chat.KindDelete:
			record.Moderation = true
		case chat.KindReaction:
			record.Emoji, record.Added = "👍", rapid.Bool().Draw(t, "added")
		case chat.KindMember:
			record.Member = &chat.MemberDetail{User: record.Actor, Change: chat.MemberRole}
		case chat.KindVoid:
			w.forget(room)
			continue
		}
		w.apply(record)
	}
	for _, room := range w.rooms {
		head := len(w.events[room])
		for n := range people {
			member := chat.Member{Room: room, User: person(n), Role: chat.Plain, Notify: chat.NotifyAll}
			member.ReadSeq = chat.Seq(rapid.IntRange(0, head).Draw(t, "read"))
			if rapid.IntRange(0, 3).Draw(t, "marked") == 0 {
				member.UnreadFrom = chat.Seq(rapid.IntRange(0, head).Draw(t, "unread from"))
			}
			w.join(member)
		}
	}
	return w
}
