package storetest

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// TB is what both testing.T and rapid.T offer.
type TB interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// ctx is the test's context, where it has one.
func ctx(t TB) context.Context {
	if c, ok := t.(interface{ Context() context.Context }); ok {
		return c.Context()
	}
	return context.Background()
}

// Instance is a store under test and beside it the plainest model of what it should hold: every act is done to both, and
// Check compares them. The model numbers a log as numbering does, but knows nothing of windows, offsets or batches.
type Instance struct {
	Store     Store
	Users     []chat.User
	Hashes    map[chat.UserID]string
	Rooms     []*Room
	Partition int
	Stored    chat.Offset

	open func() Store
	now  time.Time
	ids  uint64
}

// Room is the model of one room.
type Room struct {
	chat.Room
	Members  map[chat.UserID]*chat.Member
	Bans     map[chat.UserID]chat.Ban
	Invites  map[string]chat.Invite
	Log      []chat.Event // Log[n-1] has number n
	Messages map[chat.MessageID]*chat.Message
	Activity time.Time
	Deleted  bool
}

// NewInstance opens a fresh store. Instances of one database need partitions of their own.
func NewInstance(_ TB, open func() Store, partition int) *Instance {
	return &Instance{
		Store: open(), open: open, Partition: partition, Hashes: make(map[chat.UserID]string),
		now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		ids: uint64(partition) << 32,
	}
}

// Restart closes the store and opens it again.
func (i *Instance) Restart() { i.Store = i.open() }

// Now is the time of the next act: each is a little later than the last.
func (i *Instance) Now() time.Time {
	i.now = i.now.Add(37 * time.Millisecond)
	return i.now
}

func (i *Instance) id() (id [16]byte) {
	i.ids++
	binary.BigEndian.PutUint64(id[:8], uint64(i.now.UnixMilli())<<16)
	binary.BigEndian.PutUint64(id[8:], i.ids)
	id[6], id[8] = 0x70, 0x80 // version 7
	return id
}

// MessageID makes an id that no other record has.
func (i *Instance) MessageID() chat.MessageID { return i.id() }

// NewUser makes an account that the store does not know yet.
func (i *Instance) NewUser(name string) chat.User {
	return chat.User{
		Profile:   chat.Profile{ID: i.id(), Username: name, DisplayName: "The " + name, AvatarURL: "/a/" + name},
		Status:    "here",
		Email:     name + "@example.org",
		CreatedAt: i.Now(),
	}
}

// AddUser makes an account.
func (i *Instance) AddUser(t TB, name string) chat.User {
	t.Helper()
	user := i.NewUser(name)
	if err := i.Store.CreateUser(ctx(t), user, "hash of "+name); err != nil {
		t.Fatalf("CreateUser(%s): %v", name, err)
	}
	i.Users = append(i.Users, user)
	i.Hashes[user.ID] = "hash of " + name
	return user
}

// UpdateUser changes an account.
func (i *Instance) UpdateUser(t TB, id chat.UserID, change func(user *chat.User)) {
	t.Helper()
	for n := range i.Users {
		if i.Users[n].ID == id {
			change(&i.Users[n])
		}
	}
	if _, err := i.Store.UpdateUser(ctx(t), id, func(user *chat.User) error { change(user); return nil }); err != nil {
		t.Fatalf("UpdateUser(%s): %v", id, err)
	}
}

// AddRoom makes a room with members, the first of whom owns it.
func (i *Instance) AddRoom(t TB, visibility chat.Visibility, members ...chat.User) *Room {
	t.Helper()
	info := chat.Room{
		ID: i.id(), Name: fmt.Sprintf("Room %d", len(i.Rooms)), Topic: "talk", Visibility: visibility,
		CreatedBy: members[0].ID, CreatedAt: i.Now(),
	}
	r := &Room{
		Room: info, Activity: info.CreatedAt, Members: make(map[chat.UserID]*chat.Member), Bans: make(map[chat.UserID]chat.Ban),
		Invites: make(map[string]chat.Invite), Messages: make(map[chat.MessageID]*chat.Message),
	}
	if err := i.Store.Update(ctx(t), info.ID, func(tx chat.RoomTx) error { return tx.PutRoom(info) }); err != nil {
		t.Fatalf("create room: %v", err)
	}
	i.Rooms = append(i.Rooms, r)
	for n, user := range members {
		role := chat.Plain
		if n == 0 {
			role = chat.Owner
		}
		i.Join(t, r, user, role)
	}
	return r
}

