package redis

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"github.com/google/uuid"
	"github.com/redis/rueidis"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

const (
	// pendingEnvelopes and pendingBytes are how much may wait for the listener; beyond it envelopes are dropped, and the
	// listener notices by the numbers. Signals beyond pendingSignals are dropped too.
	pendingEnvelopes = 16384
	pendingBytes     = 64 << 20
	pendingSignals   = 16384
)

// Bus carries envelopes and signals between nodes, and keeps the newest events of each room. Make it with NewBus.
type Bus struct {
	*Client
	node  string // whose own signals come back to it and are ignored
	lines []*line

	mu        sync.Mutex
	listening bool
	deaf      bool // the listener has ended
	pending   []news
	envelopes int
	bytes     int
	wake      chan struct{}

	links links
}

// news is one thing for the listener, in the order in which it came.
type news struct {
	envelope chat.Envelope
	signal   *chat.Signal
	heard    chan struct{} // closed when the listener has dealt with a signal of this node
}

// NewBus makes the bus of a node.
func NewBus(client *Client) *Bus {
	b := &Bus{Client: client, node: uuid.NewString(), wake: make(chan struct{}, 1)}
	b.lines = make([]*line, shardCount)
	for i := range b.lines {
		b.lines[i] = &line{bus: b, number: i}
	}
	return b
}

// Publish implements sequencer.Bus, and keeps the events that come whole: envelopes and tails go in one pipeline.
func (b *Bus) Publish(ctx context.Context, envelopes []chat.Envelope) error {
	if len(envelopes) == 0 {
		return nil
	}
	results, err := b.pipeline(ctx, callPatience, func(builder rueidis.Builder) rueidis.Commands {
		commands := make(rueidis.Commands, 0, len(envelopes)+16)
		for i := range envelopes {
			e := &envelopes[i]
			message := appendEnvelope(make([]byte, 0, envelopeFixed+64+len(e.Body)), e)
			commands = append(commands, builder.Spublish().Channel(b.names.channel(e.Room)).Message(rueidis.BinaryString(message)).Build())
		}
		return b.keep(builder, commands, envelopes)
	})
	for i := range results { // at most one answer for each command
		if refusal := results[i].Error(); refusal != nil && !rueidis.IsRedisNil(refusal) && err == nil {
			err = fmt.Errorf("Redis refuses what is published: %w", refusal) //nolint:staticcheck // a name
		}
	}
	if err != nil {
		b.metrics.unpublished.Add(float64(len(envelopes)))
		return err
	}
	b.metrics.published.Add(float64(len(envelopes)))
	return nil
}

// signalled is a signal on its channel.
type signalled struct {
	Node   string      `json:"node"`
	Signal chat.Signal `json:"signal"`
}

// Signal implements gateway.Bus and its like. The listener of this node has dealt with the signal when it returns, so that
// what was revoked is revoked here by then; the others hear of it through Redis, and the error is that they do not. It
// must not be called by the listener itself.
func (b *Bus) Signal(ctx context.Context, signal chat.Signal) error {
	if err := b.tellHere(ctx, signal); err != nil {
		return err
	}
	data, err := json.Marshal(signalled{b.node, signal})
	if err != nil {
		return fmt.Errorf("encode a signal %q: %w", signal.Kind, err)
	}
	results, err := b.pipeline(ctx, callPatience, func(builder rueidis.Builder) rueidis.Commands {
		return rueidis.Commands{builder.Spublish().Channel(b.names.signals()).Message(rueidis.BinaryString(data)).Build()}
	})
	if err == nil {
		err = results[0].Error()
	}
	if err != nil {
		return fmt.Errorf("signal %q to other nodes: %w", signal.Kind, err)
	}
	return nil
}

// tellHere gives a signal to the listener of this node and waits until it has been dealt with.
func (b *Bus) tellHere(ctx context.Context, signal chat.Signal) error {
	heard := make(chan struct{})
	b.mu.Lock()
	listening := b.listening
	if listening || (!b.deaf && len(b.pending) < pendingSignals) {
		b.pushLocked(news{signal: &signal, heard: heard})
	}
	b.mu.Unlock()
	if !listening {
		return nil
	}
	select {
	case <-heard:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (b *Bus) pushLocked(n news) {
	b.pending = append(b.pending, n)
	select {
	case b.wake <- struct{}{}:
	default: // the listener has been woken already
	}
}

// arrived takes a message of a subscription. It runs on the connection's reader and must be quick.
func (b *Bus) arrived(message rueidis.PubSubMessage) {
	if message.Channel == b.names.signals() {
		var s signalled
		if err := json.Unmarshal([]byte(message.Message), &s); err != nil || s.Node == b.node {
			return // of a later version, or our own
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.listening && len(b.pending) < pendingEnvelopes+pendingSignals {
			b.pushLocked(news{signal: &s.Signal})
		}
		return
	}
	envelope, err := decodeEnvelope(message.Message)
	if err != nil || !b.line(envelope.Room).wants(envelope.Room) {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case !b.listening:
	case b.envelopes >= pendingEnvelopes || b.bytes+len(envelope.Body) > pendingBytes:
		b.metrics.dropped.Inc()
	default:
		b.envelopes++
		b.bytes += len(envelope.Body)
		b.pushLocked(news{envelope: envelope})
	}
}

func (b *Bus) take() []news {
	b.mu.Lock()
	defer b.mu.Unlock()
	taken := b.pending
	b.pending, b.envelopes, b.bytes = nil, 0, 0
	return taken
}

// hear gives the listener what has come, until ctx ends.
func (b *Bus) hear(ctx context.Context, events func([]chat.Envelope), signals func(chat.Signal)) error {
	for {
		select {
		case <-b.wake:
		case <-ctx.Done():
			return ctx.Err()
		}
		var run []chat.Envelope
		for _, n := range b.take() {
			if n.signal == nil {
				run = append(run, n.envelope)
				continue
			}
			if len(run) > 0 {
				events(run)
				run = nil
			}
			signals(*n.signal)
			if n.heard != nil {
				close(n.heard)
			}
		}
		if len(run) > 0 {
			events(run)
		}
	}
}

// deafen lets go of everyone who waits for a listener that has ended.
func (b *Bus) deafen() {
	b.mu.Lock()
	b.listening, b.deaf = false, true
	b.mu.Unlock()
	for _, n := range b.take() {
		if n.heard != nil {
			close(n.heard)
		}
	}
}

func seqText(seq chat.Seq) string { return strconv.FormatUint(uint64(seq), 10) }

// textSeq reads a number as Redis has it; a score comes as a floating point number, exact below 2^53.
func textSeq(text string) (chat.Seq, error) {
	if n, err := strconv.ParseUint(text, 10, 64); err == nil {
		return chat.Seq(n), nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f < 0 || f > 1<<53 {
		return 0, errors.New("this is not a number of a room: " + text)
	}
	return chat.Seq(f), nil
}
