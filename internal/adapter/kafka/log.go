package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/semaphore"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/run"
)

// Log is one process's view of the log. All methods may be called concurrently.
type Log struct {
	options  Options
	logger   *slog.Logger
	metrics  *metrics
	producer *kgo.Client
	room     *semaphore.Weighted // bytes of the buffer that are free
	feeds    *run.Group

	appending sync.RWMutex // held for reading while appending, so that nothing is appended after Close
	closed    bool
	closing   context.Context //nolint:containedctx // ends the waits of those who append
	close     context.CancelFunc

	ended chan struct{} // closed when ends is known
	ends  map[int]chat.Offset

	tailBytes atomic.Int64 // what the tail of each partition may hold

	mu         sync.Mutex
	partitions map[int]*partition
	stopped    bool
}

// Open makes a log. It does not wait for Kafka: what is asked of it does. Stop must be called.
func Open(ctx context.Context, options Options) (*Log, error) {
	options = options.filled()
	common, err := options.client()
	if err != nil {
		return nil, err
	}
	l := &Log{
		options: options, logger: options.Logger, room: semaphore.NewWeighted(bufferBytesMax),
		feeds: run.NewGroup(context.WithoutCancel(ctx)), // they live until Stop, not until whoever opened the log stops waiting
		ended: make(chan struct{}), partitions: make(map[int]*partition),
	}
	l.metrics = newMetrics(options.Registry, l)
	l.closing, l.close = context.WithCancel(context.WithoutCancel(ctx))
	l.producer, err = kgo.NewClient(append(common, l.producing()...)...)
	if err != nil {
		return nil, fmt.Errorf("make a client of Kafka: %w", err)
	}
	return l, nil
}

// Close refuses further records and waits until those that were taken are settled, which takes until they are delivered or
// given up. Reading goes on up to where the log ends then. It may be called again.
func (l *Log) Close() {
	l.close()
	l.appending.Lock()
	first := !l.closed
	l.closed = true
	l.appending.Unlock()
	if !first {
		<-l.ended
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), deliveryMax+produceRequestMax+requestOverheadMax)
	defer cancel()
	if err := l.producer.Flush(ctx); err != nil {
		l.logger.ErrorContext(ctx, "records were given up because the log is closing", "error", err)
		_ = l.producer.AbortBufferedRecords(context.Background()) // settles them
	}
	ends, err := kadm.NewClient(l.producer).ListEndOffsets(ctx, l.options.Topic)
	if err != nil {
		l.logger.WarnContext(ctx, "the log is closed without knowing where it ends", "error", err)
	}
	l.ends = make(map[int]chat.Offset)
	ends.Each(func(end kadm.ListedOffset) { l.ends[int(end.Partition)] = chat.Offset(end.Offset) })
	close(l.ended)
}

// endedAt reports whether the log is closed and nothing stands at the offset or after it.
func (l *Log) endedAt(partition int, from chat.Offset) bool {
	select {
	case <-l.ended:
		return from >= l.ends[partition]
	default:
		return false
	}
}

// Stop closes the log and ends everything that reads. It may be called again.
func (l *Log) Stop() error {
	l.Close()
	l.mu.Lock()
	first := !l.stopped
	l.stopped = true
	partitions := l.partitions
	l.partitions = nil
	l.mu.Unlock()
	if !first {
		return nil
	}
	for _, p := range partitions {
		p.release()
	}
	err := l.feeds.Wait()
	l.producer.Close()
	l.metrics.unregister()
	return err
}

// translate says in chat's words what became of a record.
func translate(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, kerr.MessageTooLarge):
		return &chat.Error{Code: chat.TooLarge, Detail: "the message is too large for the log", Err: err}
	}
	return &chat.Error{
		Code: chat.Unavailable, Detail: "the message log is unavailable; the message may or may not be in it, send it again with the same id",
		RetryAfter: retryAfter, Err: err,
	}
}
