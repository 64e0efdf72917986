package redis

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/rueidis"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/run"
)

const (
	// subscribeMax is how many rooms are subscribed to with one command.
	subscribeMax = 500
	// awayFor is for how long publishing is not attempted again after it has failed, so that numbering does not wait for a
	// Redis that is away once more with every run.
	awayFor = 250 * time.Millisecond

	reconnectFirst = 50 * time.Millisecond
	reconnectMax   = time.Second
)

// Bus carries envelopes and signals between nodes. Rooms are sharded channels (SSUBSCRIBE), signals an ordinary one. In a
// Redis Cluster all channels hash to one place, because one connection hears them all; the tails are spread.
type Bus struct {
	*Client

	mu    sync.Mutex
	rooms map[chat.RoomID]struct{}
	line  rueidis.DedicatedClient  // that is listened to; nil while there is none
	wants map[string]chan struct{} // closed when Redis has confirmed the channel
	away  time.Time                // until when publishing is not attempted
}

// Bus makes the bus of this node.
func (c *Client) Bus() *Bus {
	return &Bus{Client: c, rooms: make(map[chat.RoomID]struct{}), wants: make(map[string]chan struct{})}
}

func (b *Bus) roomChannels() string { return b.options.Prefix + "{bus}:room:" }

func (b *Bus) roomChannel(room chat.RoomID) string { return b.roomChannels() + room.String() }

func (b *Bus) signalChannel() string { return b.options.Prefix + "signals" }

// Publish implements sequencer.Bus. What has its whole event also goes into its room's tail.
func (b *Bus) Publish(ctx context.Context, envelopes []chat.Envelope) error {
	if wait := b.isAway(); wait {
		b.metrics.failed.Add(float64(len(envelopes)))
		return chat.Away("the bus between the servers", errAway)
	}
	ctx, cancel := context.WithTimeout(ctx, callMax)
	defer cancel()
	commands := make(rueidis.Commands, 0, 2*len(envelopes))
	// The tail first: whoever hears of an event and looks for what came before it finds it there.
	commands, err := b.appendTails(commands, envelopes)
	if err != nil {
		return err
	}
	for i := range envelopes {
		commands = append(commands, b.redis.B().Spublish().Channel(b.roomChannel(envelopes[i].Room)).Message(string(encode(&envelopes[i]))).Build())
	}
	for _, answer := range b.redis.DoMulti(ctx, commands...) {
		if err := answer.Error(); err != nil {
			b.fellAway()
			b.metrics.failed.Add(float64(len(envelopes)))
			return fmt.Errorf("publish %d envelopes: %w", len(envelopes), translate(ctx, err))
		}
	}
	b.metrics.published.Add(float64(len(envelopes)))
	return nil
}

var errAway = errors.New("it has just failed to answer")

func (b *Bus) isAway() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return time.Now().Before(b.away)
}

func (b *Bus) fellAway() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.away = time.Now().Add(awayFor)
}

// Signal implements gateway.Bus and its like.
func (b *Bus) Signal(ctx context.Context, signal chat.Signal) error {
	text, err := json.Marshal(signal)
	if err != nil {
		return fmt.Errorf("encode a signal: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, callMax)
	defer cancel()
	err = b.redis.Do(ctx, b.redis.B().Publish().Channel(b.signalChannel()).Message(string(text)).Build()).Error()
	if err != nil {
		return fmt.Errorf("send a signal: %w", translate(ctx, err))
	}
	return nil
}

// Subscribe implements gateway.Bus.
func (b *Bus) Subscribe(ctx context.Context, room chat.RoomID) error {
	channel := b.roomChannel(room)
	b.mu.Lock()
	b.rooms[room] = struct{}{}
	line := b.line
	var confirmed chan struct{}
	if line != nil {
		confirmed = b.wantLocked(channel)
	}
	b.mu.Unlock()
	if line == nil {
		return nil // Listen subscribes to it when it can, and says up after that
	}
	ctx, cancel := context.WithTimeout(ctx, callMax)
	defer cancel()
	if err := line.Do(ctx, line.B().Ssubscribe().Channel(channel).Build()).Error(); err != nil {
		return b.unsure(ctx, err)
	}
	select {
	case <-confirmed:
		return nil
	case <-ctx.Done():
		return b.unsure(ctx, ctx.Err())
	}
}

// unsure is what becomes of a subscription that was not confirmed: the line is given up, and the next one has it.
func (b *Bus) unsure(ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), context.Canceled) {
		return ctx.Err()
	}
	b.options.Logger.WarnContext(ctx, "a room's subscription was not confirmed; listening begins anew", "error", err)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.line != nil {
		b.line.Close()
	}
	return nil
}

// wantLocked is closed when Redis confirms the channel.
func (b *Bus) wantLocked(channel string) chan struct{} {
	confirmed := b.wants[channel]
	if confirmed == nil {
		confirmed = make(chan struct{})
		b.wants[channel] = confirmed
	}
	return confirmed
}

