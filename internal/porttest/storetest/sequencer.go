package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

func testSequencer(t *testing.T, fresh Fresh) {
	each(t, fresh, map[string]func(t *testing.T, i *Instance){
		"a partition that never was is at zero":                    positions,
		"a batch from elsewhere is fenced and changes nothing":     fence,
		"of racing owners one commits":                             racingOwners,
		"a repeated record is void, reported, and stays void":      voids,
		"a change of a message that stands elsewhere follows it":   changeOfARepeat,
		"events of rooms that are gone are left out":               goneRooms,
		"a number that does not follow is refused":                 gaps,
		"a batch that fails leaves nothing":                        batchIsWhole,
		"a room's state is the records of its newest numbers":      roomState,
		"what numbering needs is read at once":                     loads,
		"every text comes back as it was":                          texts,
		"a missing room or message is not found":                   missing,
		"what was committed is there after a restart":              restart,
		"commits of many partitions at once all count":             manyPartitions,
		"an ended context stores nothing and leaves others alone":  endedContext,
		"a large batch is one transaction":                         largeBatch,
		"deleting a room forgets its messages and frees its id":    deletedRoom,
		"an event keeps its place in the order whatever its kind":  kinds,
		"an edit moves mentions from the old names to the new":     mentionsFollowEdits,
		"reactions of many people come back whole and in order":    manyReactions,
		"profiles are those of now and not those of the message":   profilesOfNow,
		"an id is one record's per room, and other rooms' as well": sameIDInTwoRooms,
	})
}

func positions(t *testing.T, i *Instance) {
	if at, err := i.Store.Position(t.Context(), 7); err != nil || at != 0 {
		t.Errorf("Position = %d, %v, want 0", at, err)
	}
	i.Commit(t)
	if at, err := i.Store.Position(t.Context(), 0); err != nil || at != 1 {
		t.Errorf("Position = %d, %v, want 1", at, err)
	}
}

func fence(t *testing.T, i *Instance) {
	user := i.AddUser(t, "mina")
	r := i.AddRoom(t, chat.Public, user)
	i.Commit(t, i.Say(r, user, "first"))
	late := chat.Event{Room: r.ID, Seq: 2, Kind: chat.KindMessage, At: i.Now(), Actor: user.Profile, RecordID: i.MessageID()}
	late.Message = &chat.Message{ID: late.RecordID, Room: r.ID, Seq: 2, Sender: user.Profile, Body: "from a zombie", CreatedAt: late.At}
	for _, from := range []chat.Offset{0, 2, 9} {
		_, err := i.Store.Commit(t.Context(), chat.Batch{From: from, To: from + 1, Events: []chat.Event{late}})
		if !errors.Is(err, chat.ErrFenced) {
			t.Errorf("Commit from %d: %v, want ErrFenced", from, err)
		}
	}
	i.Check(t, i.Store)
}

func racingOwners(t *testing.T, i *Instance) {
	var owners sync.WaitGroup
	var won, fenced atomic.Int64
	for range 20 {
		owners.Go(func() {
			_, err := i.Store.Commit(t.Context(), chat.Batch{Partition: 3, From: 0, To: 5})
			switch {
			case err == nil:
				won.Add(1)
			case errors.Is(err, chat.ErrFenced):
				fenced.Add(1)
			}
		})
	}
	owners.Wait()
	if won.Load() != 1 || fenced.Load() != 19 {
		t.Errorf("%d won and %d were fenced, want 1 and 19", won.Load(), fenced.Load())
	}
}

