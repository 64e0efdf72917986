package room

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"pgregory.net/rapid"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/run"
	"github.com/blabber-hive/blabber-hive/internal/wire"
)

// outbox is an outbox in memory.
type outbox struct {
	mu      sync.Mutex
	entries []chat.OutboxEntry
	next    int64
	down    bool
}

// put commits one record of a room, and tells its id.
func (o *outbox) put(room byte) chat.MessageID {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.next++
	record := &chat.Record{ID: chat.MessageID{6: 0x70, 15: byte(o.next), 14: byte(o.next >> 8)}, Room: chat.RoomID{1, room}, Kind: chat.KindRoom, Info: &chat.RoomDetail{}}
	payload, err := wire.EncodeRecord(record)
	if err != nil {
		panic(err)
	}
	o.entries = append(o.entries, chat.OutboxEntry{Position: o.next, ID: record.ID, Room: record.Room, Payload: payload})
	return record.ID
}

func (o *outbox) Outbox(_ context.Context, after int64, limit int) ([]chat.OutboxEntry, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.down {
		return nil, chat.Away("the store", nil)
	}
	var found []chat.OutboxEntry
	for _, entry := range o.entries {
		if entry.Position > after && len(found) < limit {
			found = append(found, entry)
		}
	}
	return found, nil
}

func (o *outbox) OutboxDone(_ context.Context, positions []int64) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.down {
		return chat.Away("the store", nil)
	}
	o.entries = slices.DeleteFunc(o.entries, func(entry chat.OutboxEntry) bool { return slices.Contains(positions, entry.Position) })
	return nil
}

func (o *outbox) len() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.entries)
}

// script is a log that takes and settles as a test says, and remembers what it has.
type script struct {
	mu     sync.Mutex
	taken  []*chat.Record
	has    map[chat.MessageID]bool
	refuse func(record *chat.Record) error // at once
	settle func(record *chat.Record) error // after a while
	after  time.Duration
	group  *run.Group
}

func (l *script) Append(_ context.Context, record *chat.Record, settled func(chat.Receipt, error)) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.refuse != nil {
		if err := l.refuse(record); err != nil {
			return err
		}
	}
	var err error
	if l.settle != nil {
		err = l.settle(record)
	}
	finish := func() {
		l.mu.Lock()
		if err == nil && !l.has[record.ID] {
			l.has[record.ID] = true
			l.taken = append(l.taken, record)
		}
		l.mu.Unlock()
		settled(chat.Receipt{}, err)
	}
	l.group.Go("settle", func(ctx context.Context) error {
		if err := run.Pause(ctx, l.after); err != nil {
			return err
		}
		finish()
		return nil
	})
	return nil
}

// ids are the ids of what the log has, in order, of one room.
func (l *script) ids(room byte) (ids []chat.MessageID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, record := range l.taken {
		if record.Room == (chat.RoomID{1, room}) {
			ids = append(ids, record.ID)
		}
	}
	return ids
}

type relayBundle struct {
	relay  *Relay
	outbox *outbox
	log    *script
	group  *run.Group
}

// newRelay is a relay that does not run yet: what its log shall do is said before start.
func newRelay(t *testing.T) *relayBundle {
	t.Helper()
	group := run.NewGroup(t.Context())
	b := &relayBundle{outbox: &outbox{}, log: &script{has: map[chat.MessageID]bool{}, group: group, after: time.Millisecond}, group: group}
	b.relay = NewRelay(b.outbox, b.log, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	return b
}

// start runs the relay; what it returns stops it and waits.
func (b *relayBundle) start(t *testing.T) (stop func()) {
	t.Helper()
	b.group.Go("relay", b.relay.Run)
	return func() {
		b.group.Cancel()
		if err := b.group.Wait(); err != nil {
			t.Errorf("the relay ended with %v", err)
		}
	}
}

// Promise: whoever waits goes on when the records are in the log, and no later than that.
func TestSettled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newRelay(t)
		b.log.after = 300 * time.Millisecond
		defer b.start(t)()
		start := time.Now()
		ids := []chat.MessageID{b.outbox.put(1), b.outbox.put(1), b.outbox.put(2)}
		b.relay.Settled(t.Context(), ids)
		if took := time.Since(start); took != 600*time.Millisecond { // two of one room, one after the other
			t.Errorf("Settled took %v, want 600 ms", took)
		}
		if got := b.log.ids(1); !slices.Equal(got, ids[:2]) || b.outbox.len() != 0 {
			t.Errorf("the log has %v and the outbox %d, want %v and none", got, b.outbox.len(), ids[:2])
		}
	})
}

// Promise: an answer waits two seconds and no longer; the record follows when the log is back, and whoever asks then is
// not made to wait for an old pause to end.
func TestSettledGivesUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newRelay(t)
		var down error = chat.Away("the log", nil)
		b.log.refuse = func(*chat.Record) error { return down }
		defer b.start(t)()
		start := time.Now()
		first := b.outbox.put(1)
		b.relay.Settled(t.Context(), []chat.MessageID{first})
		if took := time.Since(start); took != SettlePatience {
			t.Errorf("Settled took %v, want %v", took, SettlePatience)
		}
		if len(b.relay.waiting) != 0 {
			t.Errorf("%d still wait", len(b.relay.waiting))
		}
		<-time.After(time.Minute)
		b.log.mu.Lock()
		down = nil
		b.log.mu.Unlock()
		start = time.Now()
		second := b.outbox.put(1)
		b.relay.Settled(t.Context(), []chat.MessageID{second})
		if took := time.Since(start); took > 2*relayRetryMin {
			t.Errorf("Settled took %v after the log came back", took)
		}
		if got := b.log.ids(1); !slices.Equal(got, []chat.MessageID{first, second}) {
			t.Errorf("the log has %v, want both in order", got)
		}
	})
}

