package recent_test

import (
	"context"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/recent"
)

func diff(want, got any) string { return cmp.Diff(want, got, cmpopts.EquateEmpty()) }

// scene is a store that is behind, a bus that keeps a tail or what is left of one, and their reader.
type scene struct {
	*world
	store  *table
	bus    *keeper
	reader *recent.Reader
	heads  map[chat.RoomID]chat.Seq // stored
}

func newScene(w *world, heads map[chat.RoomID]chat.Seq, bus *keeper) *scene {
	s := &scene{world: w, store: w.stored(heads), bus: bus, heads: heads}
	s.reader = recent.New(s.store, bus)
	return s
}

// published are the events of a room that reached the bus: the void ones only if they are stored by now, because a number
// that is announced before its fate is known shows what the store will take back.
func (w *world) published(room chat.RoomID, stored chat.Seq, impostors bool) (published []chat.Event) {
	for _, event := range w.events[room] {
		if !w.voids[room][event.Seq] || (impostors && event.Seq <= stored) {
			published = append(published, event)
		}
	}
	return published
}

func drawScene(t *rapid.T) *scene {
	w := draw(t)
	heads := make(map[chat.RoomID]chat.Seq)
	bus := &keeper{kept: make(map[chat.RoomID][]chat.Event), broken: rapid.IntRange(0, 4).Draw(t, "broken") == 0}
	down := rapid.IntRange(0, 3).Draw(t, "store") == 0
	for _, room := range w.rooms {
		head := len(w.events[room])
		heads[room] = chat.Seq(head - min(head, rapid.IntRange(0, 15).Draw(t, "behind")))
		kept := w.published(room, heads[room], !down && rapid.Bool().Draw(t, "impostors"))
		kept = kept[max(0, len(kept)-rapid.IntRange(0, 20).Draw(t, "kept")):]
		switch rapid.IntRange(0, 5).Draw(t, "lost") {
		case 0: // the newest
			kept = kept[:rapid.IntRange(0, len(kept)).Draw(t, "left")]
		case 1: // some
			kept = slices.DeleteFunc(slices.Clone(kept), func(chat.Event) bool { return rapid.IntRange(0, 4).Draw(t, "gone") == 0 })
		}
		bus.kept[room] = kept
	}
	s := newScene(w, heads, bus)
	s.store.byNumbers = rapid.Bool().Draw(t, "pages by numbers")
	s.store.down = down
	bus.down = rapid.IntRange(0, 5).Draw(t, "bus") == 0
	return s
}

// facts are what may be known of a room: up to shown without a gap from the store on, up to top by the bus; from first on the
// bus has everything up to its end. apart: something is known above shown.
type facts struct {
	stored, shown, top, first chat.Seq
	apart                     bool
}

func (s *scene) facts(room chat.RoomID) facts {
	f := facts{stored: s.heads[room], shown: s.heads[room], top: s.heads[room]}
	if s.bus.down {
		return f
	}
	kept := make(map[chat.Seq]bool)
	for _, event := range s.bus.tail(room, 0) {
		kept[event.Seq] = true
	}
	f.top = max(f.top, s.bus.top(room))
	if s.store.down {
		f.top = s.bus.top(room) // nobody tells of more
	}
	for f.first = s.bus.top(room); f.first > 1 && kept[f.first-1]; f.first-- {
	}
	// Of a tail with a gap only the end is given, unless the promise is broken.
	reach := f.stored
	for kept[reach+1] {
		reach++
	}
	f.shown = reach
	f.apart = f.shown < f.top
	return f
}

// at is what a store would say whose rooms end where the given function says.
func (s *scene) at(end func(facts) chat.Seq) *table {
	heads := make(map[chat.RoomID]chat.Seq)
	for _, room := range s.rooms {
		heads[room] = end(s.facts(room))
	}
	return s.stored(heads)
}

func shown(f facts) chat.Seq { return f.shown }
func top(f facts) chat.Seq   { return f.top }

func unavailable(err error) bool { return chat.CodeOf(err) == chat.Unavailable }