func voids(t *testing.T, i *Instance) {
	mina, joon := i.AddUser(t, "mina"), i.AddUser(t, "joon")
	r := i.AddRoom(t, chat.Public, mina, joon)
	first := i.Say(r, mina, "hello")
	second := i.Say(r, joon, "hi")
	joined := i.Tell(r, mina, joon, chat.MemberRole)
	i.Commit(t, first, second, joined)

	got := i.Commit(t, i.Resend(r, second), i.Say(r, mina, "and"), i.Resend(r, first), i.Resend(r, joined))
	want := []chat.Void{
		{Room: r.ID, Seq: 4, First: chat.Known{ID: second.RecordID, Seq: 2, Fingerprint: second.Message.Fingerprint}},
		{Room: r.ID, Seq: 6, First: chat.Known{ID: first.RecordID, Seq: 1, Fingerprint: first.Message.Fingerprint}},
		{Room: r.ID, Seq: 7, First: chat.Known{ID: joined.RecordID, Seq: 3}},
	}
	if d := diff(want, got); d != "" {
		t.Errorf("voids (-want +got)\n%s", d)
	}
	// A repeat within one batch, and one of a kind that the first was not.
	third := i.Say(r, joon, "third")
	as := chat.Event{Kind: chat.KindMember, At: i.Now(), Actor: mina.Profile, RecordID: third.RecordID, Member: joined.Member}
	if got := i.Commit(t, third, i.Resend(r, third), i.Number(r, as)); len(got) != 2 || got[0].First.Seq != 8 || got[1].First.Seq != 8 {
		t.Errorf("voids = %+v, want two repeats of 8", got)
	}
	// And a message under the id of an event.
	under := chat.Event{Kind: chat.KindMessage, At: i.Now(), Actor: joon.Profile, RecordID: joined.RecordID}
	under.Message = &chat.Message{ID: under.RecordID, Room: r.ID, Sender: joon.Profile, Body: "under another's id", CreatedAt: under.At}
	if got := i.Commit(t, i.Number(r, under)); len(got) != 1 || got[0].First.Seq != 3 {
		t.Errorf("voids = %+v, want a repeat of 3", got)
	}
	i.Check(t, i.Store)
	i.Restart()
	i.Check(t, i.Store)
}

func changeOfARepeat(t *testing.T, i *Instance) {
	mina, joon := i.AddUser(t, "mina"), i.AddUser(t, "joon")
	r := i.AddRoom(t, chat.Public, mina, joon)
	first := i.Say(r, mina, "hello")
	i.Commit(t, first)
	again := i.Resend(r, first) // numbered 2 by an owner who had forgotten it, and then edited there
	edit := i.Edit(r, first.Message, "hello!")
	edit.Message = edit.Message.Clone()
	edit.Message.Seq = again.Seq
	if got := i.Commit(t, again, edit); len(got) != 1 || got[0].Seq != 2 {
		t.Errorf("voids = %+v, want the repeat only", got)
	}
	i.Check(t, i.Store)

	// The same id by somebody else: his change must not touch her message.
	theft := edit
	theft.Seq, theft.RecordID, theft.Actor = r.Head+1, i.MessageID(), joon.Profile
	theft.Message = edit.Message.Clone()
	theft.Message.Sender, theft.Message.Body = joon.Profile, "stolen"
	if got := i.Commit(t, theft); len(got) != 1 || got[0].Seq != theft.Seq {
		t.Errorf("voids = %+v, want the theft", got)
	}
	if m, err := i.Store.Message(t.Context(), r.ID, first.RecordID); err != nil || m.Body != "hello!" {
		t.Errorf("Message = %+v, %v, want hers", m, err)
	}
}

func goneRooms(t *testing.T, i *Instance) {
	user := i.AddUser(t, "mina")
	kept, gone := i.AddRoom(t, chat.Public, user), i.AddRoom(t, chat.Private, user)
	i.Commit(t, i.Say(gone, user, "soon gone"))
	i.DeleteRoom(t, gone)
	never := &Room{Room: chat.Room{ID: i.id()}, Messages: make(map[chat.MessageID]*chat.Message)}
	if got := i.Commit(t, i.Say(gone, user, "late"), i.Say(kept, user, "kept"), i.Say(never, user, "lost")); len(got) != 0 {
		t.Errorf("voids = %+v, want none", got)
	}
	i.Check(t, i.Store)
}

