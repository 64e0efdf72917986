package gateway

import (
	"context"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gobwas/ws"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

const (
	// queueBytesMax is how much may wait to be written to one connection; who is further behind is a slow consumer.
	queueBytesMax = 1 << 20
	// queueFrameCost is what a queued frame counts beside its bytes: its place in the queue.
	queueFrameCost = 64
	// gatherBytes is how much is written at once.
	gatherBytes = 64 << 10
	// resumeBytes is how much of a resume may be waiting before the next page is read.
	resumeBytes = queueBytesMax / 4
)

// conn is one client's connection. Its reader goroutine owns the fields under "reader"; the rest is guarded by mu, which
// is never held across I/O.
type conn struct {
	gateway *Gateway
	net     net.Conn
	id      string
	opened  time.Time
	heardAt atomic.Int64 // the sweep clock's time of the last frame, in seconds

	// reader
	tokens     float64 // of the frame rate
	tokensAt   time.Time
	typedRoom  chat.RoomID
	typedAt    time.Time
	authorized bool
	present    bool // counted among the online

	mu         sync.Mutex
	user       chat.User
	session    chat.SessionID
	expires    time.Time
	renamed    bool // by a signal, since the account was read
	listeners  []*listener
	meanwhile  *meanwhile // what happened to its rooms while it is being set up; nil once it is
	queue      [][]byte
	queueBytes int
	writing    bool
	writeSince time.Time     // of the write that is under way
	ended      time.Time     // when it was decided to close; zero while open
	gone       bool          // the socket is closed and cleaned up after
	drained    chan struct{} // closed when the queue is next taken to be written; made by whoever waits
	drainAt    time.Time     // when a draining gateway closes it
}

// meanwhile is what signals told of a person's rooms while a connection of that person was being set up.
type meanwhile struct {
	left   map[chat.RoomID]string // and why
	joined []chat.RoomID
}

// send queues a frame that is ready to be written. It never blocks and never fails: a connection that cannot take it is
// ending or ends.
func (c *conn) send(frame []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ended.IsZero() {
		return
	}
	cost := len(frame) + queueFrameCost
	if c.queueBytes > 0 && c.queueBytes+cost > queueBytesMax { // one frame may be longer than the bound: ready, with many rooms
		c.queue, c.queueBytes = nil, 0
		c.gateway.metrics.slow.Inc()
		c.endLocked(closeSlow)
		return
	}
	c.queue = append(c.queue, frame)
	c.queueBytes += cost
	c.wakeLocked()
}

// sendText queues a payload as a text frame.
func (c *conn) sendText(payload []byte) { c.send(textFrame(payload)) }

// end says goodbye with a close frame after what is queued. The first reason counts.
func (c *conn) end(why closing) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.endLocked(why)
}

func (c *conn) endLocked(why closing) {
	if !c.ended.IsZero() || c.gone {
		return
	}
	c.ended = c.gateway.now()
	c.gateway.metrics.closed.WithLabelValues(closeLabel(why)).Inc()
	c.queue = append(c.queue, why.frame())
	c.wakeLocked()
}

func (c *conn) wakeLocked() {
	if !c.writing && !c.gone {
		c.writing = c.gateway.group.Go("write", c.write)
	}
}

// write empties the queue, all that waits in one system call, and returns.
func (c *conn) write(context.Context) error {
	for {
		c.mu.Lock()
		batch := c.queue
		c.queue, c.queueBytes = nil, 0
		last := !c.ended.IsZero()
		if len(batch) == 0 {
			c.writing = false
			c.writeSince = time.Time{}
			c.mu.Unlock()
			return nil
		}
		if c.drained != nil {
			close(c.drained)
			c.drained = nil
		}
		c.writeSince = c.gateway.clock()
		c.mu.Unlock()

		switch err := c.writeAll(batch); {
		case err != nil:
			c.abort()
		case last:
			c.halfClose()
		}
	}
}