// Unsubscribe implements gateway.Bus.
func (b *Bus) Unsubscribe(ctx context.Context, room chat.RoomID) error {
	b.mu.Lock()
	delete(b.rooms, room)
	line := b.line
	b.mu.Unlock()
	if line == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, callMax)
	defer cancel()
	return translate(ctx, line.Do(ctx, line.B().Sunsubscribe().Channel(b.roomChannel(room)).Build()).Error())
}

// Listen implements gateway.Bus.
func (b *Bus) Listen(ctx context.Context, events func([]chat.Envelope), signals func(chat.Signal), link func(up bool)) error {
	backoff := run.Backoff{First: reconnectFirst, Max: reconnectMax}
	for first := true; ; first = false {
		up, err := b.listenOnce(ctx, events, signals, link)
		b.metrics.up.Set(0)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if up || first {
			link(false)
			b.options.Logger.WarnContext(ctx, "the bus is away: what it would bring is read from the store", "error", err)
		}
		if up {
			backoff.Reset()
		}
		if err := backoff.Wait(ctx); err != nil {
			return err
		}
		b.metrics.reconnects.Inc()
	}
}

// listenOnce listens over one connection until it breaks. up: it had stood.
func (b *Bus) listenOnce(ctx context.Context, events func([]chat.Envelope), signals func(chat.Signal), link func(up bool)) (up bool, err error) {
	line, release := b.redis.Dedicate()
	defer release()
	rooms, signal := b.roomChannels(), b.signalChannel()
	broken := line.SetPubSubHooks(rueidis.PubSubHooks{
		OnMessage: func(m rueidis.PubSubMessage) {
			switch {
			case m.Channel == signal:
				b.hearSignal(ctx, m.Message, signals)
			case strings.HasPrefix(m.Channel, rooms):
				b.hearEvent(ctx, m.Channel[len(rooms):], m.Message, events)
			}
		},
		OnSubscription: func(s rueidis.PubSubSubscription) { b.confirmed(s.Channel) },
	})
	defer b.unplug(line)
	if err := b.plug(ctx, line); err != nil {
		line.Close()
		<-broken
		return false, err
	}
	b.metrics.up.Set(1)
	link(true)
	select {
	case err := <-broken:
		return true, err
	case <-ctx.Done():
		line.Close()
		<-broken
		return true, ctx.Err()
	}
}

// plug subscribes a new line to the signals and to every room that is wanted, and returns when Redis has confirmed them.
// Rooms that come to be wanted meanwhile subscribe themselves.
func (b *Bus) plug(ctx context.Context, line rueidis.DedicatedClient) error {
	ctx, cancel := context.WithTimeout(ctx, writeMax)
	defer cancel()
	b.mu.Lock()
	b.line = line
	waits := []chan struct{}{b.wantLocked(b.signalChannel())}
	channels := make([]string, 0, len(b.rooms))
	for room := range maps.Keys(b.rooms) {
		channel := b.roomChannel(room)
		channels = append(channels, channel)
		waits = append(waits, b.wantLocked(channel))
	}
	b.mu.Unlock()
	if err := line.Do(ctx, line.B().Subscribe().Channel(b.signalChannel()).Build()).Error(); err != nil {
		return err
	}
	for some := range slices.Chunk(channels, subscribeMax) {
		if err := line.Do(ctx, line.B().Ssubscribe().Channel(some...).Build()).Error(); err != nil {
			return err
		}
	}
	for _, wait := range waits {
		select {
		case <-wait:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// unplug forgets a line. Whoever waits for it to confirm a room is let go: the next line has the room.
func (b *Bus) unplug(line rueidis.DedicatedClient) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.line == line {
		b.line = nil
	}
	for channel, wait := range b.wants {
		close(wait)
		delete(b.wants, channel)
	}
}

func (b *Bus) confirmed(channel string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if wait, ok := b.wants[channel]; ok {
		close(wait)
		delete(b.wants, channel)
	}
}

func (b *Bus) hearEvent(ctx context.Context, room, text string, events func([]chat.Envelope)) {
	id, err := chat.ParseRoomID(room)
	var envelope chat.Envelope
	if err == nil {
		envelope, err = decode(id, []byte(text))
	}
	if err != nil {
		b.options.Logger.ErrorContext(ctx, "the bus brought what is no envelope", "error", err)
		return
	}
	b.metrics.received.Inc()
	events([]chat.Envelope{envelope})
}

func (b *Bus) hearSignal(ctx context.Context, text string, signals func(chat.Signal)) {
	var signal chat.Signal
	if err := json.Unmarshal([]byte(text), &signal); err != nil {
		b.options.Logger.ErrorContext(ctx, "the bus brought what is no signal", "error", err)
		return
	}
	signals(signal)
}