// Join makes a person a member whose read line is at the head.
func (i *Instance) Join(t TB, r *Room, user chat.User, role chat.Role) {
	t.Helper()
	member := chat.Member{Room: r.ID, User: user.Profile, Role: role, JoinedAt: i.Now(), ReadSeq: r.Head, Notify: chat.NotifyAll}
	i.update(t, r, func(tx chat.RoomTx) error { return tx.PutMember(member) })
	r.Members[user.ID] = &member
	r.Room.Members = len(r.Members)
}

// Leave takes a member out.
func (i *Instance) Leave(t TB, r *Room, user chat.UserID) {
	t.Helper()
	i.update(t, r, func(tx chat.RoomTx) error { return tx.RemoveMember(user) })
	delete(r.Members, user)
	r.Room.Members = len(r.Members)
}

// DeleteRoom deletes a room for good.
func (i *Instance) DeleteRoom(t TB, r *Room) {
	t.Helper()
	i.update(t, r, chat.RoomTx.DeleteRoom)
	r.Deleted = true
}

func (i *Instance) update(t TB, r *Room, change func(tx chat.RoomTx) error) {
	t.Helper()
	if err := i.Store.Update(ctx(t), r.ID, change); err != nil {
		t.Fatalf("Update(%s): %v", r.ID, err)
	}
}

// Profile is what the model knows of a person now.
func (i *Instance) Profile(id chat.UserID) chat.Profile {
	for _, user := range i.Users {
		if user.ID == id {
			return user.Profile
		}
	}
	return chat.Profile{ID: id}
}

// Say is a new message. It is not stored until Commit.
func (i *Instance) Say(r *Room, sender chat.User, body string, mentions ...chat.UserID) chat.Event {
	at := i.Now()
	m := &chat.Message{
		ID: i.id(), Room: r.ID, Sender: sender.Profile, Body: body, Mentions: mentions, CreatedAt: at,
		Fingerprint: chat.FingerprintOf(sender.ID, body, chat.MessageID{}),
	}
	return i.Number(r, chat.Event{Kind: chat.KindMessage, At: at, Actor: sender.Profile, RecordID: m.ID, Message: m})
}

// Change is an edit, a deletion or a reaction: change alters a copy of the message.
func (i *Instance) Change(r *Room, kind chat.Kind, target *chat.Message, change func(m *chat.Message, at time.Time)) chat.Event {
	at := i.Now()
	m := r.Messages[target.ID].Clone()
	change(m, at)
	event := chat.Event{Kind: kind, At: at, Actor: m.Sender, RecordID: i.id(), Message: m}
	if kind == chat.KindReaction {
		event.Reaction = &chat.ReactionDetail{Emoji: "👍", Added: len(m.Reactions) > 0}
	}
	return i.Number(r, event)
}

// Edit replaces a message's body.
func (i *Instance) Edit(r *Room, target *chat.Message, body string, mentions ...chat.UserID) chat.Event {
	return i.Change(r, chat.KindEdit, target, func(m *chat.Message, at time.Time) {
		m.Body, m.Mentions, m.MentionsAll, m.Mood, m.EditedAt = body, mentions, false, chat.Mood{}, at
	})
}

// Delete empties a message.
func (i *Instance) Delete(r *Room, target *chat.Message) chat.Event {
	return i.Change(r, chat.KindDelete, target, func(m *chat.Message, at time.Time) {
		m.Body, m.Mentions, m.MentionsAll, m.Reactions, m.Mood, m.DeletedAt = "", nil, false, nil, chat.Mood{}, at
	})
}

