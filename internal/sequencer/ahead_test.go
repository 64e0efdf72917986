package sequencer_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"pgregory.net/rapid"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/porttest/modelstore"
	"github.com/blabber-hive/blabber-hive/internal/sequencer"
)

// durable is a log that keeps everything, the store behind it, and all that was ever published; any number of owners of
// its one partition, of which each takes itself for the only one.
type durable struct {
	t         interface{ Fatalf(string, ...any) }
	store     *modelstore.Store
	log       []*chat.Record
	clock     time.Time
	published map[chat.RoomID]map[chat.Seq]chat.Envelope
	times     map[chat.RoomID]map[chat.Seq]int
	heads     map[chat.RoomID]chat.Seq // that were told without an event
	told      []chat.Signal
	away      bool // the store answers nobody
}

func newDurable(t interface{ Fatalf(string, ...any) }, rooms int) *durable {
	d := &durable{t: t, store: modelstore.New(), clock: start, published: make(map[chat.RoomID]map[chat.Seq]chat.Envelope), times: make(map[chat.RoomID]map[chat.Seq]int), heads: make(map[chat.RoomID]chat.Seq)}
	for n := range rooms {
		d.store.AddRoom(chat.Room{ID: roomID(n)})
		d.published[roomID(n)], d.times[roomID(n)] = make(map[chat.Seq]chat.Envelope), make(map[chat.Seq]int)
	}
	return d
}

// remember gives a room a past that its window does not cover: messages 0 to 5 stand there.
func (d *durable) remember(room int) {
	d.t.(interface{ Helper() }).Helper()
	batch := chat.Batch{}
	for n := range chat.WindowSize + 6 {
		id := n
		if n > 5 {
			id = 10_000 + n
		}
		record := said(room, id, person(byte(n%2)), "a")
		seq := chat.Seq(n + 1)
		batch.Events = append(batch.Events, chat.Event{
			Room: record.Room, Seq: seq, Kind: chat.KindMessage, At: start, Actor: record.Actor, RecordID: record.ID,
			Message: &chat.Message{ID: record.ID, Room: record.Room, Seq: seq, Sender: record.Actor, Body: record.Body, CreatedAt: start, Fingerprint: record.Fingerprint},
		})
	}
	if _, err := d.store.Commit(context.Background(), batch); err != nil {
		d.t.Fatalf("make a past: %v", err)
	}
}

// append draws records. Whoever may have sent a message before says so; that is how the store's last line is never needed
// for what is announced.
func (d *durable) append(t *rapid.T, serial *int) {
	for range rapid.IntRange(1, 6).Draw(t, "records") {
		*serial++
		record := drawRecord(t, *serial)
		record.Resend = record.Kind == chat.KindMessage && (record.Room == roomID(0) || rapid.Bool().Draw(t, "resend"))
		d.log = append(d.log, record)
	}
}

// owner is one process that numbers the partition, a step at a time.
type owner struct {
	*durable
	*sequencer.Partition
	cancel  context.CancelFunc // of the step under way
	reads   int                // that the step has left
	storing bool               // it is Store's
	readMax int                // records in one read
	forget  bool               // the next commit is stored and its answer lost
	deaf    bool               // the bus takes nothing
	begun   bool               // the store has said where to begin
}

func (d *durable) owner() *owner {
	o := &owner{durable: d, readMax: 1 << 20}
	o.Partition = sequencer.New(o, o, o, sequencer.Options{Durable: true, Now: func() time.Time { return d.clock }},
		sequencer.NewMetrics(prometheus.NewRegistry()), slog.New(slog.DiscardHandler)).Partition(0)
	return o
}

// announce and keep run a pass until it has read once, or something has failed.
func (o *owner) announce() { o.step(o.Announce, false) }
func (o *owner) keep()     { o.step(o.Store, true) }

func (o *owner) step(pass func(context.Context) error, storing bool) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	o.cancel, o.reads, o.storing = cancel, 1, storing
	if err := pass(ctx); err != nil {
		o.t.Fatalf("a pass gave up: %v", err)
	}
}

func (o *owner) fail() error {
	o.cancel()
	return chat.Away("the store", errDisk)
}

