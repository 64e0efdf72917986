package redis_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/adapter/redis"
	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/porttest/services"
	"github.com/blabber-hive/blabber-hive/internal/run"
)

func envelope(room chat.RoomID, seq chat.Seq) chat.Envelope {
	event := message(room, seq, "hello")
	return chat.Envelope{Room: room, Seq: seq, Kind: chat.KindMessage, Body: []byte(`{"seq":1}`), Event: &event}
}

func message(room chat.RoomID, seq chat.Seq, body string) chat.Event {
	at := time.UnixMilli(1_700_000_000_000 + int64(seq)).UTC()
	id := chat.MessageID{1, 2, byte(seq >> 8), byte(seq)}
	return chat.Event{Room: room, Seq: seq, Kind: chat.KindMessage, At: at, RecordID: id, Message: &chat.Message{
		ID: id, Room: room, Seq: seq, Body: body, CreatedAt: at, Fingerprint: chat.Fingerprint{byte(seq)},
	}}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Promise (DESIGN, What happens when something dies): while Redis is dead everybody is told at once and nobody waits for
// it; within two seconds of its return everything flows again, also to rooms that were entered meanwhile.
func TestRedisIsKilled(t *testing.T) {
	t.Parallel()
	place, server := own(t, nil)
	publisher, hearer := bus(t, place), bus(t, place)
	e := listen(t, hearer)
	e.await(t, "that the bus is up", e.up)
	before, meanwhile := chat.RoomID{15: 1}, chat.RoomID{15: 2}
	must(t, hearer.Subscribe(t.Context(), before))
	must(t, publisher.Publish(t.Context(), []chat.Envelope{envelope(before, 1)}))
	e.await(t, "an event", func() bool { return e.last() == 1 })
	for round := chat.Seq(2); round < 5; round++ {
		server.Kill()
		e.await(t, "that the bus is down", func() bool { return !e.up() })
		began := time.Now()
		for range 20 {
			if err := publisher.Publish(t.Context(), []chat.Envelope{envelope(before, round)}); chat.CodeOf(err) != chat.Unavailable {
				t.Errorf("publishing gives %v", err)
			}
			if err := publisher.Signal(t.Context(), chat.Signal{Kind: chat.SignalTyping}); chat.CodeOf(err) != chat.Unavailable {
				t.Errorf("signalling gives %v", err)
			}
			must(t, hearer.Subscribe(t.Context(), meanwhile))
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("60 calls without Redis took %v", took)
		}
		must(t, server.Restart(t.Context()))
		back := time.Now()
		e.await(t, "that the bus is up again", e.up)
		for err := errors.New("not yet"); err != nil; {
			err = publisher.Publish(t.Context(), []chat.Envelope{envelope(before, round+10), envelope(meanwhile, round+20)})
			must(t, run.Pause(t.Context(), 5*time.Millisecond))
		}
		e.await(t, "both rooms", func() bool { return e.last() == round+20 })
		if took := time.Since(back); took > 2*time.Second {
			t.Errorf("all flowed again after %v", took)
		} else {
			t.Logf("all flowed again %v after Redis was back", took)
		}
		must(t, hearer.Unsubscribe(t.Context(), meanwhile))
	}
}

// Promise: a Redis that hangs is given up within seconds, and taken up again when it goes on.
func TestRedisHangs(t *testing.T) {
	t.Parallel()
	place, server := own(t, nil)
	b := bus(t, place)
	e := listen(t, b)
	e.await(t, "that the bus is up", e.up)
	server.Stop()
	began := time.Now()
	if err := b.Publish(t.Context(), []chat.Envelope{envelope(chat.RoomID{1}, 1)}); chat.CodeOf(err) != chat.Unavailable || time.Since(began) > 3*time.Second {
		t.Errorf("after %v publishing gives %v", time.Since(began), err)
	}
	began = time.Now()
	for range 100 {
		if err := b.Publish(t.Context(), []chat.Envelope{envelope(chat.RoomID{1}, 1)}); chat.CodeOf(err) != chat.Unavailable {
			t.Errorf("publishing gives %v", err)
		}
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("a hundred further calls took %v", took)
	}
	e.await(t, "that the bus is down", func() bool { return !e.up() })
	server.Continue()
	e.await(t, "that the bus is up", e.up)
	for err := errors.New("not yet"); err != nil; {
		err = b.Publish(t.Context(), []chat.Envelope{envelope(chat.RoomID{1}, 1)})
		must(t, run.Pause(t.Context(), 5*time.Millisecond))
	}
}

// Promise: a node starts without Redis, says at once that the bus is down, and is joined when Redis comes; a Redis that
// refuses the node is told of instead.
func TestStartWithoutRedis(t *testing.T) {
	t.Parallel()
	place, server := own(t, nil)
	server.Kill()
	b := bus(t, place)
	e := listen(t, b)
	e.await(t, "that the bus is down", func() bool { return len(e.links) > 0 && !e.links[0] })
	room := chat.RoomID{15: 3}
	must(t, b.Subscribe(t.Context(), room))
	must(t, server.Restart(t.Context()))
	e.await(t, "that the bus is up", e.up)
	must(t, b.Publish(t.Context(), []chat.Envelope{envelope(room, 1)}))
	e.await(t, "an event", func() bool { return e.last() == 1 })

	for name, url := range map[string]string{
		"a wrong password": strings.Replace(place.URL, "default:", "default:not-", 1),
		"no URL at all":    "here:secret",
	} {
		c, err := redis.Open(t.Context(), options(services.RedisPlace{URL: url}))
		if err == nil {
			c.Close()
			t.Errorf("%s is taken", name)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error %q shows it", name, err)
		}
	}
}

// Promise: a signal for this node is dealt with when Signal returns, whether or not Redis is there, and once.
func TestSignalsAreDealtWithHere(t *testing.T) {
	t.Parallel()
	place, server := own(t, nil)
	b, other := bus(t, place), bus(t, place)
	e := listen(t, b)
	e.await(t, "that the bus is up", e.up)
	must(t, b.Signal(t.Context(), chat.Signal{Kind: chat.SignalProfileChanged}))
	must(t, other.Signal(t.Context(), chat.Signal{Kind: chat.SignalPresence})) // comes after what came back of the first
	e.await(t, "the other's signal", func() bool { return len(e.signals) > 0 && e.signals[len(e.signals)-1].Kind == chat.SignalPresence })
	if len(e.signals) != 2 {
		t.Errorf("heard %v", e.signals)
	}
	for _, alive := range []bool{true, false} {
		if !alive {
			server.Kill()
		}
		signal := chat.Signal{Kind: chat.SignalSessionEnded, User: chat.UserID{1}}
		if err := b.Signal(t.Context(), signal); (err == nil) != alive {
			t.Errorf("Signal gives %v", err)
		}
		e.mu.Lock()
		if len(e.signals) == 0 || e.signals[len(e.signals)-1] != signal {
			t.Errorf("alive %t: heard %v", alive, e.signals)
		}
		e.signals = nil
		e.mu.Unlock()
	}
}
