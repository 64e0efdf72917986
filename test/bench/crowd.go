//go:build linux

package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/test/bench/frames"
)

// dialsAtOnce is how many handshakes are under way together: fewer than the system queues for a listener.
const dialsAtOnce = 512

// heartbeatTurns is how many seconds pass between two pings of one client.
const heartbeatTurns = 20

// crowd is clients that sign in, from a position in each of their rooms.
type crowd struct {
	loop   *loop
	conns  []*conn
	ready  int // have read ready
	failed int // were closed
	why    string
	frames int // that came, but for answers to pings
	dialed int
	turn   int // of heartbeat
	ping   []byte

	frame func(c *conn, i int, kind string, head []byte) // of everyone, after ready
}

// member is what a crowd knows of each connection.
type member struct {
	i     int
	ready bool
	auth  []byte
}

// gather makes a crowd of n connections; join begins them.
func gather(l *loop, n int, who func(i int) citizen, position chat.Seq) *crowd {
	crowd := &crowd{loop: l, conns: make([]*conn, n), ping: frames.Masked([]byte(`{"type":"ping"}`)), frame: func(*conn, int, string, []byte) {}}
	hello := frames.Greeting()
	for i := range crowd.conns {
		person := who(i)
		var rooms []chat.RoomID
		if position > 0 {
			rooms = person.rooms
		}
		crowd.conns[i] = &conn{
			greeting: hello, user: &member{i: i, auth: frames.Auth(person.token, rooms, position)},
			opened: func(c *conn) { c.write(asMember(c).auth) },
			frame: func(c *conn, head []byte) {
				m, what := asMember(c), frames.Kind(head)
				if what != "pong" {
					crowd.frames++
				}
				if !m.ready && what == "ready" {
					m.ready = true
					crowd.ready++
				}
				crowd.frame(c, m.i, what, head)
			},
			closing: func(c *conn) { crowd.failed++; crowd.why = c.farewell() },
		}
	}
	return crowd
}

func asMember(c *conn) *member { return c.user.(*member) } //nolint:forcetypeassert // gather gave it

// join connects everybody, at most dialsAtOnce at a time, and returns when done says so.
func (c *crowd) join(limit time.Duration, done func() bool) error {
	return c.joinSome(len(c.conns), limit, done)
}

// joinSome is join for the first n.
func (c *crowd) joinSome(n int, limit time.Duration, done func() bool) error {
	top := func() error {
		for c.dialed < n && c.dialed-c.ready-c.failed < dialsAtOnce {
			if err := c.loop.dial(c.conns[c.dialed]); err != nil {
				return err
			}
			c.dialed++
		}
		return nil
	}
	var failure error
	ok, err := c.loop.run(limit, func() bool {
		failure = errors.Join(failure, top())
		return failure != nil || c.failed > 0 || (c.dialed == n && done())
	}, c.heartbeat)
	switch {
	case err != nil || failure != nil:
		return errors.Join(err, failure)
	case c.failed > 0:
		return fmt.Errorf("%d of %d connections were closed while they signed in, %d were ready: %s", c.failed, len(c.conns), c.ready, c.why)
	case !ok:
		return fmt.Errorf("only %d of %d connections were ready within %v", c.ready, n, limit)
	}
	return nil
}

// everyone is ready.
func (c *crowd) everyone() bool { return c.ready == len(c.conns) }

// settle lets what others' coming brings be read, for a while.
func (c *crowd) settle(span time.Duration) error {
	_, err := c.loop.run(span, func() bool { return false }, c.heartbeat)
	return err
}

// heartbeat pings for those whose turn it is: everyone once in 20 s, if it is called once a second.
func (c *crowd) heartbeat(time.Time) {
	for i := c.turn; i < len(c.conns); i += heartbeatTurns {
		if c.conns[i].loop != nil && c.conns[i].state == open && asMember(c.conns[i]).ready {
			c.conns[i].write(c.ping)
		}
	}
	c.turn = (c.turn + 1) % heartbeatTurns
}

// keepAlive makes the loop ping for everyone from now on.
func (c *crowd) keepAlive() error { return c.loop.tick(time.Second) }

// quiet reads until nothing has come for a while.
func (c *crowd) quiet(span time.Duration) error {
	for {
		before := c.frames
		if err := c.settle(span); err != nil || c.frames == before {
			return err
		}
	}
}

// farewell is why the server closed the connection.
func (c *conn) farewell() string {
	if len(c.goodbye) < 2 {
		return "without a word"
	}
	return fmt.Sprintf("%d %s", int(c.goodbye[0])<<8|int(c.goodbye[1]), c.goodbye[2:])
}