// React gives reactions to a message.
func (i *Instance) React(r *Room, target *chat.Message, reactions ...chat.Reaction) chat.Event {
	return i.Change(r, chat.KindReaction, target, func(m *chat.Message, _ time.Time) { m.Reactions = reactions })
}

// Feel gives a message a mood.
func (i *Instance) Feel(r *Room, target *chat.Message, label chat.MoodLabel, thousandths int) chat.Event {
	event := i.Change(r, chat.KindMood, target, func(m *chat.Message, _ time.Time) {
		m.Mood = chat.Mood{Label: label, Thousandths: thousandths}
	})
	event.Actor = chat.Profile{}
	r.Log[event.Seq-1].Actor = chat.Profile{}
	return event
}

// Tell is a member event.
func (i *Instance) Tell(r *Room, actor, subject chat.User, change chat.MemberChange) chat.Event {
	at := i.Now()
	return i.Number(r, chat.Event{
		Kind: chat.KindMember, At: at, Actor: actor.Profile, RecordID: i.id(),
		Member: &chat.MemberDetail{User: subject.Profile, Role: chat.Plain, JoinedAt: at, Change: change},
	})
}

// TellRoom is a room event.
func (i *Instance) TellRoom(r *Room, actor chat.User, change chat.RoomChange) chat.Event {
	return i.Number(r, chat.Event{
		Kind: chat.KindRoom, At: i.Now(), Actor: actor.Profile, RecordID: i.id(), Info: &chat.RoomDetail{Room: r.Room, Change: change},
	})
}

// Resend is an event that says again what another one said, under a new number: it will be void.
func (i *Instance) Resend(r *Room, first chat.Event) chat.Event {
	again := first
	if first.Message != nil {
		again.Message = first.Message.Clone()
	}
	again.At = i.Now()
	return i.Number(r, again)
}

// Number gives an event the next number of its room and applies it to the model.
func (i *Instance) Number(r *Room, event chat.Event) chat.Event {
	r.Head++
	event.Room, event.Seq = r.ID, r.Head
	known := event
	if slices.ContainsFunc(r.Log, func(e chat.Event) bool { return e.Kind != chat.KindVoid && e.RecordID == event.RecordID }) {
		known.Kind = chat.KindVoid
		r.Log = append(r.Log, known)
		if event.Message != nil && event.Kind == chat.KindMessage {
			event.Message.Seq = event.Seq
		}
		return event
	}
	if m := event.Message; m != nil {
		if event.Kind == chat.KindMessage {
			m.Seq = event.Seq
			r.Activity = m.CreatedAt
		} else {
			m.ChangedSeq = event.Seq
		}
		r.Messages[m.ID] = m.Clone()
	}
	r.Log = append(r.Log, known)
	return event
}

// Commit stores events as one batch.
func (i *Instance) Commit(t TB, events ...chat.Event) []chat.Void {
	t.Helper()
	batch := chat.Batch{Partition: i.Partition, From: i.Stored, To: i.Stored + max(1, chat.Offset(len(events))), Events: events}
	voids, err := i.Store.Commit(ctx(t), batch)
	if err != nil {
		t.Fatalf("Commit(%d events from %d): %v", len(events), batch.From, err)
	}
	i.Stored = batch.To
	return voids
}

// living are the rooms that are not deleted.
func (i *Instance) living() []*Room {
	return slices.DeleteFunc(slices.Clone(i.Rooms), func(r *Room) bool { return r.Deleted })
}

// sortedMessages are a room's messages by number.
func (r *Room) sortedMessages() []*chat.Message {
	return slices.SortedFunc(maps.Values(r.Messages), func(a, b *chat.Message) int { return int(a.Seq) - int(b.Seq) })
}

// RoomState reads a room's state; ok is false where the store has none.
func (i *Instance) RoomState(t TB, s Store, room chat.RoomID) (state chat.RoomState, ok bool) {
	t.Helper()
	loaded, err := s.Load(ctx(t), i.Partition, []chat.RoomID{room}, nil)
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	state, ok = loaded.Rooms[room]
	return state, ok
}
