package gateway_test

import (
	"encoding/json"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Promise (PROTOCOL §3, FIGURES §4 test 14): a client that does not read is closed with 4410 at its bound and comes back
// where it was; nobody else waits for it, not for a moment.
func TestSlowConsumer(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, w *world) {
		ann, eve := w.someone(t, "ann"), w.someone(t, "eve")
		room := w.room(t, chat.Public, ann, eve)
		witness, slow := w.sit(t, ann), w.sit(t, eve)
		start := w.head(t, room)
		body := strings.Repeat("x", chat.MessageRunesMax)

		began := time.Now()
		var last chat.Seq
		for range 300 { // 1.3 MB and more
			last = w.say(t, ann, room, body)
			witness.events(1)
		}
		if waited := time.Since(began); waited != 0 {
			t.Errorf("others waited %v for the slow one", waited)
		}

		var got []uint64
		for {
			read, err := slow.read()
			if err != nil {
				t.Fatalf("the slow one's connection ended without a goodbye: %v", err)
			}
			if read.Header.OpCode == ws.OpClose {
				code, _ := ws.ParseCloseFrameData(read.Payload)
				wantClosed(t, code, 4410)
				break
			}
			got = append(got, seqs([]frame{parse(t, read.Payload)})...)
		}
		position := start + chat.Seq(len(got))
		if want := span(start+1, position); !slices.Equal(got, want) {
			t.Errorf("before the end came %v, want %v", got, want)
		}
		back := w.sit(t, eve, room, position)
		if got, want := back.events(int(last-position)), span(position+1, last); !slices.Equal(got, want) {
			t.Errorf("resumed with %v, want %v", got, want)
		}
	})
}

func parse(t *testing.T, payload []byte) (f frame) {
	t.Helper()
	if err := json.Unmarshal(payload, &f); err != nil {
		t.Fatal(err)
	}
	return f
}

// Promise: a client that reads nothing at all, not even its goodbye, is gone soon after, with all that it held.
func TestDeadSocket(t *testing.T) {
	t.Parallel()
	for name, messages := range map[string]int{"over its bound": 300, "with little waiting": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, w *world) {
				ann, eve := w.someone(t, "ann"), w.someone(t, "eve")
				room := w.room(t, chat.Public, ann, eve)
				w.sit(t, eve)
				body := strings.Repeat("x", chat.MessageRunesMax)
				for range messages {
					w.say(t, ann, room, body)
				}
				<-time.After(15 * time.Second)
				synctest.Wait()
				if n := w.gateway.Connections(); n != 0 {
					t.Errorf("%d connections are left", n)
				}
			})
		})
	}
}

// counted counts what is written to a connection, and can hold it up.
type counted struct {
	net.Conn
	writes atomic.Int64
	bytes  atomic.Int64
	gate   chan struct{} // where set, each write waits for it to be closed
}

func (c *counted) Write(p []byte) (int, error) {
	c.writes.Add(1)
	c.bytes.Add(int64(len(p)))
	if c.gate != nil {
		<-c.gate
	}
	return c.Conn.Write(p)
}

// Promise (DESIGN, Delivery to many): what waits for a connection is written in as few system calls as fit a buffer, never
// one for each message.
func TestCoalescing(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, w *world) {
		ann := w.someone(t, "ann")
		room := w.room(t, chat.Public, ann)
		var socket *counted
		w.wrap = func(conn net.Conn) net.Conn { socket = &counted{Conn: conn}; return socket }
		c := w.sit(t, ann)
		synctest.Wait()
		before := socket.writes.Load()
		w.fill(t, ann, room, 500) // the first write waits for a reader, the others for the first
		synctest.Wait()
		started := socket.writes.Load()
		c.events(500)
		synctest.Wait()
		writes, bytes := socket.writes.Load()-before, socket.bytes.Load()
		if least := bytes/(64<<10) + 1; started-before != 1 || writes > least+2 {
			t.Errorf("500 events took %d writes for %d bytes", writes, bytes)
		}
	})
}
