package socket

import (
	"context"
	"slices"
	"time"
)

// gatherBytes is how much is written at once.
const gatherBytes = 64 << 10

// taken answers what waits, and whether it ends with the goodbye. Nothing waits: then the socket is out of the line.
func (s *Socket) taken() (frames [][]byte, last bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	frames = s.queue
	s.queue, s.queueBytes = nil, 0
	if len(frames) == 0 {
		s.writing = false
		return nil, false
	}
	if s.drained != nil {
		close(s.drained)
		s.drained = nil
	}
	return frames, !s.ended.IsZero()
}

// flush writes what waits, all of it in as few system calls as fit the buffer, until nothing waits or the socket takes no
// more. It does not wait for the socket. Copying beats writev here: frames are small, and the net package keeps a list of
// up to 1,024 buffers for every socket that ever saw a writev, 16 KiB of each connection that was busy once.
func (s *Socket) flush(buffer []byte, attempt *attempt) {
	for {
		if s.raw == nil {
			s.host.group.Go("write", func(context.Context) error {
				s.write(nil, false)
				return nil
			})
			return
		}
		frames, last := s.taken()
		if len(frames) == 0 {
			return
		}
		for len(frames) > 0 {
			var data []byte
			data, frames = gather(buffer, frames)
			n, err := attempt.write(s.raw, data)
			switch {
			case err != nil:
				s.Abort()
				frames = nil
			case n < len(data):
				rest := append([][]byte{slices.Clone(data[n:])}, frames...)
				s.host.group.Go("write to a full socket", func(context.Context) error {
					s.write(rest, last)
					return nil
				})
				return
			}
		}
		if last {
			s.halfClose()
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
func (s *Socket) write(frames [][]byte, last bool) {
	borrowed := s.host.gather.Get().(*[]byte) //nolint:forcetypeassert // the pool's New makes nothing else
	defer s.host.gather.Put(borrowed)
	for {
		if len(frames) == 0 {
			if frames, last = s.taken(); len(frames) == 0 {
				return
			}
		}
		var data []byte
		data, frames = gather(*borrowed, frames)
		s.waits(s.host.now())
		_, err := s.conn.Write(data)
		s.waits(time.Time{})
		switch {
		case err != nil:
			s.Abort()
			frames = nil
		case last && len(frames) == 0:
			s.halfClose()
		}
	}
}

// waits notes since when a write waits for the socket.
func (s *Socket) waits(since time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writeSince = since
}

// halfClose ends our direction only, so that the close frame reaches a client whose own frames are still on their way;
// the reader or the sweep closes the rest.
func (s *Socket) halfClose() {
	if tcp, ok := s.conn.(interface{ CloseWrite() error }); ok {
		_ = tcp.CloseWrite() // the peer may be gone already, which is what is wanted
		return
	}
	s.Abort()
}
