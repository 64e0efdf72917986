package redis_test

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	rueidisclient "github.com/redis/rueidis"

	"github.com/blabber-hive/blabber-hive/internal/adapter/redis"
	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/porttest/services"
)

// BenchmarkPublish hands over events with their tails: so many rooms at a time, so many events of each, by so many
// sequencers at once, with what Redis computes for each event.
func BenchmarkPublish(b *testing.B) {
	place := services.Redis(b)
	for _, tc := range []struct{ rooms, events, sequencers int }{{1, 1, 1}, {1, 1, 8}, {64, 1, 8}, {8, 8, 1}} {
		for _, delay := range []time.Duration{0, 20 * time.Microsecond, 100 * time.Microsecond} {
			b.Run(fmt.Sprintf("rooms=%d/events=%d/sequencers=%d/delay=%v", tc.rooms, tc.events, tc.sequencers, delay), func(b *testing.B) {
				o := options(place)
				o.FlushDelay = delay
				c, err := redis.Open(b.Context(), o)
				if err != nil {
					b.Fatal(err)
				}
				defer c.Close()
				bus := redis.NewBus(c)
				before := computed(b, place)
				b.ResetTimer()
				var publishing sync.WaitGroup
				for s := range tc.sequencers {
					publishing.Go(func() {
						for n := s; n < b.N; n += tc.sequencers {
							some := make([]chat.Envelope, 0, tc.rooms*tc.events)
							for r := range tc.rooms {
								for e := range tc.events {
									some = append(some, envelope(chat.RoomID{14: byte(s), 15: byte(r)}, chat.Seq(n*tc.events+e+1)))
								}
							}
							if err := bus.Publish(b.Context(), some); err != nil {
								b.Error(err)
							}
						}
					})
				}
				publishing.Wait()
				b.StopTimer()
				total := float64(b.N * tc.rooms * tc.events)
				b.ReportMetric(float64(b.Elapsed().Microseconds())/total, "µs/event")
				b.ReportMetric((computed(b, place)-before)*1e6/total, "µs-of-redis/event")
			})
		}
	}
}

// BenchmarkTail reads what is newer than the store: nothing, which is the common case, or all.
func BenchmarkTail(b *testing.B) {
	bus := bus(b, services.Redis(b))
	room := chat.RoomID{15: 1}
	for seq := chat.Seq(1); seq <= 200; seq++ {
		if err := bus.Publish(b.Context(), []chat.Envelope{envelope(room, seq)}); err != nil {
			b.Fatal(err)
		}
	}
	for name, after := range map[string]chat.Seq{"nothing newer": 200, "200 newer": 0} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := bus.Tail(b.Context(), room, after); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// computed is the CPU time that Redis has used, in seconds.
func computed(b *testing.B, place services.RedisPlace) (seconds float64) {
	b.Helper()
	option, err := rueidisclient.ParseURL(place.URL)
	if err != nil {
		b.Fatal(err)
	}
	plain, err := rueidisclient.NewClient(option)
	if err != nil {
		b.Fatal(err)
	}
	defer plain.Close()
	info, err := plain.Do(b.Context(), plain.B().Info().Section("cpu").Build()).ToString()
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.SplitSeq(info, "\r\n") {
		for _, name := range []string{"used_cpu_sys:", "used_cpu_user:"} {
			if value, ok := strings.CutPrefix(line, name); ok {
				n, _ := strconv.ParseFloat(value, 64)
				seconds += n
			}
		}
	}
	return seconds
}