// checkPage checks a page against a whole: all events up to Through and no others, in order, each with its newest message.
func checkPage(t *rapid.T, whole *table, room chat.RoomID, after chat.Seq, limit int, got chat.Page) {
	t.Helper()
	all, err := whole.Store.Changes(context.Background(), room, min(after, whole.head(room)), 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	want := slices.DeleteFunc(all.Events, func(e chat.Event) bool { return e.Seq > got.Through })
	if d := diff(want, got.Events); d != "" || len(got.Events) > limit {
		t.Fatalf("changes after %d, at most %d, through %d of head %d (-want +got)\n%s", after, limit, got.Through, got.Head, d)
	}
	if got.More != (got.Through < got.Head) || (got.More && got.Through <= after) {
		t.Fatalf("changes after %d end at %d of head %d, more %t", after, got.Through, got.Head, got.More)
	}
}

// Promise: whatever the store lacks and the bus has lost, the changes of a room are those that happened, each once and in
// order, with messages in their newest state, and no page ends beyond a number of which nothing is known.
func TestChanges(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawScene(t)
		atShown, atTop := s.at(shown), s.at(top)
		for _, room := range s.rooms {
			f := s.facts(room)
			limit := rapid.IntRange(1, 12).Draw(t, "limit")
			for after := range s.whole.head(room) + 3 {
				got, err := s.reader.Changes(t.Context(), room, after, limit)
				beyond := s.bus.tail(room, after)
				inside := !s.bus.down && f.first > 0 && (len(beyond) == 0 || beyond[0].Seq == after+1)
				switch {
				case !inside && (s.store.down || (f.apart && after >= f.stored && after < f.top)):
					if !unavailable(err) {
						t.Fatalf("changes after %d with %+v = %+v, %v, want unavailable", after, f, got, err)
					}
					continue
				case err != nil:
					t.Fatalf("changes after %d with %+v: %v", after, f, err)
				}
				if got.Head != f.top || (after <= f.top && got.Through > f.top) {
					t.Fatalf("changes after %d with %+v end at %d of head %d", after, f, got.Through, got.Head)
				}
				if after >= f.stored && inside || s.store.down {
					end, whole := after, atTop
					for _, event := range beyond {
						if event.Seq == end+1 {
							end++
						}
					}
					if end < f.top { // only of a bus that breaks its promise
						whole = s.stored(map[chat.RoomID]chat.Seq{room: end})
					}
					checkPage(t, whole, room, after, limit, got)
					continue
				}
				checkPage(t, atShown, room, after, limit, got)
				if got.Through > f.shown {
					t.Fatalf("changes after %d with %+v end at %d", after, f, got.Through)
				}
			}
		}
	})
}

func drawQuery(t *rapid.T, head chat.Seq) (query chat.HistoryQuery) {
	query.Limit = rapid.IntRange(1, 8).Draw(t, "limit")
	seq := chat.Seq(rapid.IntRange(1, int(head)+3).Draw(t, "seq"))
	switch rapid.IntRange(0, 4).Draw(t, "query") {
	case 0:
		query.Before = seq
	case 1:
		query.After = seq
	case 2:
		query.Around = seq
	case 3:
		query.FromStart = true
	}
	return query
}

// Promise: a page of messages is the one that the whole store would give. Only where store and tail are apart may it be
// what the store alone gives, up to the head that it names, or unavailable.
func TestMessages(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawScene(t)
		atShown, atTop := s.at(shown), s.at(top)
		for _, room := range s.rooms {
			f := s.facts(room)
			for range 8 {
				query := drawQuery(t, s.whole.head(room))
				got, head, err := s.reader.Messages(t.Context(), room, query)
				whole, _, _ := atTop.Messages(t.Context(), room, query)
				if err == nil && (s.store.down || head > f.shown) {
					if d := diff(whole, got); d != "" || head != f.top || (!s.store.down && !f.apart) {
						t.Fatalf("messages %+v with %+v from the tail, head %d (-want +got)\n%s", query, f, head, d)
					}
					continue
				}
				held := 0
				for _, event := range s.bus.tail(room, 0) {
					if event.Kind == chat.KindMessage && event.Seq >= f.first {
						held++
					}
				}
				newest := query.Before == 0 && query.After == 0 && query.Around == 0 && !query.FromStart
				mayFail := (s.store.down || f.apart) && (s.bus.down || s.bus.broken || !newest || held < query.Limit)
				if err != nil {
					if !unavailable(err) || !mayFail {
						t.Fatalf("messages %+v with %+v: %v", query, f, err)
					}
					continue
				}
				want, _, _ := atShown.Messages(t.Context(), room, query)
				if d := diff(want, got); d != "" || head != f.shown {
					t.Fatalf("messages %+v with %+v, head %d (-want +got)\n%s", query, f, head, d)
				}
				if f.apart && !s.bus.broken && (query.Before > f.shown+1 || query.Around > f.shown || (query.After >= f.shown && query.After > 0)) {
					t.Fatalf("messages %+v with %+v hide the gap", query, f)
				}
			}
		}
	})
}

