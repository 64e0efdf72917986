package sim

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/feed"
	"github.com/blabber-hive/blabber-hive/internal/message"
)

const (
	pageEvents   = 100 // of resumes and repairs
	queueMax     = 400 // frames on the way to one client; beyond it is a slow consumer
	repairPause  = 50 * time.Millisecond
	headsEvery   = time.Second     // how often a gateway looks for heads that it was not told of
	membersEvery = 3 * time.Second // how often it looks for changes of membership that it was not told of
	changeWithin = 3 * time.Second // how long a request waits for the log
)

// gateway is one node with connections. What it does is what package gateway does, with the same Feed and the same
// message.Service, without sockets.
type gateway struct {
	w          *world
	name       string
	skew       time.Duration
	up         bool
	life       int // grows with each start; what an earlier life planned does not happen
	service    *message.Service
	rooms      map[chat.RoomID]*room
	subscribed map[chat.RoomID]int // rooms on the bus
	conns      []*conn
}

var _ message.Store = (*gateway)(nil)

// room is a room with listeners on a gateway.
type room struct {
	id        chat.RoomID
	feed      *feed.Feed // nil until opened
	openedAt  chat.Seq
	opening   bool
	waiting   []func(error)
	listeners []*seat
	places    int
	onBus     bool
}

func (g *gateway) start() {
	g.up = true
	g.life++
	g.rooms, g.subscribed, g.conns = make(map[chat.RoomID]*room), make(map[chat.RoomID]int), nil
	clock := func() time.Time { return g.w.wall(g.skew) }
	g.service = message.NewService(logOf{g}, g, nil, clock, func() chat.MessageID { return g.w.newID(clock()) }, message.NewMetrics(prometheus.NewRegistry()), nil)
	g.w.tell("%s starts", g.name)
	g.every(headsEvery, g.lookForHeads)
	if g.w.faults.signalDrop > 0 {
		g.every(membersEvery, g.lookForMembers)
	}
}

// logOf is a gateway's end of whatever log there is at the moment.
type logOf struct{ g *gateway }

func (l logOf) Append(_ context.Context, record *chat.Record, settled func(chat.Receipt, error)) error {
	return l.g.w.engine.append(l.g, record, settled)
}

func (g *gateway) crash() {
	if !g.up {
		return
	}
	g.w.tell("%s crashes", g.name)
	g.up = false
	g.life++
	for _, c := range g.conns {
		c.cut()
	}
	g.w.after(g.w.between(0, 2*time.Second), g.start)
}

// after plans something that does not happen if the gateway crashes before.
func (g *gateway) after(delay time.Duration, do func()) {
	life := g.life
	g.w.after(delay, func() {
		if g.up && g.life == life {
			do()
		}
	})
}

func (g *gateway) every(period time.Duration, do func()) {
	g.after(g.w.between(period/2, period), func() {
		do()
		g.every(period, do)
	})
}

// Access implements message.Store.
func (g *gateway) Access(ctx context.Context, room chat.RoomID, user chat.UserID) (chat.Access, error) {
	if err := g.w.reachable(); err != nil {
		return chat.Access{}, err
	}
	return g.w.store.Access(ctx, room, user)
}

// Message implements message.Store.
func (g *gateway) Message(ctx context.Context, room chat.RoomID, id chat.MessageID) (*chat.Message, error) {
	return g.w.readMessage(ctx, room, id)
}

// MembersNamed implements message.Store.
func (g *gateway) MembersNamed(ctx context.Context, room chat.RoomID, usernames []string) ([]chat.UserID, error) {
	if err := g.w.reachable(); err != nil {
		return nil, err
	}
	return g.w.store.MembersNamed(ctx, room, usernames)
}

// ask reads from the store at one moment and uses the answer at a later one; what happens between and around the two is
// what races are made of.
func (g *gateway) ask(read func() error, use func(error)) {
	g.after(g.w.latency(), func() {
		err := g.w.reachable()
		if err == nil && g.w.chance(g.w.faults.readFail) {
			err = chat.Away("the store", nil)
		}
		if err == nil {
			err = read()
		}
		g.after(g.w.latency(), func() { use(err) })
	})
}

// page reads a page of changes.
func (g *gateway) page(id chat.RoomID, after chat.Seq, use func([]feed.Item, chat.Page, error)) {
	var items []feed.Item
	var page chat.Page
	g.ask(func() (err error) {
		items, page, err = g.w.readChanges(id, after, pageEvents)
		return err
	}, func(err error) { use(items, page, err) })
}

