package recent_test

import (
	"context"
	"slices"
	"testing"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// lagging is a scene of one room in which everybody is, of as many messages, with as many of them stored and all in the tail.
func lagging(messages int, stored chat.Seq, more ...*chat.Record) *scene {
	w := newWorld(1)
	for n := range messages {
		w.apply(said(w.rooms[0], n, 1, person(0).ID))
	}
	for _, record := range more {
		w.apply(record)
	}
	for n := range people {
		w.join(chat.Member{Room: w.rooms[0], User: person(n), Role: chat.Plain})
	}
	return newScene(w, map[chat.RoomID]chat.Seq{w.rooms[0]: stored}, &keeper{kept: w.events})
}

// Promise: a store that has caught up costs one question to the bus, whatever is read, and a person's rooms one for all.
func TestCostOfTheCommonCase(t *testing.T) {
	t.Parallel()
	room, user := roomID(0), person(0).ID
	for name, tc := range map[string]struct {
		read        func(t *testing.T, s *scene) error
		heads, tail int
	}{
		"a room": {func(t *testing.T, s *scene) error { _, err := s.reader.RoomOf(t.Context(), room, user); return err }, 0, 1},
		"changes": {func(t *testing.T, s *scene) error {
			_, err := s.reader.Changes(t.Context(), room, 3, 10)
			return err
		}, 0, 1},
		"the head as a page of changes": {func(t *testing.T, s *scene) error {
			_, err := s.reader.Changes(t.Context(), room, 1<<63-1, 1)
			return err
		}, 1, 0},
		"messages": {func(t *testing.T, s *scene) error {
			_, _, err := s.reader.Messages(t.Context(), room, chat.HistoryQuery{Limit: 50})
			return err
		}, 0, 1},
		"a message": {func(t *testing.T, s *scene) error {
			_, err := s.reader.Message(t.Context(), room, messageID(2))
			return err
		}, 0, 1},
		"heads": {func(t *testing.T, s *scene) error {
			_, err := s.reader.Heads(t.Context(), []chat.RoomID{room})
			return err
		}, 1, 0},
		"access":           {func(t *testing.T, s *scene) error { _, err := s.reader.Access(t.Context(), room, user); return err }, 1, 0},
		"rooms":            {func(t *testing.T, s *scene) error { _, err := s.reader.RoomsOf(t.Context(), user); return err }, 1, 0},
		"the ids of rooms": {func(t *testing.T, s *scene) error { _, err := s.reader.RoomIDs(t.Context(), user); return err }, 0, 0},
		"members by names": {func(t *testing.T, s *scene) error {
			_, err := s.reader.MembersNamed(t.Context(), room, nil)
			return err
		}, 0, 0},
		"rooms of strangers": {func(t *testing.T, s *scene) error {
			_, err := s.reader.RoomsOf(t.Context(), chat.UserID{99})
			return err
		}, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := lagging(10, 10)
			if err := tc.read(t, s); err != nil || s.bus.heads != tc.heads || s.bus.tails != tc.tail {
				t.Errorf("%d heads and %d tails, %v; want %d and %d", s.bus.heads, s.bus.tails, err, tc.heads, tc.tail)
			}
		})
	}
}

// Promise: of a thousand rooms, the bus is asked once for the heads of all, and for the tails of those that have one.
func TestCostOfManyRooms(t *testing.T) {
	t.Parallel()
	const rooms, behind = 1000, 3
	w := newWorld(rooms)
	heads := make(map[chat.RoomID]chat.Seq)
	for n, room := range w.rooms {
		w.apply(said(room, n, 1))
		w.join(chat.Member{Room: room, User: person(0)})
		heads[room] = 1
	}
	for n := range behind {
		w.apply(said(w.rooms[n*7], 5000+n, 1))
	}
	s := newScene(w, heads, &keeper{kept: w.events})
	got, err := s.reader.RoomsOf(t.Context(), person(0).ID)
	want, _ := w.whole.RoomsOf(t.Context(), person(0).ID)
	if d := diff(want, got); err != nil || d != "" {
		t.Fatalf("RoomsOf: %v (-want +got)\n%s", err, d)
	}
	if s.bus.heads != 1 || s.bus.tails != behind {
		t.Errorf("%d heads and %d tails, want 1 and %d", s.bus.heads, s.bus.tails, behind)
	}
}

