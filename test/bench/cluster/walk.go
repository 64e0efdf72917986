package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/blabber-hive/blabber-hive/internal/adapter/kafka"
	"github.com/blabber-hive/blabber-hive/internal/adapter/redis"
	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/run"
	"github.com/blabber-hive/blabber-hive/internal/wire"
)

const (
	// serverPrefix is what the servers' names in Redis begin with.
	serverPrefix = "hive:"
	hearPatience = 30 * time.Second
)

// Hearing is when what was said in rooms was heard on the bus.
type Hearing struct {
	mu    sync.Mutex
	at    map[chat.RoomID][]time.Time
	total int
}

func (h *Hearing) events(envelopes []chat.Envelope) {
	now := time.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range envelopes {
		if envelopes[i].Kind == chat.KindMessage {
			h.at[envelopes[i].Room] = append(h.at[envelopes[i].Room], now)
			h.total++
		}
	}
}

// Of is when each message of a room was heard.
func (h *Hearing) Of(room chat.RoomID) []time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.at[room]
}

// Await waits until so many messages have been heard.
func (h *Hearing) Await(ctx context.Context, messages int) error {
	ctx, cancel := context.WithTimeout(ctx, hearPatience)
	defer cancel()
	for {
		h.mu.Lock()
		total := h.total
		h.mu.Unlock()
		if total >= messages {
			return nil
		}
		if err := run.Pause(ctx, time.Millisecond); err != nil {
			return fmt.Errorf("the bus brought %d messages of %d: %w", total, messages, err)
		}
	}
}

// openBus makes a bus of the bench's own.
func (c *Services) openBus(ctx context.Context, prefix string) (*redis.Client, *redis.Bus, error) {
	client, err := redis.Open(ctx, redis.Options{
		URL: c.redis.URL, Prefix: prefix, EncodeEvent: wire.EncodeEvent, DecodeEvent: wire.DecodeEvent,
		Log: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(),
	})
	if err != nil {
		return nil, nil, err
	}
	return client, redis.NewBus(client), nil
}

// Listen notes what the servers say of rooms until stop is called.
func (c *Services) Listen(ctx context.Context, rooms []chat.RoomID) (heard *Hearing, stop func() error, err error) {
	return c.listen(ctx, serverPrefix, rooms)
}

func (c *Services) listen(ctx context.Context, prefix string, rooms []chat.RoomID) (heard *Hearing, stop func() error, err error) {
	client, bus, err := c.openBus(ctx, prefix)
	if err != nil {
		return nil, nil, err
	}
	heard = &Hearing{at: make(map[chat.RoomID][]time.Time)}
	listening, cancel := context.WithCancel(ctx)
	group := run.NewGroup(listening)
	group.Go("listen", func(ctx context.Context) error {
		if err := bus.Listen(ctx, heard.events, func(chat.Signal) {}, func(bool) {}); ctx.Err() == nil {
			return err
		}
		return nil
	})
	stop = func() error {
		cancel()
		err := group.Wait()
		client.Close()
		return err
	}
	for _, room := range rooms {
		if err := bus.Subscribe(ctx, room); err != nil {
			return nil, nil, errors.Join(err, stop())
		}
	}
	return heard, stop, nil
}

// Walk is how long messages took.
type Walk struct{ ToHeard, ToAck []time.Duration }

// BareWalk measures a message's way without servers: records appended to a log, read by somebody else, published, and heard by
// a third; so many a second, of rooms in turn.
func (c *Services) BareWalk(ctx context.Context, roomCount, rate int, span time.Duration) (Walk, error) {
	const topic = "bare"
	options := c.log()
	options.Topic, options.DeadLetterTopic, options.Group = topic, topic+"-dead", topic
	if err := kafka.Migrate(ctx, options); err != nil {
		return Walk{}, err
	}
	log, err := kafka.Open(ctx, options)
	if err != nil {
		return Walk{}, err
	}
	client, bus, err := c.openBus(ctx, topic+":")
	if err != nil {
		return Walk{}, errors.Join(err, log.Stop())
	}
	defer client.Close()
	rooms := make([]chat.RoomID, roomCount)
	for i := range rooms {
		rooms[i] = newID()
	}
	heard, stop, err := c.listen(ctx, topic+":", rooms)
	if err != nil {
		return Walk{}, errors.Join(err, log.Stop())
	}
	reading := run.NewGroup(ctx)
	reading.Go("read", func(ctx context.Context) error {
		return log.Own(ctx, func(ctx context.Context, partition int) error { return passOn(ctx, log, bus, partition) })
	})
	dues, acks, err := appendSteadily(ctx, log, rooms, int(span/time.Second+1)*rate, rate)
	err = errors.Join(err, heard.Await(ctx, len(dues)))
	reading.Cancel()
	if err = errors.Join(err, reading.Wait(), log.Stop(), stop()); err != nil {
		return Walk{}, err
	}
	took := make([]time.Duration, len(dues))
	for i, due := range dues {
		took[i] = heard.Of(rooms[i%len(rooms)])[i/len(rooms)].Sub(due)
	}
	warm := min(rate, len(dues)) // the first second only warms it up
	return Walk{ToHeard: took[warm:], ToAck: acks[warm:]}, nil
}

// passOn publishes what a partition brings.
func passOn(ctx context.Context, log *kafka.Log, bus *redis.Bus, partition int) error {
	var next chat.Offset
	for {
		records, err := log.Read(ctx, partition, next)
		switch {
		case errors.Is(err, chat.ErrLogClosed) || ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		}
		var envelopes []chat.Envelope
		for i, record := range records.Records {
			seq := chat.Seq(records.From) + chat.Seq(i) + 1 //nolint:gosec // Kafka counts from zero
			envelope, err := wire.Envelope(&chat.Event{
				Room: record.Room, Seq: seq, Kind: record.Kind, At: record.At, Actor: record.Actor, RecordID: record.ID,
				Message: &chat.Message{ID: record.ID, Room: record.Room, Seq: seq, Sender: record.Actor, Body: record.Body, CreatedAt: record.At},
			})
			if err != nil {
				return err
			}
			envelopes = append(envelopes, envelope)
		}
		if err := bus.Publish(ctx, envelopes); err != nil {
			return err
		}
		next = records.To
	}
}

// appendSteadily appends records, of the rooms in turn, at the rate that is measured, and says when each was due and how long
// after that it was acked.
func appendSteadily(ctx context.Context, log *kafka.Log, rooms []chat.RoomID, count, rate int) (dues []time.Time, acks []time.Duration, err error) {
	var mu sync.Mutex
	var failure error
	began := time.Now()
	for n := range count {
		due := began.Add(time.Duration(n) * time.Second / time.Duration(rate))
		if wait := time.Until(due); wait > 0 {
			if err := run.Pause(ctx, wait); err != nil {
				return nil, nil, err
			}
		}
		dues = append(dues, due)
		record := &chat.Record{
			ID: newID(), Room: rooms[n%len(rooms)], Kind: chat.KindMessage, At: due.Truncate(time.Millisecond), Actor: chat.Profile{ID: newID(), Username: "p"}, Body: body,
		}
		if err := log.Append(ctx, record, func(_ chat.Receipt, err error) {
			mu.Lock()
			defer mu.Unlock()
			acks, failure = append(acks, time.Since(due)), errors.Join(failure, err)
		}); err != nil {
			return nil, nil, err
		}
	}
	log.Close() // returns when all is acked
	mu.Lock()
	defer mu.Unlock()
	return dues, acks, failure
}

func newID() [16]byte { return uuid.Must(uuid.NewV7()) }
