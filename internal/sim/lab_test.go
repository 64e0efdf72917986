package sim

import (
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/porttest/checker"
	"github.com/blabber-hive/blabber-hive/internal/porttest/modelstore"
	"github.com/blabber-hive/blabber-hive/internal/sequencer"
)

const (
	peopleMax  = 4
	roomsMax   = 2
	pastPicked = 12                                 // of the past, out of the window, that people send again
	pastEvents = chat.WindowSize + chat.ResumeMax/5 // more than the window remembers and a resume brings
	drainFor   = 2 * time.Minute                    // after which a run that is not quiet never will be
)

// Lab is what runs share and none changes: a past for their rooms, and metrics that nobody reads. Make it with NewLab.
type Lab struct {
	fresh, past *modelstore.Store
	pastSends   []checker.Attempt
	codec       *codec // knows the bytes of the past
	metrics     *sequencer.Metrics
	logger      *slog.Logger
}

// NewLab makes a lab. It is not safe for concurrent use, and neither are its runs with each other.
func NewLab() *Lab {
	lab := &Lab{
		fresh: modelstore.New(), past: modelstore.New(), codec: newCodec(nil),
		metrics: sequencer.NewMetrics(prometheus.NewRegistry()), logger: slog.New(slog.DiscardHandler),
	}
	for n := range roomsMax {
		lab.fresh.AddRoom(chat.Room{ID: roomID(n)})
		lab.past.AddRoom(chat.Room{ID: roomID(n)})
		lab.makePast(roomID(n))
	}
	return lab
}

func roomID(n int) chat.RoomID { return chat.RoomID{15: byte(n + 1)} }

func person(n int) chat.Profile {
	name := string(rune('a' + n))
	return chat.Profile{ID: chat.UserID{15: byte(n + 1)}, Username: "person_" + name, DisplayName: "Person " + name}
}

// pastID is the id of a message of the past. Every second was made by a clock that is ahead, so that its age does not tell
// that it may have been sent before.
func pastID(n int) (id chat.MessageID) {
	made := epoch.Add(-24 * time.Hour)
	if n%2 == 0 {
		made = epoch.Add(24 * time.Hour)
	}
	ms := made.Add(time.Duration(n) * time.Second).UnixMilli()
	for i := range 6 {
		id[i] = byte(ms >> (40 - 8*i))
	}
	id[6], id[8], id[14], id[15] = 0x70, 0x80, byte(n>>8), byte(n)
	return id
}

// makePast fills a room with what was said there on the day before.
func (lab *Lab) makePast(room chat.RoomID) {
	from, _ := lab.past.Position(context.Background(), partition) // the model never fails
	batch := chat.Batch{From: from, To: from + pastEvents}
	for n := range pastEvents {
		message := &chat.Message{
			ID: pastID(n), Room: room, Seq: chat.Seq(n + 1), Sender: person(n % peopleMax), Body: fmt.Sprint("yesterday ", n),
			CreatedAt: epoch.Add(-24 * time.Hour),
		}
		message.Fingerprint = chat.FingerprintOf(message.Sender.ID, message.Body, chat.MessageID{})
		batch.Events = append(batch.Events, chat.Event{
			Room: room, Seq: message.Seq, Kind: chat.KindMessage, At: message.CreatedAt, Actor: message.Sender, RecordID: message.ID, Message: message,
		})
		lab.pastSends = append(lab.pastSends, checker.Attempt{
			Client: "yesterday", Sender: message.Sender.ID, Room: room, ID: message.ID, Body: message.Body, Answer: checker.Acked, Seq: message.Seq,
		})
	}
	if _, err := lab.past.Commit(context.Background(), batch); err != nil {
		panic("sim: make a past: " + err.Error())
	}
	for i := range batch.Events {
		lab.codec.decode(lab.codec.encode(&batch.Events[i]).Frame)
	}
}

// shown is a message as a checker looks at it.
func shown(m *chat.Message) checker.Message {
	return checker.Message{
		ID: m.ID, Sender: m.Sender.ID, Seq: m.Seq, ChangedSeq: m.ChangedSeq, Body: m.Body, ReplyTo: m.ReplyTo, Deleted: !m.DeletedAt.IsZero(),
	}
}

