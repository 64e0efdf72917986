package storetest

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

func testHistory(t *testing.T, fresh Fresh) {
	each(t, fresh, map[string]func(t *testing.T, i *Instance){
		"messages by every kind of query":          messageQueries,
		"changes page by numbers":                  changesPages,
		"a page and its head are of one moment":    oneMoment,
		"rooms of a person, newest activity first": roomsOf,
		"access says room, place and ban":          access,
		"a room is seen by its members only":       roomOf,
		"members by folded name":                   membersNamed,
		"deleted messages keep their place":        deletedMessages,
		"rooms and heads of many at once":          ofMany,
	})
}

func seqs(messages []chat.Message) []chat.Seq {
	numbers := make([]chat.Seq, 0, len(messages))
	for _, m := range messages {
		numbers = append(numbers, m.Seq)
	}
	return numbers
}

// Promise: messages come ascending, Before and After are exclusive, Around has the asked one in its middle, none is the newest.
func messageQueries(t *testing.T, i *Instance) {
	user := i.AddUser(t, "mina")
	r, other, empty := i.AddRoom(t, chat.Public, user), i.AddRoom(t, chat.Public, user), i.AddRoom(t, chat.Public, user)
	var events []chat.Event
	for n := 1; n <= 20; n++ { // messages have the odd numbers
		events = append(events, i.Say(r, user, fmt.Sprint("message ", n)), i.Tell(r, user, user, chat.MemberRole), i.Say(other, user, "elsewhere"))
	}
	i.Commit(t, events...)
	for name, tc := range map[string]struct {
		query chat.HistoryQuery
		want  []chat.Seq
	}{
		"newest":                      {chat.HistoryQuery{Limit: 3}, []chat.Seq{35, 37, 39}},
		"before one":                  {chat.HistoryQuery{Before: 5, Limit: 10}, []chat.Seq{1, 3}},
		"before an event":             {chat.HistoryQuery{Before: 6, Limit: 2}, []chat.Seq{3, 5}},
		"before the first":            {chat.HistoryQuery{Before: 1, Limit: 2}, nil},
		"before beyond the head":      {chat.HistoryQuery{Before: 1000, Limit: 2}, []chat.Seq{37, 39}},
		"before what cannot be":       {chat.HistoryQuery{Before: 1<<64 - 1, Limit: 2}, []chat.Seq{37, 39}},
		"after nothing":               {chat.HistoryQuery{FromStart: true, Limit: 3}, []chat.Seq{1, 3, 5}},
		"after one":                   {chat.HistoryQuery{After: 5, Limit: 3}, []chat.Seq{7, 9, 11}},
		"after the head":              {chat.HistoryQuery{After: 40, Limit: 3}, nil},
		"after what cannot be":        {chat.HistoryQuery{After: 1 << 63, Limit: 3}, nil},
		"after the last there can be": {chat.HistoryQuery{After: 1<<64 - 1, Limit: 3}, nil},
		"around the middle":           {chat.HistoryQuery{Around: 21, Limit: 5}, []chat.Seq{17, 19, 21, 23, 25}},
		"around an event":             {chat.HistoryQuery{Around: 20, Limit: 4}, []chat.Seq{17, 19, 21, 23}},
		"around the first":            {chat.HistoryQuery{Around: 1, Limit: 4}, []chat.Seq{1, 3, 5, 7}},
		"around the newest":           {chat.HistoryQuery{Around: 39, Limit: 4}, []chat.Seq{33, 35, 37, 39}},
		"around beyond the head":      {chat.HistoryQuery{Around: 99, Limit: 2}, []chat.Seq{37, 39}},
		"around with a limit of one":  {chat.HistoryQuery{Around: 21, Limit: 1}, []chat.Seq{21}},
	} {
		got, head, err := i.Store.Messages(t.Context(), r.ID, tc.query)
		if err != nil || head != 40 || diff(tc.want, seqs(got)) != "" {
			t.Errorf("%s: Messages(%+v) = %v, head %d, %v, want %v, head 40", name, tc.query, seqs(got), head, err, tc.want)
		}
		for n := range got {
			if d := diff(i.message(r.Messages[got[n].ID]), &got[n]); d != "" {
				t.Errorf("%s: message %d (-want +got)\n%s", name, got[n].Seq, d)
			}
		}
	}
	if got, head, err := i.Store.Messages(t.Context(), empty.ID, chat.HistoryQuery{Limit: 5}); err != nil || head != 0 || len(got) != 0 {
		t.Errorf("Messages of an empty room = %v, head %d, %v", got, head, err)
	}
}

