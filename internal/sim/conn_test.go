package sim

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/feed"
	"github.com/blabber-hive/blabber-hive/internal/message"
)

// frame is what a connection carries, either way. Events go as the bytes that real clients get.
type frame struct {
	kind      string
	room      chat.RoomID
	seq       chat.Seq // the head of reset and joined, the number of ack
	id        chat.MessageID
	code      chat.Code
	reason    string
	rooms     []chat.MemberRoom
	positions map[chat.RoomID]chat.Seq
	event     []byte
	request   message.Request
}

// conn is one connection, both ends and the wire between them. Either direction keeps its order.
type conn struct {
	w      *world
	g      *gateway
	client *client
	name   string

	// the wire
	closed       bool          // it carries nothing any more, whoever knows it already
	upUntil      time.Duration // what is on its way to the gateway then, is still read
	upAt, downAt time.Duration // when the last thing on the way arrives
	flying       int           // frames on the way to the client

	// the gateway's end
	gone      bool // the gateway has let go of it
	known     bool // signed in
	settingUp bool
	seats     map[chat.RoomID]*seat
	left      map[chat.RoomID]chat.Seq // removals that were passed on while there was no seat yet
	doubts    map[chat.RoomID]bool     // rooms to be looked at once more when it is set up
	inbox     []frame                  // what came while it was being set up
}

// seat is a connection's place in a room. Its person was a member at number asOf: a removal up to there is older than the
// membership, and one after it ends the seat. While unread, asOf is not known yet.
type seat struct {
	conn    *conn
	id      chat.RoomID
	room    *room // nil until entered
	asOf    chat.Seq
	unread  bool
	left    chat.Seq // the last removal that was passed on while unread
	doubted bool     // there was news while unread: read once more
	floor   chat.Seq // what its client has seen and the feed has not
	ended   bool
}

func (g *gateway) accept(client *client, number int) *conn {
	c := &conn{
		w: g.w, g: g, client: client, name: fmt.Sprintf("%s#%d", client.name, number),
		seats: make(map[chat.RoomID]*seat), left: make(map[chat.RoomID]chat.Seq), doubts: make(map[chat.RoomID]bool),
	}
	g.conns = append(g.conns, c)
	return c
}

// up carries a frame to the gateway.
func (c *conn) up(f frame) {
	c.upAt = max(c.upAt, c.w.now+c.w.latency())
	c.g.after(c.upAt-c.w.now, func() {
		if !c.gone && (!c.closed || c.w.now <= c.upUntil) {
			c.take(f)
		}
	})
}

// down carries a frame to the client.
func (c *conn) down(f frame) {
	if c.gone {
		return
	}
	c.flying++
	if c.flying > queueMax && !c.closed {
		c.w.tell("%s is too slow", c.name)
		c.cut()
		return
	}
	c.downAt = max(c.downAt, c.w.now+c.w.latency(), c.client.stalled)
	c.w.after(c.downAt-c.w.now, func() {
		c.flying--
		if !c.closed && c.client.conn == c {
			c.client.receive(c, f)
		}
	})
}

// cut breaks the wire. The two ends notice at different times.
func (c *conn) cut() {
	if c.closed {
		return
	}
	c.closed = true
	c.upUntil = c.w.now + c.w.between(0, 2*time.Second)
	c.w.after(c.w.between(0, time.Second), func() { c.client.disconnected(c) })
	if !c.g.up {
		c.gone = true
		return
	}
	c.g.after(c.w.between(2*time.Second, 4*time.Second), c.forget)
}

// end closes the connection from the gateway's side: the client comes back.
func (c *conn) end() {
	if !c.gone {
		c.forget()
		c.cut()
	}
}

// forget cleans up after a connection.
func (c *conn) forget() {
	if c.gone {
		return
	}
	c.gone = true
	c.g.conns = slices.DeleteFunc(c.g.conns, func(other *conn) bool { return other == c })
	for _, id := range c.w.rooms {
		if s := c.seats[id]; s != nil {
			c.unseat(s)
		}
	}
}

// take deals with a frame from the client, or keeps it until the connection is set up.
func (c *conn) take(f frame) {
	switch {
	case f.kind == "auth":
		c.signIn(f.positions)
	case c.settingUp:
		c.inbox = append(c.inbox, f)
	default:
		c.send(f)
	}
}

