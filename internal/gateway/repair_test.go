package gateway_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Promise (DESIGN, Numbering 4): events that the bus loses are read from the store before the next one is passed on.
func TestHoleOnTheBus(t *testing.T) {
	t.Parallel()
	for name, lost := range map[string]int{"one event": 1, "more than a page": 300, "more than a resume may miss": 1100} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, w *world) {
				ann, bob := w.someone(t, "ann"), w.someone(t, "bob")
				room := w.room(t, chat.Public, ann, bob)
				one, two := w.sit(t, ann), w.sit(t, bob)
				position := w.head(t, room)
				w.loseAll()
				w.fill(t, ann, room, lost)
				w.bus.lose.Store(nil)
				head := w.say(t, bob, room, "shows the hole")
				for _, c := range []*client{one, two} {
					if got, want := c.events(lost+1), span(position+1, head); !slices.Equal(got, want) {
						t.Errorf("got %v, want %v", got, want)
					}
					c.quiet()
				}
			})
		})
	}
}

// Promise: while the store is away a hole waits, other rooms and acks do not, and afterwards nothing is missing.
func TestHoleWhileTheStoreIsAway(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, w *world) {
		ann := w.someone(t, "ann")
		broken, whole := w.room(t, chat.Public, ann), w.room(t, chat.Public, ann)
		c := w.sit(t, ann)
		position := w.head(t, broken)
		w.loseAll()
		w.fill(t, ann, broken, 2)
		w.bus.lose.Store(nil)

		w.store.away.Store(true)
		w.say(t, ann, broken, "shows the hole")
		w.say(t, ann, whole, "goes on")
		if f := c.expect("event"); f.Event.RoomID != whole.String() {
			t.Errorf("got %s", f)
		}
		keepAlive(c, 3*time.Minute)
		w.store.away.Store(false)
		if got, want := c.events(3), span(position+1, position+3); !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		w.say(t, ann, broken, "live again")
		c.events(1)
		c.quiet()
	})
}

// Promise: who joins while a hole is being repaired misses nothing and gets nothing twice, wherever they stand.
func TestJoinDuringRepair(t *testing.T) {
	t.Parallel()
	for name, behind := range map[string]chat.Seq{
		"live":            0,
		"in the hole":     2,
		"before the hole": 6,
		"ahead of what has been passed on, but not of the store": 1,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, w *world) {
				ann, bob := w.someone(t, "ann"), w.someone(t, "bob")
				room := w.room(t, chat.Public, ann, bob)
				witness := w.sit(t, ann)
				w.fill(t, ann, room, 3)
				witness.events(3)
				w.loseAll()
				w.fill(t, ann, room, 4)
				w.bus.lose.Store(nil)
				repairing, goOn := make(chan struct{}), make(chan struct{})
				var once atomic.Bool
				hook := func(chat.RoomID, chat.Seq) {
					if once.CompareAndSwap(false, true) {
						close(repairing)
						<-goOn
					}
				}
				w.store.changes.Store(&hook)
				head := w.say(t, bob, room, "shows the hole")
				<-repairing

				c := w.sit(t, bob, room, head-behind)
				synctest.Wait()
				close(goOn)
				if got, want := witness.events(5), span(head-4, head); !slices.Equal(got, want) {
					t.Errorf("the witness got %v, want %v", got, want)
				}
				head = w.say(t, ann, room, "live")
				if got, want := c.events(int(behind)+1), span(head-behind, head); !slices.Equal(got, want) {
					t.Errorf("got %v, want %v", got, want)
				}
				c.quiet()
			})
		})
	}
}

// Promise: what the bus brings twice, or late, is passed on once.
func TestRepeatsOnTheBus(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, w *world) {
		ann := w.someone(t, "ann")
		room := w.room(t, chat.Public, ann)
		c := w.sit(t, ann)
		var seen []chat.Envelope
		record := func(envelope chat.Envelope) bool { seen = append(seen, envelope); return false }
		w.bus.lose.Store(&record)
		w.fill(t, ann, room, 5)
		c.events(5)
		w.bus.lose.Store(nil)
		slices.Reverse(seen)
		if err := w.bus.Publish(t.Context(), seen); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		c.quiet()
	})
}

// Promise (PROTOCOL §1): whatever the bus loses, repeats and reorders, and however often clients come back, every client
// sees every number once and in order.
func TestAnyBus(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		bubble(t, func(t *testing.T, w *world) {
			random := rand.New(rand.NewPCG(seed, 1))
			ann, bob := w.someone(t, "ann"), w.someone(t, "bob")
			room := w.room(t, chat.Public, ann, bob)
			start := w.head(t, room)
			seen := []uint64{uint64(start)}
			c := w.sit(t, bob, room, start)
			chaos := &mischief{bus: w.bus, random: random}
			for range 30 {
				w.bus.lose.Store(chaos.hook())
				w.fill(t, ann, room, 1+random.IntN(8))
				w.bus.lose.Store(nil)
				chaos.repeat(t.Context())
				synctest.Wait()
				if random.IntN(3) == 0 {
					_, before := c.ping()
					seen = append(seen, seqs(before)...)
					c.hangUp()
					c = w.sit(t, bob, room, seen[len(seen)-1])
				}
			}
			head := w.say(t, ann, room, "the last, which is not lost")
			for seen[len(seen)-1] < uint64(head) {
				seen = append(seen, c.events(1)...)
			}
			if want := span(start, head); !slices.Equal(seen, want) {
				t.Errorf("seed %d: saw %v, want %v", seed, seen, want)
			}
			c.quiet()
		})
	}
}

func seqs(frames []frame) []uint64 {
	var all []uint64
	for _, f := range frames {
		if f.Type == "event" {
			all = append(all, f.Event.Seq)
		}
	}
	return all
}

// mischief loses some envelopes and says others again later.
type mischief struct {
	bus    *bus
	random *rand.Rand
	kept   []chat.Envelope
}

func (m *mischief) hook() *func(chat.Envelope) bool {
	lose := func(envelope chat.Envelope) bool {
		if m.random.IntN(4) == 0 {
			m.kept = append(m.kept, envelope)
		}
		return m.random.IntN(3) == 0
	}
	return &lose
}

func (m *mischief) repeat(ctx context.Context) {
	m.random.Shuffle(len(m.kept), func(i, j int) { m.kept[i], m.kept[j] = m.kept[j], m.kept[i] })
	_ = m.bus.Publish(ctx, m.kept) // the bus in memory has no error to tell
	m.kept = nil
}