// Promise: pages cover each number once, leave out void ones but count them as read, and say where they end.
func changesPages(t *testing.T, i *Instance) {
	user := i.AddUser(t, "mina")
	r := i.AddRoom(t, chat.Public, user)
	first := i.Say(r, user, "first")
	events := []chat.Event{first}
	for n := range 30 {
		switch n % 5 {
		case 1:
			events = append(events, i.Resend(r, first))
		case 2:
			events = append(events, i.Edit(r, first.Message, fmt.Sprint("edit ", n)))
		case 3:
			events = append(events, i.Tell(r, user, user, chat.MemberRole))
		default:
			events = append(events, i.Say(r, user, fmt.Sprint("message ", n)))
		}
	}
	i.Commit(t, events...)
	for _, limit := range []int{1, 2, 7, 31, 1000} {
		at, rounds := chat.Seq(0), 0
		var got []chat.Event
		for {
			page, err := i.Store.Changes(t.Context(), r.ID, at, limit)
			if err != nil {
				t.Fatal(err)
			}
			if page.Head != r.Head || len(page.Events) > limit || page.More != (page.Through < page.Head) || page.Through <= at {
				t.Fatalf("page of %d after %d: %d events through %d, head %d, more %t", limit, at, len(page.Events), page.Through, page.Head, page.More)
			}
			got = append(got, page.Events...)
			at = page.Through
			if rounds++; !page.More {
				break
			}
		}
		if d := diff(i.page(r, 0, r.Head, r.Head).Events, got); d != "" {
			t.Errorf("pages of %d (-want +got)\n%s", limit, d)
		}
	}
	for _, after := range []chat.Seq{r.Head, r.Head + 5, 1<<64 - 1} {
		page, err := i.Store.Changes(t.Context(), r.ID, after, 10)
		if err != nil || len(page.Events) != 0 || page.More || page.Head != r.Head || page.Through != r.Head {
			t.Errorf("Changes after %d = %+v, %v, want nothing through the head", after, page, err)
		}
	}
}

// Promise: whatever is committed meanwhile, a page has every number up to Through, and nothing that came after its head.
func oneMoment(t *testing.T, i *Instance) {
	user := i.AddUser(t, "mina")
	r := i.AddRoom(t, chat.Public, user)
	first := i.Say(r, user, "changed all the time")
	i.Commit(t, first)
	batches := make([]chat.Batch, 0, 200)
	for n := range cap(batches) {
		batches = append(batches, chat.Batch{From: i.Stored + chat.Offset(n), To: i.Stored + chat.Offset(n+1), Events: []chat.Event{
			i.Say(r, user, "a"), i.Edit(r, first.Message, "b"), i.Say(r, user, "c"),
		}})
	}
	written := make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		defer close(written)
		for _, batch := range batches {
			if _, err := i.Store.Commit(t.Context(), batch); err != nil {
				t.Errorf("Commit: %v", err)
			}
		}
	})
	for range 3 {
		all.Go(func() {
			for done := false; !done; {
				select {
				case <-written:
					done = true
				default:
				}
				page, err := i.Store.Changes(t.Context(), r.ID, 0, 1000)
				if err != nil || chat.Seq(len(page.Events)) != page.Through || page.Through != page.Head || page.Head%3 != 1 || page.Events[0].Message.ChangedSeq > page.Head {
					t.Errorf("Changes = %d events through %d, head %d, %v", len(page.Events), page.Through, page.Head, err)
				}
				messages, head, err := i.Store.Messages(t.Context(), r.ID, chat.HistoryQuery{Around: 1, Limit: 2})
				if err != nil || len(messages) == 0 || messages[0].ChangedSeq > head {
					t.Errorf("Messages = %v, head %d, %v", messages, head, err)
				}
				room, err := i.Store.RoomOf(t.Context(), r.ID, user.ID)
				if err != nil || room.LastMessage.Seq != room.Head {
					t.Errorf("RoomOf: last message %d, head %d, %v", room.LastMessage.Seq, room.Head, err)
				}
			}
		})
	}
	all.Wait()
}