// writeAll writes frames in as few system calls as fit into a borrowed buffer. Copying beats writev here: frames are
// small, and the net package keeps a list of up to 1,024 buffers for every socket that ever saw a writev, 16 KiB of each
// connection that was busy once.
func (c *conn) writeAll(frames [][]byte) error {
	if len(frames) == 1 {
		_, err := c.net.Write(frames[0])
		return err
	}
	borrowed := c.gateway.gather.Get().(*[]byte)
	defer c.gateway.gather.Put(borrowed)
	for len(frames) > 0 {
		buffer, taken := (*borrowed)[:0], 0
		for taken < len(frames) && len(buffer)+len(frames[taken]) <= cap(buffer) {
			buffer = append(buffer, frames[taken]...)
			taken++
		}
		if taken == 0 { // longer than the buffer by itself
			buffer, taken = frames[0], 1
		}
		if _, err := c.net.Write(buffer); err != nil {
			return err
		}
		frames = frames[taken:]
	}
	return nil
}

// halfClose ends our direction only, so that the close frame reaches a client whose own frames are still on their way;
// the reader or the sweep closes the rest.
func (c *conn) halfClose() {
	if tcp, ok := c.net.(interface{ CloseWrite() error }); ok {
		_ = tcp.CloseWrite() // the peer may be gone already, which is what is wanted
		return
	}
	c.abort()
}

// abort closes the socket, which ends reader and writer.
func (c *conn) abort() {
	_ = c.net.Close() // closing again, or a socket the peer has reset, changes nothing
}

// waitDrained waits until little enough is queued that a resume may go on. It answers false once the connection ends.
func (c *conn) waitDrained(ctx context.Context) bool {
	for {
		c.mu.Lock()
		if !c.ended.IsZero() || c.gone {
			c.mu.Unlock()
			return false
		}
		if c.queueBytes < resumeBytes {
			c.mu.Unlock()
			return true
		}
		if c.drained == nil {
			c.drained = make(chan struct{})
		}
		drained := c.drained
		c.mu.Unlock()
		select {
		case <-drained:
		case <-ctx.Done():
			return false
		}
	}
}

// sweep ends the connection if its time is up. now is the sweep's time.
func (c *conn) sweep(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.gone:
	case !c.ended.IsZero():
		if now.Sub(c.ended) > closeGrace {
			c.abort()
		}
	case !c.writeSince.IsZero() && now.Sub(c.writeSince) > writeStall:
		c.gateway.metrics.slow.Inc()
		c.endLocked(closeSlow)
		c.abort() // its socket has taken nothing for so long that a close frame would not arrive either
	case c.expires.IsZero() && now.Sub(c.opened) > authWithin:
		c.endLocked(closeAuthTimeout)
	case !c.expires.IsZero() && now.Sub(c.expires) > tokenGrace:
		c.endLocked(closeAuth)
	case c.meanwhile == nil && now.Unix()-c.heardAt.Load() > int64(2*heartbeat/time.Second):
		c.endLocked(closeSilent) // while it is being set up nobody reads what it says
	case !c.drainAt.IsZero() && !now.Before(c.drainAt):
		c.endLocked(closeDraining)
	}
}

// profile is what others see of the connection's user.
func (c *conn) profile() chat.Profile {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.user.Profile
}

// userID is whose connection it is; zero until it is signed in.
func (c *conn) userID() chat.UserID {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.user.ID
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

// settled ends the setting up and answers the rooms that were joined meanwhile.
func (c *conn) settled() []chat.RoomID {
	c.mu.Lock()
	defer c.mu.Unlock()
	joined := c.meanwhile.joined
	c.meanwhile = nil
	c.heardAt.Store(c.gateway.now().Unix())
	return joined
}

// textFrame is an unmasked, unfragmented text frame around a payload.
func textFrame(payload []byte) []byte { return ws.MustCompileFrame(ws.NewTextFrame(payload)) }