func (o *owner) Own(context.Context, func(context.Context, int) error) error {
	return chat.ErrLogClosed
}

func (o *owner) Read(_ context.Context, _ int, from chat.Offset) (chat.LogRun, error) {
	if o.reads == 0 || int(from) >= len(o.log) {
		return chat.LogRun{}, chat.ErrLogClosed
	}
	o.reads--
	if o.storing {
		o.cancel() // it must not wait for what is not announced yet
	}
	to := min(len(o.log), int(from)+o.readMax)
	return chat.LogRun{From: from, To: chat.Offset(to), Records: o.log[from:to]}, nil
}

func (o *owner) Settle(context.Context, chat.LogRun, []chat.Outcome) {}

func (o *owner) Signal(_ context.Context, signal chat.Signal) error {
	o.told = append(o.told, signal)
	return nil
}

// Publish holds against everything that was ever published: one number is one event.
func (o *owner) Publish(_ context.Context, envelopes []chat.Envelope) error {
	if o.deaf {
		return errDisk
	}
	for _, envelope := range envelopes {
		if len(envelope.Body) == 0 {
			o.heads[envelope.Room] = max(o.heads[envelope.Room], envelope.Seq)
			continue
		}
		said := o.published[envelope.Room]
		if before, ok := said[envelope.Seq]; ok && before.Kind != envelope.Kind {
			o.t.Fatalf("number %d of room %s was published as %s and as %s", envelope.Seq, envelope.Room, before.Kind, envelope.Kind)
		} else if ok && string(before.Body) != string(envelope.Body) {
			o.t.Fatalf("number %d of room %s was published as\n%s\nand as\n%s", envelope.Seq, envelope.Room, before.Body, envelope.Body)
		}
		said[envelope.Seq] = envelope
		o.times[envelope.Room][envelope.Seq]++
	}
	return nil
}

func (o *owner) Load(ctx context.Context, partition int, rooms []chat.RoomID, messages []chat.MessageRef) (chat.Loaded, error) {
	if o.away {
		return chat.Loaded{}, o.fail()
	}
	o.begun = true
	return o.store.Load(ctx, partition, rooms, messages)
}

func (o *owner) Commit(ctx context.Context, batch chat.Batch) ([]chat.Void, error) {
	if o.away {
		return nil, o.fail()
	}
	voids, err := o.store.Commit(ctx, batch)
	if err != nil || o.forget {
		o.forget = false
		return nil, o.fail()
	}
	return voids, nil
}

// agree holds what was published against what is stored: the same events under the same numbers.
func (d *durable) agree(rooms int) {
	for n := range rooms {
		events := d.store.Events(roomID(n))
		for seq, envelope := range d.published[roomID(n)] {
			if int(seq) > len(events) {
				d.t.Fatalf("number %d of room %d was published and never stored", seq, n)
			}
			if stored := events[seq-1]; stored.Kind != envelope.Kind {
				d.t.Fatalf("number %d of room %d was published as %s and stored as %s", seq, n, envelope.Kind, stored.Kind)
			}
		}
	}
}

