package kafka

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

const (
	// tailBytesMax bounds what of one partition is kept in memory: some seconds at the rates of one partition, so that a
	// store which lags by its usual batch reads from memory too.
	tailBytesMax = 8 << 20
	// tailsBytesMax bounds what of all partitions is kept, which share it.
	tailsBytesMax = 32 << 20
	// entryBytes is what a record in memory costs beside its text, roughly.
	entryBytes = 768
)

// entry is a record with its place.
type entry struct {
	offset chat.Offset
	record *chat.Record
	bytes  int
}

// tail is the stretch of a partition that its feed has fetched and that is still in memory. One feed adds, readers take.
type tail struct {
	bytesMax *atomic.Int64 // at the moment: it falls when the process reads more partitions

	mu       sync.Mutex
	entries  []entry
	bytes    int64
	start    chat.Offset   // all that is in the log from here on, up to end, is in entries
	end      chat.Offset   // the offset after what was fetched
	furthest chat.Offset   // up to where some reader has read
	err      error         // why the feed has ended
	changed  chan struct{} // closed, and another one put in its place, when end or err changes
	room     chan struct{} // holds a token after something was read
}

func newTail(from chat.Offset, bytesMax *atomic.Int64) *tail {
	return &tail{bytesMax: bytesMax, start: from, end: from, furthest: from, changed: make(chan struct{}), room: make(chan struct{}, 1)}
}

// add puts fetched records at the end, and lets go of the oldest that were read.
func (t *tail) add(entries []entry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, e := range entries {
		t.bytes += int64(e.bytes)
	}
	t.entries = append(t.entries, entries...)
	t.end = entries[len(entries)-1].offset + 1
	t.trimLocked()
	t.tellLocked()
}

func (t *tail) trimLocked() {
	n, most := 0, t.bytesMax.Load()
	for ; n < len(t.entries) && t.bytes > most && t.entries[n].offset < t.furthest; n++ {
		t.bytes -= int64(t.entries[n].bytes)
		t.start = t.entries[n].offset + 1
		t.entries[n] = entry{} // not kept alive by the array
	}
	t.entries = t.entries[n:] // append moves what is left to a new array now and then
}

// full reports whether the feed has to wait: what is in memory nobody has read.
func (t *tail) full() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.bytes > t.bytesMax.Load()
}

// fail ends the tail: all who wait are told why.
func (t *tail) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.err = err
	t.tellLocked()
}

func (t *tail) tellLocked() {
	close(t.changed)
	t.changed = make(chan struct{})
}

// place is where an asked offset lies.
type place int

const (
	here   place = iota // records are given
	before              // it has left memory
	after               // nothing is there yet
)

// take answers the run of at most so many records from an offset on, or where that offset lies, and then what to wait for.
func (t *tail) take(partition int, from chat.Offset, most int) (r chat.LogRun, at place, changed <-chan struct{}, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case from < t.start:
		return chat.LogRun{}, before, nil, nil
	case t.err != nil:
		return chat.LogRun{}, after, nil, t.err
	}
	i, _ := slices.BinarySearchFunc(t.entries, from, func(e entry, offset chat.Offset) int {
		return cmp.Compare(e.offset, offset)
	})
	if i == len(t.entries) {
		return chat.LogRun{}, after, t.changed, nil
	}
	r = runOf(partition, t.entries[i:], most)
	t.passedLocked(r.To)
	return r, here, nil, nil
}

// passed says that a reader has come to an offset, from memory or not.
func (t *tail) passed(to chat.Offset) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.passedLocked(to)
}

func (t *tail) passedLocked(to chat.Offset) {
	if to <= t.furthest {
		return
	}
	t.furthest = to
	t.trimLocked()
	select {
	case t.room <- struct{}{}:
	default: // the feed has been told already
	}
}

// holds reports whether an offset can be read here.
func (t *tail) holds(from chat.Offset) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return from >= t.start
}

// runOf makes a run of the first of the entries, up to a gap.
func runOf(partition int, entries []entry, most int) chat.LogRun {
	r := chat.LogRun{Partition: partition, From: entries[0].offset, To: entries[0].offset}
	r.Records = make([]*chat.Record, 0, min(most, len(entries)))
	for _, e := range entries {
		if len(r.Records) == most || e.offset != r.To {
			break
		}
		r.Records = append(r.Records, e.record)
		r.To++
	}
	return r
}
