//go:build linux

package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

const (
	readBytes   = 256 << 10
	prefixBytes = 160 // of a frame's payload, what a handler is shown
	headerMax   = 10
	eventsMax   = 1024
)

// loop drives any number of sockets in one thread. Its handlers are called from run, one at a time.
type loop struct {
	epoll  int
	timer  int // ticks while there is something to do at a time
	conns  map[int32]*conn
	buffer []byte
	server netip.AddrPort
	dialed int
}

// state is how far a connection has come.
type state uint8

const (
	connecting state = iota
	shaking          // the handshake was sent
	open
	closed
)

// conn is one socket.
type conn struct {
	loop  *loop
	fd    int
	state state
	raw   bool // no WebSocket: bytes are counted, not parsed

	to       netip.AddrPort             // where it goes, if not to the loop's server
	greeting []byte                     // sent when connected; the answer's head is skipped
	opened   func(*conn)                // told when frames can be sent
	frame    func(c *conn, head []byte) // told of each frame: the first bytes of its payload
	bytes    func(c *conn, n int)       // told of each read, where raw
	closing  func(*conn)                // told of the end, unless it was close that ended it

	carry   []byte // the beginning of a frame whose first bytes have not all come
	size    int    // of the frame that the handler is told of, with its header
	skip    int64  // bytes of the current frame still to come and not looked at
	pending []byte // what the socket did not take yet

	goodbye string // what the server's close frame said

	user any // the scenario's
}

func newLoop(server netip.AddrPort) (*loop, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	timer, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("timerfd: %w", err)
	}
	if err := unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, timer, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(timer)}); err != nil { //nolint:gosec // descriptors are small
		return nil, fmt.Errorf("epoll: %w", err)
	}
	return &loop{epoll: epoll, timer: timer, conns: make(map[int32]*conn), buffer: make([]byte, readBytes), server: server}, nil
}

// tick makes run call its tick function this often; zero: never.
func (l *loop) tick(every time.Duration) error {
	spec := unix.NsecToTimespec(every.Nanoseconds())
	return unix.TimerfdSettime(l.timer, 0, &unix.ItimerSpec{Interval: spec, Value: spec}, nil)
}

// dial begins a connection. Source addresses go round 127.0.0.1 to 127.0.0.8, so that ports do not run out.
func (l *loop) dial(c *conn) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("socket: %w", err)
	}
	c.loop, c.fd = l, fd
	l.dialed++
	source := &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, byte(1 + l.dialed%8)}} //nolint:gosec // at most 8
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)  // an old kernel has fewer ports
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	if err := unix.Bind(fd, source); err != nil {
		return fmt.Errorf("bind: %w", err)
	}
	to := l.server
	if c.to.IsValid() {
		to = c.to
	}
	err = unix.Connect(fd, &unix.SockaddrInet4{Addr: to.Addr().As4(), Port: int(to.Port())})
	if err != nil && !errors.Is(err, unix.EINPROGRESS) {
		return fmt.Errorf("connect: %w", err)
	}
	l.conns[int32(fd)] = c //nolint:gosec // descriptors are small
	return unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{
		Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLET, Fd: int32(fd), //nolint:gosec // as above
	})
}

// run handles what happens until done says so or the time is up; it answers whether done did.
func (l *loop) run(limit time.Duration, done func() bool, tick func(now time.Time)) (bool, error) {
	deadline := time.Now().Add(limit)
	events := make([]unix.EpollEvent, eventsMax)
	for !done() {
		left := time.Until(deadline)
		if left <= 0 {
			return false, nil
		}
		n, err := unix.EpollWait(l.epoll, events, int(min(left, 100*time.Millisecond)/time.Millisecond)+1)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return false, fmt.Errorf("epoll: %w", err)
		}
		for i := range max(n, 0) {
			fd := events[i].Fd
			if int(fd) == l.timer {
				var expired [8]byte
				_, _ = unix.Read(l.timer, expired[:]) // only to be told again
				tick(time.Now())
				continue
			}
			if c := l.conns[fd]; c != nil {
				c.ready(events[i].Events)
			}
		}
	}
	return true, nil
}

// closeAll hangs up on everyone.
func (l *loop) closeAll() {
	for _, c := range l.conns {
		c.close()
	}
}

