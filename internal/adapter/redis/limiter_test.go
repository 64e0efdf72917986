package redis_test

import (
	"sync"
	"testing"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/adapter/memory"
	"github.com/blabber-hive/blabber-hive/internal/adapter/redis"
	"github.com/blabber-hive/blabber-hive/internal/porttest/services"
	"github.com/blabber-hive/blabber-hive/internal/run"
)

// Promise: all nodes draw from one bucket, which holds burst tokens and gains perSecond of them; who waits as long as it
// was told is allowed.
func TestLimiterIsShared(t *testing.T) {
	t.Parallel()
	place := services.Redis(t)
	var nodes []*redis.Limiter
	for range 3 {
		nodes = append(nodes, redis.NewLimiter(client(t, place), memory.NewLimiter(time.Now)))
	}
	nodes[0].Allow(t.Context(), "warm", 1, 1) // connects
	began := time.Now()
	var mu sync.Mutex
	allowed, waits := 0, time.Duration(0)
	var asking sync.WaitGroup
	for n := range 60 {
		asking.Go(func() {
			wait, ok := nodes[n%3].Allow(t.Context(), "send:ada", 2, 20)
			mu.Lock()
			defer mu.Unlock()
			if ok {
				allowed++
			} else {
				waits = max(waits, wait)
			}
		})
	}
	asking.Wait()
	if most := 20 + int(time.Since(began).Seconds()*2) + 1; allowed < 20 || allowed > most {
		t.Errorf("%d of 60 were allowed, want 20 to %d", allowed, most)
	}
	if waits <= 0 || waits > 600*time.Millisecond {
		t.Errorf("told to wait for %v", waits)
	}
	must(t, run.Pause(t.Context(), waits))
	if wait, ok := nodes[1].Allow(t.Context(), "send:ada", 2, 20); !ok {
		t.Errorf("told to wait for %v, and refused then, for another %v", waits, wait)
	}
	if _, ok := nodes[1].Allow(t.Context(), "send:bob", 2, 20); !ok {
		t.Error("bob pays for ada")
	}
}

// Promise: without Redis, or with one that hangs, the process decides alone and nobody waits long.
func TestLimiterWithoutRedis(t *testing.T) {
	t.Parallel()
	for name, take := range map[string]func(*services.Instance){"killed": (*services.Instance).Kill, "hanging": (*services.Instance).Stop} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			place, server := own(t, nil)
			limiter := redis.NewLimiter(client(t, place), memory.NewLimiter(time.Now))
			limiter.Allow(t.Context(), "ada", 1, 5)
			take(server)
			began := time.Now()
			allowed := 0
			for range 10 {
				if _, ok := limiter.Allow(t.Context(), "ada", 0.001, 5); ok {
					allowed++
				}
			}
			if allowed != 5 {
				t.Errorf("%d were allowed, want 5", allowed)
			}
			if took := time.Since(began); took > time.Second {
				t.Errorf("ten questions took %v", took)
			}
			server.Continue()
		})
	}
}
