package sim

import (
	"context"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/feed"
	"github.com/blabber-hive/blabber-hive/internal/message"
	"github.com/blabber-hive/blabber-hive/internal/porttest/checker"
)

const (
	resendAfter  = 2 * time.Second // without an answer
	retryPause   = 300 * time.Millisecond
	outboxOpen   = 20              // letters without an answer at any time
	requestPause = 4 * time.Second // without an answer to a request over HTTP
)

// client is one device of one person: an outbox, a position in each room, and what it shows.
type client struct {
	w       *world
	name    string
	person  chat.Profile
	skew    time.Duration
	life    int // grows when it is loaded again
	conn    *conn
	conns   int
	ready   bool
	stalled time.Duration // until when it reads nothing

	rooms    []*follow // as the world's
	outbox   []*letter
	refusals []chat.MessageRef // of messages that had been acked
	changing int               // edits, deletions and reactions without a final answer
	serial   int
}

// letter is a message on its way, from the first attempt to the last word on it.
type letter struct {
	request  message.Request
	sent     int   // attempts
	over     *conn // of the newest attempt
	open     []int // attempts over that connection without an answer, as places in world.attempts
	deadline time.Duration
	careless bool // resends do not say so
	again    bool // it says that it may have been sent before from the first attempt on
	done     bool // the last word has been said
}

// follow is a client's end of one room.
type follow struct {
	client    *client
	id        chat.RoomID
	in        bool
	position  chat.Seq
	highest   chat.Seq // known to exist
	repairing int      // number of the repair under way, or zero
	repairs   int
	messages  map[chat.MessageID]checker.Message
	order     []chat.MessageID // of messages
	view      *checker.View    // what it took in, repairs included
	raw       *checker.View    // what the present connection said
}

func (w *world) newClient(name string, person chat.Profile) *client {
	c := &client{w: w, name: name, person: person}
	for _, id := range w.rooms {
		c.rooms = append(c.rooms, &follow{
			client: c, id: id, messages: make(map[chat.MessageID]checker.Message), view: &checker.View{Client: name, Room: id},
		})
	}
	w.clients = append(w.clients, c)
	w.after(w.between(0, time.Second), c.connect)
	return c
}

// after plans something that does not happen if the client is loaded again before.
func (c *client) after(delay time.Duration, do func()) {
	life := c.life
	c.w.after(delay, func() {
		if c.life == life {
			do()
		}
	})
}

func (c *client) follow(id chat.RoomID) *follow {
	for _, f := range c.rooms {
		if f.id == id {
			return f
		}
	}
	return nil
}

// connect opens a connection to any gateway and says where the client stands.
func (c *client) connect() {
	g := c.w.gateways[c.w.luck.IntN(len(c.w.gateways))]
	if c.conn != nil || !g.up {
		if c.conn == nil {
			c.after(retryPause, c.connect)
		}
		return
	}
	c.conns++
	c.conn, c.ready = g.accept(c, c.conns), false
	positions := make(map[chat.RoomID]chat.Seq)
	for _, f := range c.rooms {
		f.raw = &checker.View{Client: c.conn.name, Room: f.id}
		c.w.rawViews = append(c.w.rawViews, f.raw)
		if c.w.faults.past && c.conns == 1 { // it was here before, and remembers when
			f.begin(chat.Seq(c.w.luck.IntN(pastEvents)))
			f.raw.Seen = nil
		}
		if f.in {
			positions[f.id] = f.position
			f.raw.Seen = append(f.raw.Seen, checker.Seen{What: checker.Began, Seq: f.position})
		}
	}
	c.w.tell("%s connects to %s", c.conn.name, g.name)
	c.conn.up(frame{kind: "auth", positions: positions})
	conn := c.conn
	c.after(10*time.Second, func() {
		if c.conn == conn && !c.ready { // no answer: another node may do better
			conn.cut()
		}
	})
}

// disconnected notices that a connection is gone.
func (c *client) disconnected(conn *conn) {
	if c.conn != conn {
		return
	}
	c.w.tell("%s is disconnected", conn.name)
	c.conn, c.ready = nil, false
	c.after(c.w.between(0, retryPause), c.connect)
}

// reload forgets all but the outbox, as a browser does; positions survive sometimes.
func (c *client) reload() {
	c.w.tell("%s is loaded again", c.name)
	c.life++
	keep := c.w.flip(0.5)
	for _, f := range c.rooms {
		f.repairing = 0
		if !keep {
			f.in, f.position, f.highest = false, 0, 0
			f.messages, f.order = make(map[chat.MessageID]checker.Message), nil
			f.view.Seen = append(f.view.Seen, checker.Seen{What: checker.Ended})
		}
	}
	c.changing = 0
	for _, l := range c.outbox {
		l.over, l.open = nil, nil
	}
	if conn := c.conn; conn != nil {
		conn.cut()
		c.conn, c.ready = nil, false
	}
	c.after(c.w.between(0, time.Second), c.connect)
	c.after(c.w.between(0, time.Second), c.live)
}

