package gateway

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"

	"golang.org/x/sync/singleflight"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/feed"
	"github.com/blabber-hive/blabber-hive/internal/gateway/socket"
	"github.com/blabber-hive/blabber-hive/internal/wire"
)

// resumePage is how many events are read at a time for those who resume and for repairs.
const resumePage = 250

// headOnly is a position after every event: the page after it is empty and tells the head.
const headOnly = chat.Seq(1<<63 - 1)

// room is a room with listeners on this node.
type room struct {
	id  chat.RoomID
	hub *hub

	refs     int        // guarded by the shard's lock
	starting sync.Mutex // held while the feed is opened, never by who holds mu
	pages    singleflight.Group

	mu        sync.Mutex
	feed      *feed.Feed // nil until opened
	early     chat.Seq   // the highest number that arrived before the feed was opened
	deleted   bool       // nobody can be in it any more
	listeners []*listener
	repaired  chan struct{} // closed when the repair under way has ended
}

// listener is a connection's place in a room. The room's lock guards its fields: at is its index among the room's
// listeners, -1 while it is not among them; ended says that it must not be added any more.
type listener struct {
	conn  *conn
	room  *room
	at    int32 // small, as there are many of these
	ended bool
}

// open subscribes the room to the bus and finds its head, once.
func (r *room) open(ctx context.Context) error {
	r.starting.Lock()
	defer r.starting.Unlock()
	r.mu.Lock()
	opened := r.feed != nil
	r.mu.Unlock()
	if opened {
		return nil
	}
	if err := r.hub.subscribe(ctx, r); err != nil {
		return err
	}
	page, err := r.hub.store.Changes(ctx, r.id, headOnly, 1)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.feed = feed.New(page.Head)
	// An event that was stored after the head was read and arrived before the feed was there would be missed until the
	// next one shows the hole.
	if r.feed.Head(r.early) == feed.Repair {
		r.repairLocked()
	}
	return nil
}

// deliver takes an event from the bus.
func (r *room) deliver(item feed.Item) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.feed == nil {
		r.early = max(r.early, item.Seq)
		return
	}
	switch r.feed.Offer(item) {
	case feed.Pass:
		r.pass(item)
	case feed.Repair:
		r.repairLocked()
	case feed.Ignore:
	}
}

// reached takes the news that the room has come to a number, whose events may not have arrived.
func (r *room) reached(head chat.Seq) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.feed == nil {
		r.early = max(r.early, head)
		return
	}
	if r.feed.Head(head) == feed.Repair {
		r.repairLocked()
	}
}

// pass gives an event to every listener. r.mu is held, so that listeners come and go between events.
func (r *room) pass(item feed.Item) {
	borrowed := r.hub.waking.Get().(*[]*socket.Socket) //nolint:forcetypeassert // the pool's New makes nothing else
	waking := (*borrowed)[:0]
	for _, l := range r.listeners {
		if l.conn.Enqueue(item.Frame) {
			waking = append(waking, &l.conn.Socket)
		}
	}
	r.hub.host.Wake(waking...)
	clear(waking)
	*borrowed = waking
	r.hub.waking.Put(borrowed)
	r.hub.metrics.delivered(item, len(r.listeners))
	if item.Change.Leaves() {
		r.removeMemberLocked(item)
	}
}

// removeMemberLocked ends the room for a person in the middle of the stream: what comes after the event is not theirs.
func (r *room) removeMemberLocked(item feed.Item) {
	for _, l := range slices.Backward(r.listeners) { // endLocked fills l's place from the end, which has been passed
		if l.conn.owner != item.Subject {
			continue
		}
		r.endLocked(l)
		r.hub.group.Go("let go of a member who left", func(ctx context.Context) error {
			r.hub.letGo(ctx, l, item)
			return nil
		})
	}
}

// letGo deals with a place that the event of its person's leaving has ended. Mostly the signal was here first and there
// is nothing left to do. But the event may be old news: a person leaves and comes back, the signals of both arrive, the
// connection joins again, and only then the outbox brings the event of the leaving, or a repair does. So the store is
// asked whether that person is out; if not, the place is taken again right behind the event.
func (h *hub) letGo(ctx context.Context, l *listener, item feed.Item) {
	c, id := l.conn, l.room.id
	_, err := h.store.RoomOf(ctx, id, item.Subject)
	switch {
	case errors.Is(err, chat.ErrNotFound):
		h.quit(l, string(item.Change))
	case err != nil:
		c.gateway.reconnectAfter(ctx, c, err)
	case c.drop(l): // else somebody else has dealt with it
		if err := h.join(ctx, c, id, item.Seq); err != nil && !errors.Is(err, chat.ErrNotFound) {
			c.gateway.reconnectAfter(ctx, c, err)
		}
		h.release(l.room)
	}
}

// repairLocked starts filling a hole from the store.
func (r *room) repairLocked() {
	r.repaired = make(chan struct{})
	r.hub.metrics.repairs.Inc()
	if !r.hub.group.Go("repair a room's feed", r.repair) {
		r.endRepairLocked(true)
	}
}

func (r *room) endRepairLocked(givenUp bool) {
	if givenUp {
		r.feed.GiveUp()
	}
	close(r.repaired)
	r.repaired = nil
}

// errBehind is what a page means that brings nothing although more is known to exist: the store is behind the bus.
var errBehind = chat.Away("what was said last", nil)

