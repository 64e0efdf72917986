package memory_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/blabber-hive/blabber-hive/internal/adapter/memory"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// clock is a clock that is set by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) read() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Promise: within any time no more than the burst and what was gained is allowed, and who waits as long as it was told is
// allowed then.
func TestLimiterKeepsItsRate(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := &clock{now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
		limiter := memory.NewLimiter(c.read)
		perSecond := rapid.SampledFrom([]float64{0.1, 1, 3, 7, 10, 100}).Draw(t, "a second")
		burst := rapid.IntRange(1, 30).Draw(t, "burst")
		began, allowed := c.now, 0
		for range rapid.IntRange(1, 100).Draw(t, "calls") {
			c.pass(time.Duration(rapid.Int64Range(0, int64(2*time.Second)).Draw(t, "pause")))
			wait, ok := limiter.Allow(t.Context(), "ada", perSecond, burst)
			if ok {
				allowed++
				continue
			}
			if wait <= 0 {
				t.Fatalf("refused, and told to wait for %v", wait)
			}
			c.pass(wait)
			if again, ok := limiter.Allow(t.Context(), "ada", perSecond, burst); !ok {
				t.Fatalf("told to wait for %v, and refused then, for another %v", wait, again)
			}
			allowed++
		}
		if most := float64(burst) + c.now.Sub(began).Seconds()*perSecond + 1e-6; float64(allowed) > most {
			t.Fatalf("%d were allowed in %v, at most %.2f may be", allowed, c.now.Sub(began), most)
		}
	})
}

// Promise: one key's calls cost no other's.
func TestLimiterKeysAreApart(t *testing.T) {
	t.Parallel()
	c := &clock{now: time.Unix(0, 0)}
	limiter := memory.NewLimiter(c.read)
	for range 3 {
		limiter.Allow(t.Context(), "ada", 1, 2)
	}
	if _, ok := limiter.Allow(t.Context(), "bob", 1, 2); !ok {
		t.Error("bob pays for ada")
	}
	c.pass(-time.Hour) // a clock that is put back gives nothing
	if _, ok := limiter.Allow(t.Context(), "ada", 1, 2); ok {
		t.Error("a clock that was put back filled the bucket")
	}
}

// Promise: the memory for keys is bounded, and a flood of new ones does not forget those that wait, as long as full
// buckets can be forgotten instead.
func TestLimiterIsBounded(t *testing.T) {
	t.Parallel()
	c := &clock{now: time.Unix(0, 0)}
	limiter := memory.NewLimiter(c.read)
	for range 100_000 - 1 {
		limiter.Allow(t.Context(), fmt.Sprint(c.now.UnixNano()), 1000, 1)
		c.pass(1)
	}
	c.pass(time.Second)
	limiter.Allow(t.Context(), "ada", 0.001, 1)
	limiter.Allow(t.Context(), "bob", 1, 1)
	if _, ok := limiter.Allow(t.Context(), "ada", 0.001, 1); ok {
		t.Error("ada's empty bucket was forgotten")
	}
}

// Promise: a person comes with the first connection and goes with the last, whoever counts at the same time.
func TestPresenceCounts(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	presence := &memory.Presence{}
	ada, bob := chat.UserID{1}, chat.UserID{2}
	var firsts, lasts int
	var mu sync.Mutex
	var working sync.WaitGroup
	for range 50 {
		working.Go(func() {
			first, err := presence.Connected(ctx, ada)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			if first {
				firsts++
			}
		})
	}
	working.Wait()
	if online, err := presence.Online(ctx, []chat.UserID{bob, ada}); err != nil || online[0] || !online[1] {
		t.Errorf("online are %v, %v", online, err)
	}
	for range 50 {
		working.Go(func() {
			last, err := presence.Disconnected(ctx, ada)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			if last {
				lasts++
			}
		})
	}
	working.Wait()
	if firsts != 1 || lasts != 1 {
		t.Errorf("ada came %d times and went %d times", firsts, lasts)
	}
	if online, err := presence.Online(ctx, []chat.UserID{ada}); err != nil || online[0] {
		t.Errorf("ada is still online, %v", err)
	}
	if last, err := presence.Disconnected(ctx, bob); err != nil || last {
		t.Errorf("bob, who never came, has gone: %t, %v", last, err)
	}
}