// Promise (DESIGN, numbering 1 to 3, 6): whatever fails, however often owners die or are replaced without knowing it, and
// however far the store is behind, a number that was published once is that event for ever, and the store has it.
func TestWhatIsAnnouncedIsWhatIsStored(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		const rooms = 3
		d := newDurable(t, rooms)
		d.remember(0)
		owners := []*owner{d.owner()}
		serial := 100
		for range rapid.IntRange(5, 80).Draw(t, "steps") {
			o := owners[rapid.IntRange(0, len(owners)-1).Draw(t, "owner")]
			o.readMax = rapid.SampledFrom([]int{1, 2, 5, 100}).Draw(t, "read")
			switch rapid.IntRange(0, 11).Draw(t, "step") {
			case 0, 1, 2:
				d.append(t, &serial)
			case 3, 4, 5:
				o.announce()
			case 6, 7, 8:
				o.keep()
			case 9: // it dies, or only believes that it owns the partition still
				fresh := d.owner()
				if rapid.Bool().Draw(t, "zombie") && len(owners) < 3 {
					owners = append(owners, fresh)
				} else {
					owners[rapid.IntRange(0, len(owners)-1).Draw(t, "dies")] = fresh
				}
			case 10:
				o.forget = rapid.Bool().Draw(t, "forget")
				o.deaf = rapid.Bool().Draw(t, "deaf")
			case 11:
				d.away = rapid.Bool().Draw(t, "away")
				d.clock = d.clock.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "seconds")) * time.Second)
			}
		}
		d.away, d.clock = false, d.clock.Add(time.Minute)
		last := d.owner()
		d.log = append(d.log, said(1, 99, person(1), "the last word"))
		for range 20 {
			last.announce()
			last.keep()
		}
		d.agree(rooms)
		if _, ok := d.published[roomID(1)][chat.Seq(len(d.store.Events(roomID(1))))]; !ok {
			t.Fatalf("the last word was not published")
		}
		again := newDurable(t, rooms)
		again.remember(0)
		again.log = d.log
		alone := again.owner()
		alone.announce()
		alone.keep()
		for n := range rooms {
			want, got := again.store.Events(roomID(n)), d.store.Events(roomID(n))
			if len(want) != len(got) {
				t.Fatalf("room %d has %d events; numbered in one go it has %d", n, len(got), len(want))
			}
			for i := range want {
				if want[i].RecordID != got[i].RecordID || want[i].Kind != got[i].Kind {
					t.Fatalf("number %d of room %d is record %s; numbered in one go it is %s", i+1, n, got[i].RecordID, want[i].RecordID)
				}
			}
		}
	})
}

// Promise: as long as one owner lives and the bus takes what it is given, every event is published, once, or the head
// that shows that it is missing, however far the store is behind and whatever waits for it.
func TestEveryEventIsPublishedOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		const rooms = 3
		d := newDurable(t, rooms)
		d.remember(0)
		o, serial := d.owner(), 100
		for range rapid.IntRange(5, 60).Draw(t, "steps") {
			o.readMax = rapid.SampledFrom([]int{1, 2, 5, 100}).Draw(t, "read")
			switch rapid.IntRange(0, 7).Draw(t, "step") {
			case 0, 1:
				d.append(t, &serial)
			case 2, 3:
				o.announce()
			case 4, 5:
				o.keep()
			case 6:
				o.forget = rapid.Bool().Draw(t, "forget")
			case 7:
				d.away = rapid.Bool().Draw(t, "away") && o.begun
				d.clock = d.clock.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "seconds")) * time.Second)
			}
		}
		d.away, o.forget, d.clock = false, false, d.clock.Add(time.Minute)
		o.readMax = 100
		for range 10 + len(d.log)/o.readMax {
			o.announce()
			o.keep()
		}
		d.agree(rooms)
		for n := range rooms {
			for i, event := range d.store.Events(roomID(n)) {
				old := n == 0 && i < chat.WindowSize+6
				switch times := d.times[roomID(n)][chat.Seq(i+1)]; {
				case old || event.Kind == chat.KindVoid:
					if times > 0 {
						t.Fatalf("number %d of room %d, a %s, was published", i+1, n, event.Kind)
					}
				case times == 0 && chat.Seq(i) < d.heads[roomID(n)]: // it was stored by a commit whose answer was lost
				case times != 1:
					t.Fatalf("number %d of room %d was published %d times", i+1, n, times)
				}
			}
		}
	})
}

// Promise (DESIGN, what happens when something dies): while the store is away, rooms that are known go on, the others
// wait, and nothing is remembered of what the store lags behind beyond a bound.
func TestChatGoesOnWithoutTheStore(t *testing.T) {
	t.Parallel()
	d := newDurable(t, 2)
	o := d.owner()
	say := func(room, id int) { d.log = append(d.log, said(room, id, person(1), "hi")) }
	say(0, 1)
	o.announce()
	o.keep()
	d.away = true
	say(0, 2)
	say(1, 3)
	say(0, 4)
	o.announce()
	o.keep()
	if got := len(d.published[roomID(0)]); got != 3 {
		t.Errorf("%d events of the known room are published, want 3", got)
	}
	if got := len(d.published[roomID(1)]); got != 0 {
		t.Errorf("%d events of the unknown room are published, want none", got)
	}
	d.away, d.clock = false, d.clock.Add(time.Minute)
	for range 3 {
		o.keep()
	}
	if got := len(d.published[roomID(1)]); got != 1 {
		t.Errorf("when the store is back %d events of the other room are published, want 1", got)
	}
	say(1, 5)
	o.announce()
	if got := len(d.published[roomID(1)]); got != 2 {
		t.Errorf("afterwards it is announced ahead: %d events, want 2", got)
	}
}

