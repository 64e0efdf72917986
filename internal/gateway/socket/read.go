package socket

import "io"

// Serve reads what the client says and tells the Client of it, one thing after the other, until the socket ends or its
// frames cannot be read on; the errors above say why. early is what came with the handshake.
//
// Most of the time it waits, and what it waits with is what a connection costs: keep the way from whoever calls it to the
// wait short and its frames small, so that the goroutine's stack shrinks back to its least after each message. (The
// runtime halves a stack only while a quarter of it, less some 800 bytes, holds what is in use: 1,248 bytes for 4 KiB.)
func (s *Socket) Serve(early []byte) error {
	for {
		in, err := s.await(early)
		if err != nil {
			return err
		}
		early = nil
		err = in.all()
		in.end()
		s.host.inbounds.Put(in)
		if err != nil {
			return err
		}
	}
}

// await answers a borrowed reader as soon as bytes have come.
func (s *Socket) await(early []byte) (*inbound, error) {
	if len(early) == 0 && s.raw != nil {
		return s.awaitRaw()
	}
	return s.awaitConn(early)
}

// awaitConn is await for what came early, and for connections that are not sockets.
func (s *Socket) awaitConn(early []byte) (*inbound, error) {
	in := s.host.inbounds.Get().(*inbound) //nolint:forcetypeassert // the pool's New makes nothing else
	n := copy(in.first[:], early)
	if n == 0 {
		var err error
		if n, err = s.conn.Read(in.first[:]); err != nil {
			return nil, err
		}
	}
	in.begin(s.client, n, s.conn)
	return in, nil
}

// Discard reads on to the end without a look, so that unread bytes do not turn our close frame into a reset. The sweep
// bounds it.
func (s *Socket) Discard() {
	_, _ = io.Copy(io.Discard, s.conn) // its error is the end that it waits for
}

// EarlyMax is how much that came with the handshake Serve takes.
const EarlyMax = readBufferBytes
