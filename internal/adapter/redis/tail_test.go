package redis_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	rueidisclient "github.com/redis/rueidis"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/porttest/services"
)

func seqs(events []chat.Event) (numbers []chat.Seq) {
	for i := range events {
		numbers = append(numbers, events[i].Seq)
	}
	return numbers
}

func span(from, through chat.Seq) (numbers []chat.Seq) {
	for seq := from; seq <= through; seq++ {
		numbers = append(numbers, seq)
	}
	return numbers
}

// Promise (DESIGN, Numbering 3): a tail is the newest 200 events of its room, whole, each once, however often and in
// whatever runs they are published.
func TestTail(t *testing.T) {
	t.Parallel()
	for name, place := range map[string]func(*testing.T) services.RedisPlace{
		"one Redis": func(t *testing.T) services.RedisPlace { t.Helper(); return services.Redis(t) },
		"a cluster": cluster,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := bus(t, place(t))
			room, other := chat.RoomID{15: 1}, chat.RoomID{15: 2}
			var all []chat.Envelope
			for seq := chat.Seq(1); seq <= 500; seq++ {
				all = append(all, envelope(room, seq))
				if seq%3 == 0 {
					all = append(all, envelope(other, seq/3))
				}
			}
			for some := range slices.Chunk(all, 70) {
				must(t, b.Publish(t.Context(), some))
			}
			must(t, b.Publish(t.Context(), all[len(all)-100:])) // by a sequencer that has taken over
			must(t, b.Publish(t.Context(), []chat.Envelope{{Room: room, Seq: 500}, {Room: other, Seq: 166}}))
			for after, want := range map[chat.Seq][]chat.Seq{
				0: span(301, 500), 300: span(301, 500), 301: span(302, 500), 499: span(500, 500), 500: nil, 600: nil,
			} {
				events, err := b.Tail(t.Context(), room, after)
				if err != nil || !slices.Equal(seqs(events), want) {
					t.Errorf("after %d: %v, %v", after, seqs(events), err)
				}
			}
			events, err := b.Tail(t.Context(), other, 165)
			if d := cmp.Diff([]chat.Event{message(other, 166, "hello")}, events); err != nil || d != "" {
				t.Errorf("%v: %s", err, d)
			}
			if events, err := b.Tail(t.Context(), chat.RoomID{9}, 0); err != nil || len(events) != 0 {
				t.Errorf("a room that nobody spoke in has %v, %v", events, err)
			}
			heads, err := b.Heads(t.Context(), []chat.RoomID{room, {9}, other})
			if want := map[chat.RoomID]chat.Seq{room: 500, other: 166}; err != nil || !cmp.Equal(heads, want) {
				t.Errorf("heads are %v, %v", heads, err)
			}
		})
	}
}

// Promise: an owner that was put aside and publishes old numbers again takes nothing back.
func TestTailAfterAZombie(t *testing.T) {
	t.Parallel()
	b := bus(t, services.Redis(t))
	room := chat.RoomID{15: 1}
	for _, seq := range []chat.Seq{1, 2, 3, 4, 5, 2, 3} {
		must(t, b.Publish(t.Context(), []chat.Envelope{envelope(room, seq)}))
	}
	events, err := b.Tail(t.Context(), room, 0)
	if err != nil || !slices.Equal(seqs(events), span(1, 5)) {
		t.Errorf("%v, %v", seqs(events), err)
	}
}

// Promise: what lies before an event that was lost is not given, as it is not known to be all; once the lost one has been
// published again it is.
func TestTailBeforeAHole(t *testing.T) {
	t.Parallel()
	b := bus(t, services.Redis(t))
	room := chat.RoomID{15: 1}
	for _, seq := range []chat.Seq{1, 2, 4, 5, 6} {
		must(t, b.Publish(t.Context(), []chat.Envelope{envelope(room, seq)}))
	}
	events, err := b.Tail(t.Context(), room, 0)
	if err != nil || !slices.Equal(seqs(events), span(4, 6)) {
		t.Errorf("%v, %v", seqs(events), err)
	}
	must(t, b.Publish(t.Context(), []chat.Envelope{envelope(room, 3)}))
	if events, err := b.Tail(t.Context(), room, 0); err != nil || !slices.Equal(seqs(events), span(1, 6)) {
		t.Errorf("with the lost one: %v, %v", seqs(events), err)
	}
}

// Promise: what a tail holds is bounded, in bytes, in numbers that were never published, and in time.
func TestTailIsBounded(t *testing.T) {
	t.Parallel()
	place := services.Redis(t)
	b := bus(t, place)
	room := chat.RoomID{15: 1}
	large := envelope(room, 2)
	whole := message(room, 2, strings.Repeat("x", 70<<10))
	large.Event = &whole
	must(t, b.Publish(t.Context(), []chat.Envelope{envelope(room, 1), large, envelope(room, 3)}))
	events, err := b.Tail(t.Context(), room, 0)
	if err != nil || !slices.Equal(seqs(events), []chat.Seq{3}) {
		t.Errorf("after a large event: %v, %v", seqs(events), err)
	}
	for seq := chat.Seq(1000); seq < 20_000; seq += 1000 { // most of it is lost on the way
		var some []chat.Envelope
		for n := range chat.Seq(100) {
			some = append(some, envelope(room, seq+n))
		}
		must(t, b.Publish(t.Context(), some))
	}
	option, err := rueidisclient.ParseURL(place.URL)
	must(t, err)
	plain, err := rueidisclient.NewClient(option)
	must(t, err)
	defer plain.Close()
	keys, err := plain.Do(t.Context(), plain.B().Keys().Pattern("*"+place.Prefix+"*"+room.String()).Build()).AsStrSlice()
	must(t, err)
	for _, key := range keys {
		if ttl, err := plain.Do(t.Context(), plain.B().Ttl().Key(key).Build()).AsInt64(); err != nil || ttl < 86000 || ttl > 86400 {
			t.Errorf("%s lives for %d seconds, %v", key, ttl, err)
		}
		if strings.Contains(key, "t:") {
			if kept, err := plain.Do(t.Context(), plain.B().Hlen().Key(key).Build()).AsInt64(); err != nil || kept > 300 {
				t.Errorf("the tail holds %d events, %v", kept, err)
			}
		}
	}
	if len(keys) != 2 {
		t.Errorf("the room has keys %v", keys)
	}
}
