//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/blabber-hive/blabber-hive/internal/adapter/memory"
	"github.com/blabber-hive/blabber-hive/internal/adapter/sqlite"
	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/run"
	"github.com/blabber-hive/blabber-hive/internal/sequencer"
	"github.com/blabber-hive/blabber-hive/test/bench/frames"
)

const (
	sendWarmUp     = time.Second
	openLoopRate   = 5000 // sends a second
	openLoopPeople = 200
	openLoopTick   = 500 * time.Microsecond
)

// sends measures acked sends, each sender in a room of their own and waiting for each ack, beside the same number of
// callers that append to the same log in process; and the time to an ack at a steady rate.
func (b *bench) sends(ctx context.Context) error {
	for _, senders := range []int{1, 10, 100, 1000} {
		bare, err := b.bareCommits(ctx, senders)
		if err != nil {
			return err
		}
		var rate, busy float64
		if err := b.serving(ctx, senders, senders, alone, func(s *server, citizens []citizen, ids []chat.RoomID) error {
			var err error
			rate, busy, err = b.closedLoop(ctx, s, citizens, ids)
			return err
		}); err != nil {
			return err
		}
		name := fmt.Sprintf("acked sends, %d senders", senders)
		note := fmt.Sprintf("the server computed %.0f%% of the time", 100*busy)
		if senders == 100 {
			b.report.AtLeast(name, rate, 10_000, "/s", note)
		} else {
			b.report.Note(name, rate, "/s", note)
		}
		b.report.Note(fmt.Sprintf("bare group commit, %d callers", senders), bare, "/s", "log, numbering and store in process; no sockets")
		b.report.AtLeast(fmt.Sprintf("sends beside bare, %d", senders), rate/bare, 0.5, "×", "")
	}
	return b.serving(ctx, openLoopPeople, openLoopPeople, alone, func(s *server, citizens []citizen, ids []chat.RoomID) error {
		return b.openLoop(ctx, s, citizens, ids)
	})
}

// closedLoop lets everyone send, each a message as soon as the one before is acked.
func (b *bench) closedLoop(ctx context.Context, s *server, citizens []citizen, ids []chat.RoomID) (rate, busy float64, err error) {
	l, err := newLoop(s.addr)
	if err != nil {
		return 0, 0, err
	}
	defer l.close()
	everyone := gather(l, len(citizens), func(i int) citizen { return citizens[i] }, 0)
	if err := everyone.join(joinPatience, everyone.everyone); err != nil {
		return 0, 0, err
	}
	sendFrames := make([]*frames.Send, len(ids))
	for i, id := range ids {
		sendFrames[i] = frames.NewSend(id)
	}
	acked, refused := 0, 0
	everyone.frame = func(c *conn, i int, kind string, _ []byte) {
		switch kind {
		case "ack":
			acked++
			c.write(sendFrames[i].Next(time.Now()))
		case "error":
			refused++
		}
	}
	for i, c := range everyone.conns {
		c.write(sendFrames[i].Next(time.Now()))
	}
	if err := everyone.settle(sendWarmUp); err != nil {
		return 0, 0, err
	}
	profiled := b.profile(ctx, s, fmt.Sprintf("sends-%d", len(citizens)))
	before, errBefore := s.cpu()
	began, from := time.Now(), acked
	err = everyone.settle(b.span)
	took := time.Since(began)
	rate = float64(acked-from) / took.Seconds()
	after, errAfter := s.cpu()
	if refused > 0 {
		err = errors.Join(err, fmt.Errorf("%d sends were refused", refused))
	}
	return rate, (after - before).Seconds() / took.Seconds(), errors.Join(err, errBefore, errAfter, profiled())
}

