package gateway_test

import (
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/run"
)

// pass lets time pass in a bubble.
func pass(t *testing.T, d time.Duration) {
	t.Helper()
	must(t, run.Pause(t.Context(), d))
	synctest.Wait()
}

// Promise (DESIGN, What happens when something dies): while the bus is away, rooms with listeners hear what is stored
// within half a second, each number once and in order; and live again once it is back.
func TestBusIsAway(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, w *world) {
		ann, bob := w.someone(t, "ann"), w.someone(t, "bob")
		lively, quiet := w.room(t, chat.Public, ann, bob), w.room(t, chat.Public, ann, bob)
		one, two := w.sit(t, ann), w.sit(t, bob)
		w.bus.leave()
		for range 3 {
			began, position := time.Now(), w.head(t, lively)
			head := w.fill(t, ann, lively, 7)
			for _, c := range []*client{one, two} {
				if got, want := c.events(7), span(position+1, head); !slices.Equal(got, want) {
					t.Errorf("got %v, want %v", got, want)
				}
			}
			if took := time.Since(began); took > 500*time.Millisecond {
				t.Errorf("heard after %v", took)
			}
		}
		joined := w.sit(t, bob)
		w.say(t, ann, quiet, "for one who came meanwhile")
		joined.events(1)
		one.events(1)
		two.events(1)

		w.bus.back()
		began := time.Now()
		w.say(t, ann, quiet, "live")
		one.events(1)
		if took := time.Since(began); took > 0 {
			t.Errorf("live after %v", took)
		}
	})
}

// Promise: after the bus is back what it lost is found at once, and what the store gets only now soon after; then nobody
// asks any more.
func TestBusComesBack(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, w *world) {
		ann := w.someone(t, "ann")
		id := w.room(t, chat.Public, ann)
		c := w.sit(t, ann)
		w.bus.leave()
		w.store.away.Store(true)
		position := w.head(t, id)
		w.fill(t, ann, id, 3)
		pass(t, 10*time.Second)
		w.store.away.Store(false)
		w.bus.back()
		began := time.Now()
		if got, want := c.events(3), span(position+1, position+3); !slices.Equal(got, want) || time.Since(began) > 0 {
			t.Errorf("after %v got %v, want %v", time.Since(began), got, want)
		}
		w.loseAll() // what was published just before, and stored just now
		w.say(t, ann, id, "late")
		w.bus.lose.Store(nil)
		c.events(1)
		if took := time.Since(began); took > 500*time.Millisecond {
			t.Errorf("the late one after %v", took)
		}
		keepAlive(c, time.Minute)
		looks := w.store.looks.Load()
		keepAlive(c, time.Minute)
		if again := w.store.looks.Load(); again != looks {
			t.Errorf("while all is well the store was asked %d times for heads", again-looks)
		}
	})
}

// Promise: a room's last event that a bus lost though it is up, with nothing behind it to tell, is found in time.
func TestLastEventIsLost(t *testing.T) {
	t.Parallel()
	const lookEvery = 10 * time.Second
	bubble(t, func(t *testing.T, w *world) {
		ann := w.someone(t, "ann")
		id := w.room(t, chat.Public, ann)
		c := w.sit(t, ann)
		keepAlive(c, time.Minute) // until nobody looks any more because the bus has just come
		w.loseAll()
		began := time.Now()
		position := w.head(t, id)
		w.say(t, ann, id, "nobody hears this")
		if got, want := c.events(1), span(position+1, position+1); !slices.Equal(got, want) || time.Since(began) > lookEvery {
			t.Errorf("after %v got %v, want %v", time.Since(began), got, want)
		}
	}, func(o *options) { o.lookEvery = lookEvery })
}

// Promise: what ends a connection or a place in a room does so within five seconds though no signal arrives, with no event
// after; and places that begin do too.
func TestRevocationWhileTheBusIsAway(t *testing.T) {
	t.Parallel()
	for name, away := range map[string]bool{"away": true, "lost the signal just before it was back": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, w *world) {
				ann, bob, eve := w.someone(t, "ann"), w.someone(t, "bob"), w.someone(t, "eve")
				left, banned, gone := w.room(t, chat.Public, ann, bob), w.room(t, chat.Public, ann, bob), w.room(t, chat.Public, ann, bob)
				stays := w.room(t, chat.Public, ann, bob, eve)
				signedOut, c := w.sit(t, eve), w.sit(t, bob)
				w.bus.leave()
				w.accounts.revoke(eve.token)
				must(t, w.rooms.Leave(t.Context(), bob.Profile, left))
				_, err := w.rooms.Ban(t.Context(), ann.Profile, banned, bob.ID, "spam")
				must(t, err)
				must(t, w.rooms.Delete(t.Context(), ann.Profile, gone))
				found := w.room(t, chat.Public, ann)
				w.join(t, bob, found)
				if !away {
					w.bus.back()
				}
				began := time.Now()
				var ended []string
				var begun []string
				for len(ended) < 3 || len(begun) < 1 {
					switch f := c.next(); f.Type {
					case "left":
						ended = append(ended, f.RoomID)
					case "joined":
						begun = append(begun, f.Room.ID)
					case "event":
						if slices.Contains(ended, f.Event.RoomID) {
							t.Errorf("an event of a room that has ended: %s", f)
						}
					case "presence":
					default:
						t.Errorf("got %s", f)
					}
				}
				slices.Sort(ended)
				if want := sorted(left, banned, gone); !slices.Equal(ended, want) || !slices.Equal(begun, sorted(found)) {
					t.Errorf("%v ended and %v began, want %v and %v", ended, begun, want, found)
				}
				wantClosed(t, signedOut.closed("event"), 4401)
				if took := time.Since(began); took > 5*time.Second {
					t.Errorf("it took %v", took)
				}
				w.say(t, ann, banned, "not for bob")
				w.say(t, ann, stays, "for bob")
				w.say(t, ann, found, "and this")
				c.events(2)
				c.quiet()
			})
		})
	}
}