func roomsOf(t *testing.T, i *Instance) {
	mina, joon := i.AddUser(t, "mina"), i.AddUser(t, "joon")
	loner := i.AddUser(t, "loner")
	quiet, busy, old := i.AddRoom(t, chat.Public, mina, joon), i.AddRoom(t, chat.Private, joon, mina), i.AddRoom(t, chat.Direct, mina, joon)
	i.AddRoom(t, chat.Public, joon)
	i.Commit(t, i.Say(old, joon, "an old word", mina.ID), i.Say(busy, joon, "new"), i.Say(busy, joon, "newer"))
	i.Commit(t, i.Tell(quiet, mina, joon, chat.MemberRole)) // not an activity
	rooms, err := i.Store.RoomsOf(t.Context(), mina.ID)
	if err != nil || len(rooms) != 3 || rooms[0].ID != busy.ID || rooms[1].ID != old.ID || rooms[2].ID != quiet.ID {
		t.Errorf("RoomsOf: %v; %d rooms in the wrong order", err, len(rooms))
	}
	if rooms, err := i.Store.RoomsOf(t.Context(), loner.ID); err != nil || len(rooms) != 0 {
		t.Errorf("RoomsOf nobody = %v, %v", rooms, err)
	}
	i.Check(t, i.Store)
}

func access(t *testing.T, i *Instance) {
	mina, joon := i.AddUser(t, "mina"), i.AddUser(t, "joon")
	r := i.AddRoom(t, chat.Private, mina)
	ban := chat.Ban{Room: r.ID, User: joon.Profile, Reason: "spam", By: mina.ID, At: i.Now()}
	i.update(t, r, func(tx chat.RoomTx) error { return tx.PutBan(ban) })
	r.Bans[joon.ID] = ban
	muted := r.Members[mina.ID]
	muted.MutedUntil = i.Now().Add(time.Hour)
	i.update(t, r, func(tx chat.RoomTx) error { return tx.PutMember(*muted) })
	i.Check(t, i.Store)
	if got, err := i.Store.Access(t.Context(), r.ID, i.id()); err != nil || got.Member != nil || got.Banned {
		t.Errorf("Access of a stranger = %+v, %v", got, err)
	}
}

func roomOf(t *testing.T, i *Instance) {
	mina, joon := i.AddUser(t, "mina"), i.AddUser(t, "joon")
	r := i.AddRoom(t, chat.Public, mina)
	i.Commit(t, i.Say(r, mina, "hello"))
	got, err := i.Store.RoomOf(t.Context(), r.ID, mina.ID)
	if d := diff(i.MemberRoom(r, mina.ID), got); err != nil || d != "" {
		t.Errorf("RoomOf: %v; diff (-want +got)\n%s", err, d)
	}
	if _, err := i.Store.RoomOf(t.Context(), r.ID, joon.ID); chat.CodeOf(err) != chat.NotFound {
		t.Errorf("RoomOf an outsider: %v, want not_found", err)
	}
}