func gaps(t *testing.T, i *Instance) {
	user := i.AddUser(t, "mina")
	r := i.AddRoom(t, chat.Public, user)
	i.Commit(t, i.Say(r, user, "one"))
	for _, seq := range []chat.Seq{1, 3} {
		event := chat.Event{Room: r.ID, Seq: seq, Kind: chat.KindMessage, At: i.Now(), Actor: user.Profile, RecordID: i.MessageID()}
		event.Message = &chat.Message{ID: event.RecordID, Room: r.ID, Seq: seq, Sender: user.Profile, Body: "wrong", CreatedAt: event.At}
		if _, err := i.Store.Commit(t.Context(), chat.Batch{From: i.Stored, To: i.Stored + 1, Events: []chat.Event{event}}); err == nil {
			t.Errorf("Commit of number %d after 1 succeeded", seq)
		}
	}
	i.Check(t, i.Store)
}

func batchIsWhole(t *testing.T, i *Instance) {
	user := i.AddUser(t, "mina")
	r := i.AddRoom(t, chat.Public, user)
	good := chat.Event{Room: r.ID, Seq: 1, Kind: chat.KindMessage, At: i.Now(), Actor: user.Profile, RecordID: i.MessageID()}
	good.Message = &chat.Message{ID: good.RecordID, Room: r.ID, Seq: 1, Sender: user.Profile, Body: "good", CreatedAt: good.At}
	bad := chat.Event{Room: r.ID, Seq: 2, Kind: "unheard of", At: i.Now(), Actor: user.Profile, RecordID: i.MessageID()}
	if _, err := i.Store.Commit(t.Context(), chat.Batch{From: 0, To: 2, Events: []chat.Event{good, bad}}); err == nil {
		t.Error("Commit of an unknown kind succeeded")
	}
	if at, err := i.Store.Position(t.Context(), 0); err != nil || at != 0 {
		t.Errorf("Position = %d, %v, want 0", at, err)
	}
	i.Check(t, i.Store)
}

func roomState(t *testing.T, i *Instance) {
	user := i.AddUser(t, "mina")
	r := i.AddRoom(t, chat.Public, user)
	i.Check(t, i.Store)
	var events []chat.Event
	for n := range chat.WindowSize + 300 {
		switch {
		case n%7 == 3:
			events = append(events, i.Edit(r, r.sortedMessages()[0], fmt.Sprint("edit ", n)))
		case n%50 == 49:
			events = append(events, i.Resend(r, events[0]))
		default:
			events = append(events, i.Say(r, user, fmt.Sprint("message ", n)))
		}
	}
	i.Commit(t, events...)
	state, _ := i.RoomState(t, i.Store, r.ID)
	if d := diff(r.State(), state); d != "" || len(state.Recent) > chat.WindowSize {
		t.Errorf("%d records; diff (-want +got)\n%s", len(state.Recent), d)
	}
}

func loads(t *testing.T, i *Instance) {
	user := i.AddUser(t, "mina")
	one, other, empty := i.AddRoom(t, chat.Public, user), i.AddRoom(t, chat.Private, user), i.AddRoom(t, chat.Public, user)
	here, there := i.Say(one, user, "here"), i.Say(other, user, "there")
	i.Commit(t, here, there, i.Edit(one, here.Message, "here!"))
	gone, nothing := chat.RoomID(i.id()), i.MessageID()
	at := func(r *Room, id chat.MessageID) chat.MessageRef { return chat.MessageRef{Room: r.ID, ID: id} }
	loaded, err := i.Store.Load(t.Context(), i.Partition, []chat.RoomID{one.ID, other.ID, empty.ID, gone, one.ID}, // one of them twice
		[]chat.MessageRef{at(one, here.RecordID), at(other, there.RecordID), at(other, here.RecordID), at(one, nothing), {Room: gone, ID: here.RecordID}})
	want := chat.Loaded{
		Stored: i.Stored,
		Rooms:  map[chat.RoomID]chat.RoomState{one.ID: one.State(), other.ID: other.State(), empty.ID: empty.State()},
		Messages: map[chat.MessageRef]*chat.Message{
			at(one, here.RecordID):    i.message(one.Messages[here.RecordID]),
			at(other, there.RecordID): i.message(other.Messages[there.RecordID]),
		},
	}
	if d := diff(want, loaded); err != nil || d != "" {
		t.Errorf("Load: %v; diff (-want +got)\n%s", err, d)
	}
	if loaded, err = i.Store.Load(t.Context(), i.Partition+100, nil, nil); err != nil || loaded.Stored != 0 || len(loaded.Rooms)+len(loaded.Messages) > 0 {
		t.Errorf("Load of nothing of a partition that never was stored: %+v, %v", loaded, err)
	}
}

