//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/test/bench/frames"
)

// pairs are people two and two, each pair in a room of its own: one talks on the first node, and the other, on the last
// one, listens.
type pairs struct {
	loop    *loop
	crowd   *crowd
	rooms   []chat.RoomID
	frames  []*frames.Send
	unacked [][]time.Time // when the sends of each room were due that are not acked, in order
	unheard [][]time.Time // and those that the listener has not heard

	sent, refused int
	acks, hears   []time.Duration                   // how long after it was due each was acked, and heard
	heard         func(room int, due, at time.Time) // told of each message that a listener hears; may be nil
}

// gatherPairs makes n pairs and brings them together.
func gatherPairs(ctx context.Context, over *nodes, n int) (*pairs, error) {
	citizens, rooms, err := seedStore(ctx, over.Store, 2*n, n, func(room int) []int { return []int{room, n + room} })
	if err != nil {
		return nil, err
	}
	first, last := over.all[0], over.all[len(over.all)-1]
	l, err := newLoop(first.addr)
	if err != nil {
		return nil, err
	}
	p := &pairs{loop: l, rooms: rooms, unacked: make([][]time.Time, n), unheard: make([][]time.Time, n)}
	p.crowd = gather(l, 2*n, func(i int) citizen { return citizens[i] }, 0)
	for _, listener := range p.crowd.conns[n:] {
		listener.to = last.addr
	}
	for _, room := range rooms {
		p.frames = append(p.frames, frames.NewSend(room))
	}
	p.crowd.frame = func(_ *conn, i int, kind string, head []byte) {
		switch {
		case kind == "ack" && i < n:
			p.acks = append(p.acks, time.Since(p.unacked[i][0]))
			p.unacked[i] = p.unacked[i][1:]
		case kind == "event" && bytes.Contains(head, []byte(`"kind":"mood"`)): // nobody waits for it
		case kind == "event" && i >= n && len(p.unheard[i-n]) > 0:
			at, due := time.Now(), p.unheard[i-n][0]
			p.unheard[i-n] = p.unheard[i-n][1:]
			p.hears = append(p.hears, at.Sub(due))
			if p.heard != nil {
				p.heard(i-n, due, at)
			}
		case kind == "error":
			p.refused++
		}
	}
	if err := p.crowd.join(joinPatience, p.crowd.everyone); err != nil {
		l.close()
		return nil, err
	}
	return p, nil
}

// talk has the pairs talk in turn, so many times a second altogether, whatever the answers do, and then waits for what
// is under way. every is called once a second.
func (p *pairs) talk(rate int, span time.Duration, every func(now time.Time)) error {
	if err := p.loop.tick(openLoopTick); err != nil {
		return err
	}
	began, sent, second := time.Now(), 0, time.Second
	_, err := p.loop.run(span, func() bool { return p.crowd.failed > 0 }, func(now time.Time) {
		for ; time.Duration(sent)*time.Second/time.Duration(rate) <= now.Sub(began); sent++ {
			i := p.sent % len(p.rooms)
			due := began.Add(time.Duration(sent) * time.Second / time.Duration(rate))
			p.unacked[i], p.unheard[i] = append(p.unacked[i], due), append(p.unheard[i], due)
			p.crowd.conns[i].write(p.frames[i].Next(now))
			p.sent++
		}
		if now.Sub(began) >= second {
			second += time.Second
			p.crowd.heartbeat(now)
			every(now)
		}
	})
	if err != nil {
		return err
	}
	all, err := p.loop.run(joinPatience, func() bool {
		acks, messages := p.missing()
		return acks+messages == 0 || p.crowd.failed > 0
	}, func(time.Time) {})
	switch {
	case err != nil:
		return err
	case p.crowd.failed > 0:
		return fmt.Errorf("%d connections were closed: %s", p.crowd.failed, p.crowd.why)
	case p.refused > 0:
		return fmt.Errorf("%d of %d sends were refused", p.refused, p.sent)
	case !all:
		acks, messages := p.missing()
		return fmt.Errorf("of %d sends %d have not been acked and %d not been heard within %v", p.sent, acks, messages, joinPatience)
	}
	return nil
}

// missing is how many acks and messages are under way.
func (p *pairs) missing() (acks, messages int) {
	for i := range p.rooms {
		acks, messages = acks+len(p.unacked[i]), messages+len(p.unheard[i])
	}
	return acks, messages
}

// forget begins the measuring anew.
func (p *pairs) forget() { p.acks, p.hears = nil, nil }

// quantile of durations, which it sorts.
func quantile(of []time.Duration, q float64) time.Duration {
	if len(of) == 0 {
		return 0
	}
	slices.Sort(of)
	return of[min(len(of)-1, int(q*float64(len(of))))]
}
