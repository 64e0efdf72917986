package redis

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/porttest/bustest"
	"github.com/blabber-hive/blabber-hive/internal/porttest/services"
	"github.com/blabber-hive/blabber-hive/internal/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(services.During(m)) }

// open makes a node's client.
func open(t *testing.T, url, prefix string) *Client {
	t.Helper()
	client, err := Open(Options{
		URL: url, Prefix: prefix, EncodeEvent: wire.EncodeEvent, DecodeEvent: wire.DecodeEvent,
		Registry: prometheus.NewRegistry(), Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// Promise: it is a bus like any other.
func TestBus(t *testing.T) {
	t.Parallel()
	bustest.Run(t, func(t *testing.T) []bustest.Bus {
		place := services.Redis(t)
		return []bustest.Bus{open(t, place.URL, place.Prefix).Bus(), open(t, place.URL, place.Prefix).Bus()}
	})
}

func event(room chat.RoomID, seq chat.Seq, body string) *chat.Event {
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	sender := chat.Profile{ID: chat.UserID{7}, Username: "mina"}
	id := chat.MessageID{byte(seq >> 8), byte(seq), 1}
	return &chat.Event{
		Room: room, Seq: seq, Kind: chat.KindMessage, At: at, Actor: sender, RecordID: id,
		Message: &chat.Message{ID: id, Room: room, Seq: seq, Sender: sender, Body: body, CreatedAt: at},
	}
}

func publish(t *testing.T, bus *Bus, events ...*chat.Event) {
	t.Helper()
	envelopes := make([]chat.Envelope, len(events))
	for i, e := range events {
		envelopes[i] = chat.Envelope{Room: e.Room, Seq: e.Seq, Kind: e.Kind, Body: []byte("{}"), Event: e}
	}
	if err := bus.Publish(t.Context(), envelopes); err != nil {
		t.Fatal(err)
	}
}

func seqs(events []chat.Event) []chat.Seq {
	var list []chat.Seq
	for i := range events {
		list = append(list, events[i].Seq)
	}
	return list
}

// Promise (DESIGN, numbering 3): the newest 200 events of a room are kept, whole, each once however often it is published,
// and never with a gap inside.
func TestTail(t *testing.T) {
	t.Parallel()
	place := services.Redis(t)
	bus := open(t, place.URL, place.Prefix).Bus()
	room, other := chat.RoomID{1}, chat.RoomID{2}
	var all []*chat.Event
	for seq := chat.Seq(1); seq <= tailEvents+50; seq++ {
		all = append(all, event(room, seq, "hello"))
	}
	publish(t, bus, all...)
	publish(t, bus, all[200:]...) // another owner says it again
	publish(t, bus, event(other, 9, "elsewhere"))
	read := func(room chat.RoomID, after chat.Seq) []chat.Event {
		events, err := bus.Tail(t.Context(), room, after)
		if err != nil {
			t.Fatal(err)
		}
		return events
	}
	if got := read(room, 0); len(got) != tailEvents || got[0].Seq != 51 || got[tailEvents-1].Seq != 250 {
		t.Errorf("%d events are kept: %v", len(got), seqs(got))
	}
	if got := read(room, 248); !slices.Equal(seqs(got), []chat.Seq{249, 250}) || !cmp.Equal(got[0], *all[248]) {
		t.Errorf("after 248: %v\n%s", seqs(got), cmp.Diff(*all[248], got[0]))
	}
	if got := read(room, 250); len(got) > 0 {
		t.Errorf("after the last: %v", seqs(got))
	}
	publish(t, bus, event(room, 253, "252 was lost"), event(room, 254, "hello"))
	if got := read(room, 240); !slices.Equal(seqs(got), []chat.Seq{253, 254}) {
		t.Errorf("beyond a gap: %v", seqs(got))
	}
	heads, err := bus.Heads(t.Context(), []chat.RoomID{room, other, {3}})
	if want := map[chat.RoomID]chat.Seq{room: 254, other: 9}; err != nil || !cmp.Equal(heads, want) {
		t.Errorf("the heads are %v, %v; want %v", heads, err, want)
	}
}

// Promise (DESIGN, what happens when something dies): a Redis that is killed costs nobody more than a moment; when it is
// back, every subscription stands again within two seconds and without being asked for, and the listener is told.
func TestRedisDies(t *testing.T) {
	t.Parallel()
	redis, err := services.NewFolder(t).StartRedis(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	bus := open(t, redis.URL, "").Bus()
	room := chat.RoomID{1}
	if err := bus.Subscribe(t.Context(), room); err != nil {
		t.Fatal(err)
	}
	links, heard := make(chan bool, 100), make(chan chat.Seq, 100)
	ctx, cancel := context.WithCancel(t.Context())
	var listening sync.WaitGroup
	listening.Go(func() {
		_ = bus.Listen(ctx, func(envelopes []chat.Envelope) {
			for i := range envelopes {
				heard <- envelopes[i].Seq
			}
		}, func(chat.Signal) {}, func(up bool) { links <- up })
	})
	defer listening.Wait()
	defer cancel()
	if up := <-links; !up {
		t.Fatal("the link is down at once")
	}
	publish(t, bus, event(room, 1, "hello"))
	if seq := <-heard; seq != 1 {
		t.Fatalf("heard %d", seq)
	}
	redis.Kill()
	if up := <-links; up {
		t.Fatal("it is not told that the link is down")
	}
	began := time.Now()
	for range 50 {
		_ = bus.Publish(t.Context(), []chat.Envelope{{Room: room, Seq: 2}})
	}
	if took := time.Since(began); took > 2*callMax+awayFor {
		t.Errorf("50 publishings to a dead Redis took %v", took)
	}
	if err := redis.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	back := time.Now()
	for up := range links {
		if up {
			break
		}
	}
	t.Logf("the link is up %v after Redis", time.Since(back).Round(time.Millisecond))
	for bus.Publish(t.Context(), []chat.Envelope{{Room: room, Seq: 3}}) != nil {
		if t.Context().Err() != nil {
			t.Fatal("publishing never works again")
		}
	}
	if seq := <-heard; seq != 3 {
		t.Errorf("heard %d", seq)
	}
}

// Promise: an envelope arrives as it was sent, and what is none is refused.
func FuzzEnvelope(f *testing.F) {
	f.Add([]byte{1, 0, 0, 0, 0, 0, 0, 0, 9, 26: 0})
	f.Add(encode(&chat.Envelope{Seq: 7, Kind: chat.KindMember, Change: chat.MemberRemoved, Subject: chat.UserID{1}, Body: []byte("{}")}))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := decode(chat.RoomID{1}, b)
		if err != nil {
			return
		}
		if again := encode(&e); string(again) != string(b) {
			t.Errorf("%x is read as %+v, which is written as %x", b, e, again)
		}
	})
}
