package room

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/run"
	"github.com/blabber-hive/blabber-hive/internal/wire"
)

const (
	relayBatchMax  = 256                   // entries carried in one pass
	relayIdle      = 5 * time.Second       // between looks for what another process left behind
	relayRetryMin  = 50 * time.Millisecond // first wait while the log or the store is away
	relayRetryMax  = 5 * time.Second
	forgetPatience = 5 * time.Second
)

// Relay carries records from the outbox to the log: each until the log has settled it, those of one room one after the
// other. Several processes may relay the same outbox; the log knows a record that it has by its id.
type Relay struct {
	outbox  Outbox
	log     Log
	logger  *slog.Logger
	relayed *prometheus.CounterVec
	kicked  chan struct{}

	mu      sync.Mutex
	waiting []*waiter
}

// waiter is somebody who wants to know when records are settled.
type waiter struct {
	records []chat.MessageID
	settled chan struct{}
}

// NewRelay makes the relay; Run does the work.
func NewRelay(outbox Outbox, log Log, logger *slog.Logger, registry prometheus.Registerer) *Relay {
	r := &Relay{
		outbox: outbox, log: log, logger: logger, kicked: make(chan struct{}, 1),
		relayed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "blabber_room_relayed_total", Help: "Records taken from the outbox to the log, by what became of them.",
		}, []string{"outcome"}),
	}
	registry.MustRegister(r.relayed)
	return r
}

// Settled wakes the relay and returns when these records, which must be committed, have left the outbox, or after
// SettlePatience, or when ctx ends.
func (r *Relay) Settled(ctx context.Context, records []chat.MessageID) {
	w := &waiter{records: records, settled: make(chan struct{})}
	r.mu.Lock()
	r.waiting = append(r.waiting, w)
	r.mu.Unlock()

	select {
	case r.kicked <- struct{}{}:
	default: // it is awake already, and looks once more before it rests
	}

	patience := time.NewTimer(SettlePatience)
	defer patience.Stop()
	select {
	case <-w.settled:
		return
	case <-patience.C:
	case <-ctx.Done():
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiting = slices.DeleteFunc(r.waiting, func(other *waiter) bool { return other == w })
}

// Run relays until ctx ends.
func (r *Relay) Run(ctx context.Context) error {
	idle := time.NewTicker(relayIdle)
	defer idle.Stop()
	backoff := run.Backoff{First: relayRetryMin, Max: relayRetryMax}
	for {
		stuck, err := r.drain(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil || stuck:
			if err != nil {
				r.logger.WarnContext(ctx, "the outbox waits; it will be tried again", "error", err)
			}
			if err := r.wait(ctx, backoff.Next()); err != nil {
				return err
			}
			continue
		}
		backoff.Reset()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-r.kicked:
		case <-idle.C:
		}
	}
}

