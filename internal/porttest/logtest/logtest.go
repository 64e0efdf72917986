// Package logtest is what every log must pass: the one of a single machine and that of a cluster.
//
// A log joins two ports: message.Log, where records are appended, and sequencer.Log, where they are read and settled.
package logtest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/message"
	"github.com/blabber-hive/blabber-hive/internal/sequencer"
)

// Log is both halves.
type Log interface {
	message.Log
	sequencer.Log
}

// Instance is a log of its own for one test, empty, with one partition.
type Instance struct {
	Log Log
	// Close refuses further records; what was taken over before is still read and settled.
	Close func()
	// AcksByItself says that the log is durable before it is read: senders are told by the log, not by what is settled.
	AcksByItself bool
}

// Run holds a log to its contract. open gives a new one, cleaned up by t.
func Run(t *testing.T, open func(t *testing.T) Instance) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, Instance){
		"records are read as they were appended, in order":           inOrder,
		"each sender is told what became of its record":              outcomes,
		"every record of many senders is settled once":               manySenders,
		"closing under load loses nothing and settles nothing twice": closing,
		"reading ends with its context":                              readEnds,
		"a closed log refuses and is empty":                          closed,
		"owning ends with its context, after its work":               owningEnds,
		"owning ends with the error of its work":                     owningFails,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

var room = chat.RoomID{1}

func record(sender, serial int) *chat.Record {
	r := &chat.Record{Room: room, Kind: chat.KindMessage, At: time.Date(2026, 11, 23, 12, 0, serial, 0, time.UTC), Actor: chat.Profile{ID: chat.UserID{byte(sender)}}, Body: fmt.Sprintf("%d from %d", serial, sender)}
	binary.BigEndian.PutUint32(r.ID[0:], uint32(sender)+1)
	binary.BigEndian.PutUint32(r.ID[4:], uint32(serial))
	r.Fingerprint = chat.FingerprintOf(r.Actor.ID, r.Body, r.ReplyTo)
	return r
}

func origin(r *chat.Record) (sender, serial int) {
	return int(binary.BigEndian.Uint32(r.ID[0:])) - 1, int(binary.BigEndian.Uint32(r.ID[4:]))
}

// settle numbers a run by offset, and refuses what the test wants refused.
func settle(ctx context.Context, log Log, run chat.LogRun, refuse func(*chat.Record) error) {
	results := make([]chat.Outcome, len(run.Records))
	for i, r := range run.Records {
		results[i].Receipt.Seq = chat.Seq(run.From) + chat.Seq(i) + 1
		if refuse != nil {
			if err := refuse(r); err != nil {
				results[i] = chat.Outcome{Err: err}
			}
		}
	}
	log.Settle(ctx, run, results)
}

func inOrder(t *testing.T, in Instance) {
	const records = 3000 // more than fit into one run
	ctx := t.Context()
	var senders sync.WaitGroup
	defer senders.Wait()
	senders.Go(func() {
		for serial := range records {
			if err := in.Log.Append(ctx, record(1, serial), func(chat.Receipt, error) {}); err != nil {
				t.Errorf("append: %v", err)
			}
		}
	})
	offset := chat.Offset(0)
	for next := 0; next < records; {
		run, err := in.Log.Read(ctx, 0, offset)
		if err != nil {
			t.Fatalf("read: %v", err)
		}
		if len(run.Records) == 0 || run.From < offset || run.To < run.From+chat.Offset(len(run.Records)) {
			t.Fatalf("after offset %d came a run of %d records from %d to %d", offset, len(run.Records), run.From, run.To)
		}
		offset = run.To
		for _, got := range run.Records {
			if want := record(1, next); !cmp.Equal(got, want) {
				t.Fatalf("record %d is\n%s", next, cmp.Diff(want, got))
			}
			next++
		}
		settle(ctx, in.Log, run, nil)
	}
}

func outcomes(t *testing.T, in Instance) {
	const records = 100
	ctx := t.Context()
	type told struct {
		serial  int
		receipt chat.Receipt
		err     error
	}
	answers := make(chan told, records)
	for serial := range records {
		if err := in.Log.Append(ctx, record(1, serial), func(receipt chat.Receipt, err error) { answers <- told{serial, receipt, err} }); err != nil {
			t.Fatalf("append: %v", err)
		}
	}
	seqs := make(map[int]chat.Seq)
	refuse := func(r *chat.Record) error {
		if _, serial := origin(r); serial%3 == 0 {
			return chat.Refuse(chat.Conflict, "number %d", serial)
		}
		return nil
	}
	offset := chat.Offset(0)
	for polled := 0; polled < records; {
		run, err := in.Log.Read(ctx, 0, offset)
		if err != nil {
			t.Fatalf("read: %v", err)
		}
		for i, r := range run.Records {
			_, serial := origin(r)
			seqs[serial] = chat.Seq(run.From) + chat.Seq(i) + 1
		}
		polled, offset = polled+len(run.Records), run.To
		settle(ctx, in.Log, run, refuse)
	}
	for range records {
		answer := <-answers
		switch {
		case in.AcksByItself:
			if answer.err != nil || answer.receipt.Seq != 0 {
				t.Errorf("record %d was acknowledged with %+v, %v", answer.serial, answer.receipt, answer.err)
			}
		case answer.serial%3 == 0:
			if chat.CodeOf(answer.err) != chat.Conflict {
				t.Errorf("record %d was told %v", answer.serial, answer.err)
			}
		case answer.err != nil || answer.receipt.Seq != seqs[answer.serial]:
			t.Errorf("record %d was told %+v, %v; want number %d", answer.serial, answer.receipt, answer.err, seqs[answer.serial])
		}
	}
}

// tally counts how often each record was settled.
type tally struct {
	mu       sync.Mutex
	accepted int
	settled  map[chat.MessageID]int
}

func (c *tally) once(r *chat.Record) func(chat.Receipt, error) {
	return func(chat.Receipt, error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.settled == nil {
			c.settled = make(map[chat.MessageID]int)
		}
		c.settled[r.ID]++
	}
}

func (c *tally) check(t *testing.T) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.settled) != c.accepted {
		t.Errorf("%d records were taken over, %d settled", c.accepted, len(c.settled))
	}
	for id, n := range c.settled {
		if n != 1 {
			t.Errorf("record %s was settled %d times", id, n)
		}
	}
}

