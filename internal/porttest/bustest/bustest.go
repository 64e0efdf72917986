// Package bustest is what every bus must pass: the one of a single process and that of a cluster.
//
// A bus joins two ports: sequencer.Bus, where numbered events are published, and gateway.Bus, where they are listened to.
package bustest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/gateway"
	"github.com/blabber-hive/blabber-hive/internal/run"
	"github.com/blabber-hive/blabber-hive/internal/sequencer"
)

// Bus is both halves.
type Bus interface {
	sequencer.Bus
	gateway.Bus
}

// Run holds a bus to its contract. open gives the nodes of a new one, at least one, cleaned up by t. Nothing may be lost
// while a test runs, though the contract would allow it.
func Run(t *testing.T, open func(t *testing.T) []Bus) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, []Bus){
		"envelopes of a room arrive whole and in order": envelopes,
		"only rooms that were subscribed to arrive":     subscriptions,
		"many rooms at once keep each its order":        manyRooms,
		"signals reach every node, the sender too":      signals,
		"listening ends with its context":               listening,
		"without a listener nobody waits":               unheard,
		"a bare head tells the number alone":            bareHeads,
		"the link is up once listening has begun":       linkUp,
		"who publishes whole events sends none of them": wholeEvents,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

func roomID(n int) chat.RoomID { return chat.RoomID{byte(n >> 8), byte(n), 1} }

func envelope(room chat.RoomID, seq chat.Seq) chat.Envelope {
	return chat.Envelope{Room: room, Seq: seq, Kind: chat.KindMessage, Body: fmt.Appendf(nil, `{"seq":%d,"body":"한글 \u0000"}`, seq)}
}

// ear is a listening node.
type ear struct {
	Bus
	mu        sync.Mutex
	envelopes []chat.Envelope
	signals   []chat.Signal
	links     []bool
	heard     chan struct{} // holds a token when something has been heard
}

// listen starts a node's listening, and returns when it has begun.
func listen(t *testing.T, bus Bus) *ear {
	t.Helper()
	e := &ear{Bus: bus, heard: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	var listening sync.WaitGroup
	listening.Go(func() {
		err := bus.Listen(ctx, func(envelopes []chat.Envelope) {
			e.mu.Lock()
			e.envelopes = append(e.envelopes, envelopes...)
			e.mu.Unlock()
			e.wake()
		}, func(signal chat.Signal) {
			e.mu.Lock()
			e.signals = append(e.signals, signal)
			e.mu.Unlock()
			e.wake()
		}, func(up bool) {
			e.mu.Lock()
			e.links = append(e.links, up)
			e.mu.Unlock()
			e.wake()
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Listen ended with %v", err)
		}
	})
	t.Cleanup(listening.Wait)
	t.Cleanup(cancel)
	e.await(t, "that the bus is up", func() bool { return slices.Contains(e.links, true) })
	probe := chat.Signal{Kind: chat.SignalProfileChanged, User: chat.UserID{0xee}}
	for !e.has(probe) { // what is signalled before the listening has begun is lost, and nothing else tells when that is
		if err := bus.Signal(t.Context(), probe); err != nil {
			t.Fatalf("signal: %v", err)
		}
		if err := run.Pause(t.Context(), time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
	return e
}

func (e *ear) wake() {
	select {
	case e.heard <- struct{}{}:
	default:
	}
}

func (e *ear) has(signal chat.Signal) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range e.signals {
		if cmp.Equal(e.signals[i], signal) {
			return true
		}
	}
	return false
}

// await waits until the condition holds of what was heard.
func (e *ear) await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		e.mu.Lock()
		ok := holds()
		e.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-e.heard:
		case <-ctx.Done():
			t.Fatalf("never heard %s", what)
		}
	}
}

func (e *ear) of(room chat.RoomID) (envelopes []chat.Envelope) {
	for _, envelope := range e.envelopes {
		if envelope.Room == room {
			envelopes = append(envelopes, envelope)
		}
	}
	return envelopes
}

func subscribe(t *testing.T, bus Bus, rooms ...chat.RoomID) {
	t.Helper()
	for _, room := range rooms {
		if err := bus.Subscribe(t.Context(), room); err != nil {
			t.Fatalf("subscribe: %v", err)
		}
	}
}

func publish(t *testing.T, bus Bus, envelopes ...chat.Envelope) {
	t.Helper()
	if err := bus.Publish(t.Context(), envelopes); err != nil {
		t.Fatalf("publish: %v", err)
	}
}

func envelopes(t *testing.T, nodes []Bus) {
	const events = 500
	room := roomID(1)
	var ears []*ear
	for _, node := range nodes {
		e := listen(t, node)
		subscribe(t, e, room)
		ears = append(ears, e)
	}
	var want []chat.Envelope
	for seq := chat.Seq(1); seq <= events; seq++ {
		envelope := envelope(room, seq)
		if seq%7 == 0 {
			envelope.Kind, envelope.Change, envelope.Subject = chat.KindMember, chat.MemberBanned, chat.UserID{byte(seq)}
		}
		want = append(want, envelope)
	}
	for from := 0; from < events; from += 50 {
		publish(t, nodes[0], want[from:from+50]...)
	}
	for i, e := range ears {
		e.await(t, "all events", func() bool { return len(e.envelopes) >= events })
		if !cmp.Equal(e.envelopes, want) {
			t.Errorf("node %d heard something else:\n%.2000s", i, cmp.Diff(want, e.envelopes))
		}
	}
}

func subscriptions(t *testing.T, nodes []Bus) {
	e := listen(t, nodes[0])
	heard, left, never, last := roomID(1), roomID(2), roomID(3), roomID(4)
	subscribe(t, e, heard, left, last)
	publish(t, e, envelope(heard, 1), envelope(left, 1), envelope(never, 1))
	e.await(t, "both rooms", func() bool { return len(e.of(heard)) == 1 && len(e.of(left)) == 1 })
	if err := e.Unsubscribe(t.Context(), left); err != nil {
		t.Fatalf("unsubscribe: %v", err)
	}
	publish(t, e, envelope(left, 2), envelope(never, 2), envelope(heard, 2))
	publish(t, e, envelope(last, 1))
	e.await(t, "the last event", func() bool { return len(e.of(heard)) == 2 && len(e.of(last)) == 1 })
	e.mu.Lock()
	gone, strange := len(e.of(left)), len(e.of(never))
	e.mu.Unlock()
	if gone != 1 || strange != 0 {
		t.Errorf("%d events of a room that was left, want 1; %d of one that was never subscribed to", gone, strange)
	}
	subscribe(t, e, left, left) // again, and twice, which is once
	publish(t, e, envelope(left, 3))
	e.await(t, "the room again", func() bool { return len(e.of(left)) == 2 })
}

func manyRooms(t *testing.T, nodes []Bus) {
	const rooms, events = 20, 100
	e := listen(t, nodes[len(nodes)-1])
	var working sync.WaitGroup
	for n := range rooms {
		subscribe(t, e, roomID(n))
		working.Go(func() {
			for seq := chat.Seq(1); seq <= events; seq++ {
				if err := nodes[0].Publish(t.Context(), []chat.Envelope{envelope(roomID(n), seq)}); err != nil {
					t.Errorf("publish: %v", err)
				}
			}
		})
		working.Go(func() { // others come and go meanwhile
			for range 20 {
				if err := errors.Join(e.Subscribe(t.Context(), roomID(1000+n)), e.Unsubscribe(t.Context(), roomID(1000+n))); err != nil {
					t.Errorf("subscribe and leave: %v", err)
				}
			}
		})
	}
	working.Wait()
	e.await(t, "all events", func() bool { return len(e.envelopes) >= rooms*events })
	e.mu.Lock()
	defer e.mu.Unlock()
	for n := range rooms {
		for i, envelope := range e.of(roomID(n)) {
			if envelope.Seq != chat.Seq(i)+1 {
				t.Fatalf("room %d: number %d came as the %d.", n, envelope.Seq, i+1)
			}
		}
	}
}

func signals(t *testing.T, nodes []Bus) {
	var ears []*ear
	for _, node := range nodes {
		ears = append(ears, listen(t, node))
	}
	profile := chat.Profile{ID: chat.UserID{1}, Username: "ada", DisplayName: "Ada", AvatarURL: "/a.png"}
	sent := []chat.Signal{
		{Kind: chat.SignalLeft, Room: roomID(1), User: profile.ID, Change: chat.MemberBanned},
		{Kind: chat.SignalSessionEnded, User: profile.ID, Session: chat.SessionID{2}, Except: chat.SessionID{3}},
		{Kind: chat.SignalRead, Room: roomID(1), User: profile.ID, Connection: "c1", Read: &chat.ReadState{ReadSeq: 4, UnreadFrom: 2, Unread: 3, Mentions: 1}},
		{Kind: chat.SignalTyping, Room: roomID(1), User: profile.ID, Profile: &profile},
		{Kind: chat.SignalPresence, User: profile.ID, Online: true},
	}
	for _, signal := range sent {
		if err := nodes[0].Signal(t.Context(), signal); err != nil {
			t.Fatalf("signal: %v", err)
		}
	}
	for i, e := range ears {
		for _, signal := range sent {
			e.await(t, fmt.Sprintf("signal %q at node %d", signal.Kind, i), func() bool {
				for j := range e.signals {
					if cmp.Equal(e.signals[j], signal) {
						return true
					}
				}
				return false
			})
		}
	}
}

func listening(t *testing.T, nodes []Bus) {
	for range 3 { // one after the other
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := nodes[0].Listen(ctx, func([]chat.Envelope) {}, func(chat.Signal) {}, func(bool) {})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Listen ended with %v", err)
		}
	}
	e := listen(t, nodes[0])
	subscribe(t, e, roomID(1))
	publish(t, e, envelope(roomID(1), 1))
	e.await(t, "an event after listening anew", func() bool { return len(e.envelopes) == 1 })
}

