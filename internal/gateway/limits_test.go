package gateway_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"

	"github.com/blabber-hive/blabber-hive/internal/adapter/memory"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Promise (PROTOCOL §3): a connection that sends frames faster than allowed is closed with 4429, whatever the frames are:
// pings of the protocol or of RFC 6455, pongs, empty fragments, nonsense. The allowed rate is let through.
func TestFrameRate(t *testing.T) {
	t.Parallel()
	fragment := func(payload string) []byte {
		f := ws.NewFrame(ws.OpContinuation, false, []byte(payload))
		return masked(f)
	}
	for name, tc := range map[string]struct{ first, frame []byte }{
		"pings of the protocol":   {nil, textOf(`{"type":"ping"}`)},
		"pings of RFC 6455":       {nil, masked(ws.NewPingFrame([]byte("x")))},
		"pongs":                   {nil, masked(ws.NewPongFrame(nil))},
		"fragments of one byte":   {masked(ws.NewFrame(ws.OpText, false, []byte("{"))), fragment(" ")},
		"fragments of no byte":    {masked(ws.NewFrame(ws.OpText, false, nil)), fragment("")},
		"frames that are refused": {nil, textOf(`nonsense`)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, w *world) {
				c := w.sit(t, w.someone(t, "ann"))
				w.handlers.Go(func() {
					c.raw(tc.first)
					for range 250 { // within the burst, then at the allowed rate
						c.raw(tc.frame)
					}
					for range 120 {
						<-time.After(time.Second / 50)
						c.raw(tc.frame)
					}
					<-time.After(5 * time.Second)
					for range 400 { // and then too fast
						c.raw(tc.frame)
					}
				})
				began := time.Now()
				code := closedAfterAnything(t, c)
				wantClosed(t, code, 4429)
				if lasted := time.Since(began); lasted < 7*time.Second {
					t.Errorf("closed after %v, within the allowed rate", lasted)
				}
			})
		})
	}
}

// closedAfterAnything reads until the close frame, whatever comes before.
func closedAfterAnything(t *testing.T, c *client) ws.StatusCode {
	t.Helper()
	for {
		read, err := c.read()
		if err != nil {
			t.Fatalf("the connection ended without a close frame: %v", err)
		}
		if read.Header.OpCode == ws.OpClose {
			code, _ := ws.ParseCloseFrameData(read.Payload)
			return code
		}
	}
}

// Promise: with limits off a connection sends as fast as it can.
func TestUnlimitedFrames(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, w *world) {
		c := w.sit(t, w.someone(t, "ann"))
		for range 2000 {
			c.quiet()
		}
	}, unlimited)
}

// Promise: sends over the rate of a person are refused with how long to wait, over all of that person's connections, and
// the connection stays.
func TestSendRate(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, w *world) {
		ann := w.someone(t, "ann")
		room := w.room(t, chat.Public, ann)
		one, two := w.sit(t, ann), w.sit(t, ann)
		for range chat.SendBurst {
			one.send(room, "within the burst")
			one.both()
			two.expect("event")
		}
		id := two.send(room, "one too many")
		refusal := two.expect("error")
		if refusal.Code != "rate_limited" || refusal.ID != id || refusal.RetryAfterMS != 1000/chat.SendsPerSecond {
			t.Errorf("refused with %s", refusal)
		}
		<-time.After(time.Duration(refusal.RetryAfterMS) * time.Millisecond)
		two.send(room, "after waiting")
		two.both()
	}, func(o *options) { o.limiter = memory.NewLimiter(time.Now) })
}

// Promise (PROTOCOL §3): of somebody's typing at most one frame in 3 s counts, in whichever rooms; others in the room see
// it, the person does not.
func TestTyping(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, w *world) {
		ann, bob := w.someone(t, "ann"), w.someone(t, "bob")
		room, other := w.room(t, chat.Public, ann, bob), w.room(t, chat.Public, ann, bob)
		typist, watcher := w.sit(t, ann), w.sit(t, bob)
		types := func(id chat.RoomID) { typist.say(map[string]any{"type": "typing", "room_id": id}) }
		typist.ping()  // what sign-ins of others brought is read
		watcher.ping() // and the rooms are listened to
		for range 10 {
			types(room)
		}
		if f := watcher.expect("typing"); f.RoomID != room.String() || f.User.ID != ann.ID.String() {
			t.Errorf("got %s", f)
		}
		watcher.quiet()
		<-time.After(3 * time.Second)
		types(room)
		watcher.expect("typing")

		<-time.After(time.Second)
		types(other) // a switch of rooms counts at once
		watcher.expect("typing")
		for range 10 { // but not there and back again
			types(room)
			types(other)
		}
		typist.quiet()
		watcher.quiet()
	})
}

// Promise: nobody is told of each other's typing in a large room, which would cost a frame to everyone for each of everyone.
func TestTypingInALargeRoom(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, w *world) {
		ann, bob := w.someone(t, "ann"), w.someone(t, "bob")
		room := w.room(t, chat.Public, ann, bob)
		typist := w.sit(t, ann)
		watchers := make([]*client, 0, 200)
		for range 4 {
			for range 50 { // as many as one person may have
				watchers = append(watchers, w.sit(t, bob))
			}
			bob = w.someone(t, "bob"+string(rune('a'+len(watchers)/50)))
			w.join(t, bob, room)
		}
		watchers[0].ping()
		typist.say(map[string]any{"type": "typing", "room_id": room})
		synctest.Wait()
		_, before := watchers[0].ping()
		for _, f := range before {
			if f.Type == "typing" {
				t.Errorf("got %s", f)
			}
		}
		typist.ping()
	})
}