// enter finds or makes a room for one more place and calls ready when its feed is there.
func (g *gateway) enter(id chat.RoomID, ready func(*room, error)) {
	r := g.rooms[id]
	if r == nil {
		r = &room{id: id}
		g.rooms[id] = r
	}
	r.places++
	if r.feed != nil {
		ready(r, nil)
		return
	}
	r.waiting = append(r.waiting, func(err error) { ready(r, err) })
	if r.opening {
		return
	}
	r.opening = true
	g.subscribe(r, true) // before the head is read: what is numbered in between is delivered or noticed
	head := chat.Seq(0)
	g.ask(func() (err error) {
		head, err = g.w.head(id)
		return err
	}, func(err error) {
		r.opening = false
		if err == nil {
			r.feed, r.openedAt = feed.New(head), head
			g.w.tell("%s opens room %d at %d", g.name, id[15], head)
		} else {
			g.subscribe(r, false)
		}
		waiting := r.waiting
		r.waiting = nil
		for _, ready := range waiting {
			ready(err)
		}
	})
}

// release gives a place up; a room without places is closed.
func (g *gateway) release(r *room) {
	r.places--
	if r.places == 0 && g.rooms[r.id] == r {
		delete(g.rooms, r.id)
		g.subscribe(r, false)
	}
}

func (g *gateway) subscribe(r *room, on bool) {
	switch {
	case on && !r.onBus:
		g.subscribed[r.id]++
	case !on && r.onBus:
		g.subscribed[r.id]--
	}
	r.onBus = on
}

// deliver takes an event from the bus.
func (g *gateway) deliver(item feed.Item) {
	r := g.rooms[item.Room]
	if r == nil || r.feed == nil {
		return
	}
	if len(item.Body) == 0 {
		if r.feed.Head(item.Seq) == feed.Repair {
			g.repair(r)
		}
		return
	}
	switch r.feed.Offer(item) {
	case feed.Pass:
		g.pass(r, item)
	case feed.Repair:
		g.repair(r)
	case feed.Ignore:
	}
}

// lookForHeads notices events that were lost without a successor to tell of them.
func (g *gateway) lookForHeads() {
	for _, id := range g.w.rooms {
		r := g.rooms[id]
		if r == nil || r.feed == nil {
			continue
		}
		head := chat.Seq(0)
		g.ask(func() (err error) {
			head, err = g.w.head(id)
			return err
		}, func(err error) {
			if err == nil && r.feed.Head(head) == feed.Repair {
				g.repair(r)
			}
		})
	}
}

// repair reads what is missing until the room's feed is whole, and waits while the store is away.
func (g *gateway) repair(r *room) {
	g.page(r.id, r.feed.Last(), func(items []feed.Item, page chat.Page, err error) {
		switch {
		case g.rooms[r.id] != r:
			return
		case errors.Is(err, chat.ErrNotFound):
			r.feed.GiveUp()
			return
		case err != nil:
			g.after(repairPause, func() { g.repair(r) })
			return
		}
		g.w.tell("%s repairs room %d from %d through %d", g.name, r.id[15], r.feed.Last(), page.Through)
		idle := page.Through <= r.feed.Last() // what is missing is not to be had before the store has it
		pass, again := r.feed.Repaired(items, page.Through)
		for _, item := range pass {
			g.pass(r, item)
		}
		switch {
		case again && idle:
			g.after(repairPause, func() { g.repair(r) })
		case again:
			g.repair(r)
		}
	})
}

// pass gives an event to every listener, and ends the room for whom the event takes out.
func (g *gateway) pass(r *room, item feed.Item) {
	for _, s := range r.listeners {
		if item.Seq > s.floor {
			s.conn.event(item)
		}
	}
	if !item.Change.Leaves() {
		return
	}
	for _, c := range g.conns {
		if c.client.person.ID == item.Subject {
			c.leftAt(r.id, item.Seq, string(item.Change))
		}
	}
}

// heard takes a signal.
func (g *gateway) heard(signal chat.Signal) {
	if signal.Kind == chat.SignalRefused {
		g.refused(signal)
		return
	}
	g.service.Heard(signal)
	for _, c := range slices.Clone(g.conns) {
		if c.client.person.ID != signal.User || !c.known {
			continue
		}
		switch signal.Kind {
		case chat.SignalJoined:
			c.showJoined(signal.Room)
		case chat.SignalLeft:
			c.doubt(signal.Room, string(signal.Change))
		}
	}
}

// lookForMembers compares what each connection is shown with what its person is a member of.
func (g *gateway) lookForMembers() {
	for _, c := range slices.Clone(g.conns) {
		if !c.known || c.settingUp {
			continue
		}
		for _, id := range g.w.rooms {
			g.ask(func() error {
				_, err := g.w.store.RoomOf(context.Background(), id, c.client.person.ID)
				return err
			}, func(err error) {
				switch {
				case c.gone:
				case err == nil:
					c.showJoined(id)
				case errors.Is(err, chat.ErrNotFound):
					c.doubt(id, string(chat.MemberRemoved))
				}
			})
		}
	}
}

// refused tells a person that a message which was acked has been refused since.
func (g *gateway) refused(signal chat.Signal) {
	for _, c := range slices.Clone(g.conns) {
		if c.client.person.ID == signal.User && c.known {
			c.down(frame{kind: "refused", room: signal.Room, id: signal.Message, code: signal.Code})
		}
	}
}
