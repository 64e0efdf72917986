package kafka

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// The headers of a dead letter: why it could not be read, and where it stands.
const (
	headerReason    = "reason"
	headerTopic     = "origin-topic"
	headerPartition = "origin-partition"
	headerOffset    = "origin-offset"
	headerAt        = "origin-at"
)

// Settle implements sequencer.Log. Senders were told when their records were appended; what is left are records that could
// not be read. It waits for room in the buffer, not for their delivery.
func (l *Log) Settle(ctx context.Context, run chat.LogRun, _ []chat.Outcome) {
	for i, record := range run.Records {
		if record.Kind == chat.KindUnreadable {
			l.bury(ctx, run.Partition, run.From+chat.Offset(i), record)
		}
	}
	if p := l.partition(run.Partition); p != nil {
		p.settled(run.To)
	}
}

// bury sends a record that could not be read to the dead letters, as it was.
func (l *Log) bury(ctx context.Context, partition int, offset chat.Offset, record *chat.Record) {
	raw := []byte(record.Body)
	reason := "it can be read by now"
	if _, err := l.options.Decode(raw); err != nil {
		reason = err.Error()
	}
	l.metrics.deadLetters.Inc()
	l.logger.ErrorContext(ctx, "a record of the log cannot be read; it goes to the dead letters",
		"partition", partition, "offset", offset, "room", record.Room, "reason", reason)
	letter := &kgo.Record{
		Topic: l.options.DeadLetterTopic, Key: slices.Clone(record.Room[:]), Value: raw,
		Headers: []kgo.RecordHeader{
			{Key: headerReason, Value: []byte(reason)},
			{Key: headerTopic, Value: []byte(l.options.Topic)},
			{Key: headerPartition, Value: []byte(strconv.Itoa(partition))},
			{Key: headerOffset, Value: strconv.AppendInt(nil, int64(offset), 10)},
			{Key: headerAt, Value: record.At.UTC().AppendFormat(nil, time.RFC3339Nano)},
		},
	}
	l.appending.RLock()
	defer l.appending.RUnlock()
	cost := int64(len(raw)) + bufferRecordBytes
	if err := l.room.Acquire(ctx, cost); err != nil {
		l.lostLetter(ctx, partition, offset, err)
		return
	}
	l.producer.Produce(context.WithoutCancel(ctx), letter, func(_ *kgo.Record, err error) {
		l.room.Release(cost)
		if err != nil {
			l.lostLetter(ctx, partition, offset, err)
		}
	})
}

// lostLetter: the record stands in the log still, where the line in ours says.
func (l *Log) lostLetter(ctx context.Context, partition int, offset chat.Offset, err error) {
	l.metrics.lostLetters.Inc()
	l.logger.ErrorContext(ctx, "a dead letter was not sent", "partition", partition, "offset", offset, "error", err)
}