func texts(t *testing.T, i *Instance) {
	user := i.AddUser(t, "mina")
	r := i.AddRoom(t, chat.Public, user)
	var events []chat.Event
	for _, body := range []string{
		"안녕하세요, 오늘 회의는 세 시입니다", "👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽", "one line\nand another\r\n\ttab", "'; drop table messages; --",
		"nul is not allowed, but \\u0000 in letters is", "النص من اليمين", "日本語と中文", strings.Repeat("한", chat.MessageRunesMax),
		"%s _ % \" ` $1 ?1 :a", " leading and trailing ",
	} {
		events = append(events, i.Say(r, user, body))
	}
	i.Commit(t, events...)
	i.Commit(t, i.React(r, events[0].Message, chat.Reaction{Emoji: "👩‍👩‍👧‍👦", Users: []chat.UserID{user.ID}}, chat.Reaction{Emoji: "❤️", Users: []chat.UserID{user.ID}}))
	i.Check(t, i.Store)
}

func missing(t *testing.T, i *Instance) {
	user := i.AddUser(t, "mina")
	r, other := i.AddRoom(t, chat.Public, user), i.AddRoom(t, chat.Public, user)
	said := i.Say(r, user, "here")
	i.Commit(t, said)
	ctx, s := context.Background(), i.Store
	nowhere, nothing := chat.RoomID(i.id()), i.MessageID()
	for name, call := range map[string]func() error{
		"Message in no room":    func() error { _, err := s.Message(ctx, nowhere, said.RecordID); return err },
		"Message of no id":      func() error { _, err := s.Message(ctx, r.ID, nothing); return err },
		"Message in other room": func() error { _, err := s.Message(ctx, other.ID, said.RecordID); return err },
		"Access":                func() error { _, err := s.Access(ctx, nowhere, user.ID); return err },
		"Messages":              func() error { _, _, err := s.Messages(ctx, nowhere, chat.HistoryQuery{Limit: 1}); return err },
		"Changes":               func() error { _, err := s.Changes(ctx, nowhere, 0, 10); return err },
		"RoomOf":                func() error { _, err := s.RoomOf(ctx, nowhere, user.ID); return err },
		"MembersNamed":          func() error { _, err := s.MembersNamed(ctx, nowhere, []string{"mina"}); return err },
		"Members":               func() error { _, _, err := s.Members(ctx, nowhere, "", 10); return err },
		"Bans":                  func() error { _, err := s.Bans(ctx, nowhere); return err },
		"Invites":               func() error { _, err := s.Invites(ctx, nowhere, chat.UserID{}); return err },
		"Invite":                func() error { _, err := s.Invite(ctx, "nope"); return err },
	} {
		if err := call(); !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("%s: %v, want not_found", name, err)
		}
	}
}

func restart(t *testing.T, i *Instance) {
	mina, joon := i.AddUser(t, "mina"), i.AddUser(t, "joon")
	r := i.AddRoom(t, chat.Private, mina, joon)
	told, said := i.TellRoom(r, mina, chat.RoomCreated), i.Say(r, mina, "before", joon.ID)
	i.Commit(t, told, said, i.Edit(r, said.Message, "before!"))
	i.Restart()
	i.Check(t, i.Store)
	if loaded, err := i.Store.Load(t.Context(), 0, nil, nil); err != nil || loaded.Stored != i.Stored {
		t.Errorf("after the restart it is stored up to %d, %v, want %d", loaded.Stored, err, i.Stored)
	}
	i.Commit(t, i.Say(r, joon, "after"))
	i.Check(t, i.Store)
}

