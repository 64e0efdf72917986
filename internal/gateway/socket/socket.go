package socket

import (
	"context"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/gobwas/ws"
)

const (
	// queueBytesMax is how much may wait to be written to one socket; who is further behind is a slow consumer.
	queueBytesMax = 1 << 20
	// queueFrameCost is what a queued frame counts beside its bytes: its place in the queue.
	queueFrameCost = 64
	// ephemeralBytesMax is how much may be waiting for news that may be lost to be worth adding.
	ephemeralBytesMax = queueBytesMax / 4
	// pauseBytes is how much may be waiting before who sends much waits.
	pauseBytes = queueBytesMax / 4

	closeGrace = 3 * time.Second  // between our close frame and the end of the socket
	writeStall = 10 * time.Second // a socket that takes nothing for so long is dead
)

// Closing is a reason to end: a close code and a word for people who debug.
type Closing struct {
	Code   ws.StatusCode
	Reason string
}

func (c Closing) frame() []byte {
	return ws.MustCompileFrame(ws.NewCloseFrame(ws.NewCloseFrameBody(c.Code, c.Reason)))
}

// Socket is one client's WebSocket. It is meant to be a field of who owns it; Open makes it ready.
type Socket struct {
	host   *Host
	client Client
	conn   net.Conn
	raw    syscall.RawConn // behind conn; nil where reading and writing mean waiting with a buffer

	// of the reader
	readyFn func(fd uintptr) bool // ready, made once
	arrived *inbound              // what ready has read
	readErr error

	mu         sync.Mutex
	queue      [][]byte
	queueBytes int
	told       uint64        // the mark of the last news that may be lost
	writing    bool          // in the writers' line, or being written to
	gone       bool          // the socket is closed and cleaned up after
	writeSince time.Time     // when the write under way began to wait for the socket
	ended      time.Time     // when it was decided to close; zero while open
	drained    chan struct{} // closed when the queue is next taken to be written; made by whoever waits
}

// Open takes over a connection on which the handshake is done.
func (s *Socket) Open(host *Host, client Client, conn net.Conn) {
	s.host, s.client, s.conn = host, client, conn
	s.findRaw()
}

// Send queues a frame that is ready to be written. It never blocks and never fails: a socket that cannot take it is ending
// or ends.
func (s *Socket) Send(frame []byte) {
	if s.Enqueue(frame) {
		s.host.writers.add(s)
	}
}

// Enqueue is Send for who sends to many: it answers whether the socket must be given to Wake.
func (s *Socket) Enqueue(frame []byte) (wake bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended.IsZero() {
		return false
	}
	cost := len(frame) + queueFrameCost
	if s.queueBytes > 0 && s.queueBytes+cost > queueBytesMax { // one frame may be longer than the bound
		s.queue, s.queueBytes = nil, 0
		s.endLocked(s.host.slow)
		return false
	}
	s.queue = append(s.queue, frame)
	s.queueBytes += cost
	return s.wakeLocked()
}

// EnqueueNews is Enqueue for what may be lost: it is, where much is waiting already, so that news of no weight never makes
// a client a slow one. News with the mark of the news before, other than zero, is the same and told once.
func (s *Socket) EnqueueNews(frame []byte, mark uint64) (wake bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended.IsZero() || s.queueBytes > ephemeralBytesMax || (mark != 0 && s.told == mark) {
		return false
	}
	if mark != 0 {
		s.told = mark
	}
	s.queue = append(s.queue, frame)
	s.queueBytes += len(frame) + queueFrameCost
	return s.wakeLocked()
}

// End says goodbye with a close frame after what is queued. The first reason counts.
func (s *Socket) End(why Closing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endLocked(why)
}

func (s *Socket) endLocked(why Closing) {
	if !s.ended.IsZero() || s.gone {
		return
	}
	s.ended = s.host.now()
	s.host.ended(why)
	s.queue = append(s.queue, why.frame())
	if s.wakeLocked() {
		s.host.writers.add(s)
	}
}

// wakeLocked answers whether the socket must be added to the writers' line: it is not there yet, and will be.
func (s *Socket) wakeLocked() bool {
	if s.writing || s.gone {
		return false
	}
	s.writing = true
	return true
}

// Ending reports whether it was decided to close.
func (s *Socket) Ending() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.ended.IsZero()
}

// Abort closes the socket, which ends who reads and who writes.
func (s *Socket) Abort() {
	_ = s.conn.Close() // closing again, or a socket the peer has reset, changes nothing
}

// Forget closes the socket and lets go of what waits.
func (s *Socket) Forget() {
	s.Abort()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone = true
	s.queue, s.queueBytes = nil, 0
	if s.drained != nil {
		close(s.drained)
		s.drained = nil
	}
}

// Sweep ends a socket whose time is up: one that has had its goodbye, or takes nothing any more. It answers whether the
// socket is still open. now is the sweep's time.
func (s *Socket) Sweep(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.gone:
		return false
	case !s.ended.IsZero():
		if now.Sub(s.ended) > closeGrace {
			s.Abort()
		}
		return false
	case !s.writeSince.IsZero() && now.Sub(s.writeSince) > writeStall:
		s.endLocked(s.host.slow)
		s.Abort() // it has taken nothing for so long that a close frame would not arrive either
		return false
	}
	return true
}

// Pace waits until little enough is queued that more may follow. It answers false once the socket ends.
func (s *Socket) Pace(ctx context.Context) bool {
	for {
		s.mu.Lock()
		if !s.ended.IsZero() || s.gone {
			s.mu.Unlock()
			return false
		}
		if s.queueBytes < pauseBytes {
			s.mu.Unlock()
			return true
		}
		if s.drained == nil {
			s.drained = make(chan struct{})
		}
		drained := s.drained
		s.mu.Unlock()
		select {
		case <-drained:
		case <-ctx.Done():
			return false
		}
	}
}

// Text is an unmasked, unfragmented text frame around a payload.
func Text(payload []byte) []byte {
	frame := make([]byte, 0, ws.MaxHeaderSize+len(payload))
	frame = append(frame, 0x80|byte(ws.OpText))
	switch n := len(payload); {
	case n < 126:
		frame = append(frame, byte(n))
	case n < 1<<16:
		frame = append(frame, 126, byte(n>>8), byte(n)) //nolint:gosec // below 1<<16
	default:
		frame = append(frame, 127)
		for shift := 56; shift >= 0; shift -= 8 {
			frame = append(frame, byte(n>>shift)) //nolint:gosec // the lowest byte is meant
		}
	}
	return append(frame, payload...)
}