// openLoop sends at a steady rate, whatever the answers do, and takes each ack's time from when its send was due.
func (b *bench) openLoop(ctx context.Context, s *server, citizens []citizen, ids []chat.RoomID) error {
	l, err := newLoop(s.addr)
	if err != nil {
		return err
	}
	defer l.close()
	everyone := gather(l, len(citizens), func(i int) citizen { return citizens[i] }, 0)
	if err := everyone.join(joinPatience, everyone.everyone); err != nil {
		return err
	}
	sendFrames, due := make([]*frames.Send, len(ids)), make([][]time.Time, len(ids)) // due: of sends not yet acked, in order
	for i, id := range ids {
		sendFrames[i] = frames.NewSend(id)
	}
	var took []time.Duration
	refused := 0
	everyone.frame = func(_ *conn, i int, kind string, _ []byte) {
		switch kind {
		case "ack":
			took = append(took, time.Since(due[i][0]))
			due[i] = due[i][1:]
		case "error":
			refused++
		}
	}
	if err := l.tick(openLoopTick); err != nil {
		return err
	}
	profiled := b.profile(ctx, s, "sends-open-loop")
	began, sent := time.Now(), 0
	span := b.span + sendWarmUp
	_, err = l.run(span, func() bool { return false }, func(now time.Time) {
		for ; time.Duration(sent)*time.Second/openLoopRate <= now.Sub(began); sent++ {
			i := sent % len(ids)
			due[i] = append(due[i], began.Add(time.Duration(sent)*time.Second/openLoopRate))
			everyone.conns[i].write(sendFrames[i].Next(now))
		}
	})
	took = took[min(len(took), int(sendWarmUp.Seconds()*openLoopRate)):]
	if len(took) == 0 || refused > 0 {
		return errors.Join(err, fmt.Errorf("%d acks, %d refusals of %d sends", len(took), refused, sent), profiled())
	}
	slices.Sort(took)
	note := fmt.Sprintf("%.0f acks/s of %d sent a second; sends are due every %v and may wait that long", float64(len(took))/b.span.Seconds(), openLoopRate, openLoopTick)
	b.report.AtMost("ack p50 at 5,000 sends/s", milliseconds(took[len(took)/2]), 5, "ms", note)
	b.report.AtMost("ack p99 at 5,000 sends/s", milliseconds(took[len(took)*99/100]), 50, "ms", "")
	b.report.Note("ack p99.9 at 5,000 sends/s", milliseconds(took[len(took)*999/1000]), "ms", "")
	return errors.Join(err, profiled())
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// bareCommits measures the group commit without a server: callers that append to the log, wait until it is settled, and
// append again, over the same numbering and the same store.
func (b *bench) bareCommits(ctx context.Context, callers int) (rate float64, err error) {
	dir := filepath.Join(b.dir, fmt.Sprintf("bare-%d", callers))
	citizens, ids, err := seed(ctx, dir, callers, callers, alone)
	if err != nil {
		return 0, err
	}
	store, err := sqlite.Open(ctx, sqlite.Options{Dir: dir})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	stored, err := store.Position(ctx, 0)
	if err != nil {
		return 0, err
	}
	log := memory.NewLog(stored)
	numbers := sequencer.New(log, new(memory.Bus), store, sequencer.Options{}, sequencer.NewMetrics(prometheus.NewRegistry()), slog.New(slog.DiscardHandler))
	working := run.NewGroup(ctx)
	working.Go("number", numbers.Run)
	counts := make([]int, callers)
	inner, cancel := context.WithTimeout(ctx, sendWarmUp+b.span)
	defer cancel()
	began := time.Now()
	calling := run.NewGroup(ctx)
	for i := range callers {
		calling.Go("append", func(ctx context.Context) error {
			settled := make(chan error, 1)
			for inner.Err() == nil {
				record := &chat.Record{
					ID: chat.MessageID(newID()), Room: ids[i], Kind: chat.KindMessage, At: time.Now().Truncate(time.Millisecond),
					Actor: citizens[i].profile, Body: frames.Body, Fingerprint: chat.FingerprintOf(citizens[i].profile.ID, frames.Body, chat.MessageID{}),
				}
				if err := log.Append(ctx, record, func(_ chat.Receipt, err error) { settled <- err }); err != nil {
					return err
				}
				if err := <-settled; err != nil {
					return err
				}
				if time.Since(began) > sendWarmUp {
					counts[i]++
				}
			}
			return nil
		})
	}
	err = calling.Wait()
	took := time.Since(began) - sendWarmUp
	log.Close()
	err = errors.Join(err, working.Wait())
	total := 0
	for _, count := range counts {
		total += count
	}
	return float64(total) / took.Seconds(), err
}