func (l *loop) close() {
	l.closeAll()
	_ = unix.Close(l.timer)
	_ = unix.Close(l.epoll)
}

func (c *conn) close() {
	if c.state == closed {
		return
	}
	c.state = closed
	delete(c.loop.conns, int32(c.fd)) //nolint:gosec // descriptors are small
	_ = unix.Close(c.fd)
}

func (c *conn) end() {
	if c.state == closed {
		return
	}
	c.close()
	if c.closing != nil {
		c.closing(c)
	}
}

func (c *conn) ready(events uint32) {
	if events&(unix.EPOLLERR|unix.EPOLLHUP) != 0 && c.state == connecting {
		c.end()
		return
	}
	if events&unix.EPOLLOUT != 0 {
		switch {
		case c.state == connecting && c.raw:
			c.state = open
			c.opened(c)
		case c.state == connecting:
			c.state = shaking
			c.write(c.greeting)
		case len(c.pending) > 0:
			left := c.pending
			c.pending = nil
			c.write(left)
		}
	}
	if events&(unix.EPOLLIN|unix.EPOLLHUP|unix.EPOLLRDHUP) != 0 {
		c.read()
	}
}

// write sends bytes now, or what the socket does not take as soon as it does.
func (c *conn) write(data []byte) {
	if len(c.pending) > 0 {
		c.pending = append(c.pending, data...)
		return
	}
	for len(data) > 0 && c.state != closed {
		n, err := unix.Write(c.fd, data)
		switch {
		case errors.Is(err, unix.EAGAIN):
			c.pending = append(c.pending, data...)
			return
		case errors.Is(err, unix.EINTR):
		case err != nil:
			c.end()
			return
		default:
			data = data[n:]
		}
	}
}

func (c *conn) read() {
	for c.state != closed {
		buffer := c.loop.buffer
		kept := copy(buffer, c.carry)
		n, err := unix.Read(c.fd, buffer[kept:])
		switch {
		case errors.Is(err, unix.EAGAIN):
			return
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil || n == 0:
			c.end()
			return
		}
		c.carry = c.carry[:0]
		if c.raw {
			c.bytes(c, n)
		} else {
			c.take(buffer[:kept+n])
		}
		if kept+n < len(buffer) {
			return // the socket is empty: had more come, epoll would say so
		}
	}
}

// take finds the frames in what has come. Of a frame whose first bytes are not all there it keeps those that are.
func (c *conn) take(data []byte) {
	if c.state == shaking {
		end := endOfHead(data)
		if end < 0 {
			c.carry = append(c.carry, data...)
			return
		}
		data = data[end:]
		c.state = open
		c.opened(c)
	}
	for len(data) > 0 && c.state == open {
		if c.skip > 0 {
			n := min(c.skip, int64(len(data)))
			data, c.skip = data[n:], c.skip-n
			continue
		}
		header, length := frameHeader(data)
		if header == 0 || int64(len(data)) < int64(header)+min(length, prefixBytes) {
			c.carry = append(c.carry, data...)
			return
		}
		if opcode := data[0] & 0xf; opcode == 8 {
			c.goodbye = string(data[header : int64(header)+min(length, prefixBytes)])
			c.end()
			return
		}
		c.size = header + int(length)
		c.frame(c, data[header:int64(header)+min(length, prefixBytes)])
		c.skip = int64(header) + length
	}
}

// frameHeader measures an unmasked frame's header; header is zero where it is not all there.
func frameHeader(data []byte) (header int, length int64) {
	if len(data) < 2 {
		return 0, 0
	}
	switch length := data[1] & 0x7f; {
	case length < 126:
		return 2, int64(length)
	case length == 126 && len(data) >= 4:
		return 4, int64(binary.BigEndian.Uint16(data[2:]))
	case length == 127 && len(data) >= headerMax:
		return headerMax, int64(binary.BigEndian.Uint64(data[2:]) & (1<<62 - 1))
	}
	return 0, 0
}

// endOfHead finds where an HTTP head ends.
func endOfHead(data []byte) int {
	for i := 3; i < len(data); i++ {
		if data[i] == '\n' && data[i-1] == '\r' && data[i-2] == '\n' {
			return i + 1
		}
	}
	return -1
}