// repair reads pages after what was passed on until the feed is whole, and tries again while the store is away or behind.
func (r *room) repair(ctx context.Context) error {
	backoff := behind()
	for {
		r.mu.Lock()
		after := r.feed.Last()
		r.mu.Unlock()
		items, page, err := r.read(ctx, after)
		if err == nil && page.Through <= after {
			err = errBehind
		}
		if err != nil {
			if ctx.Err() == nil && !errors.Is(err, chat.ErrNotFound) && backoff.Wait(ctx) == nil {
				continue
			}
			r.mu.Lock()
			r.endRepairLocked(true)
			r.mu.Unlock()
			return nil // stopping, or the room is gone
		}
		backoff.Reset()
		r.mu.Lock()
		pass, again := r.feed.Repaired(items, page.Through)
		for _, item := range pass {
			r.pass(item)
		}
		if !again {
			r.endRepairLocked(false)
			r.mu.Unlock()
			return nil
		}
		r.mu.Unlock()
	}
}

// read reads a page after a position, once for all who ask for it at the same time.
func (r *room) read(ctx context.Context, after chat.Seq) ([]feed.Item, chat.Page, error) {
	type result struct {
		items []feed.Item
		page  chat.Page
	}
	shared, err, _ := r.pages.Do(strconv.FormatUint(uint64(after), 10), func() (any, error) {
		page, err := r.hub.store.Changes(r.hub.group.Context(), r.id, after, resumePage)
		if err != nil {
			return nil, err
		}
		items := make([]feed.Item, 0, len(page.Events))
		for i := range page.Events {
			envelope, err := wire.Envelope(&page.Events[i])
			if err != nil {
				return nil, err
			}
			items = append(items, feedItem(envelope))
		}
		return result{items, page}, nil
	})
	if err != nil {
		return nil, chat.Page{}, err
	}
	if err := ctx.Err(); err != nil {
		return nil, chat.Page{}, err
	}
	read := shared.(result)
	return read.items, read.page, nil
}

// join brings a listener that has seen everything up to position to the live end of the room, nothing missing and
// nothing twice, and adds it there. It returns when that is done, or the connection has ended.
func (r *room) join(ctx context.Context, l *listener, position chat.Seq) error {
	c := l.conn
	backoff, waits := behind(), 0
	for c.Pace(ctx) {
		r.mu.Lock()
		if r.deleted {
			r.mu.Unlock()
			return chat.ErrNotFound
		}
		plan, items := r.feed.Resume(position)
		switch plan {
		case feed.Live, feed.FromTail:
			for _, item := range items {
				c.Send(item.Frame)
			}
			r.addLocked(l)
			r.mu.Unlock()
			return nil
		case feed.Reset:
			c.sendText(wire.ResetFrame(r.id, r.feed.Last()))
			r.addLocked(l)
			r.mu.Unlock()
			return nil
		case feed.Ahead:
			r.mu.Unlock()
			caught, err := r.catchUp(ctx, position)
			if err != nil {
				return err
			}
			if !caught {
				r.mu.Lock() // it claims what never was: say where the room really is
				c.sendText(wire.ResetFrame(r.id, r.feed.Last()))
				r.addLocked(l)
				r.mu.Unlock()
				return nil
			}
		case feed.Fetch:
			r.mu.Unlock()
			items, page, err := r.read(ctx, position)
			if err != nil {
				return err
			}
			if page.Through <= position {
				if waits++; waits > behindWaits {
					return errBehind
				}
				if err := backoff.Wait(ctx); err != nil {
					return err
				}
				continue
			}
			for _, item := range items {
				if !c.Pace(ctx) { // a page of long messages is more than may wait
					return ctx.Err()
				}
				c.Send(item.Frame)
			}
			position = page.Through
		}
	}
	return ctx.Err()
}

// catchUp brings the feed up to the stored head, and answers whether that covers the position.
func (r *room) catchUp(ctx context.Context, position chat.Seq) (bool, error) {
	page, err := r.hub.store.Changes(ctx, r.id, headOnly, 1)
	if err != nil {
		return false, err
	}
	if page.Head < position {
		return false, nil
	}
	r.mu.Lock()
	if r.feed.Head(page.Head) == feed.Repair {
		r.repairLocked()
	}
	repaired := r.repaired
	r.mu.Unlock()
	if repaired == nil {
		return true, nil
	}
	select {
	case <-repaired:
		return true, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// addLocked puts a listener among the room's, unless it has ended.
func (r *room) addLocked(l *listener) {
	if l.ended || l.at >= 0 {
		return
	}
	l.at = int32(len(r.listeners)) //nolint:gosec // a node has not so many connections
	r.listeners = append(r.listeners, l)
}

// endLocked takes a listener out of the room for good.
func (r *room) endLocked(l *listener) {
	l.ended = true
	if l.at < 0 {
		return
	}
	last := len(r.listeners) - 1
	moved := r.listeners[last]
	r.listeners[l.at] = moved
	moved.at = l.at
	r.listeners[last] = nil
	r.listeners = r.listeners[:last]
	l.at = -1
}

// each calls fn with every listener's connection if there are at most limit of them.
func (r *room) each(limit int, fn func(*conn)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.listeners) > limit {
		return
	}
	for _, l := range r.listeners {
		fn(l.conn)
	}
}
