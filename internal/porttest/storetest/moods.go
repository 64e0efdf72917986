package storetest

import (
	"testing"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

func testMoods(t *testing.T, fresh Fresh) {
	each(t, fresh, map[string]func(t *testing.T, i *Instance){
		"moods are counted by when their messages were made":  countedByTime,
		"edits and deletions take moods away from the counts": takenAway,
		"a deleted room has no moods, nor has its successor":  goneWithTheRoom,
		"rooms are read only while their mood is on":          onlyWhileOn,
	})
}

// moods are the counts that Moods should give, but for the bounds of their numbers.
func (r *Room) moods(from, to time.Time) (counts []chat.MoodCount) {
	for _, m := range r.sortedMessages() {
		at := m.CreatedAt.Truncate(chat.MoodSpan)
		if m.Mood.IsZero() || at.Before(from) || !at.Before(to) {
			continue
		}
		if n := len(counts); n == 0 || !counts[n-1].At.Equal(at) {
			counts = append(counts, chat.MoodCount{At: at})
		}
		counts[len(counts)-1].Count(m.Mood, m.Seq, 1)
	}
	return counts
}

// checkMoods compares what is counted of a room. The bounds of numbers may be wider than what is counted now.
func (i *Instance) checkMoods(t TB, s Store, r *Room, from, to time.Time) {
	t.Helper()
	want := r.moods(from, to)
	got, err := s.Moods(ctx(t), r.ID, from, to)
	for n := range got {
		if n < len(want) && got[n].First <= want[n].First && got[n].Last >= want[n].Last {
			got[n].First, got[n].Last = want[n].First, want[n].Last
		}
	}
	if d := diff(want, got); err != nil || d != "" {
		t.Errorf("Moods(%v, %v): %v; diff (-want +got)\n%s", from, to, err, d)
	}
}

func countedByTime(t *testing.T, i *Instance) {
	mina := i.AddUser(t, "mina")
	r, other := i.AddRoom(t, chat.Public, mina), i.AddRoom(t, chat.Public, mina)
	begin := i.now.Truncate(chat.MoodSpan)
	for n, label := range []chat.MoodLabel{chat.Positive, chat.Negative, chat.Positive, chat.Neutral, chat.Negative} {
		i.now = begin.Add(time.Duration(n)*7*time.Minute + 500*time.Millisecond)
		said, elsewhere := i.Say(r, mina, "word"), i.Say(other, mina, "word")
		// In one batch with its message, and in a later one.
		if n%2 == 0 {
			i.Commit(t, said, elsewhere, i.Feel(r, said.Message, label, 100*n-200))
		} else {
			i.Commit(t, said, elsewhere)
			i.Commit(t, i.Feel(r, said.Message, label, 100*n-200), i.Feel(other, elsewhere.Message, chat.Positive, 1))
		}
	}
	for _, room := range []*Room{r, other} {
		for _, span := range [][2]time.Duration{{0, time.Hour}, {0, 15 * time.Minute}, {15 * time.Minute, 30 * time.Minute}, {30 * time.Minute, time.Hour}, {-time.Hour, 0}} {
			i.checkMoods(t, i.Store, room, begin.Add(span[0]), begin.Add(span[1]))
		}
	}
	if _, err := i.Store.Moods(t.Context(), chat.RoomID{0xff}, begin, begin.Add(time.Hour)); chat.CodeOf(err) != chat.NotFound {
		t.Errorf("of no room: %v", err)
	}
	i.Check(t, i.Store)
}

func takenAway(t *testing.T, i *Instance) {
	mina := i.AddUser(t, "mina")
	r := i.AddRoom(t, chat.Public, mina)
	var said []chat.Event
	for range 4 {
		event := i.Say(r, mina, "word")
		said = append(said, event, i.Feel(r, event.Message, chat.Negative, -250))
	}
	i.Commit(t, said...)
	edited, deleted, again := said[0].Message, said[2].Message, said[4].Message
	i.Commit(t, i.Edit(r, edited, "another word"), i.Delete(r, deleted))
	i.Commit(t, i.Edit(r, again, "a good word"), i.Feel(r, again, chat.Positive, 999))
	begin := i.now.Truncate(chat.MoodSpan)
	i.checkMoods(t, i.Store, r, begin, begin.Add(chat.MoodSpan))
	i.Commit(t, i.Feel(r, edited, chat.Neutral, 0))
	i.Restart()
	i.checkMoods(t, i.Store, r, begin, begin.Add(chat.MoodSpan))
	i.Check(t, i.Store)
}

func goneWithTheRoom(t *testing.T, i *Instance) {
	mina := i.AddUser(t, "mina")
	r := i.AddRoom(t, chat.Public, mina)
	said := i.Say(r, mina, "word")
	i.Commit(t, said, i.Feel(r, said.Message, chat.Positive, 500))
	i.DeleteRoom(t, r)
	if err := i.Store.Update(t.Context(), r.ID, func(tx chat.RoomTx) error { return tx.PutRoom(r.Room) }); err != nil {
		t.Fatal(err)
	}
	begin := i.now.Truncate(chat.MoodSpan)
	if counts, err := i.Store.Moods(t.Context(), r.ID, begin, begin.Add(chat.MoodSpan)); err != nil || len(counts) > 0 {
		t.Errorf("the new room has %+v, %v", counts, err)
	}
}

func onlyWhileOn(t *testing.T, i *Instance) {
	mina := i.AddUser(t, "mina")
	on, off := i.AddRoom(t, chat.Public, mina), i.AddRoom(t, chat.Public, mina)
	read := func(want ...*Room) map[chat.RoomID]time.Time {
		t.Helper()
		rooms, err := i.Store.MoodRooms(t.Context(), []chat.RoomID{on.ID, off.ID, {0xff}})
		if err != nil || len(rooms) != len(want) {
			t.Errorf("MoodRooms() = %v, %v, want %d", rooms, err, len(want))
		}
		for _, r := range want {
			if _, ok := rooms[r.ID]; !ok {
				t.Errorf("MoodRooms() lacks room %s", r.ID)
			}
		}
		return rooms
	}
	set := func(r *Room, to bool) {
		t.Helper()
		r.MoodEnabled = to
		i.update(t, r, func(tx chat.RoomTx) error { return tx.PutRoom(r.Room) })
	}
	read()
	set(on, true)
	first := read(on)[on.ID]
	on.Topic = "another"
	set(on, true) // a change of something else does not begin anew
	if second := read(on)[on.ID]; !second.Equal(first) {
		t.Errorf("it is read since %v and was since %v", second, first)
	}
	set(on, false)
	read()
	set(on, true)
	if third := read(on)[on.ID]; third.Before(first) {
		t.Errorf("turned on again it is read since %v, which is before %v", third, first)
	}
	i.DeleteRoom(t, on)
	read()
}
