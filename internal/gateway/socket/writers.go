package socket

import (
	"context"
	"runtime"
	"sync"

	"github.com/blabber-hive/blabber-hive/internal/run"
)

// writersTake is how many sockets a writer takes at a time: enough that the lock is cheap, few enough that the others
// get their share of a busy room.
const writersTake = 32

// writers write to sockets that have frames waiting, a few goroutines for all of them. A socket stands in line at
// most once; whatever is queued for it until its turn comes is written together.
//
// A writer never waits for a socket. What a socket does not take at once becomes the work of a goroutine of its own, and
// so does one that cannot be written to without waiting, such as a pipe.
//
// Its lock is the last one to be taken: under it no other is.
type writers struct {
	group *run.Group

	mu      sync.Mutex
	some    sync.Cond // signalled when the line or the end has come
	line    []*Socket // from next on
	next    int
	resting int
	ended   bool
}

func newWriters(group *run.Group) *writers {
	w := &writers{group: group}
	w.some.L = &w.mu
	return w
}

// start starts the writers, which run until the group's context ends.
func (w *writers) start() {
	w.group.Go("end the writers", func(ctx context.Context) error {
		<-ctx.Done()
		w.mu.Lock()
		defer w.mu.Unlock()
		w.ended = true
		w.some.Broadcast()
		return nil
	})
	for range runtime.GOMAXPROCS(0) {
		w.group.Go("write", func(context.Context) error {
			w.work()
			return nil
		})
	}
}

// add puts sockets at the end of the line.
func (w *writers) add(sockets ...*Socket) {
	if len(sockets) == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.line = append(w.line, sockets...)
	for range min(w.resting, (len(sockets)+writersTake-1)/writersTake) {
		w.some.Signal()
	}
}

func (w *writers) work() {
	buffer := make([]byte, 0, gatherBytes)
	taken := make([]*Socket, 0, writersTake)
	attempt := newAttempt()
	for {
		taken = w.take(taken[:0])
		if len(taken) == 0 {
			return
		}
		for _, s := range taken {
			s.flush(buffer, attempt)
		}
	}
}

// take waits for the front of the line; nothing means the end.
func (w *writers) take(taken []*Socket) []*Socket {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.next == len(w.line) && !w.ended {
		w.resting++
		w.some.Wait()
		w.resting--
	}
	if w.ended {
		return nil
	}
	end := min(w.next+writersTake, len(w.line))
	taken = append(taken, w.line[w.next:end]...)
	clear(w.line[w.next:end])
	w.next = end
	if w.next == len(w.line) {
		w.line, w.next = w.line[:0], 0
	}
	return taken
}
