package gateway

import (
	"context"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gobwas/ws"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

const (
	// queueBytesMax is how much may wait to be written to one connection; who is further behind is a slow consumer.
	queueBytesMax = 1 << 20
	// queueFrameCost is what a queued frame counts beside its bytes: its place in the queue.
	queueFrameCost = 64
	// ephemeralBytesMax is how much may be waiting for news that may be lost to be worth adding.
	ephemeralBytesMax = queueBytesMax / 4
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
	socket  syscall.RawConn       // behind net; nil where reading and writing mean waiting with a buffer
	readyFn func(fd uintptr) bool // c.ready, made once
	id      string
	opened  time.Time
	owner   chat.UserID  // whose it is: set before the hub knows of the connection, and never again
	heardAt atomic.Int64 // the sweep clock's time of the last frame, in seconds

	// reader
	arrived    *inbound // what ready has read
	readErr    error
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
	told       uint64        // the mark of the last news that may be lost
	writing    bool          // in the writers' line, or being written to
	writeSince time.Time     // when the write under way began to wait for the socket
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
	if c.enqueue(frame) {
		c.gateway.writers.add(c)
	}
}

// enqueue queues a frame and answers whether the caller must add the connection to the writers' line.
func (c *conn) enqueue(frame []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ended.IsZero() {
		return false
	}
	cost := len(frame) + queueFrameCost
	if c.queueBytes > 0 && c.queueBytes+cost > queueBytesMax { // one frame may be longer than the bound: ready, with many rooms
		c.queue, c.queueBytes = nil, 0
		c.gateway.metrics.slow.Inc()
		c.endLocked(closeSlow)
		return false
	}
	c.queue = append(c.queue, frame)
	c.queueBytes += cost
	return c.wakeLocked()
}

// enqueueEphemeral is enqueue for what may be lost: it is, where much is waiting already, so that news of no weight never
// makes a client a slow one. A mark that is not zero is told once.
func (c *conn) enqueueEphemeral(frame []byte, mark uint64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ended.IsZero() || c.queueBytes > ephemeralBytesMax || (mark != 0 && c.told == mark) {
		return false
	}
	if mark != 0 {
		c.told = mark
	}
	c.queue = append(c.queue, frame)
	c.queueBytes += len(frame) + queueFrameCost
	return c.wakeLocked()
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
	if c.wakeLocked() {
		c.gateway.writers.add(c)
	}
}

// wakeLocked answers whether the connection must be added to the writers' line: it is not there yet, and will be.
func (c *conn) wakeLocked() bool {
	if c.writing || c.gone {
		return false
	}
	c.writing = true
	return true
}

// taken answers what waits, and whether it ends with the goodbye. Nothing waits: then the connection is out of the line.
func (c *conn) taken() (frames [][]byte, last bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	frames = c.queue
	c.queue, c.queueBytes = nil, 0
	if len(frames) == 0 {
		c.writing = false
		return nil, false
	}
	if c.drained != nil {
		close(c.drained)
		c.drained = nil
	}
	return frames, !c.ended.IsZero()
}

// flush writes what waits, all of it in as few system calls as fit the buffer, until nothing waits or the socket takes no
// more. It does not wait for the socket. Copying beats writev here: frames are small, and the net package keeps a list of
// up to 1,024 buffers for every socket that ever saw a writev, 16 KiB of each connection that was busy once.
func (c *conn) flush(buffer []byte, attempt *attempt) {
	for {
		if c.socket == nil {
			c.gateway.group.Go("write", func(context.Context) error {
				c.write(nil, false)
				return nil
			})
			return
		}
		frames, last := c.taken()
		if len(frames) == 0 {
			return
		}
		for len(frames) > 0 {
			var data []byte
			data, frames = gather(buffer, frames)
			n, err := attempt.write(c.socket, data)
			switch {
			case err != nil:
				c.abort()
				frames = nil
			case n < len(data):
				rest := append([][]byte{slices.Clone(data[n:])}, frames...)
				c.gateway.group.Go("write to a full socket", func(context.Context) error {
					c.write(rest, last)
					return nil
				})
				return
			}
		}
		if last {
			c.halfClose()
		}
	}
}

// gather copies frames into the buffer as far as they fit, and answers that and the others. One frame alone, or one that
// is longer than the buffer, is not copied.
func gather(buffer []byte, frames [][]byte) (data []byte, rest [][]byte) {
	if len(frames) == 1 || len(frames[0])+len(frames[1]) > cap(buffer) {
		return frames[0], frames[1:]
	}
	data, n := buffer[:0], 0
	for n < len(frames) && len(data)+len(frames[n]) <= cap(buffer) {
		data = append(data, frames[n]...)
		n++
	}
	return data, frames[n:]
}

// write is flush for a goroutine that may wait: it begins with frames and ends when nothing waits.
func (c *conn) write(frames [][]byte, last bool) {
	borrowed := c.gateway.gather.Get().(*[]byte) //nolint:forcetypeassert // the pool's New makes nothing else
	defer c.gateway.gather.Put(borrowed)
	for {
		if len(frames) == 0 {
			if frames, last = c.taken(); len(frames) == 0 {
				return
			}
		}
		c.mu.Lock()
		c.writeSince = c.gateway.clock()
		c.mu.Unlock()
		var data []byte
		data, frames = gather(*borrowed, frames)
		_, err := c.net.Write(data)
		c.mu.Lock()
		c.writeSince = time.Time{}
		c.mu.Unlock()
		switch {
		case err != nil:
			c.abort()
		case last && len(frames) == 0:
			c.halfClose()
		}
	}
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