func manyPartitions(t *testing.T, i *Instance) {
	const partitions, batches, each = 20, 10, 7
	user := i.AddUser(t, "mina")
	rooms := make([]*Room, partitions)
	for p := range rooms {
		rooms[p] = i.AddRoom(t, chat.Public, user)
	}
	work := make([][]chat.Batch, partitions)
	for p := range work {
		for b := range batches {
			batch := chat.Batch{Partition: 10 + p, From: chat.Offset(b * each), To: chat.Offset((b + 1) * each)}
			for range each {
				batch.Events = append(batch.Events, i.Say(rooms[p], user, "word"))
			}
			work[p] = append(work[p], batch)
		}
	}
	var owners sync.WaitGroup
	for p := range work {
		owners.Go(func() {
			for _, batch := range work[p] {
				if _, err := i.Store.Commit(t.Context(), batch); err != nil {
					t.Errorf("partition %d from %d: %v", batch.Partition, batch.From, err)
				}
			}
		})
	}
	owners.Wait()
	i.Check(t, i.Store)
}

func endedContext(t *testing.T, i *Instance) {
	user := i.AddUser(t, "mina")
	r := i.AddRoom(t, chat.Public, user)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := i.Store.Commit(ended, chat.Batch{From: 0, To: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("Commit under an ended context: %v, want context.Canceled", err)
	}
	if _, err := i.Store.Load(ended, 0, []chat.RoomID{r.ID}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("Load under an ended context: %v, want context.Canceled", err)
	}
	i.Commit(t, i.Say(r, user, "goes on"))
	i.Check(t, i.Store)
}

func largeBatch(t *testing.T, i *Instance) {
	user := i.AddUser(t, "mina")
	r := i.AddRoom(t, chat.Public, user)
	events := make([]chat.Event, 0, 3000)
	for range cap(events) {
		events = append(events, i.Say(r, user, "one of many"))
	}
	i.Commit(t, events...)
	if page, err := i.Store.Changes(t.Context(), r.ID, 2990, 100); err != nil || page.Head != 3000 || len(page.Events) != 10 {
		t.Errorf("Changes = %d events, head %d, %v, want 10 and 3000", len(page.Events), page.Head, err)
	}
}

func deletedRoom(t *testing.T, i *Instance) {
	mina, joon := i.AddUser(t, "mina"), i.AddUser(t, "joon")
	r := i.AddRoom(t, chat.Direct, mina, joon)
	i.Commit(t, i.Say(r, mina, "to be forgotten", joon.ID))
	i.DeleteRoom(t, r)
	if err := i.Store.Update(t.Context(), r.ID, func(tx chat.RoomTx) error {
		info := r.Room
		info.Head, info.Members = 0, 0
		return errors.Join(tx.PutRoom(info), tx.PutMember(chat.Member{User: joon.Profile, Role: chat.Owner, JoinedAt: i.Now(), Notify: chat.NotifyAll}))
	}); err != nil {
		t.Fatalf("create the room again: %v", err)
	}
	page, err := i.Store.Changes(t.Context(), r.ID, 0, 10)
	if err != nil || page.Head != 0 || len(page.Events) != 0 {
		t.Errorf("Changes of the new room = %+v, %v, want nothing", page, err)
	}
	if got, err := i.Store.RoomOf(t.Context(), r.ID, joon.ID); err != nil || got.Unread != 0 || got.Mentions != 0 || got.Members != 1 {
		t.Errorf("RoomOf = %+v, %v, want an empty room of one", got, err)
	}
	if _, err := i.Store.RoomOf(t.Context(), r.ID, mina.ID); !errors.Is(err, chat.ErrNotFound) {
		t.Errorf("RoomOf for a member of the old room: %v, want not_found", err)
	}
}

func kinds(t *testing.T, i *Instance) {
	mina, joon := i.AddUser(t, "mina"), i.AddUser(t, "joon")
	r := i.AddRoom(t, chat.Public, mina, joon)
	events := []chat.Event{i.TellRoom(r, mina, chat.RoomCreated), i.Tell(r, mina, mina, chat.MemberJoined), i.Tell(r, joon, joon, chat.MemberJoined)}
	said := i.Say(r, mina, "@all look", joon.ID)
	said.Message.MentionsAll, said.Message.ReplyTo = true, i.MessageID()
	r.Messages[said.RecordID] = said.Message.Clone()
	events = append(events, said, i.React(r, said.Message, chat.Reaction{Emoji: "👍", Users: []chat.UserID{joon.ID}}), i.Edit(r, said.Message, "look again"),
		i.TellRoom(r, mina, chat.RoomChanged), i.Delete(r, said.Message), i.Tell(r, mina, joon, chat.MemberRemoved))
	i.Commit(t, events...)
	i.Check(t, i.Store)
}

func mentionsFollowEdits(t *testing.T, i *Instance) {
	mina, joon, sora := i.AddUser(t, "mina"), i.AddUser(t, "joon"), i.AddUser(t, "sora")
	r := i.AddRoom(t, chat.Public, mina, joon, sora)
	said := i.Say(r, mina, "@joon", joon.ID)
	i.Commit(t, said)
	i.Check(t, i.Store)
	i.Commit(t, i.Edit(r, said.Message, "@sora", sora.ID))
	i.Check(t, i.Store)
	i.Commit(t, i.Delete(r, said.Message))
	i.Check(t, i.Store)
}

func manyReactions(t *testing.T, i *Instance) {
	user := i.AddUser(t, "mina")
	r := i.AddRoom(t, chat.Public, user)
	said := i.Say(r, user, "popular")
	var reactions []chat.Reaction
	for n := range chat.ReactionsMax {
		reaction := chat.Reaction{Emoji: string(rune(0x1F600 + n))}
		for range chat.ReactorsMax {
			reaction.Users = append(reaction.Users, i.id())
		}
		reactions = append(reactions, reaction)
	}
	i.Commit(t, said, i.React(r, said.Message, reactions...))
	i.Check(t, i.Store)
}

func profilesOfNow(t *testing.T, i *Instance) {
	mina, joon := i.AddUser(t, "mina"), i.AddUser(t, "joon")
	r := i.AddRoom(t, chat.Public, mina, joon)
	told, said := i.Tell(r, mina, joon, chat.MemberJoined), i.Say(r, mina, "hello")
	i.Commit(t, told, said, i.Edit(r, said.Message, "hello!"))
	for n := range i.Users {
		i.UpdateUser(t, i.Users[n].ID, func(user *chat.User) { user.DisplayName, user.AvatarURL = "Renamed "+user.Username, "/new" })
	}
	i.Check(t, i.Store)
}

func sameIDInTwoRooms(t *testing.T, i *Instance) {
	user := i.AddUser(t, "mina")
	a, b := i.AddRoom(t, chat.Public, user), i.AddRoom(t, chat.Public, user)
	first := i.Say(a, user, "hello")
	second := i.Resend(b, first)
	second.Message.Room, second.Message.Seq = b.ID, 1
	b.Messages[second.RecordID] = second.Message.Clone()
	if got := i.Commit(t, first, second); len(got) != 0 {
		t.Errorf("voids = %+v, want none", got)
	}
	for _, r := range []*Room{a, b} {
		if m, err := i.Store.Message(t.Context(), r.ID, first.RecordID); err != nil || m.Room != r.ID {
			t.Errorf("Message of %s = %+v, %v", r.Name, m, err)
		}
	}
}