// Promise: a deleted room ends at the next look for events, and a place that only the store knows to be gone, because the
// event of its end is late, within five seconds; the others stay.
func TestEndsThatTheLogDoesNotTell(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, w *world) {
		ann, bob := w.someone(t, "ann"), w.someone(t, "bob")
		gone, left, stays := w.room(t, chat.Public, ann, bob), w.room(t, chat.Public, ann, bob), w.room(t, chat.Public, ann, bob)
		c := w.sit(t, bob)
		keepAlive(c, 10*time.Second)
		w.bus.leave()
		pass(t, time.Second)
		began := time.Now()
		must(t, w.store.Update(t.Context(), gone, chat.RoomTx.DeleteRoom))
		if f := c.expect("left"); f.RoomID != gone.String() || f.Reason != "deleted" || time.Since(began) > 500*time.Millisecond {
			t.Errorf("after %v got %s", time.Since(began), f)
		}
		must(t, w.store.Update(t.Context(), left, func(tx chat.RoomTx) error { return tx.RemoveMember(bob.ID) }))
		began = time.Now()
		if f := c.expect("left"); f.RoomID != left.String() || f.Reason != "removed" || time.Since(began) > 5*time.Second {
			t.Errorf("after %v got %s", time.Since(began), f)
		}
		w.say(t, ann, left, "not for bob")
		w.say(t, ann, stays, "for bob")
		if f := c.expect("event"); f.Event.RoomID != stays.String() {
			t.Errorf("got %s", f)
		}
		c.quiet()
	})
}

func sorted(ids ...chat.RoomID) (texts []string) {
	for _, id := range ids {
		texts = append(texts, id.String())
	}
	slices.Sort(texts)
	return texts
}

// Promise: who leaves a room and comes back while rooms are being compared keeps the place, and nobody else gets one.
func TestMembershipChangesWhileItIsCompared(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, w *world) {
		ann, bob := w.someone(t, "ann"), w.someone(t, "bob")
		id := w.room(t, chat.Public, ann, bob)
		c := w.sit(t, bob)
		w.bus.leave()
		pass(t, time.Second)
		must(t, w.rooms.Leave(t.Context(), bob.Profile, id))
		var back bool
		hook := func() { // the rooms have been read without this one
			if !back {
				back = true
				_, err := w.rooms.Join(t.Context(), bob.Profile, id)
				must(t, err)
			}
		}
		w.store.aligned.Store(&hook)
		pass(t, 10*time.Second)
		w.bus.back()
		w.say(t, ann, id, "for bob")
		for f := c.next(); ; f = c.next() {
			if f.Type == "event" && f.Event.Kind == "message" {
				break
			}
		}
		c.quiet()
	})
}

// Promise: an envelope without a body tells the room's head: what is missing up to it is fetched, and nobody is sent it.
func TestHeadOnly(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, w *world) {
		ann := w.someone(t, "ann")
		id := w.room(t, chat.Public, ann)
		c := w.sit(t, ann)
		keepAlive(c, 10*time.Second) // until nobody looks at the store by himself any more
		w.loseAll()
		head := w.fill(t, ann, id, 2)
		w.bus.lose.Store(nil)
		c.quiet()
		tell := func(seq chat.Seq) {
			t.Helper()
			must(t, w.bus.Publish(t.Context(), []chat.Envelope{{Room: id, Seq: seq}}))
		}
		tell(head)
		if got, want := c.events(2), span(head-1, head); !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		tell(head)
		tell(head - 1)
		synctest.Wait()
		c.quiet()
	})
}

// Promise: a store that is behind the bus is asked again after a while, not at once, and what it then has is passed on.
func TestStoreIsBehindTheBus(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, w *world) {
		ann := w.someone(t, "ann")
		id := w.room(t, chat.Public, ann)
		c := w.sit(t, ann)
		head := w.head(t, id)
		var asked atomic.Int64
		hook := func(_ chat.RoomID, after chat.Seq) {
			if after == head {
				asked.Add(1)
			}
		}
		w.store.changes.Store(&hook)
		must(t, w.bus.Publish(t.Context(), []chat.Envelope{{Room: id, Seq: head + 3}}))
		keepAlive(c, 20*time.Second)
		if times := asked.Load(); times < 8 || times > 60 {
			t.Errorf("in 20 seconds it was asked %d times", times)
		}
		w.loseAll()
		w.fill(t, ann, id, 3)
		w.bus.lose.Store(nil)
		c.events(3)
		c.quiet()
	})
}
