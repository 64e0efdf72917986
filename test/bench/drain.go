//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/engine"
	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/run"
	"github.com/blabber-hive/blabber-hive/test/bench/cluster"
)

const (
	backlogPeople = 200
	backlogRooms  = 1000
	singleInserts = 2000
	// drainPatience is how long a backlog may take, whatever its size.
	drainPatience = 30 * time.Minute
)

// drain measures how fast a sequencer stores what has gathered in the log, beside the same rows without it.
func (b *bench) drain(ctx context.Context) error {
	return b.clustered(ctx, func(n *nodes) error {
		people, rooms, err := seedStore(ctx, n.Store, backlogPeople, backlogRooms, func(room int) []int { return []int{room % backlogPeople} })
		if err != nil {
			return err
		}
		profiles := make([]chat.Profile, len(people))
		for i := range people {
			profiles[i] = people[i].profile
		}
		g, err := n.NewBacklog(ctx, profiles, rooms, b.messages)
		if err != nil {
			return err
		}
		defer func() { _ = g.Close(ctx) }()
		began := time.Now()
		if err := n.Fill(ctx, g); err != nil {
			return err
		}
		b.report.Note("messages put into the log", float64(b.messages)/time.Since(began).Seconds(), "/s", fmt.Sprintf("%d in %d rooms; %s", b.messages, backlogRooms, n.Promise))
		single, err := g.InsertSingly(ctx, singleInserts)
		if err != nil {
			return err
		}
		b.report.Note("one INSERT a message", single, "rows/s", fmt.Sprintf("%d of them, a transaction each, one connection", singleInserts))
		for _, batch := range []int{100, 1000, 5000} {
			bare, err := n.CopyBare(ctx, g, batch)
			if err != nil {
				return fmt.Errorf("copy %d rows at a time: %w", batch, err)
			}
			rate, err := b.drained(ctx, n, g, batch)
			if err != nil {
				return fmt.Errorf("drain %d messages at a time: %w", batch, err)
			}
			b.report.Note(fmt.Sprintf("drain, batches of %d", batch), rate, "rows/s", "")
			b.report.Note(fmt.Sprintf("bare COPY, batches of %d", batch), bare, "rows/s", fmt.Sprintf("the same table and indexes, %d connections", engine.CommitsDefault))
			b.report.AtLeast(fmt.Sprintf("drain beside bare COPY, %d", batch), rate/bare, 0.5, "×", "")
			b.report.AtLeast(fmt.Sprintf("drain beside one INSERT a message, %d", batch), rate/single, 20, "×", "")
		}
		return n.Command(ctx, "verify")
	})
}

// drained measures a sequencer over the backlog, from its first batch to its last.
func (b *bench) drained(ctx context.Context, n *nodes, g *cluster.Backlog, batch int) (rate float64, err error) {
	if err := g.Empty(ctx); err != nil {
		return 0, err
	}
	s, err := n.serve(ctx, "--roles=sequencer", fmt.Sprintf("--store-batch=%d", batch))
	if err != nil {
		return 0, err
	}
	profiling := run.NewGroup(ctx)
	if b.profiles != "" {
		profiling.Go("profile", func(ctx context.Context) error {
			return s.profile(ctx, filepath.Join(b.profiles, fmt.Sprintf("drain-%d.cpu", batch)), b.span)
		})
	}
	ctx, cancel := context.WithTimeout(ctx, drainPatience)
	defer cancel()
	began, first := time.Time{}, 0
	for {
		stored, err := n.Stored(ctx)
		if err != nil {
			return 0, err
		}
		if stored > 0 && began.IsZero() {
			began, first = time.Now(), stored
		}
		if stored >= b.messages {
			break
		}
		if err := run.Pause(ctx, storedEvery); err != nil {
			return 0, fmt.Errorf("%d of %d are stored: %w", stored, b.messages, err)
		}
	}
	rate = float64(b.messages-first) / time.Since(began).Seconds()
	memory, err := s.rss()
	b.report.Note(fmt.Sprintf("memory of the sequencer that drained, batches of %d", batch), mebibytes(memory), "MiB", "")
	return rate, errors.Join(err, profiling.Wait(), n.end(s))
}
