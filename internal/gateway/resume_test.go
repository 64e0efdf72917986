package gateway_test

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/google/uuid"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// span is the numbers from first to last.
func span(first, last chat.Seq) []uint64 {
	var seqs []uint64
	for seq := first; seq <= last; seq++ {
		seqs = append(seqs, uint64(seq))
	}
	return seqs
}

// Promise (PROTOCOL §3): a client that names its position gets every event after it, in order, and then live ones,
// nothing missing and nothing twice, wherever the position lies.
func TestResume(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		missing int
		open    bool // somebody else keeps the room's feed, and its tail, open
	}{
		"nothing missing":                             {0, false},
		"one missing, from the store":                 {1, false},
		"a few missing, from the tail":                {7, true},
		"more than a page missing, from the store":    {600, false},
		"more than the tail holds":                    {350, true},
		"as much as may be missing, from the store":   {1000, false},
		"as much as may be missing, with a live feed": {1000, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, w *world) {
				ann, bob := w.someone(t, "ann"), w.someone(t, "bob")
				room := w.room(t, chat.Public, ann)
				if tc.open {
					w.join(t, bob, room)
					reader := w.sit(t, bob)
					w.handlers.Go(func() { drainAll(reader) })
				}
				position := w.head(t, room)
				head := w.fill(t, ann, room, tc.missing)

				c := w.sit(t, ann, room, position)
				if got, want := c.events(tc.missing), span(position+1, head); !slices.Equal(got, want) {
					t.Errorf("resumed with %v, want %v", got, want)
				}
				synctest.Wait()
				c.send(room, "and now live")
				if got := c.both().Event.Seq; got != uint64(head)+1 {
					t.Errorf("the first live event is %d after %d", got, head)
				}
				c.quiet()
			})
		})
	}
}

// fill sends n messages together and answers the head.
func (w *world) fill(t *testing.T, who person, room chat.RoomID, n int) chat.Seq {
	t.Helper()
	return w.fillWith(t, who, room, n, "filler")
}

func (w *world) fillWith(t *testing.T, who person, room chat.RoomID, n int, body string) chat.Seq {
	t.Helper()
	outcomes := make(chan chat.Outcome, n)
	for range n {
		id := messageID()
		record := &chat.Record{ID: id, Room: room, Kind: chat.KindMessage, Actor: who.Profile, Body: body, Fingerprint: chat.FingerprintOf(who.ID, body, chat.MessageID{})}
		err := w.log.Append(t.Context(), record, func(receipt chat.Receipt, err error) { outcomes <- chat.Outcome{Receipt: receipt, Err: err} })
		if err != nil {
			t.Fatal(err)
		}
	}
	for range n {
		if outcome := <-outcomes; outcome.Err != nil {
			t.Fatal(outcome.Err)
		}
	}
	return w.head(t, room)
}

// drainAll reads until the connection ends.
func drainAll(c *client) {
	for {
		if _, err := c.read(); err != nil {
			return
		}
	}
}

// Promise (PROTOCOL §3): a client that misses over 1,000 events is told to reset and gets live events from the head.
func TestReset(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]bool{"a feed that is opened for it": false, "a live feed": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, w *world) {
				ann, bob := w.someone(t, "ann"), w.someone(t, "bob")
				room := w.room(t, chat.Public, ann)
				if open {
					w.join(t, bob, room)
					reader := w.sit(t, bob)
					w.handlers.Go(func() { drainAll(reader) })
				}
				position := w.head(t, room)
				head := w.fill(t, ann, room, chat.ResumeMax+1)

				c := w.sit(t, ann, room, position)
				if reset := c.expect("reset"); reset.RoomID != room.String() || reset.Head != uint64(head) {
					t.Errorf("got %s, want a reset to %d", reset, head)
				}
				next := w.say(t, ann, room, "live")
				if got := c.events(1); got[0] != uint64(next) {
					t.Errorf("live event %v, want %d", got, next)
				}
			})
		})
	}
}

// Promise: a position beyond the head, which no server ever gave, is answered with where the room really is.
func TestPositionThatNeverWas(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, w *world) {
		ann := w.someone(t, "ann")
		room := w.room(t, chat.Private, ann)
		for _, position := range []uint64{1 << 20, 1<<63 + 5, 1<<64 - 1} {
			c := w.sit(t, ann, room, position)
			if reset := c.expect("reset"); reset.Head != uint64(w.head(t, room)) {
				t.Errorf("position %d: %s", position, reset)
			}
			next := w.say(t, ann, room, "live")
			if got := c.events(1); got[0] != uint64(next) {
				t.Errorf("position %d: live event %v, want %d", position, got, next)
			}
			c.hangUp()
			synctest.Wait()
		}
	})
}

// Promise: a client that was told of an event by another node is ahead of this node's feed, which catches up and repeats
// nothing to it.
func TestPositionAheadOfTheFeed(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, w *world) {
		ann, bob := w.someone(t, "ann"), w.someone(t, "bob")
		room := w.room(t, chat.Public, ann)
		w.join(t, bob, room)
		witness := w.sit(t, bob)
		w.loseAll()
		head := w.fill(t, ann, room, 3)
		witness.quiet() // its feed has heard nothing
		w.bus.lose.Store(nil)

		c := w.sit(t, ann, room, head)
		if got, want := witness.events(3), span(head-2, head); !slices.Equal(got, want) {
			t.Errorf("the feed caught up with %v, want %v", got, want)
		}
		next := w.say(t, bob, room, "live")
		if got := c.events(1); got[0] != uint64(next) {
			t.Errorf("live event %v, want %d", got, next)
		}
	})
}