func (c *conn) send(f frame) {
	err := c.g.service.Send(context.Background(), c.client.person, f.request, func(receipt chat.Receipt, err error) {
		c.answer(f.request, receipt, err)
	})
	if err != nil {
		c.answer(f.request, chat.Receipt{}, err)
	}
}

func (c *conn) answer(request message.Request, receipt chat.Receipt, err error) {
	if err != nil {
		c.down(frame{kind: "error", room: request.Room, id: request.ID, code: chat.CodeOf(err)})
		return
	}
	c.down(frame{kind: "ack", room: request.Room, id: request.ID, seq: receipt.Seq})
}

// event passes an event on, and checks that its receiver may have it.
func (c *conn) event(item feed.Item) {
	user := c.client.person
	if cluster := c.w.cluster; cluster != nil {
		cluster.delivered(user.ID, item)
	}
	if !c.w.mayReceive(user.ID, item.Room, item.Seq) {
		c.w.violate("%s sends number %d of room %d to %s, who is out of it", c.g.name, item.Seq, item.Room[15], user.Username)
	}
	c.down(frame{kind: "event", room: item.Room, seq: item.Seq, event: item.Frame})
}

// signIn answers ready and brings every room to its live end, one after the other: the rooms that the client named from
// where it stands, the others from their heads.
func (c *conn) signIn(positions map[chat.RoomID]chat.Seq) {
	c.known, c.settingUp = true, true
	var rooms []chat.MemberRoom
	c.g.ask(func() (err error) {
		rooms, err = c.w.memberRooms(c.client.person.ID)
		return err
	}, func(err error) {
		if c.gone {
			return
		}
		if err != nil {
			c.end()
			return
		}
		c.down(frame{kind: "ready", rooms: rooms})
		for i := range rooms {
			c.seats[rooms[i].ID] = &seat{conn: c, id: rooms[i].ID, asOf: rooms[i].Head}
		}
		for _, id := range c.w.rooms {
			if _, named := positions[id]; named && c.seats[id] == nil {
				c.down(frame{kind: "left", room: id, reason: string(chat.MemberRemoved)})
			}
		}
		c.setUp(rooms, positions)
	})
}

// setUp joins the first of the rooms and then the rest.
func (c *conn) setUp(rooms []chat.MemberRoom, positions map[chat.RoomID]chat.Seq) {
	if c.gone {
		return
	}
	if len(rooms) == 0 {
		c.settingUp = false
		for _, id := range c.w.rooms {
			if c.doubts[id] {
				c.showJoined(id)
			}
		}
		inbox := c.inbox
		c.inbox = nil
		for _, f := range inbox {
			c.send(f)
		}
		return
	}
	s := c.seats[rooms[0].ID]
	next := func() { c.setUp(rooms[1:], positions) }
	if s == nil || s.asOf != rooms[0].Head { // ended by now, or another
		next()
		return
	}
	position, named := positions[s.id]
	if !named {
		position = rooms[0].Head
	}
	c.g.enter(s.id, func(r *room, err error) {
		switch {
		case c.gone || s.ended:
			c.g.release(r)
			next()
			return
		case err != nil:
			c.g.release(r)
			c.end()
			return
		}
		s.room = r
		if r.openedAt > s.asOf || c.left[s.id] > s.asOf || c.doubts[s.id] {
			// A removal may have happened that this node was not listening for, or has only heard of.
			c.readMembership(s, func() { s.join(position, next) }, next)
			return
		}
		s.join(position, next)
	})
}

// readMembership finds out at which number the seat's person is a member, or ends the seat.
func (c *conn) readMembership(s *seat, member, stranger func()) {
	head := chat.Seq(0)
	s.unread, s.left, s.doubted = true, 0, false
	c.g.ask(func() error {
		room, err := c.w.memberRoom(s.id, c.client.person.ID)
		head = room.Head
		return err
	}, func(err error) {
		switch {
		case c.gone || s.ended:
		case err != nil && !errors.Is(err, chat.ErrNotFound):
			c.end()
		case s.doubted || (err == nil && s.left > head):
			c.readMembership(s, member, stranger)
		case err != nil:
			c.vacate(s, string(chat.MemberRemoved))
			stranger()
		default:
			s.asOf, s.unread = head, false
			member()
		}
	})
}