// consume reads and settles until the log is closed and empty, and answers each sender's serials in their order.
func consume(t *testing.T, in Instance) map[int][]int {
	t.Helper()
	polled := make(map[int][]int)
	offset := chat.Offset(0)
	for {
		run, err := in.Log.Read(t.Context(), 0, offset)
		if errors.Is(err, chat.ErrLogClosed) {
			return polled
		}
		if err != nil {
			t.Errorf("read: %v", err)
			return polled
		}
		for _, r := range run.Records {
			sender, serial := origin(r)
			polled[sender] = append(polled[sender], serial)
		}
		offset = run.To
		settle(t.Context(), in.Log, run, nil)
	}
}

func manySenders(t *testing.T, in Instance) {
	const senders, each = 16, 300
	counts := tally{accepted: senders * each}
	var appending, consuming sync.WaitGroup
	polled := make(map[int][]int)
	consuming.Go(func() { polled = consume(t, in) })
	for sender := range senders {
		appending.Go(func() {
			for serial := range each {
				r := record(sender, serial)
				if err := in.Log.Append(t.Context(), r, counts.once(r)); err != nil {
					t.Errorf("append: %v", err)
				}
			}
		})
	}
	appending.Wait()
	in.Close()
	consuming.Wait()
	counts.check(t)
	for sender := range senders {
		if serials := polled[sender]; len(serials) != each || !slices.IsSorted(serials) {
			t.Errorf("sender %d's records were polled as %v", sender, serials)
		}
	}
}

func closing(t *testing.T, in Instance) {
	const senders = 8
	counts := tally{}
	var accepted, refused atomic.Int64
	var appending, consuming sync.WaitGroup
	busy := make(chan struct{}, senders*100)
	consuming.Go(func() { consume(t, in) })
	for sender := range senders {
		appending.Go(func() {
			for serial := 0; ; serial++ {
				r := record(sender, serial)
				err := in.Log.Append(t.Context(), r, counts.once(r))
				if err != nil {
					if chat.CodeOf(err) != chat.Unavailable {
						t.Errorf("a closed log refuses with %v", err)
					}
					refused.Add(1)
					return
				}
				accepted.Add(1)
				select {
				case busy <- struct{}{}:
				default:
				}
			}
		})
	}
	for range senders * 50 {
		<-busy
	}
	in.Close()
	in.Close() // again, which changes nothing
	appending.Wait()
	consuming.Wait()
	counts.accepted = int(accepted.Load())
	counts.check(t)
	if refused.Load() != senders {
		t.Errorf("%d of %d senders were refused", refused.Load(), senders)
	}
}

func readEnds(t *testing.T, in Instance) {
	ctx, cancel := context.WithCancel(t.Context())
	var polling sync.WaitGroup
	polling.Go(func() {
		if run, err := in.Log.Read(ctx, 0, 0); !errors.Is(err, context.Canceled) {
			t.Errorf("reading gives %v, %v", run, err)
		}
	})
	cancel()
	polling.Wait()
}

func closed(t *testing.T, in Instance) {
	in.Close()
	err := in.Log.Append(t.Context(), record(1, 1), func(chat.Receipt, error) { t.Error("a refused record was settled") })
	if chat.CodeOf(err) != chat.Unavailable {
		t.Errorf("append gives %v", err)
	}
	for range 2 {
		if run, err := in.Log.Read(t.Context(), 0, 0); !errors.Is(err, chat.ErrLogClosed) {
			t.Errorf("reading gives %v, %v", run, err)
		}
	}
}

// owning runs Own and answers its end.
func owning(ctx context.Context, log Log, work func(ctx context.Context, partition int) error) (ended <-chan error) {
	end := make(chan error, 1)
	go func() { end <- log.Own(ctx, work) }()
	return end
}

func owningEnds(t *testing.T, in Instance) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	begun := make(chan int, 1)
	var returned atomic.Bool
	end := owning(ctx, in.Log, func(ctx context.Context, partition int) error {
		begun <- partition
		<-ctx.Done()
		returned.Store(true)
		return nil
	})
	if partition := <-begun; partition != 0 {
		t.Errorf("partition %d is owned, and there is only 0", partition)
	}
	cancel()
	if err := <-end; err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("owning gives %v", err)
	}
	if !returned.Load() {
		t.Error("owning ended before its work")
	}
}

func owningFails(t *testing.T, in Instance) {
	broken := errors.New("broken")
	if err := <-owning(t.Context(), in.Log, func(context.Context, int) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("owning gives %v", err)
	}
}
