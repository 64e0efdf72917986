package memory

import (
	"context"
	"math"
	"sync"
	"time"
)

// bucketsMax is how many keys a Limiter remembers; beyond it the full buckets are forgotten, which changes nothing, and
// if that is not enough all of them.
const bucketsMax = 100_000

// wholeToken is a token less what sums of fractions of one may lack: who waits as long as it was told is not refused again.
const wholeToken = 1 - 1e-9

// Limiter is token buckets by key: a bucket starts full and refills continuously.
type Limiter struct {
	now func() time.Time

	mu      sync.Mutex
	buckets map[string]bucket
}

type bucket struct {
	tokens    float64
	at        time.Time
	perSecond float64
	burst     float64
}

// NewLimiter makes a limiter that reads the time from now.
func NewLimiter(now func() time.Time) *Limiter {
	return &Limiter{now: now, buckets: make(map[string]bucket)}
}

// Allow takes one token from the key's bucket, or says in how long there will be one.
func (l *Limiter) Allow(_ context.Context, key string, perSecond float64, burst int) (time.Duration, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	b, ok := l.buckets[key]
	if !ok {
		if len(l.buckets) >= bucketsMax {
			l.prune(now)
		}
		b = bucket{tokens: float64(burst), at: now}
	}
	b.perSecond, b.burst = perSecond, float64(burst)
	b.tokens, b.at = b.level(now), now
	if b.tokens < wholeToken {
		l.buckets[key] = b
		return time.Duration(math.Ceil((1 - b.tokens) / perSecond * float64(time.Second))), false
	}
	b.tokens--
	l.buckets[key] = b
	return 0, true
}

func (b bucket) level(now time.Time) float64 {
	return min(b.burst, b.tokens+max(0, now.Sub(b.at).Seconds())*b.perSecond)
}

func (l *Limiter) prune(now time.Time) {
	for key, b := range l.buckets {
		if b.level(now) >= b.burst {
			delete(l.buckets, key)
		}
	}
	if len(l.buckets) >= bucketsMax {
		clear(l.buckets)
	}
}