// Promise: a message is found by its id in its newest state, as soon as it has its number.
func TestMessage(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawScene(t)
		atShown, atTop := s.at(shown), s.at(top)
		for _, room := range s.rooms {
			f := s.facts(room)
			for n := range 16 {
				id := messageID(n)
				got, err := s.reader.Message(t.Context(), room, id)
				shown, top := atShown.Newest(room, id), atTop.Newest(room, id)
				switch {
				case err == nil && (diff(top, got) == "" || (f.apart && diff(shown, got) == "")):
				case s.store.down && unavailable(err) && (s.bus.down || s.bus.broken || f.first == 0 || top == nil || max(top.Seq, top.ChangedSeq) < f.first):
				case !s.store.down && chat.CodeOf(err) == chat.NotFound && (top == nil || (f.apart && shown == nil && s.bus.broken) || (f.apart && max(top.Seq, top.ChangedSeq) < f.first)):
				default:
					t.Fatalf("message %s with %+v = %v, %v, want %v or %v", id, f, got, err, top, shown)
				}
			}
		}
	})
}

// Promise: rooms come with their newest message and exact counts, in order, as far as nothing is missing.
func TestRooms(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawScene(t)
		atShown := s.at(shown)
		for n := range people {
			user := person(n).ID
			want, _ := atShown.RoomsOf(t.Context(), user)
			got, err := s.reader.RoomsOf(t.Context(), user)
			if s.store.down {
				if !unavailable(err) {
					t.Fatalf("rooms without a store: %v", err)
				}
				continue
			}
			if d := diff(want, got); err != nil || d != "" {
				t.Fatalf("rooms of %s: %v (-want +got)\n%s", user, err, d)
			}
			for _, room := range s.rooms {
				want, _ := atShown.RoomOf(t.Context(), room, user)
				got, err := s.reader.RoomOf(t.Context(), room, user)
				if d := diff(want, got); err != nil || d != "" {
					t.Fatalf("room %s of %s: %v (-want +got)\n%s", room, user, err, d)
				}
				access, err := s.reader.Access(t.Context(), room, user)
				if err != nil || access.Room.Head != s.facts(room).top || access.Member == nil {
					t.Fatalf("access to room %s = %+v, %v", room, access, err)
				}
			}
		}
	})
}

// Promise: heads are the highest numbers that anybody has, and no room looks as if it were gone that is there.
func TestHeads(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawScene(t)
		want := make(map[chat.RoomID]chat.Seq)
		known := !s.store.down || !s.bus.down
		for _, room := range s.rooms {
			want[room] = s.facts(room).top
			known = known && (!s.store.down || want[room] > 0)
		}
		asked := slices.Clone(s.rooms)
		if !s.store.down {
			asked = append(asked, roomID(999)) // gone, though the bus keeps something of it
			s.bus.kept[roomID(999)] = []chat.Event{{Room: roomID(999), Seq: 4, Kind: chat.KindRoom}}
		}
		got, err := s.reader.Heads(t.Context(), asked)
		switch {
		case !known && !unavailable(err):
			t.Fatalf("Heads = %v, %v, want unavailable", got, err)
		case known && (err != nil || !maps.Equal(want, got)):
			t.Fatalf("Heads = %v, %v, want %v", got, err, want)
		}
	})
}
