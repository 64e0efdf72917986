package sequencer

import (
	"context"
	"encoding/binary"
	"log/slog"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/run"
)

// shared is a log of several partitions in which nothing happens.
type shared struct {
	Log

	partitions int
	reading    sync.WaitGroup // until every partition is read
}

// Own implements Log.
func (l *shared) Own(ctx context.Context, work func(ctx context.Context, partition int) error) error {
	works := run.NewGroup(ctx)
	for n := range l.partitions {
		works.Go("work", func(ctx context.Context) error { return work(ctx, n) })
	}
	return works.Wait()
}

// Read implements Log.
func (l *shared) Read(ctx context.Context, _ int, _ chat.Offset) (chat.LogRun, error) {
	l.reading.Done()
	<-ctx.Done()
	return chat.LogRun{}, ctx.Err()
}

// emptyStore has nothing.
type emptyStore struct{ Store }

// Load implements Store.
func (emptyStore) Load(context.Context, int, []chat.RoomID, []chat.MessageRef) (chat.Loaded, error) {
	return chat.Loaded{}, nil
}

// Promise: however long the store is away and however many partitions a process owns, it remembers at most freshMax messages
// that are not stored; the newest of each partition, and it knows up to where it has forgotten.
func TestWhatIsNotStoredIsBounded(t *testing.T) {
	t.Parallel()
	const partitions = 4
	log := &shared{partitions: partitions}
	log.reading.Add(2 * partitions) // by both passes
	s := New(log, nil, emptyStore{}, Options{Durable: true}, NewMetrics(prometheus.NewRegistry()), slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	working := run.NewGroup(ctx)
	working.Go("number", s.Run)
	log.reading.Wait()
	share := s.freshShare()
	cancel()
	if err := working.Wait(); err != nil {
		t.Fatal(err)
	}
	if share*partitions > freshMax || share*partitions < freshMax/2 {
		t.Errorf("%d partitions remember %d messages each", partitions, share)
	}
	if s.freshShare() != freshMax {
		t.Errorf("after all have gone one may remember %d", s.freshShare())
	}

	f := newFresh()
	for at := range chat.Offset(3 * share) {
		m := &chat.Message{}
		binary.BigEndian.PutUint64(m.ID[:], uint64(at))
		f.add(m, at, share, 0)
		if len(f.messages) > share || len(f.order) > share {
			t.Fatalf("%d messages are remembered, and %d may be", len(f.messages), share)
		}
		if f.message(chat.MessageRef{ID: m.ID}) != m {
			t.Fatalf("the message at %d is forgotten at once", at)
		}
	}
	if f.forgotten != chat.Offset(2*share) {
		t.Errorf("messages are forgotten up to %d, and it says %d", 2*share, f.forgotten)
	}
}