// showJoined gives the connection a room that it has not, if its person is a member there.
func (c *conn) showJoined(id chat.RoomID) {
	switch {
	case c.gone || !c.known:
		return
	case c.settingUp:
		c.doubts[id] = true
		return
	case c.seats[id] != nil:
		// Where its membership is being read, this news may be younger than what that finds.
		c.seats[id].doubted = c.seats[id].unread
		return
	}
	s := &seat{conn: c, id: id, unread: true}
	c.seats[id] = s
	c.g.enter(id, func(r *room, err error) {
		switch {
		case c.gone || s.ended:
			c.g.release(r)
			return
		case err != nil:
			c.g.release(r)
			c.end()
			return
		}
		s.room = r
		c.readMembership(s, func() {
			c.down(frame{kind: "joined", room: id, seq: s.asOf})
			s.join(s.asOf, func() {})
		}, func() {})
	})
}

// leftAt takes the news that the person was put out of a room by that number.
func (c *conn) leftAt(id chat.RoomID, seq chat.Seq, reason string) {
	s := c.seats[id]
	switch {
	case s == nil:
		c.left[id] = max(c.left[id], seq)
	case s.unread:
		s.left = max(s.left, seq)
	case seq > s.asOf:
		c.vacate(s, reason)
		c.showJoined(id) // the person may be back already, and that news may have come and gone
	}
}

// doubt takes the news that the person is no longer in a room, as of some time.
func (c *conn) doubt(id chat.RoomID, reason string) {
	s := c.seats[id]
	switch {
	case s == nil:
		c.doubts[id] = true
	case s.unread:
		s.doubted = true
	default:
		c.vacate(s, reason)
		c.showJoined(id)
	}
}

// vacate ends a seat and tells the client.
func (c *conn) vacate(s *seat, reason string) {
	c.unseat(s)
	c.down(frame{kind: "left", room: s.id, reason: reason})
}

func (c *conn) unseat(s *seat) {
	s.ended = true
	if c.seats[s.id] == s {
		delete(c.seats, s.id)
	}
	if r := s.room; r != nil {
		r.listeners = slices.DeleteFunc(r.listeners, func(other *seat) bool { return other == s })
		c.g.release(r)
	}
}

// join brings a seat that has seen everything up to position to the live end of its room.
func (s *seat) join(position chat.Seq, next func()) {
	c, r := s.conn, s.room
	if c.gone || s.ended {
		next()
		return
	}
	if c.flying > queueMax/4 { // no further page while the last one is on its way
		c.g.after(10*time.Millisecond, func() { s.join(position, next) })
		return
	}
	plan, items := r.feed.Resume(position)
	switch plan {
	case feed.Live, feed.FromTail:
		for _, item := range items {
			c.event(item)
		}
		r.listeners = append(r.listeners, s)
		next()
	case feed.Reset:
		s.reset(next)
	case feed.Ahead:
		s.catchUp(position, next)
	case feed.Fetch:
		c.g.page(s.id, position, func(items []feed.Item, page chat.Page, err error) {
			switch {
			case c.gone || s.ended:
				next()
				return
			case err != nil:
				c.end()
				return
			}
			for _, item := range items {
				c.event(item)
				if item.Change.Leaves() && item.Subject == c.client.person.ID && item.Seq > s.asOf {
					// The feed has not come to this yet, the page has: what follows is not theirs.
					c.vacate(s, string(item.Change))
					c.doubts[s.id] = true
					if !c.settingUp {
						c.showJoined(s.id)
					}
					next()
					return
				}
			}
			s.join(page.Through, next)
		})
	}
}

func (s *seat) reset(next func()) {
	s.conn.down(frame{kind: "reset", room: s.id, seq: s.room.feed.Last()})
	s.room.listeners = append(s.room.listeners, s)
	next()
}

// catchUp brings the feed up to the stored head for a seat that has seen more, or resets it if that does not reach.
func (s *seat) catchUp(position chat.Seq, next func()) {
	c, head := s.conn, chat.Seq(0)
	c.g.ask(func() (err error) {
		head, err = c.w.head(s.id)
		return err
	}, func(err error) {
		switch {
		case c.gone || s.ended:
			next()
		case err != nil:
			c.end()
		case head < position && c.w.cluster != nil && s.room.feed.Last() >= position: // by now
			s.join(position, next)
		case head < position && c.w.cluster != nil:
			// The store lags behind, and the bus has lost its tail: what it has seen will be there again.
			s.floor = position
			s.room.listeners = append(s.room.listeners, s)
			next()
		case head < position:
			s.reset(next)
		default:
			if s.room.feed.Head(head) == feed.Repair {
				c.g.repair(s.room)
			}
			c.g.after(repairPause, func() { s.join(position, next) })
		}
	})
}
