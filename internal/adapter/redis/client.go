package redis

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/rueidis"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

const (
	dialMax  = time.Second     // for a connection to be made
	writeMax = 3 * time.Second // for a command to be answered, and after what silence a connection is given up
	// callMax bounds a call that somebody waits for.
	callMax = 750 * time.Millisecond
	// flushDelay lets commands that are given at nearly the same moment travel in one write.
	flushDelay = 20 * time.Microsecond
)

// Options say where Redis is and how to use it.
type Options struct {
	// URL is as rueidis.ParseURL understands it: redis://, rediss:// for TLS, unix://; several addresses of a cluster as
	// ?addr=, a sentinel's master as ?master_set=.
	URL string
	// Prefix begins every key and channel; "hive:" if empty.
	Prefix string
	// EncodeEvent and DecodeEvent are how an event stands in a room's tail.
	EncodeEvent func(*chat.Event) ([]byte, error)
	DecodeEvent func([]byte) (chat.Event, error)
	Registry    prometheus.Registerer
	Logger      *slog.Logger
}

const prefixDefault = "hive:"

// Client is one node's connection to Redis. Close must be called after everything that uses it has ended.
type Client struct {
	redis   rueidis.Client
	options Options
	node    string // this process, for as long as it lives
	metrics *metrics
}

// Open makes the client. Redis must be there now; later chat goes on without it.
func Open(options Options) (*Client, error) {
	parsed, err := rueidis.ParseURL(options.URL)
	if err != nil {
		return nil, errors.New("the address of Redis cannot be read: give one like redis://host:6379") // the cause may hold its password
	}
	parsed.Dialer = net.Dialer{Timeout: dialMax, KeepAlive: writeMax}
	parsed.ConnWriteTimeout = writeMax
	parsed.MaxFlushDelay = flushDelay
	parsed.DisableRetry = true // who calls knows better what is worth a second attempt
	parsed.DisableCache = true
	parsed.ForceSingleClient = len(parsed.InitAddress) == 1 && parsed.Sentinel.MasterSet == ""
	client, err := rueidis.NewClient(parsed)
	if err != nil && client == nil {
		return nil, fmt.Errorf("make a client of Redis: %w", err)
	}
	if options.Prefix == "" {
		options.Prefix = prefixDefault
	}
	return &Client{redis: client, options: options, node: newNode(), metrics: newMetrics(options.Registry)}, nil
}

// Close ends all connections.
func (c *Client) Close() { c.redis.Close() }

// Node is the name of this process among the nodes.
func (c *Client) Node() string { return c.node }

func newNode() string {
	var random [12]byte
	_, _ = rand.Read(random[:]) // never fails
	return hex.EncodeToString(random[:])
}

// roomKey is a key of a room's; all keys of one room lie together in a Redis Cluster.
func (c *Client) roomKey(room chat.RoomID, what string) string {
	return c.options.Prefix + "{" + room.String() + "}:" + what
}

// translate says what a call to a Redis that is away comes to.
func translate(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil && errors.Is(context.Cause(ctx), context.Canceled) {
		return ctx.Err()
	}
	return chat.Away("the bus between the servers", err)
}