func unheard(t *testing.T, nodes []Bus) {
	subscribe(t, nodes[0], roomID(1))
	publish(t, nodes[0], envelope(roomID(1), 1))
	if err := nodes[0].Signal(t.Context(), chat.Signal{Kind: chat.SignalTyping}); err != nil {
		t.Errorf("signal: %v", err)
	}
}

// Promise: an envelope without a body arrives in its place among the others, as bare as it was.
func bareHeads(t *testing.T, nodes []Bus) {
	e := listen(t, nodes[len(nodes)-1])
	room := roomID(1)
	subscribe(t, e, room)
	want := []chat.Envelope{envelope(room, 1), {Room: room, Seq: 1}, envelope(room, 2), {Room: room, Seq: 1 << 62}}
	publish(t, nodes[0], want...)
	e.await(t, "four envelopes", func() bool { return len(e.envelopes) == 4 })
	if d := cmp.Diff(want, e.envelopes, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("heard something else:\n%s", d)
	}
}

// Promise: a listener is told that the bus is reached, before anything else happens to the link.
func linkUp(t *testing.T, nodes []Bus) {
	for _, node := range nodes {
		e := listen(t, node)
		e.await(t, "that the bus is up", func() bool { return len(e.links) > 0 && e.links[0] })
	}
}

// Promise: the whole event is for the bus itself; who listens gets what everybody gets.
func wholeEvents(t *testing.T, nodes []Bus) {
	e := listen(t, nodes[0])
	room := roomID(1)
	subscribe(t, e, room)
	whole := envelope(room, 1)
	whole.Event = &chat.Event{Room: room, Seq: 1, Kind: chat.KindMessage, Message: &chat.Message{Room: room, Seq: 1, Fingerprint: chat.Fingerprint{1}}}
	publish(t, nodes[0], whole)
	e.await(t, "an event", func() bool { return len(e.envelopes) == 1 })
	if d := cmp.Diff([]chat.Envelope{envelope(room, 1)}, e.envelopes); d != "" {
		t.Errorf("heard something else:\n%s", d)
	}
	if whole.Event == nil {
		t.Error("the publisher's own envelope lost its event")
	}
}
