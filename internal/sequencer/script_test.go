package sequencer_test

import (
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/porttest/modelstore"
	"github.com/blabber-hive/blabber-hive/internal/sequencer"
)

var start = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func person(n byte) chat.Profile {
	return chat.Profile{ID: chat.UserID{n, 1}, Username: string('a' + rune(n))}
}

func roomID(n int) (id chat.RoomID) {
	binary.BigEndian.PutUint16(id[:], uint16(n)+1)
	return id
}

func messageID(n int) (id chat.MessageID) {
	binary.BigEndian.PutUint32(id[:], uint32(n)+1)
	return id
}

func said(room, id int, sender chat.Profile, body string) *chat.Record {
	return &chat.Record{
		ID: messageID(id), Room: roomID(room), Kind: chat.KindMessage, At: start, Actor: sender, Body: body,
		Fingerprint: chat.FingerprintOf(sender.ID, body, chat.MessageID{}),
	}
}

// cluster is a sequencer between a scripted log, a model store that fails on command, and a bus that checks what it is given.
type cluster struct {
	t     interface{ Fatalf(string, ...any) }
	store *modelstore.Store

	runs    [][]*chat.Record // still to be polled
	next    chat.Offset
	polled  []chat.LogRun
	settled [][]chat.Outcome
	said    []chat.Envelope

	// What happens to the next calls; nil is nothing.
	beforeCommit func() error
	afterCommit  func() error
	read         func() error
	publish      func() error
	polling      func() // runs when a poll has its run
}

func newCluster(t interface{ Fatalf(string, ...any) }, rooms int) *cluster {
	c := &cluster{t: t, store: modelstore.New()}
	for n := range rooms {
		c.store.AddRoom(chat.Room{ID: roomID(n)})
	}
	return c
}

// run lets a fresh sequencer take the given runs.
func (c *cluster) run(ctx context.Context, runs ...[]*chat.Record) {
	c.with(ctx, c.sequencer(), runs...)
}

func (c *cluster) sequencer() *sequencer.Partition {
	return sequencer.New(c, c, c, sequencer.Options{}, sequencer.NewMetrics(prometheus.NewRegistry()), slog.New(slog.DiscardHandler)).Partition(0)
}

func (c *cluster) with(ctx context.Context, s *sequencer.Partition, runs ...[]*chat.Record) {
	c.runs = append(c.runs, runs...)
	if err := s.Store(ctx); err != nil {
		c.t.Fatalf("Store = %v", err)
	}
	if len(c.settled) != len(c.polled) {
		c.t.Fatalf("%d runs were polled, %d settled", len(c.polled), len(c.settled))
	}
}

func (c *cluster) last() []chat.Outcome { return c.settled[len(c.settled)-1] }

func (c *cluster) Own(ctx context.Context, work func(context.Context, int) error) error {
	return work(ctx, 0)
}

func (c *cluster) Read(context.Context, int, chat.Offset) (chat.LogRun, error) {
	if len(c.runs) == 0 {
		return chat.LogRun{}, chat.ErrLogClosed
	}
	run := chat.LogRun{From: c.next, To: c.next + chat.Offset(len(c.runs[0])), Records: c.runs[0]}
	c.runs, c.next = c.runs[1:], run.To
	c.polled = append(c.polled, run)
	if c.polling != nil {
		c.polling()
	}
	return run, nil
}

func (c *cluster) Settle(_ context.Context, run chat.LogRun, outcomes []chat.Outcome) {
	if want := c.polled[len(c.settled)]; run.From != want.From || len(outcomes) != len(want.Records) {
		c.t.Fatalf("run at %d of %d records was settled as run at %d with %d outcomes", want.From, len(want.Records), run.From, len(outcomes))
	}
	c.settled = append(c.settled, outcomes)
}

func (c *cluster) Publish(_ context.Context, envelopes []chat.Envelope) error {
	for _, envelope := range envelopes {
		events := c.store.Events(envelope.Room)
		if int(envelope.Seq) > len(events) || events[envelope.Seq-1].Kind != envelope.Kind {
			c.t.Fatalf("event %d of room %s is published and not stored", envelope.Seq, envelope.Room)
		}
	}
	c.said = append(c.said, envelopes...)
	return call(c.publish)
}

func call(fault func() error) error {
	if fault == nil {
		return nil
	}
	return fault()
}

func (c *cluster) Signal(context.Context, chat.Signal) error { return nil }

func (c *cluster) Load(ctx context.Context, partition int, rooms []chat.RoomID, messages []chat.MessageRef) (chat.Loaded, error) {
	if err := call(c.read); err != nil {
		return chat.Loaded{}, err
	}
	return c.store.Load(ctx, partition, rooms, messages)
}

func (c *cluster) Commit(ctx context.Context, batch chat.Batch) ([]chat.Void, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := call(c.beforeCommit); err != nil {
		return nil, err
	}
	voids, err := c.store.Commit(ctx, batch)
	if err != nil {
		return nil, err
	}
	if err := call(c.afterCommit); err != nil {
		return nil, err
	}
	return voids, nil
}

var errDisk = errors.New("the disk is away")

// once fails the first call.
func once() func() error {
	failed := false
	return func() error {
		if failed {
			return nil
		}
		failed = true
		return errDisk
	}
}

// describe says in a word what became of a record.
func describe(outcome chat.Outcome) string {
	switch {
	case outcome.Err != nil:
		return string(chat.CodeOf(outcome.Err))
	case outcome.Receipt.Repeat:
		return "repeat"
	case outcome.Receipt.Event != nil:
		return "numbered"
	}
	return "nothing"
}

func wantOutcomes(t *testing.T, outcomes []chat.Outcome, want ...string) {
	t.Helper()
	got := make([]string, len(outcomes))
	for i := range outcomes {
		got[i] = describe(outcomes[i])
	}
	if len(got) != len(want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Errorf("record %d was %s, want %s (all: %v)", i, got[i], want[i], got)
		}
	}
}
