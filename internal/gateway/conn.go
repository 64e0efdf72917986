package gateway

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/gateway/socket"
)

// conn is one client's connection. Its reader goroutine owns the fields under "reader"; the rest is guarded by mu, which
// is never held across I/O. The socket has a lock of its own.
type conn struct {
	socket.Socket

	gateway *Gateway
	id      string
	opened  time.Time
	owner   chat.UserID  // whose it is: set before the hub knows of the connection, and never again
	heardAt atomic.Int64 // the sweep clock's time of the last frame, in seconds

	// reader
	ctx        context.Context //nolint:containedctx // of the one goroutine that reads, whose callbacks have no other
	tokens     float64         // of the frame rate
	tokensAt   time.Time
	typedRoom  chat.RoomID
	typedAt    time.Time
	authorized bool
	present    bool // counted among the online

	mu        sync.Mutex
	user      chat.User
	session   chat.SessionID
	expires   time.Time
	renamed   bool // by a signal, since the account was read
	listeners []*listener
	meanwhile *meanwhile // what happened to its rooms while it is being set up; nil once it is
	gone      bool       // it is cleaned up after
	drainAt   time.Time  // when a draining gateway closes it
}

// meanwhile is what signals told of a person's rooms while a connection of that person was being set up.
type meanwhile struct {
	left   map[chat.RoomID]string // and why
	joined []chat.RoomID
	news   [][]byte // frames, at most meanwhileNewsMax
}

// meanwhileNewsMax bounds the news that wait for a connection to be set up. What comes beyond it is lost, as news may be.
const meanwhileNewsMax = 64

// tell queues news of the person: after ready, which is the answer to auth and may be of the moment before.
func (c *conn) tell(payload []byte) {
	c.mu.Lock()
	m := c.meanwhile
	if m != nil && len(m.news) < meanwhileNewsMax {
		m.news = append(m.news, payload)
	}
	c.mu.Unlock()
	if m == nil {
		c.sendText(payload)
	}
}

// sendText queues a payload as a text frame.
func (c *conn) sendText(payload []byte) { c.Send(socket.Text(payload)) }

// sweep ends the connection if its time is up. now is the sweep's time.
func (c *conn) sweep(now time.Time) {
	if !c.Sweep(now) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.expires.IsZero() && now.Sub(c.opened) > authWithin:
		c.End(closeAuthTimeout)
	case !c.expires.IsZero() && now.Sub(c.expires) > tokenGrace:
		c.End(closeAuth)
	case c.meanwhile == nil && now.Unix()-c.heardAt.Load() > int64(2*heartbeat/time.Second):
		c.End(closeSilent) // while it is being set up nobody reads what it says
	case !c.drainAt.IsZero() && !now.Before(c.drainAt):
		c.End(closeDraining)
	}
}

// profile is what others see of the connection's user.
func (c *conn) profile() chat.Profile {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.user.Profile
}

// login is who is signed in here and on which device; false while nobody is.
func (c *conn) login() (chat.Login, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.expires.IsZero() || c.gone {
		return chat.Login{}, false
	}
	return chat.Login{User: c.user.ID, Session: c.session}, true
}

// places are the rooms that the connection is in, and whether it is set up.
func (c *conn) places() (rooms map[chat.RoomID]struct{}, settled bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	rooms = make(map[chat.RoomID]struct{}, len(c.listeners))
	for _, l := range c.listeners {
		rooms[l.room.id] = struct{}{}
	}
	return rooms, c.meanwhile == nil && !c.gone
}

// enter makes the connection's place in a room. It answers nil where there is one already, and where the connection has
// ended or was told, while it was being set up, that the room is no longer its own.
func (c *conn) enter(r *room) *listener {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone {
		return nil
	}
	if c.meanwhile != nil {
		if _, left := c.meanwhile.left[r.id]; left {
			return nil
		}
	}
	for _, l := range c.listeners {
		if l.room.id == r.id {
			return nil
		}
	}
	l := &listener{conn: c, room: r, at: -1}
	c.listeners = append(c.listeners, l)
	return l
}

// expect makes room for places in as many rooms.
func (c *conn) expect(rooms int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.listeners = slices.Grow(c.listeners, rooms)
}

// exit gives up the connection's place in a room, because of reason, and answers it to the one caller that must end it
// there. While the connection is being set up the room is remembered as left.
func (c *conn) exit(room chat.RoomID, reason string) *listener {
	c.mu.Lock()
	defer c.mu.Unlock()
	if m := c.meanwhile; m != nil {
		m.joined = slices.DeleteFunc(m.joined, func(id chat.RoomID) bool { return id == room })
		if m.left == nil {
			m.left = make(map[chat.RoomID]string)
		}
		m.left[room] = reason
	}
	for i, l := range c.listeners {
		if l.room.id == room {
			c.listeners = slices.Delete(c.listeners, i, i+1)
			if c.meanwhile != nil {
				delete(c.meanwhile.left, room) // whoever asked tells the client
			}
			return l
		}
	}
	return nil
}

// drop gives up one place, and answers whether it still was the connection's.
func (c *conn) drop(l *listener) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := slices.Index(c.listeners, l)
	if at < 0 {
		return false
	}
	c.listeners = slices.Delete(c.listeners, at, at+1)
	return true
}

// defers remembers a joined room while the connection is being set up; false: it can be shown now.
func (c *conn) defers(room chat.RoomID) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.meanwhile == nil {
		return false
	}
	delete(c.meanwhile.left, room)
	c.meanwhile.joined = append(c.meanwhile.joined, room)
	return true
}

// leftMeanwhile answers whether a room was left before the connection that is being set up came to it, and why.
func (c *conn) leftMeanwhile(room chat.RoomID) (reason string, left bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	reason, left = c.meanwhile.left[room]
	return reason, left
}

// settled tells the news that waited, ends the setting up and answers the rooms that were joined meanwhile.
func (c *conn) settled() []chat.RoomID {
	for {
		news, joined := c.settle()
		if len(news) == 0 {
			return joined
		}
		for _, payload := range news { // and more may come
			c.sendText(payload)
		}
	}
}

// settle ends the setting up unless there is news that has waited.
func (c *conn) settle() (news [][]byte, joined []chat.RoomID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.meanwhile
	if news, m.news = m.news, nil; len(news) > 0 {
		return news, nil
	}
	c.meanwhile = nil
	c.heardAt.Store(c.gateway.now().Unix())
	return nil, m.joined
}
