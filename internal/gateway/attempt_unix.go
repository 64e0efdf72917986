//go:build unix

package gateway

import (
	"errors"
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
		n, err := syscall.Write(int(fd), a.data[a.n:]) //nolint:gosec // a descriptor is an int
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

// rawSocket is the socket behind a connection, or nil where there is none.
func rawSocket(conn net.Conn) syscall.RawConn {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil
	}
	return raw
}
