package memory

import (
	"context"
	"sync"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

const (
	// logCapacity is how many appended records may wait for the sequencer; who appends more waits. At 10,000 a second it
	// is under a second of work.
	logCapacity = 8192
	// runMax is how many records one run holds: beyond this a larger transaction no longer stores more a second.
	runMax = 1024
)

// partition is the one that there is.
const partition = 0

// Log hands appended records to the sequencer and acknowledges them when they are settled. It is as durable as what
// settles it: the store's commit.
type Log struct {
	queue chan appended

	closing sync.RWMutex // held for reading while appending, so that nothing is appended after the queue is closed
	closed  bool

	mu       sync.Mutex
	next     chat.Offset                                 // of the next record to be read
	inFlight map[chat.Offset][]func(chat.Receipt, error) // by the offset of a run that was read
}

type appended struct {
	record  *chat.Record
	settled func(chat.Receipt, error)
}

// NewLog makes a log that goes on from the stored offset.
func NewLog(stored chat.Offset) *Log {
	return &Log{
		queue: make(chan appended, logCapacity), next: stored,
		inFlight: make(map[chat.Offset][]func(chat.Receipt, error)),
	}
}

// Append implements message.Log.
func (l *Log) Append(ctx context.Context, record *chat.Record, settled func(chat.Receipt, error)) error {
	l.closing.RLock()
	defer l.closing.RUnlock()
	if l.closed {
		return chat.Away("this server is stopping, which", nil)
	}
	select {
	case l.queue <- appended{record, settled}:
		return nil
	case <-ctx.Done():
		return chat.Away("the message log is full and", ctx.Err())
	}
}

// Own implements sequencer.Log: there is one partition, and it is always this process's.
func (l *Log) Own(ctx context.Context, work func(ctx context.Context, partition int) error) error {
	return work(ctx, partition)
}

// Read implements sequencer.Log. What was read is gone, so it goes on where the last one ended, wherever from is; there is
// one reader. After Close it gives what is left and then chat.ErrLogClosed.
func (l *Log) Read(ctx context.Context, _ int, _ chat.Offset) (chat.LogRun, error) {
	var first appended
	var ok bool
	select {
	case first, ok = <-l.queue:
		if !ok {
			return chat.LogRun{}, chat.ErrLogClosed
		}
	case <-ctx.Done():
		return chat.LogRun{}, ctx.Err()
	}
	size := min(len(l.queue)+1, runMax)
	records := append(make([]*chat.Record, 0, size), first.record)
	settled := append(make([]func(chat.Receipt, error), 0, size), first.settled)
	for len(records) < size { // there is one reader, so the queue holds at least as many as it did
		entry := <-l.queue
		records = append(records, entry.record)
		settled = append(settled, entry.settled)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	run := chat.LogRun{Partition: partition, From: l.next, To: l.next + chat.Offset(len(records)), Records: records}
	l.next = run.To
	l.inFlight[run.From] = settled
	return run, nil
}

// Settle implements sequencer.Log: it tells every sender what became of its record.
func (l *Log) Settle(_ context.Context, run chat.LogRun, outcomes []chat.Outcome) {
	l.mu.Lock()
	settled := l.inFlight[run.From]
	delete(l.inFlight, run.From)
	l.mu.Unlock()
	for i, tell := range settled {
		tell(outcomes[i].Receipt, outcomes[i].Err)
	}
}

// Close refuses further records; those already appended are still read and settled. It may be called again.
func (l *Log) Close() {
	l.closing.Lock()
	defer l.closing.Unlock()
	if !l.closed {
		l.closed = true
		close(l.queue)
	}
}
