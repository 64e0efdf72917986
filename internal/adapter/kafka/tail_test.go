package kafka

import (
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Promise: whatever is fetched and read in whatever order, the tail is bounded once it was read, never lets go of what no
// reader has had, gives what it holds in order and without a gap, and says of the rest where it is.
func TestTheTailIsBoundedAndWhole(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		from := chat.Offset(rapid.IntRange(0, 5).Draw(t, "from"))
		var bytesMax atomic.Int64
		bytesMax.Store(tailBytesMax)
		tl := newTail(from, &bytesMax)
		next := from
		var furthest chat.Offset
		exists := map[chat.Offset]bool{}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "fetch") {
				if tl.full() {
					continue
				}
				var fetched []entry
				for range rapid.IntRange(1, 8).Draw(t, "records") {
					next += chat.Offset(rapid.IntRange(0, 9).Draw(t, "gap") / 9)
					fetched = append(fetched, entry{next, &chat.Record{}, rapid.IntRange(1, tailBytesMax/3).Draw(t, "bytes")})
					exists[next] = true
					next++
				}
				tl.add(fetched)
				continue
			}
			at := chat.Offset(rapid.Int64Range(0, int64(next)+2).Draw(t, "read at"))
			most := rapid.IntRange(1, 10).Draw(t, "most")
			r, where, changed, err := tl.take(3, at, most)
			switch {
			case err != nil:
				t.Fatalf("reading gives %v", err)
			case where == before && at >= tl.start, where == after && at < tl.end && next > at && anyFrom(exists, at, next):
				t.Fatalf("offset %d is said to be at %d, and memory holds %d to %d", at, where, tl.start, tl.end)
			case where == after && changed == nil:
				t.Fatal("there is nothing to wait for")
			case where == here:
				if len(r.Records) == 0 || len(r.Records) > most || r.To != r.From+chat.Offset(len(r.Records)) || r.From < at || anyFrom(exists, at, r.From) {
					t.Fatalf("from %d came %d records from %d to %d", at, len(r.Records), r.From, r.To)
				}
				furthest = max(furthest, r.To)
			}
			if tl.start > max(furthest, from) {
				t.Fatalf("memory begins at %d, and nobody has read beyond %d", tl.start, furthest)
			}
			if !tl.full() && tl.bytes > tailBytesMax || tl.full() && furthest >= tl.end {
				t.Fatalf("%d bytes are held, all of them read", tl.bytes)
			}
		}
	})
}

// anyFrom reports whether there is a record in [from, to).
func anyFrom(exists map[chat.Offset]bool, from, to chat.Offset) bool {
	for ; from < to; from++ {
		if exists[from] {
			return true
		}
	}
	return false
}

// Promise: the tails of all partitions that a process reads are bounded together, and those that stay have the room of
// those that go.
func TestTailsShareTheirRoom(t *testing.T) {
	t.Parallel()
	l := &Log{partitions: make(map[int]*partition)}
	const partitions = 12
	for n := range partitions {
		l.partition(n)
		if most := l.tailBytes.Load(); most > tailBytesMax || most*int64(n+1) > tailsBytesMax {
			t.Errorf("each of %d tails may hold %d bytes", n+1, most)
		}
	}
	for n := range partitions - 1 {
		l.release(n)
	}
	if most := l.tailBytes.Load(); most != tailBytesMax {
		t.Errorf("the one that is left may hold %d bytes", most)
	}
}