// loseAll makes the bus lose every event.
func (w *world) loseAll() {
	lose := func(chat.Envelope) bool { return true }
	w.bus.lose.Store(&lose)
}

// Promise: a named room that is no longer one's own is answered with left, whether it exists or not.
func TestPositionOfAnotherRoom(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, w *world) {
		ann, bob := w.someone(t, "ann"), w.someone(t, "bob")
		private := w.room(t, chat.Private, ann)
		for name, id := range map[string]string{"a private room": private.String(), "no room": uuid.Must(uuid.NewV7()).String()} {
			c := w.sit(t, bob, id, 1)
			if left := c.expect("left"); left.RoomID != id || left.Reason != "removed" || strings.Contains(left.raw, "ann") {
				t.Errorf("%s: %s", name, left)
			}
			w.say(t, ann, private, "not for bob")
			c.quiet()
		}
	})
}

// Promise: rooms that a client does not name are live from the head that ready tells, also where events come between.
func TestUnnamedRooms(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, w *world) {
		ann := w.someone(t, "ann")
		room := w.room(t, chat.Private, ann)
		w.fill(t, ann, room, 20)
		listed := func(chat.UserID) { w.fill(t, ann, room, 5) } // after ready's heads were read
		w.store.listed.Store(&listed)
		c, ready := w.connect(t, ann)
		first := chat.Seq(ready.Rooms[0].Head) + 1
		if got, want := c.events(5), span(first, first+4); !slices.Equal(got, want) {
			t.Errorf("got %v after ready, want %v", got, want)
		}
		c.quiet()
	})
}

// Promise: an event that is stored after a room's head was read, and arrives before its feed is there, is passed on
// without waiting for the next one to show the hole.
func TestEventWhileTheFeedOpens(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, w *world) {
		ann := w.someone(t, "ann")
		room := w.room(t, chat.Private, ann)
		var once atomic.Bool
		read := func(chat.RoomID, chat.Page) {
			if once.CompareAndSwap(false, true) { // the head was read; the feed is not there yet
				w.say(t, ann, room, "between")
				w.signal(t, chat.Signal{Kind: chat.SignalMember}) // the bus has delivered what came before this
			}
		}
		w.store.read.Store(&read)
		c, ready := w.connect(t, ann)
		if got := c.events(1); got[0] != ready.Rooms[0].Head+1 {
			t.Errorf("got %v after head %d", got, ready.Rooms[0].Head)
		}
	})
}

// Promise: a resume of messages so long that a page of them is more than may wait for a client still succeeds.
func TestResumeOfLongMessages(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, w *world) {
		ann := w.someone(t, "ann")
		room := w.room(t, chat.Private, ann)
		position := w.head(t, room)
		head := w.fillWith(t, ann, room, 300, strings.Repeat("한", chat.MessageRunesMax)) // 12 KB each
		c := w.sit(t, ann, room, position)
		if got, want := c.events(300), span(position+1, head); !slices.Equal(got, want) {
			t.Errorf("resumed with %v, want %v", got, want)
		}
		c.quiet()
	})
}

// Promise: whoever is in many rooms with long last messages can sign in, though ready is longer than may wait for a client.
func TestReadyLongerThanTheQueue(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, w *world) {
		ann := w.someone(t, "ann")
		for range 90 { // 12 KB each
			w.fillWith(t, ann, w.room(t, chat.Public, ann), 1, strings.Repeat("한", chat.MessageRunesMax))
		}
		c, ready := w.connect(t, ann)
		if len(ready.Rooms) != 90 || len(ready.raw) < 1<<20 {
			t.Errorf("ready has %d rooms and %d bytes", len(ready.Rooms), len(ready.raw))
		}
		c.quiet()
	})
}

// Promise (DESIGN, Delivery to many): those who resume from the same place at once share one reading of it.
func TestResumesShareReads(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, w *world) {
		const people = 40
		ann := w.someone(t, "ann")
		room := w.room(t, chat.Public, ann)
		everyone := make([]person, people)
		for i := range everyone {
			everyone[i] = w.someone(t, fmt.Sprintf("p%d", i))
			w.join(t, everyone[i], room)
		}
		position := w.head(t, room)
		head := w.fill(t, ann, room, 100)

		waiting, release := make(chan struct{}, people+1), make(chan struct{})
		hook := func(_ chat.RoomID, after chat.Seq) {
			if after == position {
				waiting <- struct{}{}
				<-release
			}
		}
		w.store.changes.Store(&hook)
		clients := make([]*client, people)
		for i, who := range everyone {
			clients[i] = w.sit(t, who, room, position)
		}
		synctest.Wait() // all have asked
		close(release)
		for _, c := range clients {
			if got, want := c.events(100), span(position+1, head); !slices.Equal(got, want) {
				t.Errorf("resumed with %v, want %v", got, want)
			}
		}
		if reads := len(waiting); reads != 1 {
			t.Errorf("%d clients made %d reads", people, reads)
		}
	})
}
