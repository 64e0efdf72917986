package redis

import (
	"context"
	_ "embed" // the scripts
	"fmt"
	"time"

	"github.com/redis/rueidis"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

const (
	tailEvents     = 200
	tailEventBytes = 64 << 10 // an event that is larger is not kept, and is a hole in its tail
	tailLife       = 24 * time.Hour
	tailPatience   = 500 * time.Millisecond // of a reader, who has the store's rows already
	headsPatience  = 500 * time.Millisecond

	// trimEvery is at how many numbers a tail is counted, and trimAbove what must not be exceeded.
	trimEvery = 64
	trimAbove = 2 * tailEvents
)

//go:embed tail_trim.lua
var trimSource string

// keep adds to a pipeline what keeps the whole events among the envelopes. A room that says one thing costs five commands
// that Redis deals with in some five microseconds; one script would take twice that.
func (b *Bus) keep(builder rueidis.Builder, commands rueidis.Commands, envelopes []chat.Envelope) rueidis.Commands {
	byRoom := make(map[chat.RoomID][]*chat.Event)
	var order []chat.RoomID
	for i := range envelopes {
		event := envelopes[i].Event
		if event == nil {
			continue
		}
		if byRoom[event.Room] == nil {
			order = append(order, event.Room)
		}
		byRoom[event.Room] = append(byRoom[event.Room], event)
	}
	for _, room := range order {
		events := byRoom[room]
		if len(events) > tailEvents {
			events = events[len(events)-tailEvents:]
		}
		commands = b.keepRoom(builder, commands, room, events)
	}
	return commands
}

func (b *Bus) keepRoom(builder rueidis.Builder, commands rueidis.Commands, room chat.RoomID, events []*chat.Event) rueidis.Commands {
	tail, head := b.names.tail(room), b.names.head(room)
	var old []string
	kept := builder.Hset().Key(tail).FieldValue()
	some, count := false, false
	for _, event := range events {
		if event.Seq > tailEvents {
			old = append(old, seqText(event.Seq-tailEvents))
		}
		count = count || event.Seq%trimEvery == 0
		data, err := b.encode(event)
		if err != nil || len(data) > tailEventBytes {
			old = append(old, seqText(event.Seq)) // nothing rather than what stood there
			continue
		}
		kept, some = kept.FieldValue(seqText(event.Seq), rueidis.BinaryString(data)), true
	}
	if some {
		commands = append(commands, kept.Build(), builder.Expire().Key(tail).Seconds(int64(tailLife/time.Second)).Build())
	}
	if len(old) > 0 {
		commands = append(commands, builder.Hdel().Key(tail).Field(old...).Build())
	}
	last := events[len(events)-1].Seq
	if count && last > tailEvents {
		commands = append(commands, builder.Eval().Script(trimSource).Numkeys(1).Key(tail).Arg(seqText(last-tailEvents)).Build())
	}
	return append(commands, builder.Zadd().Key(head).Gt().ScoreMember().ScoreMember(float64(last), "h").Build(),
		builder.Expire().Key(head).Seconds(int64(tailLife/time.Second)).Build())
}

// Tail gives the newest events of a room that are kept, with numbers above after, ascending and without a gap inside: what
// lies before a hole is not known to be all. Where nothing comes after the number it is one small question.
func (b *Bus) Tail(ctx context.Context, room chat.RoomID, after chat.Seq) ([]chat.Event, error) {
	results, err := b.pipeline(ctx, tailPatience, func(builder rueidis.Builder) rueidis.Commands {
		return rueidis.Commands{builder.Zscore().Key(b.names.head(room)).Member("h").Build()}
	})
	if err != nil {
		return nil, fmt.Errorf("read the newest number of room %s: %w", room, err)
	}
	head, err := headIn(results[0])
	if err != nil {
		return nil, fmt.Errorf("read the newest number of room %s: %w", room, err)
	}
	if head <= after {
		b.metrics.tails.WithLabelValues("no").Inc()
		return nil, nil
	}
	b.metrics.tails.WithLabelValues("yes").Inc()
	from := after + 1
	if head >= tailEvents {
		from = max(from, head-tailEvents+1)
	}
	numbers := make([]string, 0, head-from+1)
	for seq := from; seq <= head; seq++ {
		numbers = append(numbers, seqText(seq))
	}
	results, err = b.pipeline(ctx, tailPatience, func(builder rueidis.Builder) rueidis.Commands {
		return rueidis.Commands{builder.Hmget().Key(b.names.tail(room)).Field(numbers...).Build()}
	})
	if err != nil {
		return nil, fmt.Errorf("read the newest events of room %s: %w", room, err)
	}
	events, err := b.decodeTail(results[0])
	if err != nil {
		return nil, fmt.Errorf("read the newest events of room %s: %w", room, err)
	}
	whole := len(events)
	for whole > 1 && events[whole-2].Seq+1 == events[whole-1].Seq {
		whole--
	}
	return events[max(whole-1, 0):], nil
}

func headIn(result rueidis.RedisResult) (chat.Seq, error) {
	text, err := result.ToString()
	if rueidis.IsRedisNil(err) {
		return 0, nil
	}
	if err == nil {
		return textSeq(text)
	}
	score, err := result.AsFloat64() // RESP3 has doubles
	return chat.Seq(max(score, 0)), err
}

func (b *Bus) decodeTail(result rueidis.RedisResult) ([]chat.Event, error) {
	values, err := result.ToArray()
	if err != nil {
		return nil, err
	}
	var events []chat.Event
	for i := range values {
		data, err := values[i].AsBytes()
		if rueidis.IsRedisNil(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		event, err := b.decode(data)
		if err != nil {
			continue // of a later version: a hole, which the store will fill
		}
		events = append(events, event)
	}
	return events, nil
}

// Heads reads the highest numbers of many rooms' tails in one round trip; rooms without a tail are left out.
func (b *Bus) Heads(ctx context.Context, rooms []chat.RoomID) (map[chat.RoomID]chat.Seq, error) {
	heads := make(map[chat.RoomID]chat.Seq, len(rooms))
	if len(rooms) == 0 {
		return heads, nil
	}
	results, err := b.pipeline(ctx, headsPatience, func(builder rueidis.Builder) rueidis.Commands {
		commands := make(rueidis.Commands, len(rooms))
		for i, room := range rooms {
			commands[i] = builder.Zscore().Key(b.names.head(room)).Member("h").Build()
		}
		return commands
	})
	if err != nil {
		return nil, fmt.Errorf("read the newest numbers of %d rooms: %w", len(rooms), err)
	}
	for i, room := range rooms {
		head, err := headIn(results[i])
		if err != nil {
			return nil, fmt.Errorf("read the newest number of room %s: %w", room, err)
		}
		if head > 0 {
			heads[room] = head
		}
	}
	return heads, nil
}
