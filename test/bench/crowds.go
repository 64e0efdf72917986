//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/run"
	"github.com/blabber-hive/blabber-hive/test/bench/frames"
)

const (
	idlePeople    = 10_000
	idleFirst     = 500 // of them before the measurement begins
	roomsEach     = 20
	roomSize      = 100
	resumePeople  = 5000
	resumeMissing = 20 // events of each resuming client's room
	resumeRooms   = 50 // each of a hundred people
	startRuns     = 5
	idleQuiet     = 3 * time.Second // of no frame for anyone
	idleSettle    = 5 * time.Second
)

// start measures how soon the server answers, and what it needs while nobody is there.
func (b *bench) start(ctx context.Context) error {
	var best time.Duration
	var memory int64
	for i := range startRuns {
		s, err := startServer(ctx, b.binary, filepath.Join(b.dir, "start"))
		if err != nil {
			return err
		}
		if i > 0 && (best == 0 || s.took < best) { // the first one makes the database
			best = s.took
		}
		if i == startRuns-1 {
			if err := run.Pause(ctx, 3*time.Second); err != nil {
				return err
			}
			if memory, err = s.rss(); err != nil {
				return err
			}
		}
		if err := s.stop(); err != nil {
			return err
		}
	}
	b.report.AtMost("from start to first answer", best.Seconds(), 0.3, "s", fmt.Sprintf("the best of %d, over a database that is there", startRuns-1))
	b.report.AtMost("memory when idle", float64(memory)/(1<<20), 60, "MiB", "resident, 3 s after the start")
	return nil
}

// idle measures what a connection needs that does nothing.
func (b *bench) idle(ctx context.Context) error {
	rooms := idlePeople / roomSize * roomsEach
	return b.serving(ctx, idlePeople, rooms, scattered(idlePeople, roomSize), func(s *server, citizens []citizen, _ []chat.RoomID) error {
		l, err := newLoop(s.addr)
		if err != nil {
			return err
		}
		defer l.close()
		// The first ones fill the server's caches and pools, which are not what a connection costs.
		everyone := gather(l, idlePeople, func(i int) citizen { return citizens[i] }, 0)
		first := func() bool { return everyone.ready == idleFirst }
		if err := errors.Join(everyone.keepAlive(), everyone.joinSome(idleFirst, joinPatience, first),
			everyone.quiet(idleQuiet), s.collect(ctx), everyone.settle(time.Second)); err != nil {
			return err
		}
		before, err := s.rss()
		if err != nil {
			return err
		}
		base, err := s.memory(ctx)
		if err != nil {
			return err
		}
		profiled := b.profile(ctx, s, "sign-in")
		began := time.Now()
		if err := everyone.join(crowdPatience, everyone.everyone); err != nil {
			return err
		}
		took := time.Since(began)
		if err := errors.Join(profiled(), everyone.quiet(idleQuiet)); err != nil {
			return err
		}
		peak, err := s.rss()
		if err != nil {
			return err
		}
		for range 2 { // what the first leaves in pools the second takes
			if err := errors.Join(s.collect(ctx), everyone.settle(idleSettle)); err != nil {
				return err
			}
		}
		after, err := s.rss()
		if err != nil {
			return err
		}
		held, err := s.memory(ctx)
		if err != nil {
			return err
		}
		if b.profiles != "" {
			if err := b.heap(ctx, s, "idle"); err != nil {
				return err
			}
		}
		const more = (idlePeople - idleFirst) * 1024
		each := float64(after-before) / more
		b.report.AtMost("memory of an idle connection", each, 10, "KiB",
			fmt.Sprintf("%d people with a connection each, in %d of %d rooms of %d; resident memory after a collection", idlePeople, roomsEach, rooms, roomSize))
		b.report.Note("of which heap in use", (held.heap-base.heap)/more, "KiB", "")
		b.report.Note("of which stacks", (held.stacks-base.stacks)/more, "KiB", "")
		b.report.Note("of which free but kept", (held.kept-base.kept)/more, "KiB", "given back to the system in time, or used again")
		b.report.Note("the same before a collection", float64(peak-before)/more, "KiB", "garbage of the sign-ins included")
		b.report.Note("sign-ins", (idlePeople-idleFirst)/took.Seconds(), "/s", fmt.Sprintf("%d at once; %d sendFrames came with them", dialsAtOnce, everyone.frames))
		if everyone.failed > 0 {
			return fmt.Errorf("%d connections were closed while idle", everyone.failed)
		}
		return nil
	})
}

// resume measures how soon everyone is back after the server was killed.
func (b *bench) resume(ctx context.Context) error {
	dir := filepath.Join(b.dir, "resume")
	citizens, ids, err := seed(ctx, dir, resumePeople, resumeRooms, scattered(resumePeople, resumePeople/resumeRooms))
	if err != nil {
		return err
	}
	s, err := startServer(ctx, b.binary, dir)
	if err != nil {
		return err
	}
	if err := b.talk(s, citizens, ids); err != nil {
		return errors.Join(err, s.kill())
	}
	if err := s.kill(); err != nil {
		return err
	}
	if s, err = startServer(ctx, b.binary, dir); err != nil {
		return err
	}
	defer func() { _ = s.kill() }() // it has been measured
	l, err := newLoop(s.addr)
	if err != nil {
		return err
	}
	defer l.close()
	everyone := gather(l, resumePeople, func(i int) citizen { return citizens[i] }, 1)
	missing := resumePeople * (resumeMissing - 1) // everyone is at 1
	everyone.frame = func(_ *conn, _ int, kind string, _ []byte) {
		if kind == "event" {
			missing--
		}
	}
	profiled := b.profile(ctx, s, "resume")
	began := time.Now()
	if err := everyone.join(crowdPatience, func() bool { return everyone.everyone() && missing <= 0 }); err != nil {
		return errors.Join(err, fmt.Errorf("%d events are missing", missing), profiled())
	}
	took := time.Since(began)
	b.report.Note("5,000 clients live after a restart", took.Seconds(), "s",
		fmt.Sprintf("all at once, %d missed events each, rooms of %d; %.0f a second", resumeMissing-1, resumePeople/resumeRooms, resumePeople/took.Seconds()))
	return profiled()
}

// talk has one person in each room say what the others will have missed.
func (b *bench) talk(s *server, citizens []citizen, ids []chat.RoomID) error {
	l, err := newLoop(s.addr)
	if err != nil {
		return err
	}
	defer l.close()
	deal := scattered(resumePeople, resumePeople/resumeRooms)
	talkers := gather(l, len(ids), func(i int) citizen { return citizens[deal(i)[0]] }, 0)
	acked := 0
	talkers.frame = func(_ *conn, _ int, kind string, _ []byte) {
		if kind == "ack" {
			acked++
		}
	}
	if err := talkers.join(joinPatience, talkers.everyone); err != nil {
		return err
	}
	for i, c := range talkers.conns {
		frame := frames.NewSend(ids[i])
		for range resumeMissing {
			c.write(frame.Next(time.Now()))
		}
	}
	if ok, err := l.run(joinPatience, func() bool { return acked == len(ids)*resumeMissing }, nil); err != nil || !ok {
		return errors.Join(err, fmt.Errorf("only %d of %d messages were acked", acked, len(ids)*resumeMissing))
	}
	return nil
}