// Promise: counts are exact up to their cap, also where the tail takes away what the store counts at the cap, or changes
// whom it mentions; the messages themselves are read only then.
func TestCountsAtTheCap(t *testing.T) {
	t.Parallel()
	room := roomID(0)
	change := func(kind chat.Kind, target int, mentions ...chat.UserID) *chat.Record {
		return &chat.Record{Room: room, Kind: kind, Actor: person(1), Target: messageID(target), Body: "else", Mentions: mentions}
	}
	for name, tc := range map[string]struct {
		messages int
		user     int
		more     []*chat.Record
		reads    int // of the store
	}{
		"one of a hundred is deleted":         {100, 0, []*chat.Record{change(chat.KindDelete, 5)}, 2},
		"one of a hundred plain ones goes":    {100, 2, []*chat.Record{change(chat.KindDelete, 5)}, 2},
		"the newest is edited":                {20, 2, []*chat.Record{change(chat.KindEdit, 19)}, 1},
		"one of many is deleted":              {450, 0, []*chat.Record{change(chat.KindDelete, 5)}, 2},
		"one of a hundred mentions no more":   {100, 0, []*chat.Record{change(chat.KindEdit, 5)}, 2},
		"one mentions after all":              {20, 2, []*chat.Record{change(chat.KindEdit, 5, person(2).ID)}, 2},
		"one mentions and is deleted":         {20, 2, []*chat.Record{change(chat.KindEdit, 5, person(2).ID), change(chat.KindDelete, 5)}, 1},
		"one is deleted that mentions nobody": {20, 2, []*chat.Record{change(chat.KindDelete, 5)}, 1},
		"own ones are deleted":                {120, 1, []*chat.Record{change(chat.KindDelete, 5)}, 1},
		"more is said":                        {99, 0, []*chat.Record{said(room, 900, 1), said(room, 901, 1)}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := lagging(tc.messages, chat.Seq(tc.messages), tc.more...)
			got, err := s.reader.RoomOf(t.Context(), room, person(tc.user).ID)
			want, _ := s.whole.RoomOf(t.Context(), room, person(tc.user).ID)
			if d := diff(want, got); err != nil || d != "" {
				t.Errorf("RoomOf: %v (-want +got)\n%s", err, d)
			}
			if s.store.reads != tc.reads {
				t.Errorf("the store was read %d times, want %d", s.store.reads, tc.reads)
			}
		})
	}
}

// Promise: an event above the stored head that bears the id of a stored message will be void, and never takes its place.
func TestImpostorsAreNotTheMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(1)
	room := w.rooms[0]
	w.apply(said(room, 1, 1))
	w.apply(said(room, 2, 1))
	w.forget(room)
	w.apply(said(room, 1, 2)) // somebody else's, under an old id
	w.apply(said(room, 3, 1))
	if !w.voids[room][3] {
		t.Fatal("the store took an id twice")
	}
	s := newScene(w, map[chat.RoomID]chat.Seq{room: 2}, &keeper{kept: w.events})
	if got, err := s.reader.Message(t.Context(), room, messageID(1)); err != nil || got.Seq != 1 || got.Sender.ID != person(1).ID {
		t.Errorf("Message = %+v, %v; want the first", got, err)
	}
	got, head, err := s.reader.Messages(t.Context(), room, chat.HistoryQuery{Limit: 10})
	if err != nil || head != 4 || len(got) != 4 || got[0].Sender.ID != person(1).ID {
		t.Errorf("Messages = %+v, head %d, %v; want what was announced", got, head, err)
	}
	s.store.down = true
	if got, err := s.reader.Message(t.Context(), room, messageID(3)); err != nil || got.Seq != 4 {
		t.Errorf("Message without the store = %+v, %v", got, err)
	}
	// Once the store has come as far, it alone says what these numbers are.
	s = newScene(w, map[chat.RoomID]chat.Seq{room: 4}, &keeper{kept: w.events})
	page, err := s.reader.Changes(t.Context(), room, 0, 10)
	if err != nil || page.Through != 4 || len(page.Events) != 3 {
		t.Errorf("Changes = %+v, %v; want three events through 4", page, err)
	}
}