// Promise (PROTOCOL §3): others who share a room learn who comes and who has gone, once, and not of a quick reload.
func TestPresence(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, w *world) {
		ann, bob, eve := w.someone(t, "ann"), w.someone(t, "bob"), w.someone(t, "eve")
		w.room(t, chat.Public, ann, bob)
		w.room(t, chat.Public, ann, bob) // a second shared room tells nothing twice
		w.room(t, chat.Public, eve)
		watcher, stranger := w.sit(t, ann), w.sit(t, eve)

		first, second := w.sit(t, bob), w.sit(t, bob)
		if f := watcher.expect("presence"); f.UserID != bob.ID.String() || !f.Online {
			t.Errorf("got %s", f)
		}
		first.hangUp()
		second.hangUp()
		synctest.Wait()
		<-time.After(4 * time.Second)
		again := w.sit(t, bob) // within the grace
		<-time.After(10 * time.Second)
		again.hangUp()
		<-time.After(6 * time.Second)
		if f := watcher.expect("presence"); f.UserID != bob.ID.String() || f.Online {
			t.Errorf("got %s", f)
		}
		for _, c := range []*client{watcher, stranger} {
			if _, before := c.ping(); len(before) > 0 {
				t.Errorf("got %v", before)
			}
		}
	})
}

// Promise: ready names those of one's rooms who are here, each once.
func TestUsersOnline(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, w *world) {
		ann, bob, eve := w.someone(t, "ann"), w.someone(t, "bob"), w.someone(t, "eve")
		w.room(t, chat.Public, ann, bob)
		w.room(t, chat.Public, ann, bob)
		w.room(t, chat.Public, eve)
		w.sit(t, bob)
		w.sit(t, bob)
		w.sit(t, eve)
		synctest.Wait() // they are in their rooms, which ready does not wait for
		_, ready := w.connect(t, ann)
		if want := `"users_online":["` + bob.ID.String() + `"]`; !strings.Contains(ready.raw, want) {
			t.Errorf("ready is %s, want %s in it", ready, want)
		}
	})
}

// Promise (PROTOCOL §3): a read line that moves is told to that person's other devices, and to nobody else.
func TestRead(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, w *world) {
		ann, bob := w.someone(t, "ann"), w.someone(t, "bob")
		room := w.room(t, chat.Public, ann, bob)
		head := w.fill(t, ann, room, 5)
		phone, laptop, other := w.sit(t, bob), w.sit(t, bob), w.sit(t, ann)
		for _, tc := range []struct{ seq, want chat.Seq }{
			{head - 2, head - 2},
			{head - 4, head - 2}, // never back
			{head + 100, head},   // never past the head
			{1<<64 - 1, head},
		} {
			phone.say(map[string]any{"type": "read", "room_id": room, "seq": tc.seq})
			if f := laptop.expect("read"); f.ReadSeq != uint64(tc.want) || f.RoomID != room.String() {
				t.Errorf("read to %d gave %s, want %d", tc.seq, f, tc.want)
			}
		}
		phone.quiet()
		other.quiet()
	})
}

// Promise (PROTOCOL §3): ready is the first answer, also to whose read line moves on another device while the connection is
// being set up; that is told after it, since ready may be of the moment before.
func TestReadDuringSignIn(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, w *world) {
		bob := w.someone(t, "bob")
		room := w.room(t, chat.Public, bob)
		head := w.say(t, bob, room, "hello")
		var once atomic.Bool
		hook := func(chat.UserID) { // bob's rooms have been read, and ready has not been said
			if once.CompareAndSwap(false, true) {
				if _, err := w.history.MarkRead(t.Context(), bob.ID, room, head, "the other device"); err != nil {
					t.Error(err)
				}
			}
		}
		w.store.listed.Store(&hook)
		c := w.sit(t, bob)
		if f := c.expect("read"); f.ReadSeq != uint64(head) {
			t.Errorf("got %s, want %d", f, head)
		}
		c.quiet()
	})
}

// Promise (PROTOCOL §3): a gateway that drains says so with spread times, closes with 4503 at that time, takes nobody new,
// and what was sent before is acked.
func TestDrain(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, w *world) {
		ann := w.someone(t, "ann")
		room := w.room(t, chat.Public, ann)
		clients := make([]*client, 40)
		for i := range clients {
			clients[i] = w.sit(t, ann)
		}
		clients[0].send(room, "sent before")
		clients[0].both()
		for _, c := range clients[1:] {
			c.expect("event")
		}
		drained := make(chan error, 1)
		began := time.Now()
		w.handlers.Go(func() { drained <- w.gateway.Drain(t.Context(), 10*time.Second) })
		times := make(map[int64]bool)
		for _, c := range clients {
			f := c.expect("draining")
			if f.ReconnectIn < 0 || f.ReconnectIn > 10_000 {
				t.Errorf("got %s", f)
			}
			times[f.ReconnectIn] = true
		}
		if len(times) < 20 {
			t.Errorf("40 clients were spread over %d times", len(times))
		}
		if status := refusedHandshake(t, w); status != 503 {
			t.Errorf("a newcomer is answered with %d", status)
		}
		clients[0].send(room, "sent while draining")
		for _, c := range clients {
			w.handlers.Go(func() {
				if code := closedAfterAnything(t, c); code != 4503 {
					t.Errorf("closed with %d", code)
				}
			})
		}
		if err := <-drained; err != nil {
			t.Errorf("drained with %v", err)
		}
		if took := time.Since(began); took > 11*time.Second {
			t.Errorf("drained after %v", took)
		}
	})
}

// Promise: a drain that may not take as long as its clients do ends with its context.
func TestDrainCutShort(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, w *world) {
		c := w.sit(t, w.someone(t, "ann"))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := w.gateway.Drain(ctx, time.Hour); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("drained with %v", err)
		}
		c.expect("draining")
		c.quiet()
	})
}
