//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/test/bench/frames"
)

const (
	listeners     = 1000
	lowRate       = 20 // messages a second
	inFlight      = 200
	talkers       = 20 // connections that send when many messages are in flight
	fanoutWarmUp  = time.Second
	roundPatience = 10 * time.Second
)

// deliveries is what one way of delivering can do.
type deliveries struct {
	perSecond float64 // as many as go
	perCPU    float64 // for each second that the server computed, at a low rate
	together  float64 // with many messages in flight
	bytes     int     // of a frame
}

// fanout measures deliveries to one room of many connections beside a bare server on as many sockets, which makes one
// write for each delivery. Both are there all the while and take turns, so that what else the machine does meets both.
func (b *bench) fanout(ctx context.Context) error {
	var ours, bare deliveries
	if err := b.serving(ctx, listeners, 1, together(listeners), func(s *server, citizens []citizen, ids []chat.RoomID) error {
		mine, err := b.listen(s, citizens, ids[0])
		if err != nil {
			return err
		}
		defer mine.loop.close()
		if ours.perSecond, err = mine.oneByOne(b.span); err != nil {
			return fmt.Errorf("one message at a time: %w", err)
		}
		theirs, process, closed, err := openBare(ctx, mine.bytes)
		if err != nil {
			return err
		}
		defer closed()
		if bare.perSecond, err = theirs.oneByOne(b.span); err != nil {
			return fmt.Errorf("bare, one message at a time: %w", err)
		}
		profiled := b.profile(ctx, s, "fanout-slowly")
		if ours.perCPU, bare.perCPU, err = inTurns(b.span, turn{mine, s}, turn{theirs, process}); err != nil {
			return fmt.Errorf("at a low rate: %w", err)
		}
		if err := profiled(); err != nil {
			return err
		}
		profiled = b.profile(ctx, s, "fanout-flooding")
		if ours.together, err = mine.flooding(b.span); err != nil {
			return err
		}
		if err := profiled(); err != nil {
			return err
		}
		if bare.together, err = theirs.flooding(b.span); err != nil {
			return err
		}
		if n := mine.refused + theirs.refused; n > 0 {
			return fmt.Errorf("%d sends were refused", n)
		}
		ours.bytes = mine.bytes
		return nil
	}); err != nil {
		return err
	}
	room := fmt.Sprintf("%d connections, sendFrames of %d bytes", listeners, ours.bytes)
	b.report.Note("deliveries, one message at a time", ours.perSecond, "/s", room+"; each message is stored before it is delivered")
	b.report.Note("bare writes, one message at a time", bare.perSecond, "/s", room)
	b.report.Note("deliveries a CPU second, low rate", ours.perCPU, "", fmt.Sprintf("%d messages a second; the server's time in user and kernel", lowRate))
	b.report.Note("bare writes a CPU second, low rate", bare.perCPU, "", "in turns with the server")
	b.report.AtLeast("deliveries beside bare, low rate", ours.perCPU/bare.perCPU, 0.85, "×", "by CPU time, so that the wait for the disk does not count")
	b.report.Note("deliveries, many in flight", ours.together, "/s", fmt.Sprintf("%d messages in flight", inFlight))
	b.report.Note("bare writes, many in flight", bare.together, "/s", "")
	b.report.AtLeast("deliveries beside bare, many in flight", ours.together/bare.together, 2, "×", "by coalescing; most of the machine is then busy reading")
	return nil
}

// listen connects everybody to the server's room.
func (b *bench) listen(s *server, citizens []citizen, room chat.RoomID) (*meter, error) {
	l, err := newLoop(s.addr)
	if err != nil {
		return nil, err
	}
	everyone := gather(l, len(citizens), func(i int) citizen { return citizens[i] }, 0)
	if err := everyone.join(joinPatience, everyone.everyone); err != nil {
		l.close()
		return nil, err
	}
	sendFrames := make([]*frames.Send, talkers)
	for i := range sendFrames {
		sendFrames[i] = frames.NewSend(room)
	}
	m := &meter{loop: l, send: func(i int) { everyone.conns[i%talkers].write(sendFrames[i%talkers].Next(time.Now())) }}
	everyone.frame = func(c *conn, _ int, kind string, _ []byte) {
		switch kind {
		case "event":
			m.delivered++
			m.bytes = c.size
		case "error":
			m.refused++
		}
	}
	if err := everyone.settle(fanoutWarmUp); err != nil {
		l.close()
		return nil, err
	}
	return m, nil
}

// meter measures deliveries, whoever makes them.
type meter struct {
	loop      *loop
	send      func(i int) // starts one message on its way to everyone
	delivered int
	refused   int
	bytes     int // of a frame
}

// source is the process that delivers.
type source interface{ cpu() (time.Duration, error) }

// turn is a meter and the process behind it.
type turn struct {
	meter  *meter
	source source
}

// inTurns sends at a low rate, a second to the one, then a second to the other, each for the span, and divides deliveries
// by the time that their source computed meanwhile.
func inTurns(span time.Duration, turns ...turn) (first, second float64, err error) {
	delivered, computed := make([]int, len(turns)), make([]time.Duration, len(turns))
	for range max(1, int(span/time.Second)) {
		for i, t := range turns {
			n, cpu, err := t.meter.slowly(time.Second, t.source)
			if err != nil {
				return 0, 0, err
			}
			delivered[i] += n
			computed[i] += cpu
		}
	}
	return float64(delivered[0]) / computed[0].Seconds(), float64(delivered[1]) / computed[1].Seconds(), nil
}

// oneByOne sends a message when everyone has the one before.
func (m *meter) oneByOne(span time.Duration) (float64, error) {
	began, from := time.Now(), m.delivered
	for i := 0; time.Since(began) < span; i++ {
		want := m.delivered + listeners
		m.send(i)
		ok, err := m.loop.run(roundPatience, func() bool { return m.delivered >= want }, nil)
		if err != nil || !ok {
			return 0, errors.Join(err, fmt.Errorf("%d deliveries are missing", want-m.delivered))
		}
	}
	return float64(m.delivered-from) / time.Since(began).Seconds(), nil
}

// slowly sends at a low rate; it answers what was delivered and how long the source computed.
func (m *meter) slowly(span time.Duration, s source) (delivered int, computed time.Duration, err error) {
	if err := m.loop.tick(time.Second / lowRate); err != nil {
		return 0, 0, err
	}
	sent, from := 0, m.delivered
	before, errBefore := s.cpu()
	_, errRun := m.loop.run(span, func() bool { return false }, func(time.Time) { m.send(sent); sent++ })
	errTick := m.loop.tick(0)
	_, errLast := m.loop.run(roundPatience, func() bool { return m.delivered-from >= sent*listeners }, nil)
	after, errAfter := s.cpu()
	return m.delivered - from, after - before, errors.Join(errBefore, errRun, errTick, errLast, errAfter)
}

// flooding keeps many messages in flight.
func (m *meter) flooding(span time.Duration) (float64, error) {
	from, sent := m.delivered, 0
	top := func() bool {
		for sent-(m.delivered-from)/listeners < inFlight {
			m.send(sent)
			sent++
		}
		return false
	}
	if _, err := m.loop.run(fanoutWarmUp, top, nil); err != nil {
		return 0, err
	}
	began, start := time.Now(), m.delivered
	_, err := m.loop.run(span, top, nil)
	rate := float64(m.delivered-start) / time.Since(began).Seconds()
	_, errLast := m.loop.run(roundPatience, func() bool { return m.delivered-from >= sent*listeners }, nil)
	return rate, errors.Join(err, errLast)
}