// Promise: of a bus that leaves a number out, only what comes before it is shown, and that there is more; and a page that
// lies in what is stored is not filled from above.
func TestPagesEndBeforeWhatIsMissing(t *testing.T) {
	t.Parallel()
	s := lagging(8, 4)
	room := s.rooms[0]
	s.bus.broken = true
	s.bus.kept = map[chat.RoomID][]chat.Event{room: append(slices.Clone(s.events[room][:5]), s.events[room][6:]...)}
	page, err := s.reader.Changes(t.Context(), room, 3, 10)
	if err != nil || len(page.Events) != 2 || page.Through != 5 || page.Head != 8 || !page.More {
		t.Errorf("Changes = %+v, %v; want 4 and 5 of 8", page, err)
	}
	if page, err := s.reader.Changes(t.Context(), room, 5, 10); !unavailable(err) {
		t.Errorf("Changes in the gap = %+v, %v", page, err)
	}
	w := newWorld(1)
	for _, id := range []int{1, 1, 2, 3, 4} {
		w.forget(room)
		w.apply(said(room, id, 1))
	}
	s = newScene(w, map[chat.RoomID]chat.Seq{room: 4}, &keeper{kept: w.events})
	s.store.byNumbers = true
	page, err = s.reader.Changes(t.Context(), room, 0, 2) // the second number is void
	if err != nil || len(page.Events) != 1 || page.Through != 2 || page.Head != 5 {
		t.Errorf("Changes = %+v, %v; want the first through 2", page, err)
	}
}

// Promise: a page around a message of the tail is the tail's only where it also has what comes before.
func TestAroundTheBeginningOfATail(t *testing.T) {
	t.Parallel()
	s := lagging(12, 2)
	room := s.rooms[0]
	s.bus.kept = map[chat.RoomID][]chat.Event{room: s.events[room][5:]} // from 6 on
	for around, ok := range map[chat.Seq]bool{6: false, 7: false, 8: true, 12: true} {
		got, _, err := s.reader.Messages(t.Context(), room, chat.HistoryQuery{Around: around, Limit: 4})
		want, _, _ := s.whole.Messages(t.Context(), room, chat.HistoryQuery{Around: around, Limit: 4})
		if ok != (err == nil) || (ok && diff(want, got) != "") || (!ok && !unavailable(err)) {
			t.Errorf("around %d: %+v, %v", around, got, err)
		}
	}
}

// Promise: a person's new name stays new, though the tail was written before.
func TestNamesAreTheStores(t *testing.T) {
	t.Parallel()
	room := roomID(0)
	s := lagging(2, 2, &chat.Record{Room: room, Kind: chat.KindEdit, Actor: person(1), Target: messageID(1), Body: "else"})
	renamed := s.store.Newest(room, messageID(1))
	renamed.Sender.DisplayName = "Mina"
	got, _, err := s.reader.Messages(t.Context(), room, chat.HistoryQuery{Limit: 10})
	if err != nil || got[1].Body != "else" || got[1].Sender.DisplayName != "Mina" {
		t.Errorf("Messages = %+v, %v", got, err)
	}
}

// What joining costs where there is nothing to join, beside the store alone.
func BenchmarkMessages(b *testing.B) {
	s := lagging(60, 60)
	query := chat.HistoryQuery{Limit: chat.PageDefault}
	for name, store := range map[string]interface {
		Messages(ctx context.Context, room chat.RoomID, query chat.HistoryQuery) ([]chat.Message, chat.Seq, error)
	}{"store alone": s.store, "joined": s.reader} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := store.Messages(b.Context(), roomID(0), query); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