// Promise: what comes soon after a message finds it though the store has it already and is away; but not what the message was
// before the store was left to judge its room.
func TestMessagesAreRememberedWhenTheyAreStored(t *testing.T) {
	t.Parallel()
	d := newDurable(t, 1)
	o := d.owner()
	mood := func(id int, of string) *chat.Record {
		return &chat.Record{
			ID: messageID(id), Room: roomID(0), Kind: chat.KindMood, At: start, Target: messageID(1),
			Mood: chat.Mood{Label: chat.Negative, Thousandths: -900}, Text: chat.TextHash(of),
		}
	}
	edit := &chat.Record{ID: messageID(3), Room: roomID(0), Kind: chat.KindEdit, At: start, Actor: person(1), Target: messageID(1), Body: "ho"}
	published := func(want int, when string) {
		t.Helper()
		if got := len(d.published[roomID(0)]); got != want {
			t.Errorf("%s %d events are published, want %d", when, got, want)
		}
	}
	d.log = append(d.log, said(0, 1, person(1), "hi"))
	o.announce()
	o.keep()
	d.away = true
	d.log = append(d.log, mood(2, "hi"))
	o.announce()
	published(2, "a mood while the store is away:")
	d.away, d.clock = false, d.clock.Add(time.Minute)
	o.keep()

	// A message that may have been sent before is for the store to judge, and the edit behind it waits with it.
	resent := said(0, 4, person(1), "hey")
	resent.Resend = true
	d.log = append(d.log, resent, edit)
	o.announce()
	published(2, "what the store must judge:")
	o.keep()
	published(4, "what the store has judged:")
	d.log = append(d.log, mood(5, "ho"))
	o.announce()
	published(5, "a mood of what was edited meanwhile:")
	o.keep()
	d.agree(1)
}

// Promise (PROTOCOL §1): whoever is acked by the log and refused by numbering is told.
func TestRefusedAfterTheAck(t *testing.T) {
	t.Parallel()
	d := newDurable(t, 1)
	o := d.owner()
	d.log = append(d.log, said(0, 1, person(1), "hi"), said(0, 1, person(2), "hi"))
	o.announce()
	o.keep()
	want := chat.Signal{Kind: chat.SignalRefused, Room: roomID(0), User: person(2).ID, Message: messageID(1), Code: chat.Conflict}
	if len(d.told) != 1 {
		t.Fatalf("%d senders were told, want 1", len(d.told))
	}
	got := d.told[0]
	if got.Detail == "" {
		t.Error("there is no sentence for people")
	}
	if got.Detail = ""; got != want {
		t.Errorf("told %+v, want %+v", got, want)
	}
}

// Promise: a log that was announced long ago is stored with the same numbers and told to nobody, and the first thing that
// fails ends that instead of being tried for ever.
func TestStoreOnly(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	only := sequencer.New(c, c, c, sequencer.Options{Durable: true, StoreOnly: true}, sequencer.NewMetrics(prometheus.NewRegistry()), slog.New(slog.DiscardHandler))
	c.runs = [][]*chat.Record{{said(0, 1, person(1), "hi"), said(0, 1, person(2), "mine"), said(0, 2, person(1), "ho")}}
	if err := only.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(c.settled) != 1 || c.last()[0].Receipt.Seq != 1 || c.last()[1].Err == nil || c.last()[2].Receipt.Seq != 2 {
		t.Errorf("settled %+v", c.settled)
	}
	if len(c.said) > 0 {
		t.Errorf("somebody was told: %+v", c.said)
	}
	c.runs = [][]*chat.Record{{said(0, 3, person(1), "hey")}}
	c.beforeCommit = func() error { return chat.ErrFenced }
	if err := only.Run(t.Context()); !errors.Is(err, chat.ErrFenced) {
		t.Errorf("a commit that fails gives %v", err)
	}
}
