package storetest

import (
	"fmt"
	"sync"
	"testing"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

func testMarks(t *testing.T, fresh Fresh) {
	each(t, fresh, map[string]func(t *testing.T, i *Instance){
		"the read line moves forward, to the head at most": readLine,
		"unread counts others' messages, exact to the cap": unreadCounts,
		"mentions count once":                              mentionCounts,
		"marking unread counts from there until read":      markUnread,
		"notification levels":                              notify,
		"marks are for members":                            outsiders,
		"racing devices leave the highest line":            racingReads,
		"changes of a member leave the marks alone":        marksSurviveRoles,
	})
}

func (i *Instance) wantState(t TB, r *Room, user chat.User, got chat.ReadState, err error) {
	t.Helper()
	room := i.MemberRoom(r, user.ID)
	want := chat.ReadState{ReadSeq: room.Member.ReadSeq, UnreadFrom: room.Member.UnreadFrom, Unread: room.Unread, Mentions: room.Mentions}
	if err != nil || got != want {
		t.Errorf("%s in %s: %+v, %v, want %+v", user.Username, r.Name, got, err, want)
	}
}

// MarkRead marks read in the store and in the model.
func (i *Instance) MarkRead(t TB, r *Room, user chat.User, seq chat.Seq) {
	t.Helper()
	member := r.Members[user.ID]
	member.ReadSeq, member.UnreadFrom = max(member.ReadSeq, min(seq, r.Head)), 0
	got, err := i.Store.MarkRead(ctx(t), r.ID, user.ID, seq)
	i.wantState(t, r, user, got, err)
}

// MarkUnread marks unread in the store and in the model.
func (i *Instance) MarkUnread(t TB, r *Room, user chat.User, from chat.Seq) {
	t.Helper()
	r.Members[user.ID].UnreadFrom = from
	got, err := i.Store.MarkUnread(ctx(t), r.ID, user.ID, from)
	i.wantState(t, r, user, got, err)
}

func readLine(t *testing.T, i *Instance) {
	mina, joon := i.AddUser(t, "mina"), i.AddUser(t, "joon")
	r := i.AddRoom(t, chat.Public, mina, joon)
	for range 10 {
		i.Commit(t, i.Say(r, mina, "word"))
	}
	for _, seq := range []chat.Seq{0, 3, 2, 3, 7, 99, 1<<64 - 1, 1} {
		i.MarkRead(t, r, joon, seq)
	}
	i.Restart()
	i.Check(t, i.Store)
}

func unreadCounts(t *testing.T, i *Instance) {
	mina, joon := i.AddUser(t, "mina"), i.AddUser(t, "joon")
	r := i.AddRoom(t, chat.Public, mina, joon)
	var events []chat.Event
	for n := range chat.UnreadCap + 20 {
		events = append(events, i.Say(r, mina, fmt.Sprint("word ", n)), i.Say(r, joon, "own words never count"), i.Tell(r, mina, joon, chat.MemberRole))
	}
	i.Commit(t, events...)
	i.Check(t, i.Store) // both at the cap
	for _, seq := range []chat.Seq{30, 57, 58, 59, 60, 61, 64, 355, 358, 359, 360} {
		i.MarkRead(t, r, joon, seq)
		i.Check(t, i.Store)
	}
	late := i.AddUser(t, "late")
	i.Join(t, r, late, chat.Plain)
	i.Check(t, i.Store)
	said := i.Say(r, mina, "for all")
	i.Commit(t, said)
	i.Check(t, i.Store)
	i.Commit(t, i.Delete(r, said.Message))
	i.Check(t, i.Store)
}

func mentionCounts(t *testing.T, i *Instance) {
	mina, joon := i.AddUser(t, "mina"), i.AddUser(t, "joon")
	r := i.AddRoom(t, chat.Public, mina, joon)
	both := i.Say(r, mina, "@all @joon", joon.ID)
	both.Message.MentionsAll = true
	r.Messages[both.RecordID].MentionsAll = true
	own := i.Say(r, joon, "@all from himself", joon.ID)
	own.Message.MentionsAll = true
	r.Messages[own.RecordID].MentionsAll = true
	gone := i.Say(r, mina, "@joon gone", joon.ID)
	i.Commit(t, both, own, gone, i.Say(r, mina, "nobody"), i.Say(r, mina, "@joon", joon.ID), i.Say(r, mina, "@mina", mina.ID))
	i.Commit(t, i.Delete(r, gone.Message))
	i.Check(t, i.Store)
	if got := i.MemberRoom(r, joon.ID); got.Mentions != 2 {
		t.Fatalf("the model counts %d mentions, want 2", got.Mentions)
	}
	var events []chat.Event
	for range chat.UnreadCap + 5 {
		events = append(events, i.Say(r, mina, "@joon", joon.ID))
	}
	i.Commit(t, events...)
	i.Check(t, i.Store)
}

func markUnread(t *testing.T, i *Instance) {
	mina, joon := i.AddUser(t, "mina"), i.AddUser(t, "joon")
	r := i.AddRoom(t, chat.Public, mina, joon)
	for range 6 {
		i.Commit(t, i.Say(r, mina, "@joon", joon.ID))
	}
	i.MarkRead(t, r, joon, 6)
	i.MarkUnread(t, r, joon, 4)
	i.Check(t, i.Store)
	i.Commit(t, i.Say(r, mina, "one more"))
	i.Check(t, i.Store)
	i.MarkUnread(t, r, joon, 2)
	i.MarkRead(t, r, joon, 1) // the line does not move back, the mark goes
	i.Check(t, i.Store)
	i.MarkUnread(t, r, joon, 1000)
	i.MarkRead(t, r, joon, 7)
	i.Check(t, i.Store)
}

func notify(t *testing.T, i *Instance) {
	mina := i.AddUser(t, "mina")
	r := i.AddRoom(t, chat.Public, mina)
	for _, level := range []chat.Notify{chat.NotifyNone, chat.NotifyMentions, chat.NotifyAll, chat.NotifyNone} {
		if err := i.Store.SetNotify(t.Context(), r.ID, mina.ID, level); err != nil {
			t.Fatal(err)
		}
		r.Members[mina.ID].Notify = level
		i.Check(t, i.Store)
	}
	if err := i.Store.SetNotify(t.Context(), r.ID, mina.ID, "loudly"); err == nil {
		t.Error("SetNotify to an unknown level succeeded")
	}
	i.Check(t, i.Store)
}

func outsiders(t *testing.T, i *Instance) {
	mina, out := i.AddUser(t, "mina"), i.AddUser(t, "outsider")
	r := i.AddRoom(t, chat.Public, mina)
	i.Commit(t, i.Say(r, mina, "word"))
	for _, room := range []chat.RoomID{r.ID, i.id()} {
		_, read := i.Store.MarkRead(t.Context(), room, out.ID, 1)
		_, unread := i.Store.MarkUnread(t.Context(), room, out.ID, 1)
		level := i.Store.SetNotify(t.Context(), room, out.ID, chat.NotifyNone)
		for name, err := range map[string]error{"MarkRead": read, "MarkUnread": unread, "SetNotify": level} {
			if chat.CodeOf(err) != chat.NotFound {
				t.Errorf("%s: %v, want not_found", name, err)
			}
		}
	}
}

func racingReads(t *testing.T, i *Instance) {
	mina, joon := i.AddUser(t, "mina"), i.AddUser(t, "joon")
	r := i.AddRoom(t, chat.Public, mina, joon)
	var events []chat.Event
	for range 50 {
		events = append(events, i.Say(r, mina, "word"))
	}
	i.Commit(t, events...)
	var devices sync.WaitGroup
	for seq := chat.Seq(1); seq <= 50; seq++ {
		devices.Go(func() {
			if got, err := i.Store.MarkRead(t.Context(), r.ID, joon.ID, seq); err != nil || got.ReadSeq < seq || got.Unread != 50-int(got.ReadSeq) {
				t.Errorf("MarkRead(%d) = %+v, %v", seq, got, err)
			}
		})
	}
	devices.Wait()
	r.Members[joon.ID].ReadSeq = 50
	i.Check(t, i.Store)
}

func marksSurviveRoles(t *testing.T, i *Instance) {
	mina, joon := i.AddUser(t, "mina"), i.AddUser(t, "joon")
	r := i.AddRoom(t, chat.Public, mina, joon)
	for range 5 {
		i.Commit(t, i.Say(r, mina, "word"))
	}
	stale := *r.Members[joon.ID] // read before the marks below were set
	i.MarkRead(t, r, joon, 4)
	i.MarkUnread(t, r, joon, 2)
	if err := i.Store.SetNotify(t.Context(), r.ID, joon.ID, chat.NotifyNone); err != nil {
		t.Fatal(err)
	}
	stale.Role = chat.Moderator
	i.update(t, r, func(tx chat.RoomTx) error { return tx.PutMember(stale) })
	r.Members[joon.ID].Role, r.Members[joon.ID].Notify = chat.Moderator, chat.NotifyNone
	i.Check(t, i.Store)
}
