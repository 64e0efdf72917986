package kafka_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// BenchmarkAppend measures acks a second and the time of the middle one, by how long a batch waits for company. Senders
// wait for each ack before they send again, so what a batch waits is lost to all in it.
func BenchmarkAppend(b *testing.B) {
	for _, senders := range []int{1, 16, 256} {
		for _, linger := range []time.Duration{time.Nanosecond, 500 * time.Microsecond, time.Millisecond, 2 * time.Millisecond} {
			b.Run(fmt.Sprintf("senders=%d/linger=%v", senders, linger), func(b *testing.B) {
				o := options(b, 4)
				o.Linger = linger
				log := open(b, o)
				rooms := make([]chat.RoomID, 64)
				for i := range rooms {
					rooms[i] = chat.RoomID{byte(i)}
				}
				var serial atomic.Int64
				times := make([]time.Duration, b.N)
				b.ResetTimer()
				var sending sync.WaitGroup
				for range senders {
					sending.Go(func() {
						told := make(chan error, 1)
						for {
							n := int(serial.Add(1)) - 1
							if n >= b.N {
								return
							}
							r := message(n)
							r.Room = rooms[n%len(rooms)]
							began := time.Now()
							if err := log.Append(context.Background(), r, func(_ chat.Receipt, err error) { told <- err }); err != nil {
								b.Error(err)
								return
							}
							if err := <-told; err != nil {
								b.Error(err)
							}
							times[n] = time.Since(began)
						}
					})
				}
				sending.Wait()
				b.StopTimer()
				slices.Sort(times)
				b.ReportMetric(float64(times[len(times)/2].Microseconds()), "µs-p50")
				b.ReportMetric(float64(times[len(times)*99/100].Microseconds()), "µs-p99")
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "acks/s")
			})
		}
	}
}

// BenchmarkRead measures records a second from a backlog, for one reader and for two at different places.
func BenchmarkRead(b *testing.B) {
	const backlog = 50_000
	log := open(b, options(b, 1))
	told := make(chan error, backlog)
	for serial := range backlog {
		if err := log.Append(context.Background(), message(serial), func(_ chat.Receipt, err error) { told <- err }); err != nil {
			b.Fatal(err)
		}
	}
	for range backlog {
		if err := <-told; err != nil {
			b.Fatal(err)
		}
	}
	read := func() {
		for from := chat.Offset(0); from < backlog; {
			run, err := log.Read(context.Background(), 0, from)
			if err != nil {
				b.Error(err)
				return
			}
			from = run.To
		}
	}
	read() // starts the feed; from here on the beginning has left memory
	for b.Loop() {
		read()
	}
	b.ReportMetric(backlog*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
