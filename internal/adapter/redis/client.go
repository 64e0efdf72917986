package redis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/rueidis"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/run"
)

const (
	dialPatience  = time.Second
	pingEvery     = time.Second     // of connections on which nothing happens
	replyPatience = 2 * time.Second // for the answer to a ping or a pipeline, before a connection is given up
	callPatience  = time.Second     // of most calls
	versionMin    = 7               // of Redis: the first with sharded pub/sub

	bufferBytes = 64 << 10 // of each connection and direction
)

// Options are what a client is told from outside.
type Options struct {
	// URL is what rueidis.ParseURL takes: redis, rediss (TLS) or unix; further nodes of a cluster or sentinels as addr=
	// parameters, master_set for sentinels.
	URL string
	// Prefix begins every name. Deployments that share a Redis need different ones.
	Prefix string
	// EncodeEvent and DecodeEvent are the form in which events are kept.
	EncodeEvent func(event *chat.Event) ([]byte, error)
	DecodeEvent func(data []byte) (chat.Event, error)
	// FlushDelay is how long a write may wait for others to go with it.
	FlushDelay time.Duration
	Log        *slog.Logger
	Registry   prometheus.Registerer
}

// Client is the way to Redis for all that this package does. Its methods may be called concurrently.
type Client struct {
	option  rueidis.ClientOption
	names   names
	encode  func(*chat.Event) ([]byte, error)
	decode  func([]byte) (chat.Event, error)
	log     *slog.Logger
	metrics *metrics
	group   *run.Group

	redis atomic.Pointer[rueidis.Client] // nil until Redis has been reached for the first time
	away  atomic.Bool
	lost  chan struct{} // holds a token when it has become away

	mu   sync.Mutex
	back []chan struct{} // each holds a token after Redis has come back
}

// Open makes a client. A Redis that cannot be reached is no error: a node starts without it and is joined to the others
// when it comes. One that refuses us, or is too old, is. Close must be called.
func Open(ctx context.Context, options Options) (*Client, error) {
	option, err := rueidis.ParseURL(options.URL)
	if err != nil {
		return nil, fmt.Errorf("read the URL of Redis: %w", withoutURL(err))
	}
	option.DisableRetry, option.DisableCache = true, true
	option.ClientName = "blabber-hive"
	option.MaxFlushDelay = options.FlushDelay
	option.Dialer.Timeout, option.Dialer.KeepAlive, option.ConnWriteTimeout = dialPatience, pingEvery, replyPatience
	option.ReadBufferEachConn, option.WriteBufferEachConn = bufferBytes, bufferBytes
	if option.Sentinel.MasterSet != "" {
		option.Sentinel.TopologyRefreshInterval = 5 * time.Second
	}
	c := &Client{
		option: option, names: newNames(options.Prefix), encode: options.EncodeEvent, decode: options.DecodeEvent,
		log: options.Log, metrics: newMetrics(options.Registry), lost: make(chan struct{}, 1),
		group: run.NewGroup(context.WithoutCancel(ctx)), // lives until Close
	}
	if err := c.reach(ctx); err != nil {
		if !transport(err) {
			c.Close()
			return nil, err
		}
		c.log.WarnContext(ctx, "Redis cannot be reached; what it does comes when it does", "error", err)
		c.markAway()
	}
	c.group.Go("wait for Redis", c.waitForRedis)
	return c, nil
}

// withoutURL leaves out of a parser's error what it was given: it may hold a password.
func withoutURL(err error) error {
	if strings.Contains(err.Error(), "://") {
		return errors.New("it is not one")
	}
	return err
}

// Close ends what the client does.
func (c *Client) Close() {
	c.group.Cancel()
	_ = c.group.Wait() // it was told to stop
	if redis := c.redis.Load(); redis != nil {
		(*redis).Close()
	}
}

// reach connects, where that has not been done, and asks whether Redis answers.
func (c *Client) reach(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, replyPatience)
	defer cancel()
	if redis := c.redis.Load(); redis != nil {
		// A write, not a ping: a replica, or a Redis that loads its data, would answer that.
		return (*redis).Do(ctx, (*redis).B().Set().Key(c.names.presence+"reached").Value("1").ExSeconds(60).Build()).Error()
	}
	redis, err := rueidis.NewClient(c.option)
	if err != nil {
		return fmt.Errorf("connect to Redis: %w", err)
	}
	if err := checkVersion(ctx, redis); err != nil {
		redis.Close()
		return err
	}
	c.redis.Store(&redis)
	return nil
}

