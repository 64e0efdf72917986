package redis

import (
	"context"
	_ "embed" // the script
	"strconv"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"
)

const (
	// limitPatience is how long a send waits for its limit to be known, and limitRest how long nobody asks after one had
	// waited that long: a Redis that is slow must not make everybody slow.
	limitPatience = 100 * time.Millisecond
	limitRest     = time.Second
)

//go:embed limiter.lua
var limiterSource string

// Local decides about limits without Redis.
type Local interface {
	Allow(ctx context.Context, key string, perSecond float64, burst int) (retryAfter time.Duration, ok bool)
}

// Limiter is token buckets that all nodes share. While Redis is away or slow the process decides alone, so that a limit
// never stops anybody because of Redis; over all nodes a person then has a bucket on each.
type Limiter struct {
	*Client
	lua    *rueidis.Lua
	local  Local
	rested atomic.Int64 // when Redis may be asked again, in Unix nanoseconds
}

// NewLimiter makes a limiter that falls back on local.
func NewLimiter(client *Client, local Local) *Limiter {
	return &Limiter{Client: client, lua: rueidis.NewLuaScript(limiterSource), local: local}
}

// Allow implements message.Limiter.
func (l *Limiter) Allow(ctx context.Context, key string, perSecond float64, burst int) (retryAfter time.Duration, ok bool) {
	wait, asked := l.ask(ctx, key, perSecond, burst)
	if !asked {
		l.metrics.local.Inc()
		return l.local.Allow(ctx, key, perSecond, burst)
	}
	return wait, wait == 0
}

func (l *Limiter) ask(ctx context.Context, key string, perSecond float64, burst int) (wait time.Duration, asked bool) {
	redis, err := l.client()
	if err != nil || time.Now().UnixNano() < l.rested.Load() {
		return 0, false
	}
	ctx, cancel := context.WithTimeout(ctx, limitPatience)
	defer cancel()
	micros, err := l.lua.Exec(ctx, redis, []string{l.names.limit + key},
		[]string{strconv.FormatFloat(perSecond, 'g', -1, 64), strconv.Itoa(burst)}).AsInt64()
	if err != nil {
		l.rested.Store(time.Now().Add(limitRest).UnixNano())
		return 0, false
	}
	return time.Duration(micros) * time.Microsecond, true
}
