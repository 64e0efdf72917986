package gateway

import (
	"context"
	"slices"
	"sync"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/feed"
	"github.com/blabber-hive/blabber-hive/internal/gateway/socket"
	"github.com/blabber-hive/blabber-hive/internal/run"
	"github.com/blabber-hive/blabber-hive/internal/wire"
)

// shardCount spreads rooms over locks, so that a publish in one room does not wait for another's.
const shardCount = 64

// hub knows the rooms with listeners on this node, and whose connections are here.
type hub struct {
	bus     Bus
	store   Store
	metrics *Metrics
	group   *run.Group
	host    *socket.Host
	waking  sync.Pool // of *[]*socket.Socket, borrowed while an event is passed on
	shards  [shardCount]shard

	mu    sync.Mutex
	users map[chat.UserID][]*conn
}

type shard struct {
	mu    sync.RWMutex
	rooms map[chat.RoomID]*room
	bus   sync.Mutex // orders the shard's subscriptions on the bus
}

func newHub(bus Bus, store Store, metrics *Metrics, group *run.Group, host *socket.Host) *hub {
	h := &hub{bus: bus, store: store, metrics: metrics, group: group, host: host, users: make(map[chat.UserID][]*conn)}
	h.waking.New = func() any { return new([]*socket.Socket) }
	for i := range h.shards {
		h.shards[i].rooms = make(map[chat.RoomID]*room)
	}
	return h
}

// shard of a room: the last byte of a UUIDv7 is random.
func (h *hub) shard(id chat.RoomID) *shard { return &h.shards[id[15]%shardCount] }

// room finds a room that has listeners here, or nil.
func (h *hub) room(id chat.RoomID) *room {
	s := h.shard(id)
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.rooms[id]
}

// acquire finds or opens a room; who got it must release it.
func (h *hub) acquire(ctx context.Context, id chat.RoomID) (*room, error) {
	s := h.shard(id)
	s.mu.Lock()
	r := s.rooms[id]
	if r == nil {
		r = &room{id: id, hub: h}
		s.rooms[id] = r
	}
	r.refs++
	s.mu.Unlock()
	if err := r.open(ctx); err != nil {
		h.release(r)
		return nil, err
	}
	return r, nil
}

func (h *hub) release(r *room) {
	s := h.shard(r.id)
	s.mu.Lock()
	r.refs--
	empty := r.refs == 0
	if empty {
		delete(s.rooms, r.id)
	}
	s.mu.Unlock()
	if !empty {
		return
	}
	// Between here and the bus another connection may have opened the room again; whoever comes second on the shard's
	// bus lock sees what the first did, so a room in the map is always subscribed in the end.
	s.bus.Lock()
	defer s.bus.Unlock()
	if h.room(r.id) == nil {
		_ = h.bus.Unsubscribe(h.group.Context(), r.id) // a subscription too many costs a little and breaks nothing
	}
}

// subscribe puts a room that is in the map on the bus.
func (h *hub) subscribe(ctx context.Context, r *room) error {
	s := h.shard(r.id)
	s.bus.Lock()
	defer s.bus.Unlock()
	return h.bus.Subscribe(ctx, r.id)
}

// join puts a connection into a room at a position; see room.join. A connection that is there already stays as it is.
func (h *hub) join(ctx context.Context, c *conn, id chat.RoomID, position chat.Seq) error {
	r, err := h.acquire(ctx, id)
	if err != nil {
		return err
	}
	l := c.enter(r)
	if l == nil {
		h.release(r)
		return nil
	}
	return r.join(ctx, l, position)
}

// leave ends a room for a connection, and tells it so where there is a reason to tell.
func (h *hub) leave(c *conn, id chat.RoomID, reason string) {
	if l := c.exit(id, reason); l != nil {
		h.part(l, reason)
	}
}

// quit ends one place in a room, unless its connection has given it up already.
func (h *hub) quit(l *listener, reason string) {
	if l.conn.drop(l) {
		h.part(l, reason)
	}
}

// part ends a place that its connection has given up.
func (h *hub) part(l *listener, reason string) {
	l.room.mu.Lock()
	l.room.endLocked(l)
	l.room.mu.Unlock()
	h.release(l.room)
	if reason != "" {
		l.conn.sendText(wire.LeftFrame(l.room.id, reason))
	}
}

// deliver takes envelopes from the bus.
func (h *hub) deliver(envelopes []chat.Envelope) {
	for i := range envelopes {
		r := h.room(envelopes[i].Room)
		switch {
		case r == nil:
		case len(envelopes[i].Body) == 0:
			r.reached(envelopes[i].Seq)
		default:
			r.deliver(feedItem(envelopes[i]))
		}
	}
}

// roomIDs are the rooms that have listeners here, or are about to.
func (h *hub) roomIDs() (ids []chat.RoomID) {
	for i := range h.shards {
		s := &h.shards[i]
		s.mu.RLock()
		for id := range s.rooms {
			ids = append(ids, id)
		}
		s.mu.RUnlock()
	}
	return ids
}

func feedItem(envelope chat.Envelope) feed.Item {
	return feed.Item{Envelope: envelope, Frame: socket.Text(wire.EventFrame(envelope.Body))}
}

// admit adds a signed-in connection to its user's, unless there are too many.
func (h *hub) admit(user chat.UserID, c *conn) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.users[user]) >= connectionsPerUserMax {
		return false
	}
	h.users[user] = append(h.users[user], c)
	return true
}

func (h *hub) dismiss(user chat.UserID, c *conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	rest := slices.DeleteFunc(h.users[user], func(other *conn) bool { return other == c })
	if len(rest) == 0 {
		delete(h.users, user)
		return
	}
	h.users[user] = rest
}

// connections are a person's on this node.
func (h *hub) connections(user chat.UserID) []*conn {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.users[user])
}