// receive takes a frame.
func (c *client) receive(conn *conn, f frame) {
	switch f.kind {
	case "ready":
		c.ready = true
		for i := range f.rooms {
			if follow := c.follow(f.rooms[i].ID); !follow.in {
				follow.begin(f.rooms[i].Head)
			}
		}
		c.flush()
	case "ack", "error":
		c.answered(conn, f)
	case "refused":
		c.refusals = append(c.refusals, chat.MessageRef{Room: f.room, ID: f.id})
	case "event":
		c.follow(f.room).live(c.w.codec.decode(f.event))
	case "joined":
		c.follow(f.room).begin(f.seq)
	case "left":
		c.follow(f.room).end()
	case "reset":
		c.follow(f.room).reset(f.seq)
	}
}

// begin follows a room from a position on.
func (f *follow) begin(position chat.Seq) {
	f.client.w.tell("%s is in room %d at %d", f.client.name, f.id[15], position)
	f.in, f.position, f.highest, f.repairing = true, position, position, 0
	f.messages, f.order = make(map[chat.MessageID]checker.Message), nil
	began := checker.Seen{What: checker.Began, Seq: position}
	f.view.Seen = append(f.view.Seen, began)
	f.raw.Seen = append(f.raw.Seen, began)
}

func (f *follow) end() {
	f.in, f.repairing = false, 0
	ended := checker.Seen{What: checker.Ended}
	f.view.Seen = append(f.view.Seen, ended)
	f.raw.Seen = append(f.raw.Seen, ended)
}

// reset learns that it has missed too much: it pages through what it missed, or drops what it holds.
func (f *follow) reset(head chat.Seq) {
	f.client.w.tell("%s is reset in room %d from %d to %d", f.client.name, f.id[15], f.position, head)
	f.raw.Seen = append(f.raw.Seen, checker.Seen{What: checker.Reset, Seq: head})
	if head >= f.position && f.client.w.flip(0.5) {
		f.highest = max(f.highest, head)
		f.repair()
		return
	}
	f.begin(head)
}

// live takes an event that the connection brought.
func (f *follow) live(event *checker.Event) {
	f.raw.Seen = append(f.raw.Seen, checker.Seen{What: checker.Saw, Event: *event})
	f.highest = max(f.highest, event.Seq)
	switch {
	case !f.in:
		f.view.Seen = append(f.view.Seen, checker.Seen{What: checker.Saw, Event: *event}) // for the checker to see
	case f.repairing != 0 || event.Seq <= f.position:
	case event.Seq == f.position+1:
		f.apply(event)
	default:
		f.repair()
	}
}

// apply takes in the next event. A message is only ever replaced by a newer state of itself.
func (f *follow) apply(event *checker.Event) {
	f.position = event.Seq
	f.highest = max(f.highest, event.Seq)
	f.view.Seen = append(f.view.Seen, checker.Seen{What: checker.Saw, Event: *event})
	if m := event.Message; m != nil {
		held, ok := f.messages[m.ID]
		if !ok {
			f.order = append(f.order, m.ID)
		}
		if !ok || max(m.Seq, m.ChangedSeq) >= max(held.Seq, held.ChangedSeq) {
			f.messages[m.ID] = *m
		}
	}
}

// repair fetches what is missing, until nothing is.
func (f *follow) repair() {
	f.repairs++
	number := f.repairs
	f.repairing = number
	c := f.client
	var items []feed.Item
	var page chat.Page
	after := f.position
	again := func() {
		c.after(retryPause, func() {
			if f.repairing == number {
				f.repair()
			}
		})
	}
	c.request(func(g *gateway, reply func(error)) {
		access, err := g.Access(context.Background(), f.id, c.person.ID)
		if err == nil {
			err = access.Read()
		}
		if err == nil {
			items, page, err = c.w.readChanges(f.id, after, pageEvents)
		}
		reply(err)
	}, func(err error) {
		switch {
		case f.repairing != number || !f.in:
			return
		case err != nil && chat.CodeOf(err) != chat.Unavailable:
			f.repairing = 0 // no longer a member: the connection will say so
			return
		case err != nil:
			again()
			return
		}
		c.w.tell("%s repairs room %d from %d through %d", c.name, f.id[15], after, page.Through)
		for _, item := range items {
			f.apply(c.w.codec.decode(item.Frame))
		}
		f.position = max(f.position, page.Through)
		f.highest = max(f.highest, f.position)
		f.repairing = 0
		switch {
		case f.highest > f.position && page.Through <= after: // what is missing is not to be had before the store has it
			f.repairing = number
			again()
		case f.highest > f.position:
			f.repair()
		}
	})
}

// request asks any gateway over HTTP: the request or its answer may be lost, and then the answer is unavailable.
func (c *client) request(do func(g *gateway, reply func(error)), answer func(error)) {
	w := c.w
	g := w.gateways[w.luck.IntN(len(w.gateways))]
	answered := false
	finally := func(err error) {
		if !answered {
			answered = true
			answer(err)
		}
	}
	c.after(requestPause, func() { finally(chat.Away("the network", nil)) })
	if !g.up || w.chance(w.faults.requestLoss) {
		return
	}
	g.after(w.latency(), func() {
		do(g, func(err error) {
			if !w.chance(w.faults.requestLoss) {
				c.after(w.latency(), func() { finally(err) })
			}
		})
	})
}