// Result is what became of a run.
type Result struct {
	Seed       uint64
	Kind       Kind
	Violations []string
	Digest     uint64        // equal for equal runs
	Tasks      uint64        // things that happened
	Virtual    time.Duration // the time that passed in it
	Messages   int           // that were sent, resends too
	Voids      int
	Resets     int
}

// Kind says what carries messages from the log to the store and the bus in a run.
type Kind string

// A server alone, a cluster, or whatever the seed says.
const (
	Alone   Kind = "alone"
	Cluster Kind = "cluster"
	Either  Kind = ""
)

func (k Kind) of(seed uint64) Kind {
	switch {
	case k != Either:
		return k
	case rand.New(rand.NewPCG(seed, 3)).IntN(2) == 0:
		return Alone
	}
	return Cluster
}

// Run plays one seed to its end and judges it. trace, where not nil, is told what happens.
func (lab *Lab) Run(kind Kind, seed uint64, trace io.Writer) (result Result) {
	kind = kind.of(seed)
	w := &world{
		lab: lab, luck: rand.New(rand.NewPCG(seed, 0x626c6162626572)), trace: trace,
		membership: make(map[place][]stay), leaving: make(map[place]int), codec: newCodec(lab.codec),
		bus: bus{arrived: make(map[*gateway]time.Duration)},
	}
	defer func() {
		if reason := recover(); reason != nil {
			w.tell("%s", debug.Stack())
			result = Result{Seed: seed, Kind: kind, Violations: append(w.violations, fmt.Sprintf("panic: %v (-seed=%d tells where)", reason, seed))}
		}
		if w.engine != nil {
			w.engine.close()
		}
	}()
	w.drawFaults(seed)
	if kind == Cluster {
		w.drawCluster(seed)
	}
	w.settle()
	if kind == Cluster {
		w.startCluster()
	} else {
		w.startCore()
	}
	for n := range w.faults.gateways {
		g := &gateway{w: w, name: fmt.Sprint("gateway ", n), skew: w.between(-w.faults.skew, w.faults.skew)}
		w.gateways = append(w.gateways, g)
		g.start()
	}
	for _, person := range w.people {
		for device := range w.faults.devices {
			c := w.newClient(fmt.Sprintf("%s%d", person.Username[7:], device), person)
			c.skew = w.between(0, w.faults.clientSkew)
			c.after(w.between(0, time.Second), c.live)
		}
	}
	w.plague()
	w.pass(w.faults.busy)
	w.pass(w.lasting - w.now)
	w.drain()
	w.judge()
	result = w.result(seed)
	result.Kind = kind
	return result
}

// settle puts people into rooms, some of which have a past.
func (w *world) settle() {
	store := w.lab.fresh
	if w.faults.past {
		store = w.lab.past
	}
	w.store = store.Fork()
	for n := range w.faults.rooms {
		w.rooms = append(w.rooms, roomID(n))
		if w.faults.past {
			w.attempts = append(w.attempts, w.lab.pastSends[n*pastEvents:][:pastEvents]...)
		}
	}
	for n := range w.faults.people {
		w.people = append(w.people, person(n))
		for _, room := range w.rooms {
			if n == 0 || w.flip(0.9) {
				w.setMember(room, person(n), chat.MemberJoined)
			}
		}
	}
}

// drain lets everything heal and waits until nothing is left to do.
func (w *world) drain() {
	w.tell("faults end")
	w.calm = true
	w.outage, w.lasting, w.full = 0, 0, 0
	for until := w.now + drainFor; w.now < until; {
		w.pass(200 * time.Millisecond)
		if w.unrest() == "" {
			return
		}
	}
	w.violate("two minutes after the last fault, %s", w.unrest())
}

