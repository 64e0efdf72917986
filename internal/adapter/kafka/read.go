package kafka

import (
	"context"
	"strconv"
	"sync"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// behindMax is how many readers of one partition may be before its tail at the same time, each with a client of its own.
// One more takes the client of the one that has waited longest.
const behindMax = 4

// partition is what is kept of a partition that somebody reads.
type partition struct {
	log    *Log
	number int

	mu       sync.Mutex
	feed     *feed     // nil before the first Read, and after it failed
	behind   []*cursor // of readers before the tail, at rest, longest first
	live     chat.Offset
	stored   chat.Offset
	end      chat.Offset
	released bool
}

// feed fetches into the tail.
type feed struct {
	tail *tail
	stop context.CancelFunc
	done chan struct{}
}

// Read implements sequencer.Log.
func (l *Log) Read(ctx context.Context, number int, from chat.Offset) (chat.LogRun, error) {
	for {
		if l.endedAt(number, from) {
			l.release(number)
			return chat.LogRun{}, chat.ErrLogClosed
		}
		p := l.partition(number)
		if p == nil {
			return chat.LogRun{}, chat.ErrLogClosed
		}
		records, again, err := p.read(ctx, from)
		if err != nil || !again {
			return records, err
		}
	}
}

// partition finds or makes what is kept of a partition; nil when the log has stopped.
func (l *Log) partition(number int) *partition {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopped {
		return nil
	}
	p := l.partitions[number]
	if p == nil {
		p = &partition{log: l, number: number}
		l.partitions[number] = p
		l.shareLocked()
	}
	return p
}

// shareLocked divides the memory for tails among the partitions that are read.
func (l *Log) shareLocked() {
	l.tailBytes.Store(min(tailBytesMax, tailsBytesMax/int64(max(len(l.partitions), 1))))
}

// release lets go of all that is kept of a partition.
func (l *Log) release(number int) {
	l.mu.Lock()
	p := l.partitions[number]
	delete(l.partitions, number)
	l.shareLocked()
	l.mu.Unlock()
	if p != nil {
		p.release()
	}
}

func (p *partition) release() {
	p.mu.Lock()
	p.released = true
	f, behind := p.feed, p.behind
	p.feed, p.behind = nil, nil
	p.mu.Unlock()
	if f != nil {
		f.stop()
		<-f.done
	}
	for _, c := range behind {
		c.close()
	}
}

// read answers a run, or that it must be asked again because things have changed.
func (p *partition) read(ctx context.Context, from chat.Offset) (records chat.LogRun, again bool, err error) {
	f := p.feeding(from)
	if f == nil {
		return chat.LogRun{}, true, ctx.Err() // released meanwhile
	}
	records, at, changed, err := f.tail.take(p.number, from, p.log.options.RunRecordsMax)
	switch {
	case err != nil:
		p.drop(f)
		return chat.LogRun{}, false, err
	case at == here:
		p.log.metrics.reads.WithLabelValues("memory").Inc()
		p.passed(records.To)
		return records, false, nil
	case at == before:
		records, err = p.readBehind(ctx, f, from)
		return records, false, err
	}
	select {
	case <-changed:
		return chat.LogRun{}, true, nil
	case <-p.log.ended:
		if p.log.endedAt(p.number, from) {
			return chat.LogRun{}, true, nil
		}
	case <-ctx.Done():
		return chat.LogRun{}, false, ctx.Err()
	}
	select { // the log is closed, and there is more to come from before
	case <-changed:
		return chat.LogRun{}, true, nil
	case <-ctx.Done():
		return chat.LogRun{}, false, ctx.Err()
	}
}

// feeding is the feed, which the first reader starts at its place.
func (p *partition) feeding(from chat.Offset) *feed {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.released || p.feed != nil {
		return p.feed
	}
	ctx, cancel := context.WithCancel(p.log.feeds.Context())
	f := &feed{tail: newTail(from, &p.log.tailBytes), stop: cancel, done: make(chan struct{})}
	started := p.log.feeds.Go("feed partition "+strconv.Itoa(p.number), func(context.Context) error {
		defer close(f.done)
		defer cancel()
		f.tail.fail(p.fetch(ctx, f.tail, from))
		return nil // readers are told, and the next one starts another feed
	})
	if !started {
		cancel()
		return nil
	}
	p.feed = f
	p.live, p.stored = max(p.live, from), max(p.stored, from)
	return f
}

// drop forgets a feed that has ended, so that the next reader starts another.
func (p *partition) drop(f *feed) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.feed == f {
		p.feed = nil
	}
}

// fetch follows the partition until ctx ends, waiting while the tail is full of what nobody has read.
func (p *partition) fetch(ctx context.Context, t *tail, from chat.Offset) error {
	c, err := p.log.newCursor(p.number, from)
	if err != nil {
		return err
	}
	defer c.close()
	for {
		for t.full() {
			select {
			case <-t.room:
			case <-ctx.Done():
				return chat.ErrLogClosed
			}
		}
		entries, err := c.read(ctx)
		switch {
		case ctx.Err() != nil:
			return chat.ErrLogClosed
		case err != nil:
			return err
		}
		p.sawEnd(c.end)
		t.add(entries)
	}
}

// readBehind reads before the tail.
func (p *partition) readBehind(ctx context.Context, f *feed, from chat.Offset) (chat.LogRun, error) {
	c, err := p.cursorAt(from)
	if err != nil {
		return chat.LogRun{}, err
	}
	entries, err := c.read(ctx)
	if err != nil {
		c.close()
		return chat.LogRun{}, err
	}
	records := runOf(p.number, entries, p.log.options.RunRecordsMax)
	c.putBack(entries[len(records.Records):])
	c.next = records.To
	p.log.metrics.reads.WithLabelValues("broker").Inc()
	p.sawEnd(c.end)
	f.tail.passed(records.To)
	p.passed(records.To)
	p.rest(c, f)
	return records, nil
}

// cursorAt finds the client that has come to an offset, or makes one.
func (p *partition) cursorAt(from chat.Offset) (*cursor, error) {
	p.mu.Lock()
	for i, c := range p.behind {
		if c.next == from {
			p.behind = append(p.behind[:i:i], p.behind[i+1:]...)
			p.mu.Unlock()
			return c, nil
		}
	}
	p.mu.Unlock()
	return p.log.newCursor(p.number, from)
}

// rest keeps a client for the reader's next call, unless that will be served from memory.
func (p *partition) rest(c *cursor, f *feed) {
	if f.tail.holds(c.next) {
		c.close()
		return
	}
	p.mu.Lock()
	var leave *cursor
	switch {
	case p.released:
		leave = c
	case len(p.behind) == behindMax:
		leave, p.behind = p.behind[0], append(p.behind[1:len(p.behind):len(p.behind)], c)
	default:
		p.behind = append(p.behind, c)
	}
	p.mu.Unlock()
	if leave != nil {
		leave.close()
	}
}

func (p *partition) passed(to chat.Offset) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.live = max(p.live, to)
}

func (p *partition) sawEnd(end chat.Offset) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.end = max(p.end, end)
}

func (p *partition) settled(to chat.Offset) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stored = max(p.stored, to)
}

// places are where the log ends and where its readers are.
func (p *partition) places() (end, live, stored chat.Offset) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return max(p.end, p.live), p.live, p.stored
}