// wait waits until the next attempt. Somebody who waits for an answer may hurry it, though not to more than one attempt in
// relayRetryMin: what was away may be back.
func (r *Relay) wait(ctx context.Context, d time.Duration) error {
	if err := run.Pause(ctx, min(d, relayRetryMin)); err != nil {
		return err
	}
	rest := time.NewTimer(max(d-relayRetryMin, 0))
	defer rest.Stop()
	select {
	case <-rest.C:
	case <-r.kicked:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// drain makes passes until the outbox is empty. stuck tells that entries are left because the log would not take them.
func (r *Relay) drain(ctx context.Context) (stuck bool, err error) {
	for {
		// Whoever waits now has committed, so what it waits for is either read below or has left the outbox before.
		// Whoever comes later may have committed after the read, and is for the next pass.
		r.mu.Lock()
		watching := slices.Clone(r.waiting)
		r.mu.Unlock()

		entries, err := r.outbox.Outbox(ctx, 0, relayBatchMax)
		if err != nil {
			return false, fmt.Errorf("read the outbox: %w", err)
		}
		left, err := r.pass(ctx, entries)
		if err != nil {
			return false, err
		}
		full := len(entries) == relayBatchMax
		if !full {
			r.release(watching, left)
		}
		if len(left) > 0 {
			return true, nil
		}
		if !full {
			return false, nil
		}
	}
}

// release lets those go on whose records are all gone from the outbox.
func (r *Relay) release(watching []*waiter, left map[chat.MessageID]bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, w := range watching {
		if slices.ContainsFunc(w.records, func(id chat.MessageID) bool { return left[id] }) || !slices.Contains(r.waiting, w) {
			continue // not yet, or it has lost patience
		}
		close(w.settled)
		r.waiting = slices.DeleteFunc(r.waiting, func(other *waiter) bool { return other == w })
	}
}

// pass appends entries in rounds: the oldest of each room, then, once those are settled, the next of each, so that a
// record that must be tried again is never overtaken by a later one of its room. It answers the records that are left.
func (r *Relay) pass(ctx context.Context, entries []chat.OutboxEntry) (left map[chat.MessageID]bool, err error) {
	left = make(map[chat.MessageID]bool, len(entries))
	for _, entry := range entries {
		left[entry.ID] = true
	}
	blocked := map[chat.RoomID]bool{}
	for len(entries) > 0 {
		var round, later []chat.OutboxEntry
		taken := map[chat.RoomID]bool{}
		for _, entry := range entries {
			switch {
			case blocked[entry.Room]:
			case taken[entry.Room]:
				later = append(later, entry)
			default:
				taken[entry.Room] = true
				round = append(round, entry)
			}
		}
		done, err := r.appendRound(ctx, round, blocked)
		if err != nil {
			return left, err
		}
		if err := r.forget(ctx, done); err != nil {
			return left, err
		}
		for _, entry := range done {
			delete(left, entry.ID)
		}
		entries = later
	}
	return left, nil
}

type relayOutcome struct {
	entry chat.OutboxEntry
	err   error
}

// appendRound appends one entry each of several rooms and waits for all of them. It answers those that need not be tried
// again and marks the rooms of the others as blocked.
func (r *Relay) appendRound(ctx context.Context, round []chat.OutboxEntry, blocked map[chat.RoomID]bool) (done []chat.OutboxEntry, err error) {
	outcomes := make(chan relayOutcome, len(round)) // room for all: nobody who settles is ever held up
	for _, entry := range round {
		record, err := wire.DecodeRecord(entry.Payload)
		if err != nil {
			r.logger.ErrorContext(ctx, "an outbox entry cannot be read and is dropped", "position", entry.Position, "room_id", entry.Room, "error", err)
			r.relayed.WithLabelValues("unreadable").Inc()
			done = append(done, entry)
			continue
		}
		record.Resend = true // by another relay, or by this one before it died
		err = r.log.Append(ctx, record, func(_ chat.Receipt, err error) { outcomes <- relayOutcome{entry, err} })
		if err != nil {
			outcomes <- relayOutcome{entry, err}
		}
	}
	for range len(round) - len(done) {
		select {
		case outcome := <-outcomes:
			if r.settles(ctx, outcome) {
				done = append(done, outcome.entry)
			} else {
				blocked[outcome.entry.Room] = true
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return done, nil
}

// settles reports whether an entry has found its end: it is in the log, or the log will never take it.
func (r *Relay) settles(ctx context.Context, outcome relayOutcome) bool {
	if outcome.err == nil {
		r.relayed.WithLabelValues("settled").Inc()
		return true
	}
	switch code := chat.CodeOf(outcome.err); code {
	case chat.Unavailable, chat.RateLimited, chat.Internal:
		r.relayed.WithLabelValues("retried").Inc()
		r.logger.WarnContext(ctx, "the log did not take a record; it will be tried again",
			"record_id", outcome.entry.ID, "room_id", outcome.entry.Room, "error", outcome.err)
		return false
	case chat.NotFound: // the room is gone, and with it everybody who would have read this
		r.relayed.WithLabelValues("roomless").Inc()
		return true
	default:
		r.relayed.WithLabelValues("refused").Inc()
		r.logger.ErrorContext(ctx, "the log refuses a record for good; it is dropped",
			"record_id", outcome.entry.ID, "room_id", outcome.entry.Room, "error", outcome.err)
		return true
	}
}

// forget takes entries out of the outbox. Where that is cut short they are appended again later, and the log knows them.
func (r *Relay) forget(ctx context.Context, entries []chat.OutboxEntry) error {
	if len(entries) == 0 {
		return nil
	}
	positions := make([]int64, len(entries))
	for i, entry := range entries {
		positions[i] = entry.Position
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), forgetPatience)
	defer cancel()
	if err := r.outbox.OutboxDone(ctx, positions); err != nil {
		return fmt.Errorf("forget %d outbox entries: %w", len(positions), err)
	}
	return nil
}
