//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
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

// fanout measures deliveries to one room of many connections beside a bare server on the same sockets, which makes one
// write for each delivery.
func (b *bench) fanout(ctx context.Context) error {
	var ours deliveries
	if err := b.serving(ctx, listeners, 1, together(listeners), func(s *server, citizens []citizen, ids []chat.RoomID) (err error) {
		ours, err = b.deliver(ctx, s, citizens, ids[0])
		return err
	}); err != nil {
		return err
	}
	bare, err := b.bareDeliveries(ctx, ours.bytes)
	if err != nil {
		return err
	}
	room := fmt.Sprintf("%d connections, frames of %d bytes", listeners, ours.bytes)
	b.report.note("deliveries, one message at a time", ours.perSecond, "/s", room+"; each message is stored before it is delivered")
	b.report.note("bare writes, one message at a time", bare.perSecond, "/s", room)
	b.report.note("deliveries a CPU second, low rate", ours.perCPU, "", fmt.Sprintf("%d messages a second; the server's time in user and kernel", lowRate))
	b.report.note("bare writes a CPU second, low rate", bare.perCPU, "", "")
	b.report.atLeast("deliveries beside bare, low rate", ours.perCPU/bare.perCPU, 0.85, "×", "by CPU time, so that the wait for the disk does not count")
	b.report.note("deliveries, many in flight", ours.together, "/s", fmt.Sprintf("%d messages in flight", inFlight))
	b.report.note("bare writes, many in flight", bare.together, "/s", "")
	b.report.atLeast("deliveries beside bare, many in flight", ours.together/bare.together, 2, "×", "by coalescing; most of the machine is then busy reading")
	return nil
}

// deliver measures the server.
func (b *bench) deliver(ctx context.Context, s *server, citizens []citizen, room chat.RoomID) (deliveries, error) {
	l, err := newLoop(s.addr)
	if err != nil {
		return deliveries{}, err
	}
	defer l.close()
	everyone := gather(l, len(citizens), func(i int) citizen { return citizens[i] }, 0)
	if err := everyone.join(joinPatience, everyone.everyone); err != nil {
		return deliveries{}, err
	}
	frames := make([]*sendFrame, talkers)
	for i := range frames {
		frames[i] = newSendFrame(room)
	}
	meter := &meter{loop: l, send: func(i int) { everyone.conns[i%talkers].write(frames[i%talkers].next(time.Now())) }}
	everyone.frame = func(c *conn, _ int, kind string, _ []byte) {
		switch kind {
		case "event":
			meter.delivered++
			meter.bytes = c.size
		case "error":
			meter.refused++
		}
	}
	if err := everyone.settle(fanoutWarmUp); err != nil {
		return deliveries{}, err
	}
	return meter.measure(ctx, b, s)
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

func (m *meter) measure(ctx context.Context, b *bench, s source) (got deliveries, err error) {
	if got.perSecond, err = m.oneByOne(b.span); err != nil {
		return got, fmt.Errorf("one message at a time: %w", err)
	}
	ours, _ := s.(*server) // the bare server has nothing to profile
	profiled := b.profile(ctx, ours, "fanout-slowly")
	if got.perCPU, err = m.slowly(b.span, s); err != nil {
		return got, fmt.Errorf("at a low rate: %w", err)
	}
	if err := profiled(); err != nil {
		return got, err
	}
	profiled = b.profile(ctx, ours, "fanout-flooding")
	got.together, err = m.flooding(b.span)
	if m.refused > 0 {
		err = errors.Join(err, fmt.Errorf("%d sends were refused", m.refused))
	}
	got.bytes = m.bytes
	return got, errors.Join(err, profiled())
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

// slowly sends at a low rate and divides deliveries by the time that their source computed.
func (m *meter) slowly(span time.Duration, s source) (float64, error) {
	if err := m.loop.tick(time.Second / lowRate); err != nil {
		return 0, err
	}
	sent, from := 0, m.delivered
	before, errBefore := s.cpu()
	_, errRun := m.loop.run(span, func() bool { return false }, func(time.Time) { m.send(sent); sent++ })
	errTick := m.loop.tick(0)
	_, errLast := m.loop.run(roundPatience, func() bool { return m.delivered-from >= sent*listeners }, nil)
	after, errAfter := s.cpu()
	return float64(m.delivered-from) / (after - before).Seconds(), errors.Join(errBefore, errRun, errTick, errLast, errAfter)
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
