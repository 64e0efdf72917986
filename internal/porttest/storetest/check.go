package storetest

import (
	"bytes"
	"cmp"
	"reflect"
	"slices"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// diff compares what the product's types say; that one store gives nil where another gives an empty list says nothing.
func diff(want, got any) string {
	if reflect.DeepEqual(want, got) {
		return "" // a hundred times faster, and nearly always so
	}
	return gocmp.Diff(want, got, cmpopts.EquateEmpty())
}

// message is the model's message with profiles as they are now.
func (i *Instance) message(m *chat.Message) *chat.Message {
	if m == nil {
		return nil
	}
	m = m.Clone()
	m.Sender = i.Profile(m.Sender.ID)
	return m
}

// Expected is what Changes should give of one number; ok is false for void ones.
func (i *Instance) Expected(r *Room, seq chat.Seq) (event chat.Event, ok bool) {
	event = r.Log[seq-1]
	event.Actor = i.Profile(event.Actor.ID)
	if event.Message != nil {
		event.Message = i.message(r.Messages[event.Message.ID])
	}
	if event.Member != nil {
		detail := *event.Member
		detail.User = i.Profile(detail.User.ID)
		event.Member = &detail
	}
	return event, event.Kind != chat.KindVoid
}

// page is what Changes should give.
func (i *Instance) page(r *Room, after chat.Seq, through, head chat.Seq) chat.Page {
	page := chat.Page{Through: through, Head: head, More: through < head}
	for seq := after + 1; seq <= through; seq++ {
		if event, ok := i.Expected(r, seq); ok {
			page.Events = append(page.Events, event)
		}
	}
	return page
}

// MemberRoom is what RoomOf should give.
func (i *Instance) MemberRoom(r *Room, user chat.UserID) chat.MemberRoom {
	member := *r.Members[user]
	member.User = i.Profile(user)
	want := chat.MemberRoom{Room: r.Room, Member: member}
	from := member.ReadSeq + 1
	if member.UnreadFrom != 0 {
		from = member.UnreadFrom
	}
	for _, m := range r.sortedMessages() {
		want.LastMessage = i.message(m)
		if m.Seq < from || m.Sender.ID == user || !m.DeletedAt.IsZero() {
			continue
		}
		want.Unread = min(want.Unread+1, chat.UnreadCap)
		if m.MentionsAll || slices.Contains(m.Mentions, user) {
			want.Mentions = min(want.Mentions+1, chat.UnreadCap)
		}
	}
	return want
}

// Check compares everything that the store holds with the model.
func (i *Instance) Check(t TB, s Store) {
	t.Helper()
	for _, user := range i.Users {
		i.checkUser(t, s, user)
	}
	i.checkHeads(t, s)
	for _, r := range i.Rooms {
		if r.Deleted {
			if _, ok := i.RoomState(t, s, r.ID); ok {
				t.Errorf("a deleted room still has its state")
			}
			continue
		}
		i.checkRoom(t, s, r)
		i.checkLog(t, s, r)
	}
}

func (i *Instance) checkUser(t TB, s Store, user chat.User) {
	t.Helper()
	got, hash, err := s.Credentials(ctx(t), user.Username)
	if err != nil || diff(user, got) != "" || hash != i.Hashes[user.ID] {
		t.Errorf("Credentials(%s) = %q, %v; diff %s", user.Username, hash, err, diff(user, got))
	}
	var mine []*Room
	for _, r := range i.living() {
		if r.Members[user.ID] != nil {
			mine = append(mine, r)
		}
	}
	slices.SortFunc(mine, func(a, b *Room) int {
		return cmp.Or(b.Activity.Compare(a.Activity), bytes.Compare(a.ID[:], b.ID[:]))
	})
	want := make([]chat.MemberRoom, 0, len(mine))
	for _, r := range mine {
		want = append(want, i.MemberRoom(r, user.ID))
	}
	rooms, err := s.RoomsOf(ctx(t), user.ID)
	if err != nil || diff(want, rooms) != "" {
		t.Errorf("RoomsOf(%s): %v; diff (-want +got)\n%s", user.Username, err, diff(want, rooms))
	}
	ids, err := s.RoomIDs(ctx(t), user.ID)
	slices.SortFunc(ids, func(a, b chat.RoomID) int { return bytes.Compare(a[:], b[:]) })
	wantIDs := make([]chat.RoomID, 0, len(mine))
	for _, r := range mine {
		wantIDs = append(wantIDs, r.ID)
	}
	slices.SortFunc(wantIDs, func(a, b chat.RoomID) int { return bytes.Compare(a[:], b[:]) })
	if err != nil || diff(wantIDs, ids) != "" {
		t.Errorf("RoomIDs(%s): %v; diff (-want +got)\n%s", user.Username, err, diff(wantIDs, ids))
	}
	of, err := s.RoomIDsOf(ctx(t), []chat.UserID{user.ID})
	slices.SortFunc(of[user.ID], func(a, b chat.RoomID) int { return bytes.Compare(a[:], b[:]) })
	if d := diff(map[chat.UserID][]chat.RoomID{user.ID: wantIDs}, of); err != nil || d != "" {
		t.Errorf("RoomIDsOf(%s): %v; diff (-want +got)\n%s", user.Username, err, d)
	}
	if n, err := s.RoomCount(ctx(t), user.ID); err != nil || n != len(mine) {
		t.Errorf("RoomCount(%s) = %d, %v, want %d", user.Username, n, err, len(mine))
	}
}

func (i *Instance) checkHeads(t TB, s Store) {
	t.Helper()
	asked, want := []chat.RoomID{{0xff}}, make(map[chat.RoomID]chat.Seq)
	for _, r := range i.Rooms {
		asked = append(asked, r.ID)
		if !r.Deleted {
			want[r.ID] = r.Head
		}
	}
	heads, err := s.Heads(ctx(t), asked)
	if d := diff(want, heads); err != nil || d != "" {
		t.Errorf("Heads: %v; diff (-want +got)\n%s", err, d)
	}
}

func (i *Instance) checkRoom(t TB, s Store, r *Room) {
	t.Helper()
	for _, user := range i.Users {
		want := chat.Access{Room: r.Room}
		if member := r.Members[user.ID]; member != nil {
			copied := *member
			copied.User = user.Profile
			want.Member = &copied
		}
		_, want.Banned = r.Bans[user.ID]
		access, err := s.Access(ctx(t), r.ID, user.ID)
		if err != nil || diff(want, access) != "" {
			t.Errorf("Access(%s): %v; diff (-want +got)\n%s", user.Username, err, diff(want, access))
		}
	}
	members, next, err := s.Members(ctx(t), r.ID, "", 1000)
	if err != nil || next != "" || len(members) != len(r.Members) {
		t.Errorf("Members() = %d, next %q, %v, want %d", len(members), next, err, len(r.Members))
	}
}

func (i *Instance) checkLog(t TB, s Store, r *Room) {
	t.Helper()
	begin := r.CreatedAt.Truncate(chat.MoodSpan)
	i.checkMoods(t, s, r, begin, begin.AddDate(1, 0, 0))
	page, err := s.Changes(ctx(t), r.ID, 0, chat.ChangesMax)
	want := i.page(r, 0, min(r.Head, chat.ChangesMax), r.Head)
	if err != nil || diff(want, page) != "" {
		t.Errorf("Changes: %v; diff (-want +got)\n%s", err, diff(want, page))
	}
	for _, m := range r.sortedMessages() {
		got, err := s.Message(ctx(t), r.ID, m.ID)
		if err != nil || diff(i.message(m), got) != "" {
			t.Errorf("Message(%d): %v; diff (-want +got)\n%s", m.Seq, err, diff(i.message(m), got))
		}
	}
	state, _ := i.RoomState(t, s, r.ID)
	if want := r.State(); diff(want, state) != "" {
		t.Errorf("the room's state differs (-want +got)\n%s", diff(want, state))
	}
}

// State is what Load should give.
func (r *Room) State() chat.RoomState {
	state := chat.RoomState{Room: r.ID, Head: r.Head}
	for _, event := range r.Log[max(0, len(r.Log)-chat.WindowSize):] {
		known := chat.Known{ID: event.RecordID, Seq: event.Seq}
		switch event.Kind {
		case chat.KindVoid:
			first := slices.IndexFunc(r.Log, func(e chat.Event) bool { return e.Kind != chat.KindVoid && e.RecordID == event.RecordID })
			if first < 0 {
				continue
			}
			known.First = r.Log[first].Seq
			if message := r.Log[first].Message; message != nil && r.Log[first].Kind == chat.KindMessage {
				known.Fingerprint = message.Fingerprint
			}
		case chat.KindMessage:
			known.Fingerprint = event.Message.Fingerprint
		case chat.KindEdit, chat.KindDelete, chat.KindReaction, chat.KindMood, chat.KindMember, chat.KindRoom:
		}
		state.Recent = append(state.Recent, known)
	}
	return state
}