func checkVersion(ctx context.Context, redis rueidis.Client) error {
	info, err := redis.Do(ctx, redis.B().Info().Section("server").Build()).ToString()
	if err != nil {
		return fmt.Errorf("ask Redis for its version: %w", err)
	}
	_, rest, _ := strings.Cut(info, "redis_version:")
	version, _, _ := strings.Cut(rest, "\r\n")
	major, _, _ := strings.Cut(version, ".")
	if n, err := strconv.Atoi(major); err != nil || n < versionMin {
		return fmt.Errorf("this is Redis %s; sharded pub/sub needs %d or newer", version, versionMin)
	}
	return nil
}

// transport reports whether an error says that Redis was not reached, rather than what it answered. A Redis that is
// loading its data, or has no primary, is not reached either.
func transport(err error) bool {
	if err == nil || rueidis.IsRedisNil(err) {
		return false
	}
	refusal, ok := errors.AsType[*rueidis.RedisError](err)
	if !ok {
		return true
	}
	return refusal.IsLoading() || refusal.IsClusterDown() || strings.HasPrefix(refusal.Error(), "READONLY") || strings.HasPrefix(refusal.Error(), "MASTERDOWN")
}

func (c *Client) markAway() {
	if c.away.Swap(true) {
		return
	}
	c.metrics.up.Set(0)
	select {
	case c.lost <- struct{}{}:
	default: // the one who waits has been told
	}
}

// waitForRedis asks a Redis that is away until it answers.
func (c *Client) waitForRedis(ctx context.Context) error {
	for {
		select {
		case <-c.lost:
		case <-ctx.Done():
			return ctx.Err()
		}
		backoff := reconnecting()
		for {
			err := c.reach(ctx)
			if err == nil {
				break
			}
			if !transport(err) {
				c.log.ErrorContext(ctx, "Redis refuses this node", "error", err)
			}
			if err := backoff.Wait(ctx); err != nil {
				return err
			}
		}
		c.metrics.reconnects.Inc()
		c.metrics.up.Set(1)
		c.away.Store(false)
		c.tellBack()
	}
}

// reconnecting is how often a Redis that is away is tried: often enough that all is well within two seconds of its return.
func reconnecting() run.Backoff {
	return run.Backoff{First: 50 * time.Millisecond, Max: 500 * time.Millisecond}
}

// watchBack gives a channel that holds a token after each return of Redis.
func (c *Client) watchBack() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	back := make(chan struct{}, 1)
	c.back = append(c.back, back)
	return back
}

func (c *Client) tellBack() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, back := range c.back {
		select {
		case back <- struct{}{}:
		default: // it has not seen the last return yet
		}
	}
}

var errAway = errors.New("Redis is not reached") //nolint:staticcheck // a name

// client is the connected client, or chat.Unavailable while Redis is away.
func (c *Client) client() (rueidis.Client, error) {
	redis := c.redis.Load()
	if redis == nil || c.away.Load() {
		return nil, unavailable(errAway)
	}
	return *redis, nil
}

func unavailable(cause error) error { return chat.Away("Redis", cause) }

// pipeline sends commands in one go and gives their answers. An error is that Redis was not reached: then some may have
// been done.
func (c *Client) pipeline(ctx context.Context, patience time.Duration, build func(b rueidis.Builder) rueidis.Commands) ([]rueidis.RedisResult, error) {
	redis, err := c.client()
	if err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	results := redis.DoMulti(limited, build(redis.B())...)
	for i := range results {
		if err := results[i].Error(); transport(err) {
			if ctx.Err() != nil {
				return nil, fmt.Errorf("call Redis: %w", ctx.Err()) // the caller gave up; that says nothing of Redis
			}
			c.markAway()
			return nil, unavailable(err)
		}
	}
	return results, nil
}

// script runs a Lua script.
func (c *Client) script(ctx context.Context, patience time.Duration, lua *rueidis.Lua, keys, args []string) (rueidis.RedisResult, error) {
	redis, err := c.client()
	if err != nil {
		return rueidis.RedisResult{}, err
	}
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	result := lua.Exec(limited, redis, keys, args)
	if err := result.Error(); transport(err) {
		if ctx.Err() != nil {
			return result, fmt.Errorf("call Redis: %w", ctx.Err())
		}
		c.markAway()
		return result, unavailable(err)
	}
	return result, nil
}