// Promise: who goes away stops waiting at once.
func TestSettledEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newRelay(t)
		b.log.after = time.Hour
		defer b.start(t)()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		b.relay.Settled(ctx, []chat.MessageID{b.outbox.put(1)})
		if took := time.Since(start); took != time.Second {
			t.Errorf("Settled took %v, want 1 s", took)
		}
	})
}

// Promise: what another process settled is settled: the record is no longer in the outbox, and nobody waits for it.
func TestSettledElsewhere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newRelay(t)
		defer b.start(t)()
		start := time.Now()
		b.relay.Settled(t.Context(), []chat.MessageID{{1, 2, 3}})
		if took := time.Since(start); took != 0 {
			t.Errorf("Settled took %v, want no time", took)
		}
	})
}

// Promise: what another process committed and left behind is relayed without anybody asking.
func TestLeftBehind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newRelay(t)
		defer b.start(t)()
		synctest.Wait()
		b.outbox.put(1)
		<-time.After(relayIdle + time.Second)
		if len(b.log.ids(1)) != 1 {
			t.Error("it still lies there")
		}
	})
}

// Promise: a record that cannot be read, or that the log refuses for good, blocks nobody; one of a deleted room is dropped.
func TestDeadRecords(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newRelay(t)
		refused, gone := b.outbox.put(1), b.outbox.put(2)
		b.outbox.entries = append(b.outbox.entries, chat.OutboxEntry{Position: 900, ID: chat.MessageID{9}, Room: chat.RoomID{1, 3}, Payload: []byte("{")})
		b.outbox.next = 1000
		good := []chat.MessageID{b.outbox.put(1), b.outbox.put(2), b.outbox.put(3)}
		b.log.settle = func(record *chat.Record) error {
			switch record.ID {
			case refused:
				return chat.Refuse(chat.Conflict, "no")
			case gone:
				return chat.ErrNotFound
			}
			return nil
		}
		defer b.start(t)()
		b.relay.Settled(t.Context(), good)
		if b.outbox.len() != 0 {
			t.Errorf("%d are left", b.outbox.len())
		}
		for i, id := range good {
			if got := b.log.ids(byte(i + 1)); !slices.Equal(got, []chat.MessageID{id}) {
				t.Errorf("room %d has %v, want %v", i+1, got, id)
			}
		}
	})
}

// Promise: while the store is down nothing is lost, and one room that waits holds no other up.
func TestOneRoomWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newRelay(t)
		b.log.settle = func(record *chat.Record) error {
			if record.Room == (chat.RoomID{1, 1}) {
				return errors.New("something odd")
			}
			return nil
		}
		defer b.start(t)()
		b.outbox.put(1)
		start := time.Now()
		b.relay.Settled(t.Context(), []chat.MessageID{b.outbox.put(2)})
		if took := time.Since(start); took > 100*time.Millisecond {
			t.Errorf("room 2 waited %v for room 1", took)
		}
		b.outbox.mu.Lock()
		b.outbox.down = true
		b.outbox.mu.Unlock()
		id := b.outbox.put(3)
		<-time.After(time.Minute)
		b.outbox.mu.Lock()
		b.outbox.down = false
		b.outbox.mu.Unlock()
		b.relay.Settled(t.Context(), []chat.MessageID{id})
		if !slices.Equal(b.log.ids(3), []chat.MessageID{id}) {
			t.Error("a record was lost while the store was down")
		}
	})
}

// Promise: whatever the log refuses for a while, and however long it takes, each room's records arrive once each and in
// the order of their changes.
func TestRelayKeepsOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		rooms := rapid.SliceOfN(rapid.ByteRange(1, 4), 1, 40).Draw(rt, "rooms")
		faults := rapid.SliceOfN(rapid.IntRange(0, 3), 1, 60).Draw(rt, "faults")
		synctest.Test(t, func(t *testing.T) {
			b := newRelay(t)
			fault := func() int {
				if len(faults) == 0 {
					return 0
				}
				next := faults[0]
				faults = faults[1:]
				return next
			}
			b.log.refuse = func(*chat.Record) error {
				if fault() == 1 {
					return chat.Away("the log", nil)
				}
				return nil
			}
			b.log.settle = func(*chat.Record) error {
				switch fault() {
				case 2:
					return chat.Away("the log", nil)
				case 3:
					return fmt.Errorf("commit: %w", errors.New("disk"))
				}
				return nil
			}
			defer b.start(t)()
			want := map[byte][]chat.MessageID{}
			for i, room := range rooms {
				want[room] = append(want[room], b.outbox.put(room))
				if i%7 == 0 {
					<-time.After(3 * time.Millisecond)
				}
			}
			for b.outbox.len() > 0 {
				<-time.After(time.Second)
			}
			for room, ids := range want {
				if got := b.log.ids(room); !slices.Equal(got, ids) {
					rt.Errorf("room %d has %v, want %v", room, got, ids)
				}
			}
		})
	})
}

// Promise: more than one batch waits no longer than it must, and all of it arrives.
func TestManyEntries(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newRelay(t)
		defer b.start(t)()
		var last chat.MessageID
		for i := range 3*relayBatchMax + 1 {
			last = b.outbox.put(byte(1 + i%200))
		}
		b.relay.Settled(t.Context(), []chat.MessageID{last})
		if b.outbox.len() != 0 {
			t.Errorf("%d are left", b.outbox.len())
		}
	})
}
