package e2e_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/run"
	"github.com/blabber-hive/blabber-hive/test/e2e/client"
)

// ear is one connection of somebody to one node, and notes what it hears until it is closed. It never comes back.
type ear struct {
	t      *testing.T
	node   int
	socket *client.Socket

	mu      sync.Mutex
	last    map[chat.RoomID]chat.Seq
	events  int
	pongs   int
	left    map[chat.RoomID]time.Time
	ended   time.Time // zero while it is open
	why     error
	changed chan struct{} // closed at each change
}

// listen connects somebody to each node, not by way of the load balancer, until the test ends.
func (c *cluster) listen(t *testing.T, who *client.Person) []*ear {
	t.Helper()
	group := run.NewGroup(context.Background())
	ears := make([]*ear, len(c.nodes))
	t.Cleanup(func() {
		for _, e := range ears {
			if e != nil {
				e.socket.Close()
			}
		}
		_ = group.Wait() // they end with their sockets
	})
	for n, node := range c.nodes {
		socket, err := client.Dial(t.Context(), node.addr)
		if err != nil {
			t.Fatal(err)
		}
		e := &ear{
			t: t, node: n, socket: socket, last: make(map[chat.RoomID]chat.Seq), left: make(map[chat.RoomID]time.Time),
			changed: make(chan struct{}),
		}
		ears[n] = e
		if err := socket.Write(map[string]any{"type": "auth", "token": who.Token}); err != nil {
			t.Fatal(err)
		}
		group.Go("listen", func(context.Context) error {
			e.run()
			return nil
		})
	}
	return ears
}

func (e *ear) run() {
	for {
		frame, err := e.socket.Read()
		e.note(frame, err)
		if err != nil {
			return
		}
	}
}

func (e *ear) note(frame client.Frame, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case err != nil:
		e.ended, e.why = time.Now(), err
	case frame.Type == "event":
		e.events++
		e.last[frame.Event.RoomID] = frame.Event.Seq
	case frame.Type == "left":
		e.left[frame.RoomID] = time.Now()
	case frame.Type == "pong":
		e.pongs++
	}
	close(e.changed)
	e.changed = make(chan struct{})
}

// until waits until ok, called with the lock held, is true.
func (e *ear) until(what string, ok func() bool) {
	e.t.Helper()
	ctx, cancel := context.WithTimeout(e.t.Context(), quietPatience)
	defer cancel()
	for {
		e.mu.Lock()
		done, changed := ok(), e.changed
		e.mu.Unlock()
		if done {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			e.t.Fatalf("on node %d it never came to be that %s; it heard %s", e.node, what, e)
		}
	}
}

// hears waits for an event of the room that comes from now on.
func (e *ear) hears(room chat.RoomID) {
	e.t.Helper()
	e.mu.Lock()
	last := e.last[room]
	e.mu.Unlock()
	e.until(fmt.Sprintf("something was heard of room %s after %d", room, last), func() bool { return e.last[room] > last })
}

// drained waits until what the node had passed on by now has been heard.
func (e *ear) drained() {
	e.t.Helper()
	e.mu.Lock()
	pongs := e.pongs
	e.mu.Unlock()
	if err := e.socket.Write(map[string]string{"type": "ping"}); err != nil {
		e.t.Error(err)
	}
	e.until("a ping was answered", func() bool { return e.pongs > pongs })
}

func (e *ear) String() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return fmt.Sprintf("%d events, the end: %v", e.events, e.why)
}
