package sequencer

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/run"
)

// trickle is a log to which somebody says something every millisecond.
type trickle struct {
	Log

	began     time.Time
	announced func(chat.Offset)
}

// Read implements Log.
func (l *trickle) Read(ctx context.Context, _ int, from chat.Offset) (chat.LogRun, error) {
	there := func() chat.Offset { return chat.Offset(time.Since(l.began) / time.Millisecond) }
	for there() <= from {
		if err := run.Pause(ctx, time.Millisecond); err != nil {
			return chat.LogRun{}, err
		}
	}
	r := chat.LogRun{From: from, To: there()}
	for at := from; at < r.To; at++ {
		r.Records = append(r.Records, &chat.Record{ID: chat.MessageID{1, byte(at >> 8), byte(at)}, Room: chat.RoomID{1}, Kind: chat.KindMessage, Body: "a"})
	}
	l.announced(r.To)
	return r, nil
}

// Settle implements Log.
func (l *trickle) Settle(context.Context, chat.LogRun, []chat.Outcome) {}

// tally is a store that counts.
type tally struct {
	Store

	commits, events int
	stored          chat.Offset
}

// Load implements Store.
func (s *tally) Load(_ context.Context, _ int, rooms []chat.RoomID, _ []chat.MessageRef) (chat.Loaded, error) {
	loaded := chat.Loaded{Stored: s.stored, Rooms: make(map[chat.RoomID]chat.RoomState)}
	for _, id := range rooms {
		loaded.Rooms[id] = chat.RoomState{Room: id}
	}
	return loaded, nil
}

// Commit implements Store.
func (s *tally) Commit(_ context.Context, batch chat.Batch) ([]chat.Void, error) {
	s.commits, s.events, s.stored = s.commits+1, s.events+len(batch.Events), batch.To
	return nil, nil
}

// Promise: while little is said a partition is stored in a few transactions a second, and all of it.
func TestSmallBatchesGather(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &tally{}
		log := &trickle{began: time.Now()}
		s := New(log, nil, store, Options{Durable: true, StorePause: 100 * time.Millisecond}, NewMetrics(prometheus.NewRegistry()), slog.New(slog.DiscardHandler))
		p := s.Partition(0)
		log.announced = p.setAnnounced // by the other pass, which is not what this is about
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		if err := p.Store(ctx); err != nil {
			t.Fatal(err)
		}
		if store.commits > 21 || store.events < 1850 {
			t.Errorf("in two seconds %d messages of 2000 were stored in %d transactions", store.events, store.commits)
		}
	})
}
