package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

const (
	// fetchBytesMax bounds one answer of a broker, of which a cursor holds two: one that is read and one that is next.
	fetchBytesMax = 1 << 20
	// fetchWait is how long a broker keeps an unanswered fetch when nothing arrives.
	fetchWait = 5 * time.Second
)

// cursor reads one partition from an offset on, through a client of its own. It is used by one reader at a time.
type cursor struct {
	log       *Log
	partition int
	client    *kgo.Client
	next      chat.Offset // of the next record to be given
	pending   []entry     // fetched and not yet given
	end       chat.Offset // of the log, when it was last heard of
}

func (l *Log) newCursor(partition int, from chat.Offset) (*cursor, error) {
	common, err := l.options.client()
	if err != nil {
		return nil, err
	}
	client, err := kgo.NewClient(append(common,
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{
			l.options.Topic: {int32(partition): kgo.NewOffset().At(int64(from))}, //nolint:gosec // Kafka's own numbers
		}),
		// What is no longer there, or not yet, is an error and never skipped.
		kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.FetchMaxBytes(fetchBytesMax), kgo.FetchMaxPartitionBytes(fetchBytesMax), kgo.FetchMaxWait(fetchWait),
	)...)
	if err != nil {
		return nil, fmt.Errorf("make a client to read partition %d: %w", partition, err)
	}
	return &cursor{log: l, partition: partition, client: client, next: from}, nil
}

func (c *cursor) close() { c.client.Close() }

// read waits for records and gives some, in order.
func (c *cursor) read(ctx context.Context) ([]entry, error) {
	for len(c.pending) == 0 {
		fetches := c.client.PollRecords(ctx, c.log.options.RunRecordsMax)
		if err := c.failure(ctx, fetches); err != nil {
			return nil, err
		}
		fetches.EachPartition(func(p kgo.FetchTopicPartition) {
			c.end = max(c.end, chat.Offset(max(p.HighWatermark, 0)))
			for _, fetched := range p.Records {
				c.pending = append(c.pending, c.log.entry(fetched))
			}
		})
	}
	if c.pending[0].offset < c.next {
		return nil, fmt.Errorf("partition %d gave offset %d where %d was asked for", c.partition, c.pending[0].offset, c.next)
	}
	given := c.pending
	c.pending = nil
	c.next = given[len(given)-1].offset + 1
	return given, nil
}

// putBack takes what was read and not used, from an entry on.
func (c *cursor) putBack(rest []entry) {
	if len(rest) > 0 {
		c.pending, c.next = rest, rest[0].offset
	}
}

func (c *cursor) failure(ctx context.Context, fetches kgo.Fetches) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var found error
	fetches.EachError(func(_ string, _ int32, err error) {
		if found == nil {
			found = err
		}
	})
	if found == nil {
		return nil
	}
	_, lost := errors.AsType[*kgo.ErrDataLoss](found)
	if lost || errors.Is(found, kerr.OffsetOutOfRange) {
		return c.log.outOfRange(ctx, c.partition, c.next, found)
	}
	return fmt.Errorf("read partition %d at offset %d: %w", c.partition, c.next, found)
}

// outOfRange says what is wrong with an offset at which the log has nothing.
func (l *Log) outOfRange(ctx context.Context, partition int, from chat.Offset, cause error) error {
	admin := kadm.NewClient(l.producer)
	starts, err := admin.ListStartOffsets(ctx, l.options.Topic)
	if err != nil {
		return fmt.Errorf("read partition %d at offset %d: %w", partition, from, cause)
	}
	ends, err := admin.ListEndOffsets(ctx, l.options.Topic)
	if err != nil {
		return fmt.Errorf("read partition %d at offset %d: %w", partition, from, cause)
	}
	start, _ := starts.Lookup(l.options.Topic, int32(partition)) //nolint:gosec // Kafka's own numbers
	end, _ := ends.Lookup(l.options.Topic, int32(partition))     //nolint:gosec // Kafka's own numbers
	return fmt.Errorf("partition %d of the log has offsets %d to %d, and the store goes on from %d: records were lost, "+
		"or the log and the store are not of the same cluster: %w", partition, start.Offset, end.Offset, from, cause)
}

// entry decodes a record. One that cannot be read stands for itself: it has a number of its own to be settled by.
func (l *Log) entry(fetched *kgo.Record) entry {
	record, err := l.options.Decode(fetched.Value)
	if err != nil {
		record = &chat.Record{Kind: chat.KindUnreadable, At: fetched.Timestamp, Body: string(fetched.Value)}
		copy(record.Room[:], fetched.Key)
	}
	record.Trace = traceOf(fetched)
	return entry{
		offset: chat.Offset(fetched.Offset),
		record: record, bytes: len(fetched.Value) + entryBytes,
	}
}
