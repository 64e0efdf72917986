package sim

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/porttest/checker"
	"github.com/blabber-hive/blabber-hive/internal/porttest/modelstore"
)

// epoch is the wall clock's time when a run begins.
var epoch = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// world is one run: everything that exists in it, its time and its luck. All of it happens in one goroutine.
type world struct {
	lab   *Lab
	luck  *rand.Rand
	now   time.Duration // since the run began
	tasks tasks
	done  uint64 // tasks that were carried out
	trace io.Writer

	faults faults
	calm   bool // no fault happens any more

	people   []chat.Profile
	rooms    []chat.RoomID
	store    *modelstore.Store
	outage   time.Duration // until when the store answers nobody
	lasting  time.Duration // the same, for minutes
	full     time.Duration // until when its disk is full
	bus      bus
	engine   engine
	cluster  *cluster // the engine, if it is one
	gateways []*gateway
	clients  []*client

	membership map[place][]stay
	leaving    map[place]int // removals that have no number yet: all that has one was before them
	attempts   []checker.Attempt
	changes    []checker.Change
	rawViews   []*checker.View
	codec      *codec
	violations []string
}

// place names one person in one room.
type place struct {
	room chat.RoomID
	user chat.UserID
}

// stay is from which number on a person is in a room, or out of it.
type stay struct {
	seq chat.Seq
	in  bool
}

// task is something that happens at a time; those of one time happen in the order in which they were planned.
type task struct {
	at     time.Duration
	serial uint64
	do     func()
}

// tasks is a heap of what is still to happen.
type tasks struct {
	heap   []task
	serial uint64
}

func (t *tasks) less(i, j int) bool {
	if t.heap[i].at != t.heap[j].at {
		return t.heap[i].at < t.heap[j].at
	}
	return t.heap[i].serial < t.heap[j].serial
}

func (t *tasks) push(at time.Duration, do func()) {
	t.serial++
	t.heap = append(t.heap, task{at, t.serial, do})
	for i := len(t.heap) - 1; i > 0; {
		up := (i - 1) / 2
		if !t.less(i, up) {
			return
		}
		t.heap[i], t.heap[up] = t.heap[up], t.heap[i]
		i = up
	}
}

func (t *tasks) pop() task {
	first := t.heap[0]
	last := len(t.heap) - 1
	t.heap[0] = t.heap[last]
	t.heap[last] = task{}
	t.heap = t.heap[:last]
	for i := 0; ; {
		down := 2*i + 1
		if down >= last {
			return first
		}
		if down+1 < last && t.less(down+1, down) {
			down++
		}
		if !t.less(down, i) {
			return first
		}
		t.heap[i], t.heap[down] = t.heap[down], t.heap[i]
		i = down
	}
}

// after plans something.
func (w *world) after(delay time.Duration, do func()) { w.tasks.push(w.now+max(0, delay), do) }

// pass lets that much time go by, with all that happens in it. Whoever waits for something calls it in the middle of what
// it does; what happens meanwhile is what would happen on other threads and machines.
func (w *world) pass(d time.Duration) {
	until := w.now + d
	for len(w.tasks.heap) > 0 && w.tasks.heap[0].at <= until {
		next := w.tasks.pop()
		w.now = max(w.now, next.at) // a wait inside a wait may have gone on for longer
		w.done++
		next.do()
	}
	w.now = max(w.now, until)
}

// chance is true with that probability; never when all is calm.
func (w *world) chance(p float64) bool { return p > 0 && !w.calm && w.luck.Float64() < p }

// flip is true with that probability, in calm times too: it decides what people do, not what breaks.
func (w *world) flip(p float64) bool { return w.luck.Float64() < p }

func (w *world) between(least, most time.Duration) time.Duration {
	if most <= least {
		return least
	}
	return least + time.Duration(w.luck.Int64N(int64(most-least)))
}

func (w *world) latency() time.Duration { return w.between(w.faults.latencyMin, w.faults.latencyMax) }

// newID makes a UUIDv7 of that time.
func (w *world) newID(at time.Time) (id chat.MessageID) {
	ms := at.UnixMilli()
	for i := range 6 {
		id[i] = byte(ms >> (40 - 8*i))
	}
	high, low := w.luck.Uint64(), w.luck.Uint64()
	for i := range 8 {
		id[8+i] = byte(low >> (8 * i))
	}
	id[6], id[7] = 0x70|byte(high)&0x0f, byte(high>>8)
	id[8] = 0x80 | id[8]&0x3f
	return id
}

// wall is the wall clock of a machine whose clock is off by skew.
func (w *world) wall(skew time.Duration) time.Time { return epoch.Add(w.now + skew) }

func (w *world) tell(format string, args ...any) {
	if w.trace != nil {
		fmt.Fprintf(w.trace, "%12v  %s\n", w.now, fmt.Sprintf(format, args...))
	}
}

func (w *world) violate(format string, args ...any) {
	violation := fmt.Sprintf(format, args...)
	w.tell("VIOLATION: %s", violation)
	w.violations = append(w.violations, violation)
}

// stored is the offset up to which a partition is stored.
func (w *world) stored(partition int) chat.Offset {
	stored, _ := w.store.Position(context.Background(), partition) // the model never fails
	return stored
}

// reachable says whether the store answers.
func (w *world) reachable() error {
	if w.now < max(w.outage, w.lasting) && !w.calm {
		return chat.Away("the store", nil)
	}
	return nil
}

// learn keeps who is in which room by number, from events that the store has taken.
func (w *world) learn(events []chat.Event) {
	for i := range events {
		if m := events[i].Member; m != nil {
			at := place{events[i].Room, m.User.ID}
			w.membership[at] = append(w.membership[at], stay{events[i].Seq, !m.Change.Leaves()})
			if m.Change.Leaves() {
				w.leaving[at]--
			}
		}
	}
}

// mayReceive reports whether a person may be given an event now: members may have everything, those who are out what was
// before they were put out.
func (w *world) mayReceive(user chat.UserID, room chat.RoomID, seq chat.Seq) bool {
	at := place{room, user}
	if _, err := w.store.RoomOf(context.Background(), room, user); err == nil || w.leaving[at] > 0 {
		return true
	}
	stays := w.membership[at]
	if len(stays) == 0 {
		return false
	}
	last := stays[len(stays)-1]
	return last.in || seq <= last.seq
}
