package redis

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/redis/rueidis"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/run"
)

// subscribedAtOnce is how many channels one command subscribes to.
const subscribedAtOnce = 500

// line is the subscriptions of one shard. Redis Cluster needs a connection for each shard; any other Redis serves all of
// them over one, which then is the first line's.
type line struct {
	bus    *Bus
	number int

	mu        sync.Mutex
	rooms     map[chat.RoomID]struct{} // wanted
	connected *connection              // where subscriptions are made; nil while there is none
}

// connection is one connection with subscriptions, for one line or for all of them.
type connection struct {
	lines []*line
	wake  chan struct{}
	lost  chan struct{} // a slot has moved to another node: holds a token

	mu      sync.Mutex
	todo    []change
	leaving []string // channels that we are leaving: Redis says so of each, as it does of those that it takes from us
}

type change struct {
	channel string
	leave   bool
	done    chan struct{} // closed when it stands, or never will here
}

func (b *Bus) line(room chat.RoomID) *line { return b.lines[shardOf(room)] }

func (l *line) wants(room chat.RoomID) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, wanted := l.rooms[room]
	return wanted
}

// Subscribe implements gateway.Bus. It returns when the subscription stands, or at once while there is no connection, or
// when the connection is in trouble: then the link is about to go down.
func (b *Bus) Subscribe(ctx context.Context, room chat.RoomID) error {
	l := b.line(room)
	l.mu.Lock()
	if l.rooms == nil {
		l.rooms = make(map[chat.RoomID]struct{})
	}
	l.rooms[room] = struct{}{}
	connected := l.connected
	l.mu.Unlock()
	if connected == nil {
		return nil
	}
	done := connected.ask(change{channel: b.names.channel(room)})
	trouble := time.NewTimer(callPatience)
	defer trouble.Stop()
	select {
	case <-done:
	case <-trouble.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// Unsubscribe implements gateway.Bus. What is still on its way is not delivered any more.
func (b *Bus) Unsubscribe(_ context.Context, room chat.RoomID) error {
	l := b.line(room)
	l.mu.Lock()
	delete(l.rooms, room)
	connected := l.connected
	l.mu.Unlock()
	if connected != nil {
		connected.ask(change{channel: b.names.channel(room), leave: true})
	}
	return nil
}

func (c *connection) ask(wanted change) <-chan struct{} {
	wanted.done = make(chan struct{})
	c.mu.Lock()
	c.todo = append(c.todo, wanted)
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default: // it has been woken already
	}
	return wanted.done
}

func (c *connection) take() []change {
	c.mu.Lock()
	defer c.mu.Unlock()
	taken := c.todo
	c.todo = nil
	return taken
}

func (c *connection) setLeaving(channels []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.leaving = channels
}

func (c *connection) leaves(channel string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Contains(c.leaving, channel)
}

// links puts the links of all connections together into one: it is up when all of them are.
type links struct {
	mu     sync.Mutex
	tell   func(up bool)
	needed int // connections; zero until it is known what kind of Redis this is
	up     int
	told   bool // anything
	was    bool
}

func (l *links) begin(tell func(up bool)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tell, l.needed, l.up, l.told, l.was = tell, 0, 0, false, false
}

func (l *links) change(by, needed int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.up += by
	l.needed = needed
	up := l.needed > 0 && l.up == l.needed
	if l.told && l.was == up {
		return
	}
	if !l.told && !up && by > 0 {
		return // the others may follow at once
	}
	l.told, l.was = true, up
	l.tell(up)
}

// Listen implements gateway.Bus. A bus has one listener at a time.
func (b *Bus) Listen(ctx context.Context, events func([]chat.Envelope), signals func(chat.Signal), link func(up bool)) error {
	b.links.begin(link)
	b.mu.Lock()
	b.listening, b.deaf = true, false
	b.mu.Unlock()
	defer b.deafen()
	select {
	case b.wake <- struct{}{}: // for what was said before
	default:
	}
	group := run.NewGroup(ctx)
	group.Go("pass on what is heard", func(ctx context.Context) error { return b.hear(ctx, events, signals) })
	group.Go("keep the subscriptions", b.keepSubscribed)
	if err := group.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}

// keepSubscribed holds the connections, as many as this kind of Redis needs.
func (b *Bus) keepSubscribed(ctx context.Context) error {
	backoff := reconnecting()
	redis, err := b.client()
	for ; err != nil; redis, err = b.client() {
		b.links.change(0, 0)
		if err := backoff.Wait(ctx); err != nil {
			return err
		}
	}
	if redis.Mode() != rueidis.ClientModeCluster {
		return b.keepConnected(ctx, redis, 1, b.lines)
	}
	group := run.NewGroup(ctx)
	for i := range b.lines {
		group.Go("keep the subscriptions of a shard", func(ctx context.Context) error {
			return b.keepConnected(ctx, redis, len(b.lines), b.lines[i:i+1])
		})
	}
	return group.Wait()
}

// keepConnected connects again and again.
func (b *Bus) keepConnected(ctx context.Context, redis rueidis.Client, connections int, lines []*line) error {
	backoff := reconnecting()
	for {
		stood, err := b.connect(ctx, redis, connections, lines)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if stood {
			b.links.change(-1, connections)
			b.metrics.relinked.Inc()
			b.log.WarnContext(ctx, "a connection with subscriptions was lost", "error", err)
			backoff.Reset()
		} else {
			b.links.change(0, connections)
		}
		if err := backoff.Wait(ctx); err != nil {
			return err
		}
	}
}

var errMoved = errors.New("the channels have moved to another node")

// connect subscribes to all that is wanted over a connection of its own and keeps it up to date. It returns when the
// connection is lost, and says whether all subscriptions had stood.
func (b *Bus) connect(ctx context.Context, redis rueidis.Client, connections int, lines []*line) (stood bool, err error) {
	dedicated, release := redis.Dedicate()
	defer release()
	defer dedicated.Close() // so that it is never lent to others with subscriptions on it
	c := &connection{lines: lines, wake: make(chan struct{}, 1), lost: make(chan struct{}, 1)}
	lost := dedicated.SetPubSubHooks(rueidis.PubSubHooks{
		OnMessage: b.arrived,
		OnSubscription: func(s rueidis.PubSubSubscription) {
			if s.Kind == "sunsubscribe" && !c.leaves(s.Channel) && b.wantsChannel(s.Channel) {
				select {
				case c.lost <- struct{}{}:
				default: // one is enough
				}
			}
		},
	})
	channels := []string{}
	for _, l := range lines {
		l.mu.Lock()
		for room := range l.rooms {
			channels = append(channels, b.names.channel(room))
		}
		l.connected = c // from here on changes come as such
		l.mu.Unlock()
	}
	defer c.abandon()
	if lines[0].number == 0 {
		channels = append(channels, b.names.signals())
	} else {
		channels = append(channels, b.names.shards[lines[0].number]+"nothing") // the shard must have said where it is
	}
	if err := b.subscribe(ctx, dedicated, channels); err != nil {
		return false, err
	}
	b.links.change(1, connections)
	for {
		select {
		case <-c.wake:
			if err := b.apply(ctx, dedicated, c); err != nil {
				return true, err
			}
		case err := <-lost:
			return true, err
		case <-c.lost:
			return true, errMoved
		case <-ctx.Done():
			return true, ctx.Err()
		}
	}
}

// abandon lets go of everyone who waits for a connection that has ended.
func (c *connection) abandon() {
	for _, l := range c.lines {
		l.mu.Lock()
		l.connected = nil
		l.mu.Unlock()
	}
	for _, waiting := range c.take() {
		close(waiting.done)
	}
}

// apply makes changes in their order, many at once. Of a channel that is left and entered again the last word counts.
func (b *Bus) apply(ctx context.Context, dedicated rueidis.DedicatedClient, c *connection) error {
	changes := c.take()
	last := make(map[string]bool, len(changes))
	for _, wanted := range changes {
		last[wanted.channel] = wanted.leave
	}
	var enter, leave []string
	for channel, leaves := range last {
		if leaves {
			leave = append(leave, channel)
		} else {
			enter = append(enter, channel)
		}
	}
	err := b.subscribe(ctx, dedicated, enter)
	for _, wanted := range changes {
		close(wanted.done)
	}
	if err != nil {
		return err
	}
	c.setLeaving(leave)
	defer c.setLeaving(nil)
	for some := range slices.Chunk(leave, subscribedAtOnce) {
		if err := b.command(ctx, dedicated, dedicated.B().Sunsubscribe().Channel(some...).Build()); err != nil {
			return err
		}
	}
	return nil
}

func (b *Bus) subscribe(ctx context.Context, dedicated rueidis.DedicatedClient, channels []string) error {
	for some := range slices.Chunk(channels, subscribedAtOnce) {
		if err := b.command(ctx, dedicated, dedicated.B().Ssubscribe().Channel(some...).Build()); err != nil {
			return err
		}
	}
	return nil
}

func (b *Bus) command(ctx context.Context, dedicated rueidis.DedicatedClient, command rueidis.Completed) error {
	ctx, cancel := context.WithTimeout(ctx, replyPatience)
	defer cancel()
	return dedicated.Do(ctx, command).Error()
}

// wantsChannel reports whether a channel that Redis has ended is one that is still wanted.
func (b *Bus) wantsChannel(channel string) bool {
	if channel == b.names.signals() {
		return true
	}
	const idLength = 36
	if len(channel) < idLength {
		return false
	}
	room, err := chat.ParseRoomID(channel[len(channel)-idLength:])
	return err == nil && b.line(room).wants(room)
}
