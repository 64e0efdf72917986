//go:build unix

package socket

import (
	"errors"
	"io"
	"net"
	"syscall"
)

// attempt writes to a socket as much as it takes at once. It belongs to one goroutine; its function is made once, so that
// an attempt costs nothing but the system call.
type attempt struct {
	data []byte
	n    int
	err  error
	try  func(fd uintptr) bool
}

func newAttempt() *attempt {
	a := &attempt{}
	a.try = a.once
	return a
}

// write answers how much was written; less than all means that the socket is full.
func (a *attempt) write(socket syscall.RawConn, data []byte) (int, error) {
	a.data, a.n, a.err = data, 0, nil
	if err := socket.Write(a.try); err != nil {
		return 0, err // closed
	}
	a.data = nil
	return a.n, a.err
}

func (a *attempt) once(fd uintptr) bool {
	for a.n < len(a.data) {
		n, err := syscall.Write(int(fd), a.data[a.n:])
		switch {
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EAGAIN):
			return true
		case err != nil:
			a.err = err
			return true
		default:
			a.n += n
		}
	}
	return true
}

// findRaw finds the system's socket, if there is one.
func (s *Socket) findRaw() {
	tcp, ok := s.conn.(*net.TCPConn)
	if !ok {
		return
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return
	}
	s.raw, s.readyFn = raw, s.ready
}

// awaitRaw is await without holding a buffer while it waits.
func (s *Socket) awaitRaw() (*inbound, error) {
	if err := s.raw.Read(s.readyFn); err != nil {
		return nil, err // closed
	}
	in, err := s.arrived, s.readErr
	s.arrived, s.readErr = nil, nil
	return in, err
}

// ready reads what has come; false means nothing has. It is called again when there is something.
func (s *Socket) ready(fd uintptr) bool {
	in := s.host.inbounds.Get().(*inbound) //nolint:forcetypeassert // the pool's New makes nothing else
	for {
		n, err := syscall.Read(int(fd), in.first[:])
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case errors.Is(err, syscall.EAGAIN):
			s.host.inbounds.Put(in)
			return false
		case err != nil:
			s.readErr = err
		case n == 0:
			s.readErr = io.EOF
		default:
			in.begin(s.client, n, s.conn)
			s.arrived = in
			return true
		}
		s.host.inbounds.Put(in)
		return true
	}
}
