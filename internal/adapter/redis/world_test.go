package redis_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	rueidisclient "github.com/redis/rueidis"

	"github.com/blabber-hive/blabber-hive/internal/adapter/redis"
	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/porttest/bustest"
	"github.com/blabber-hive/blabber-hive/internal/porttest/services"
	"github.com/blabber-hive/blabber-hive/internal/run"
	"github.com/blabber-hive/blabber-hive/internal/wire"
)

// client is one node's way to a Redis.
func client(t testing.TB, place services.RedisPlace) *redis.Client {
	t.Helper()
	c, err := redis.Open(t.Context(), options(place))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func options(place services.RedisPlace) redis.Options {
	return redis.Options{
		URL: place.URL, Prefix: place.Prefix, EncodeEvent: wire.EncodeEvent, DecodeEvent: wire.DecodeEvent,
		Log: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(),
	}
}

func bus(t testing.TB, place services.RedisPlace) *redis.Bus {
	t.Helper()
	return redis.NewBus(client(t, place))
}

// own is a Redis that the test may break.
func own(t testing.TB, settings map[string]string) (services.RedisPlace, *services.Instance) {
	t.Helper()
	in, err := services.NewFolder(t).StartRedis(t.Context(), settings)
	if err != nil {
		t.Fatal(err)
	}
	return services.RedisPlace{URL: in.URL, Prefix: "own:"}, in
}

// cluster is a Redis Cluster of one node, which refuses whatever reaches over two slots as any other does.
func cluster(t *testing.T) services.RedisPlace {
	t.Helper()
	place, _ := own(t, map[string]string{"cluster-enabled": "yes"})
	option, err := rueidisclient.ParseURL(place.URL)
	if err != nil {
		t.Fatal(err)
	}
	option.ForceSingleClient, option.DisableCache = true, true
	plain, err := rueidisclient.NewClient(option)
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	for range 500 {
		_ = plain.Do(t.Context(), plain.B().Arbitrary("CLUSTER", "ADDSLOTSRANGE", "0", "16383").Build()).Error() // taken already, after the first time
		info, err := plain.Do(t.Context(), plain.B().ClusterInfo().Build()).ToString()
		if err == nil && strings.Contains(info, "cluster_state:ok") {
			return place
		}
		if err := run.Pause(t.Context(), 20*time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("the cluster never became whole")
	return place
}

// Promise: this is a bus, for one node and for several, on one Redis and on a Redis Cluster.
func TestBus(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		nodes int
		place func(t *testing.T) services.RedisPlace
	}{
		"one node":               {1, func(t *testing.T) services.RedisPlace { t.Helper(); return services.Redis(t) }},
		"three nodes":            {3, func(t *testing.T) services.RedisPlace { t.Helper(); return services.Redis(t) }},
		"two nodes on a cluster": {2, cluster},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			place := tc.place(t)
			var mu sync.Mutex
			tests := 0
			bustest.Run(t, func(t *testing.T) (nodes []bustest.Bus) {
				t.Helper()
				mu.Lock()
				tests++
				here := place
				here.Prefix += string(rune('a'+tests)) + ":"
				mu.Unlock()
				for range tc.nodes {
					nodes = append(nodes, bus(t, here))
				}
				return nodes
			})
		})
	}
}

// ear hears a bus until its test ends.
type ear struct {
	mu        sync.Mutex
	envelopes []chat.Envelope
	signals   []chat.Signal
	links     []bool
	heard     chan struct{}
}

func listen(t *testing.T, b *redis.Bus) *ear {
	t.Helper()
	e := &ear{heard: make(chan struct{}, 1)}
	note := func(fn func()) {
		e.mu.Lock()
		fn()
		e.mu.Unlock()
		select {
		case e.heard <- struct{}{}:
		default:
		}
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var listening sync.WaitGroup
	listening.Go(func() {
		_ = b.Listen(ctx, func(envelopes []chat.Envelope) { note(func() { e.envelopes = append(e.envelopes, envelopes...) }) },
			func(signal chat.Signal) { note(func() { e.signals = append(e.signals, signal) }) },
			func(up bool) { note(func() { e.links = append(e.links, up) }) })
	})
	t.Cleanup(listening.Wait)
	t.Cleanup(cancel)
	return e
}

// await waits until something holds of what was heard, and answers how long that took.
func (e *ear) await(t *testing.T, what string, holds func() bool) time.Duration {
	t.Helper()
	began := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for {
		e.mu.Lock()
		ok := holds()
		e.mu.Unlock()
		if ok {
			return time.Since(began)
		}
		select {
		case <-e.heard:
		case <-ctx.Done():
			t.Fatalf("never heard %s", what)
		}
	}
}

func (e *ear) up() bool { return len(e.links) > 0 && e.links[len(e.links)-1] }

func (e *ear) last() chat.Seq {
	if len(e.envelopes) == 0 {
		return 0
	}
	return e.envelopes[len(e.envelopes)-1].Seq
}