// unrest says what is not done yet.
func (w *world) unrest() string {
	if entries, _ := w.store.Outbox(context.Background(), 0, 1); len(entries) > 0 {
		return "the outbox is not empty"
	}
	if unrest := w.engine.unrest(); unrest != "" {
		return unrest
	}
	for _, c := range w.clients {
		switch {
		case !c.ready:
			return c.name + " is not connected"
		case slices.ContainsFunc(c.outbox, func(l *letter) bool { return !l.done }):
			return c.name + " has messages in its outbox"
		case c.changing > 0:
			return c.name + " waits for the answer to a change"
		}
		for _, f := range c.rooms {
			room, err := w.store.RoomOf(context.Background(), f.id, c.person.ID)
			switch {
			case (err == nil) != f.in:
				return fmt.Sprintf("%s takes itself for in room %d: %t", c.name, f.id[15], f.in)
			case f.in && (f.position < w.lastEvent(f.id) || f.repairing != 0):
				return fmt.Sprintf("%s is at %d of %d in room %d", c.name, f.position, room.Head, f.id[15])
			}
		}
	}
	return ""
}

// lastEvent is a room's highest number that is not void.
func (w *world) lastEvent(room chat.RoomID) chat.Seq {
	events := w.store.Events(room)
	for n := len(events); n > 0; n-- {
		if events[n-1].Kind != chat.KindVoid {
			return chat.Seq(n)
		}
	}
	return 0
}

// judge hands the run to the checker.
func (w *world) judge() {
	if w.cluster != nil {
		w.cluster.judge()
	}
	history := checker.History{Attempts: w.attempts, Changes: w.changes}
	for _, id := range w.rooms {
		history.Rooms = append(history.Rooms, w.history(id))
	}
	for _, c := range w.clients {
		for _, f := range c.rooms {
			f.view.AtHead = len(w.violations) == 0 // else it did not get the time
			for _, id := range f.order {
				f.view.Messages = append(f.view.Messages, f.messages[id])
			}
			history.Views = append(history.Views, *f.view)
		}
	}
	for _, view := range w.rawViews {
		history.Views = append(history.Views, *view)
	}
	for _, violation := range checker.Check(history) {
		w.violate("%s", violation)
	}
}

// history is a room as the store has it.
func (w *world) history(id chat.RoomID) checker.Room {
	events := w.store.Events(id)
	room := checker.Room{ID: id, Head: chat.Seq(len(events)), Voids: make(map[chat.Seq]chat.Seq)}
	newest := make(map[chat.MessageID]*checker.Message)
	for i := range events {
		event := &events[i]
		if event.Kind == chat.KindVoid {
			first, _ := w.store.Known(id, event.RecordID)
			room.Voids[event.Seq] = first.Seq
			if event.Seq-first.Seq < chat.WindowSize {
				w.violate("number %d of room %d was given to a repeat of number %d, which the window covers", event.Seq, id[15], first.Seq)
			}
			continue
		}
		seen := checker.Event{Seq: event.Seq, Kind: event.Kind, Actor: event.Actor.ID}
		if event.Message != nil {
			if seen.Message = newest[event.Message.ID]; seen.Message == nil {
				m := shown(w.store.Newest(id, event.Message.ID))
				seen.Message, newest[m.ID] = &m, &m
			}
		}
		room.Events = append(room.Events, seen)
	}
	return room
}

func (w *world) result(seed uint64) Result {
	result := Result{Seed: seed, Violations: w.violations, Tasks: w.done, Virtual: w.now, Messages: len(w.attempts)}
	digest := fnv.New64a()
	for _, a := range w.attempts {
		fmt.Fprint(digest, a.ID, a.Answer, a.Seq)
	}
	for _, id := range w.rooms {
		for _, event := range w.store.Events(id) {
			digest.Write(event.RecordID[:])
			if event.Kind == chat.KindVoid {
				result.Voids++
			}
		}
	}
	for _, view := range w.rawViews {
		for _, seen := range view.Seen {
			if seen.What == checker.Reset {
				result.Resets++
			}
		}
	}
	fmt.Fprint(digest, w.done, w.now, len(w.rawViews), w.violations)
	result.Digest = digest.Sum64()
	return result
}
