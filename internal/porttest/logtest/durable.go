package logtest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Durable is a log that keeps what was appended, and that several processes share.
type Durable struct {
	Instance
	// Join gives the same log as another process has it, cleaned up by t.
	Join func(t *testing.T) Instance
}

// RunDurable holds a log to what a cluster needs beyond Run. open gives a new one, cleaned up by t.
func RunDurable(t *testing.T, open func(t *testing.T) Durable) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, Durable){
		"what was read can be read again, also by another process":   readAgain,
		"several readers follow the end":                             severalReaders,
		"a reader far behind gets everything, beside one at the end": farBehind,
		"a partition has one owner at a time, and goes to the next":  oneOwner,
		"closing one process closes no other":                        closingOne,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

// appendAll appends records of one sender and waits until they are settled.
func appendAll(t *testing.T, log Log, from, to int, fill string) {
	t.Helper()
	var settled sync.WaitGroup
	for serial := from; serial < to; serial++ {
		r := record(1, serial)
		r.Body += fill
		settled.Add(1)
		err := log.Append(t.Context(), r, func(_ chat.Receipt, err error) {
			if err != nil {
				t.Errorf("record %d was told %v", serial, err)
			}
			settled.Done()
		})
		if err != nil {
			t.Fatalf("append: %v", err)
		}
	}
	settled.Wait()
}

// readAll reads partition 0 from an offset until there are so many records, and answers their serials and its place.
func readAll(ctx context.Context, t *testing.T, log Log, from chat.Offset, count int) (serials []int, to chat.Offset) {
	t.Helper()
	for len(serials) < count {
		run, err := log.Read(ctx, 0, from)
		if err != nil {
			t.Errorf("read at %d: %v", from, err)
			return serials, from
		}
		if run.From < from || run.To != run.From+chat.Offset(len(run.Records)) || len(run.Records) == 0 {
			t.Errorf("from offset %d came a run of %d records from %d to %d", from, len(run.Records), run.From, run.To)
			return serials, from
		}
		for _, r := range run.Records {
			_, serial := origin(r)
			serials = append(serials, serial)
		}
		from = run.To
	}
	return serials, from
}

// ascending checks that the serials are all from one on, in order.
func ascending(t *testing.T, serials []int, from, count int) {
	t.Helper()
	want := make([]int, count)
	for i := range want {
		want[i] = from + i
	}
	if !cmp.Equal(serials, want) {
		t.Errorf("%d records were read, not the %d from %d on, in order", len(serials), count, from)
	}
}

func readAgain(t *testing.T, in Durable) {
	const records = 2500
	appendAll(t, in.Log, 0, records, "")
	another := in.Join(t)
	for _, log := range []Log{in.Log, another.Log} {
		for range 2 {
			serials, _ := readAll(t.Context(), t, log, 0, records)
			ascending(t, serials, 0, records)
		}
		run, err := log.Read(t.Context(), 0, records/2)
		if err != nil || run.From != records/2 {
			t.Fatalf("reading in the middle gives a run from %d, %v", run.From, err)
		}
		if _, serial := origin(run.Records[0]); serial != records/2 {
			t.Errorf("at offset %d stands record %d", run.From, serial)
		}
	}
}

func severalReaders(t *testing.T, in Durable) {
	const records, readers = 2000, 3
	another := in.Join(t)
	var reading sync.WaitGroup
	for i := range readers {
		log := in.Log
		if i == readers-1 {
			log = another.Log
		}
		reading.Go(func() {
			serials, _ := readAll(t.Context(), t, log, 0, records)
			ascending(t, serials, 0, records)
		})
	}
	appendAll(t, in.Log, 0, records, "")
	reading.Wait()
}

func farBehind(t *testing.T, in Durable) {
	const backlog, later = 6000, 500 // of 4 KB each: more than any log should keep in memory for one partition
	fill := strings.Repeat("x", 4000)
	appendAll(t, in.Log, 0, backlog, fill)
	serials, end := readAll(t.Context(), t, in.Log, 0, backlog)
	ascending(t, serials, 0, backlog)
	var reading sync.WaitGroup
	reading.Go(func() {
		serials, _ := readAll(t.Context(), t, in.Log, 0, backlog+later)
		ascending(t, serials, 0, backlog+later)
	})
	reading.Go(func() {
		serials, _ := readAll(t.Context(), t, in.Log, end, later)
		ascending(t, serials, backlog, later)
	})
	appendAll(t, in.Log, backlog, backlog+later, fill)
	reading.Wait()
}

func oneOwner(t *testing.T, in Durable) {
	var working atomic.Int32
	begun := make(chan int, 8)
	work := func(owner int) func(context.Context, int) error {
		return func(ctx context.Context, partition int) error {
			if others := working.Add(1); others != 1 {
				t.Errorf("%d owners are at work on partition %d", others, partition)
			}
			begun <- owner
			<-ctx.Done()
			working.Add(-1)
			return nil
		}
	}
	first, leave := context.WithCancel(t.Context())
	defer leave()
	firstEnd := owning(first, in.Log, work(1))
	if owner := <-begun; owner != 1 {
		t.Fatalf("owner %d began", owner)
	}
	second, stop := context.WithCancel(t.Context())
	defer stop()
	secondEnd := owning(second, in.Join(t).Log, work(2))
	// Whether the second one gets the partition at once is the log's affair; it must once the first has gone.
	leave()
	if err := <-firstEnd; err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("owning gives %v", err)
	}
	for owner := range begun {
		if owner == 2 {
			break
		}
	}
	stop()
	if err := <-secondEnd; err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("owning gives %v", err)
	}
}

func closingOne(t *testing.T, in Durable) {
	const records = 100
	another := in.Join(t)
	appendAll(t, in.Log, 0, records, "")
	in.Close()
	serials, end := readAll(t.Context(), t, in.Log, 0, records)
	ascending(t, serials, 0, records)
	appendAll(t, another.Log, records, 2*records, "")
	serials, _ = readAll(t.Context(), t, another.Log, end, records)
	ascending(t, serials, records, records)
}
