package redis

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

const (
	// tailEvents is how many of a room's newest events are kept.
	tailEvents = 200
	// tailLife is for how long they are kept after the last one: longer than a database should ever be away.
	tailLife = 24 * time.Hour
)

// appendTails adds the commands that put events into the tails of their rooms: sorted sets with the number as the score.
// An event that is published again, by an owner that took a partition over, replaces the one of its number.
func (b *Bus) appendTails(commands rueidis.Commands, envelopes []chat.Envelope) (rueidis.Commands, error) {
	byRoom := make(map[chat.RoomID][]*chat.Envelope)
	for i := range envelopes {
		if envelopes[i].Event != nil {
			byRoom[envelopes[i].Room] = append(byRoom[envelopes[i].Room], &envelopes[i])
		}
	}
	for room, run := range byRoom {
		key := b.roomKey(room, "tail")
		first, last := run[0].Seq, run[len(run)-1].Seq
		add := b.redis.B().Zadd().Key(key).ScoreMember()
		for _, envelope := range run {
			text, err := b.options.EncodeEvent(envelope.Event)
			if err != nil {
				return nil, fmt.Errorf("encode event %d of room %s: %w", envelope.Seq, room, err)
			}
			add = add.ScoreMember(float64(envelope.Seq), string(text)) // exact up to 2^53
		}
		commands = append(commands,
			b.redis.B().Zremrangebyscore().Key(key).Min(score(first)).Max(score(last)).Build(),
			add.Build(),
			b.redis.B().Zremrangebyrank().Key(key).Start(0).Stop(-tailEvents-1).Build(),
			b.redis.B().Expire().Key(key).Seconds(int64(tailLife/time.Second)).Build(),
			b.redis.B().Set().Key(b.roomKey(room, "head")).Value(score(last)).Ex(tailLife).Build(),
		)
	}
	return commands, nil
}

func score(seq chat.Seq) string { return strconv.FormatUint(uint64(seq), 10) }

// Tail gives the newest events of a room that are kept, with numbers above after, ascending and without a gap inside;
// none where none is kept.
func (b *Bus) Tail(ctx context.Context, room chat.RoomID, after chat.Seq) ([]chat.Event, error) {
	ctx, cancel := context.WithTimeout(ctx, callMax)
	defer cancel()
	texts, err := b.redis.Do(ctx, b.redis.B().Zrangebyscore().Key(b.roomKey(room, "tail")).Min("("+score(after)).Max("+inf").Build()).AsStrSlice()
	if err != nil {
		b.metrics.tails.WithLabelValues("failed").Inc()
		return nil, fmt.Errorf("read the tail of room %s: %w", room, translate(ctx, err))
	}
	events := make([]chat.Event, 0, len(texts))
	for _, text := range slices.Backward(texts) {
		event, err := b.options.DecodeEvent([]byte(text))
		if err != nil {
			return nil, fmt.Errorf("read the tail of room %s: %w", room, err)
		}
		if n := len(events); n > 0 {
			switch next := events[n-1].Seq; {
			case event.Seq == next:
				continue // kept twice: two owners published it at the same moment
			case event.Seq+1 != next:
				slices.Reverse(events) // what lies before a gap is not known to be all
				return events, nil
			}
		}
		events = append(events, event)
	}
	slices.Reverse(events)
	outcome := "found"
	if len(events) == 0 {
		outcome = "empty"
	}
	b.metrics.tails.WithLabelValues(outcome).Inc()
	return events, nil
}

// Heads gives the highest number that is kept of each room; rooms of which nothing is kept are left out.
func (b *Bus) Heads(ctx context.Context, rooms []chat.RoomID) (map[chat.RoomID]chat.Seq, error) {
	ctx, cancel := context.WithTimeout(ctx, callMax)
	defer cancel()
	commands := make(rueidis.Commands, len(rooms))
	for i, room := range rooms {
		commands[i] = b.redis.B().Get().Key(b.roomKey(room, "head")).Build()
	}
	heads := make(map[chat.RoomID]chat.Seq, len(rooms))
	for i, answer := range b.redis.DoMulti(ctx, commands...) {
		seq, err := answer.AsUint64()
		switch {
		case rueidis.IsRedisNil(err):
		case err != nil:
			return nil, fmt.Errorf("read the heads of %d rooms: %w", len(rooms), translate(ctx, err))
		default:
			heads[rooms[i]] = chat.Seq(seq)
		}
	}
	return heads, nil
}
