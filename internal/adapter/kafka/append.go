package kafka

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// retryAfter is when a sender should try again.
const retryAfter = time.Second

// producing are the options of the client that appends.
func (l *Log) producing() []kgo.Opt {
	return []kgo.Opt{
		kgo.DefaultProduceTopic(l.options.Topic),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)), // by murmur2 of the key, as Kafka's own clients do
		kgo.ProducerLinger(l.options.Linger),
		// Our own bound waits in Append, where the caller's context counts; the library's is out of its way.
		kgo.MaxBufferedRecords(math.MaxInt32),
		kgo.ProduceRequestTimeout(produceRequestMax),
		kgo.RecordDeliveryTimeout(deliveryMax),
		// Without it a record whose request was never answered could not be given up before its broker is back. What it
		// costs, that the record may be in the log in the end, is what its sender is told.
		kgo.AllowIdempotentProduceCancellation(),
		kgo.UnknownTopicRetries(-1), // for as long as deliveryMax allows: a cluster that starts does not know its topics yet
		// A broker that has lost the sequence of a producer has lost records or been restored: the client begins a new
		// sequence and sends the record again, since its id keeps it from being there twice. But somebody should know.
		kgo.ProducerOnDataLossDetected(func(topic string, partition int32) {
			l.metrics.sequenceLosses.Inc()
			l.logger.Error("a broker no longer knows what it had acknowledged to us: it may have lost records",
				"topic", topic, "partition", partition)
		}),
	}
}

// Append implements message.Log.
func (l *Log) Append(ctx context.Context, record *chat.Record, settled func(chat.Receipt, error)) error {
	value, err := l.options.Encode(record)
	if err != nil {
		return err
	}
	l.appending.RLock()
	defer l.appending.RUnlock()
	if l.closed {
		return chat.Away("this server is stopping, which", nil)
	}
	key := slices.Clone(record.Room[:])
	cost := int64(len(key)+len(value)+len(record.Trace)) + bufferRecordBytes
	if err := l.reserve(ctx, cost); err != nil {
		return err
	}
	began := time.Now()
	// Not the caller's context: once the record is taken over, only its delivery says what becomes of it.
	l.producer.Produce(context.Background(), &kgo.Record{Key: key, Value: value, Headers: traceHeaders(record)}, func(_ *kgo.Record, err error) {
		l.room.Release(cost)
		l.metrics.produced(began, err)
		settled(chat.Receipt{}, translate(err))
	})
	return nil
}

// headerTrace names the trace that a record belongs to, as W3C's Trace Context writes it. It is no part of what is said, so
// it stands beside it, and only where there is one.
const headerTrace = "traceparent"

func traceHeaders(record *chat.Record) []kgo.RecordHeader {
	if record.Trace == "" {
		return nil
	}
	return []kgo.RecordHeader{{Key: headerTrace, Value: []byte(record.Trace)}}
}

// traceOf is the trace that a record says it belongs to.
func traceOf(fetched *kgo.Record) string {
	for _, header := range fetched.Headers {
		if header.Key == headerTrace {
			return string(header.Value)
		}
	}
	return ""
}

// reserve waits for room in the buffer.
func (l *Log) reserve(ctx context.Context, cost int64) error {
	if l.room.TryAcquire(cost) {
		return nil
	}
	l.metrics.waits.Inc()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := context.AfterFunc(l.closing, func() { cancel(l.closing.Err()) })
	defer stop()
	if err := l.room.Acquire(ctx, cost); err != nil {
		return chat.Away("the message log is full and", err)
	}
	return nil
}
