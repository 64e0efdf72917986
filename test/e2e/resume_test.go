package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/run"
	"github.com/blabber-hive/blabber-hive/test/e2e/client"
)

// readPatience is how long one frame may take.
const readPatience = 20 * time.Second

// numberTries is how often a message that is acknowledged is sent again to learn its number; each takes 2 s at most.
const numberTries = 10

// Promise: a client that comes back after a restart with its positions gets what it missed, in order, then what happens
// from now on, with nothing missing and nothing twice between the two; if it missed too much it is told so.
//
//nolint:paralleltest // it needs the machine for itself
func TestResumeAfterRestart(t *testing.T) {
	everywhere(t, func(t *testing.T, at place) {
		ctx := t.Context()
		ada, err := client.SignUp(ctx, at.url(), at.who+"ada", secretMark+"-password")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(ada.Close)
		room, err := ada.CreateRoom(ctx, "tea")
		if err != nil {
			t.Fatal(err)
		}
		// Numbers are counted here, and a mood is one more for each message.
		if _, err := ada.Call(ctx, http.MethodPatch, "/rooms/"+room.String(), map[string]bool{"mood_enabled": false}, nil); err != nil {
			t.Fatal(err)
		}
		const first = 100
		said := say(t, ada, room, 0, first)
		const position = chat.Seq(10)
		for _, how := range []string{"killed", "stopped"} {
			t.Run(how, func(t *testing.T) {
				if how == "killed" {
					at.kill()
				} else {
					at.stop(t)
				}
				at.start()
				socket, stop := signIn(t, at.addr, ada, map[chat.RoomID]chat.Seq{room: position})
				defer stop()
				if frame := read(t, socket); frame.Type != "ready" {
					t.Fatalf("the first frame is %q, want ready", frame.Type)
				}
				said = append(said, say(t, ada, room, len(said), 5)...)
				next := position + 1
				for next <= said[len(said)-1] {
					frame := read(t, socket)
					if frame.Type != "event" {
						t.Fatalf("a frame is %q, want an event", frame.Type)
					}
					if frame.Event.Seq != next {
						t.Fatalf("an event has number %d, want %d", frame.Event.Seq, next)
					}
					next++
				}
			})
		}

		t.Run("too far behind", func(t *testing.T) {
			const tooMany = 1000
			said = append(said, sayAtOnce(t, ada, room, len(said), tooMany)...)
			head := said[len(said)-1]
			socket, stop := signIn(t, at.addr, ada, map[chat.RoomID]chat.Seq{room: position})
			defer stop()
			if frame := read(t, socket); frame.Type != "ready" {
				t.Fatalf("the first frame is %q, want ready", frame.Type)
			}
			if frame := read(t, socket); frame.Type != "reset" || frame.RoomID != room || frame.Head != head {
				t.Fatalf("after missing over %d events the frame is %+v, want a reset to %d", tooMany, frame, head)
			}
			live := say(t, ada, room, len(said), 1)[0]
			if frame := read(t, socket); frame.Type != "event" || frame.Event.Seq != live || live != head+1 {
				t.Fatalf("after the reset to %d the frame is %+v, want the event of number %d", head, frame, head+1)
			}
		})

		t.Run("a device catches up from /changes", func(t *testing.T) {
			device := client.NewDevice("ada's tablet", ada, at.addr, client.NewRecord(), []chat.RoomID{room})
			connected := run.NewGroup(ctx)
			connected.Go("stay connected", device.Run)
			defer func() {
				connected.Cancel()
				_ = connected.Wait() // it ends as it was told
			}()
			patience, cancel := context.WithTimeout(ctx, readPatience)
			defer cancel()
			if err := device.Quiet(patience, map[chat.RoomID]chat.Seq{room: said[len(said)-1] + 1}); err != nil {
				t.Error(err)
			}
			if stats := device.Stats(); stats.Resets != 1 || stats.Repairs != 1 || len(device.Failures()) > 0 {
				t.Errorf("it lived through %+v, %v; want one reset and one repair", stats, device.Failures())
			}
		})
	}, "--rate-limits", "off")
}

// say sends messages over HTTP and answers their numbers.
func say(t *testing.T, p *client.Person, room chat.RoomID, from, n int) []chat.Seq {
	t.Helper()
	seqs := make([]chat.Seq, 0, n)
	for k := range n {
		seq, err := numbered(t.Context(), p, room, fmt.Sprintf("%s %d", secretMark, from+k))
		if err != nil {
			t.Fatal(err)
		}
		seqs = append(seqs, seq)
	}
	return seqs
}

// sayAtOnce is say by many hands, for when the order of what is said does not matter.
func sayAtOnce(t *testing.T, p *client.Person, room chat.RoomID, from, n int) []chat.Seq {
	t.Helper()
	const hands = 16
	seqs := make([]chat.Seq, n)
	group := run.NewGroup(t.Context())
	for hand := range hands {
		group.Go("say", func(ctx context.Context) (err error) {
			for k := hand; k < n && err == nil; k += hands {
				seqs[k], err = numbered(ctx, p, room, fmt.Sprintf("%s %d", secretMark, from+k))
			}
			return err
		})
	}
	must(t, group.Wait())
	slices.Sort(seqs)
	return seqs
}

// numbered sends a message and answers its number.
func numbered(ctx context.Context, p *client.Person, room chat.RoomID, body string) (chat.Seq, error) {
	id := client.NewMessageID()
	sent, err := p.Send(ctx, room, id, body)
	// A cluster whose sequencers change acknowledges what it has not numbered yet; asked again, it tells the number.
	for tries := 0; err == nil && sent.Seq == 0 && tries < numberTries; tries++ {
		sent, err = p.Send(ctx, room, id, body)
	}
	return sent.Seq, err
}

// signIn opens a socket and sends its first frame.
func signIn(t *testing.T, addr string, p *client.Person, positions map[chat.RoomID]chat.Seq) (socket *client.Socket, stop func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), readPatience)
	socket, err := client.Dial(ctx, addr)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	ends := context.AfterFunc(ctx, socket.Close) // so that no read waits for ever
	if err := socket.Write(map[string]any{"type": "auth", "token": p.Token, "positions": positions}); err != nil {
		t.Error(err)
	}
	return socket, func() {
		ends()
		cancel()
		socket.Close()
	}
}

func read(t *testing.T, socket *client.Socket) client.Frame {
	t.Helper()
	frame, err := socket.Read()
	if err != nil {
		t.Fatal(err)
	}
	return frame
}