func membersNamed(t *testing.T, i *Instance) {
	mina, joon, out := i.AddUser(t, "mina"), i.AddUser(t, "joon"), i.AddUser(t, "outsider")
	r := i.AddRoom(t, chat.Public, mina, joon)
	names := []string{"joon", "nobody", out.Username, "mina", "joon"}
	got, err := i.Store.MembersNamed(t.Context(), r.ID, names)
	slices.SortFunc(got, func(a, b chat.UserID) int { return slices.Compare(a[:], b[:]) })
	if d := diff([]chat.UserID{mina.ID, joon.ID}, got); err != nil || d != "" {
		t.Errorf("MembersNamed: %v; diff (-want +got)\n%s", err, d)
	}
	if got, err := i.Store.MembersNamed(t.Context(), r.ID, nil); err != nil || len(got) != 0 {
		t.Errorf("MembersNamed(nobody) = %v, %v", got, err)
	}
	names = nil
	for n := range chat.MentionsMax + 10 {
		user := i.AddUser(t, fmt.Sprint("many", n))
		i.Join(t, r, user, chat.Plain)
		names = append(names, user.Username)
	}
	if got, err := i.Store.MembersNamed(t.Context(), r.ID, names); err != nil || len(got) != chat.MentionsMax {
		t.Errorf("MembersNamed(%d names) = %d, %v, want at most %d", len(names), len(got), err, chat.MentionsMax)
	}
}

func deletedMessages(t *testing.T, i *Instance) {
	mina, joon := i.AddUser(t, "mina"), i.AddUser(t, "joon")
	r := i.AddRoom(t, chat.Public, mina, joon)
	first, last := i.Say(r, mina, "first", joon.ID), i.Say(r, mina, "last", joon.ID)
	i.Commit(t, first, last)
	i.Commit(t, i.Delete(r, last.Message))
	i.Check(t, i.Store)
	got, _, err := i.Store.Messages(t.Context(), r.ID, chat.HistoryQuery{Limit: 5})
	if err != nil || len(got) != 2 || got[1].DeletedAt.IsZero() || got[1].Body != "" || got[1].Seq != 2 || got[1].ChangedSeq != 3 {
		t.Errorf("Messages = %+v, %v, want the deleted one too", got, err)
	}
}

// Promise: what is asked of many people or rooms at once is what is asked of each, whatever the number.
func ofMany(t *testing.T, i *Instance) {
	const many = 250
	rooms, users := make([]chat.RoomID, 0, many), make([]chat.UserID, 0, many)
	want, heads := make(map[chat.UserID][]chat.RoomID), make(map[chat.RoomID]chat.Seq)
	var events []chat.Event
	for n := range many {
		user := i.AddUser(t, fmt.Sprint("user", n))
		users = append(users, user.ID)
		want[user.ID] = nil
		if n%5 == 0 {
			r := i.AddRoom(t, chat.Private, user)
			rooms, want[user.ID] = append(rooms, r.ID), []chat.RoomID{r.ID}
			for range n % 3 {
				events = append(events, i.Say(r, user, "a word"))
			}
			heads[r.ID] = chat.Seq(n % 3)
		}
	}
	i.Commit(t, events...)
	got, err := i.Store.RoomIDsOf(t.Context(), users)
	if d := diff(want, got); err != nil || d != "" {
		t.Errorf("RoomIDsOf: %v; diff (-want +got)\n%s", err, d)
	}
	found, err := i.Store.Heads(t.Context(), rooms)
	if d := diff(heads, found); err != nil || d != "" {
		t.Errorf("Heads: %v; diff (-want +got)\n%s", err, d)
	}
	if got, err := i.Store.RoomIDsOf(t.Context(), nil); err != nil || len(got) != 0 {
		t.Errorf("RoomIDsOf(nobody) = %v, %v", got, err)
	}
	if got, err := i.Store.Heads(t.Context(), nil); err != nil || len(got) != 0 {
		t.Errorf("Heads(none) = %v, %v", got, err)
	}
}
