package kafka_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/adapter/kafka"
	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/porttest/services"
)

// talker appends one record after the other until it is stopped, and remembers what was acknowledged.
type talker struct {
	log *kafka.Log

	mu     sync.Mutex
	acked  map[int]bool
	failed int
	gap    time.Duration // the longest time without an ack
	last   time.Time
}

func (k *talker) talk(ctx context.Context) {
	for serial := 0; ctx.Err() == nil; serial++ {
		told := make(chan error, 1)
		err := k.log.Append(ctx, message(serial), func(_ chat.Receipt, err error) { told <- err })
		if err == nil {
			err = <-told
		}
		k.mu.Lock()
		if err == nil {
			k.acked[serial] = true
			k.gap = max(k.gap, time.Since(k.last))
			k.last = time.Now()
		} else {
			k.failed++
		}
		k.mu.Unlock()
	}
}

// await waits until so many more records were acknowledged.
func (k *talker) await(t *testing.T, more int) {
	t.Helper()
	k.mu.Lock()
	target := len(k.acked) + more
	k.mu.Unlock()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for tick := time.NewTicker(10 * time.Millisecond); ; {
		k.mu.Lock()
		count := len(k.acked)
		k.mu.Unlock()
		if count >= target {
			tick.Stop()
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%d records were acknowledged, not %d", count, target)
		}
	}
}

func (k *talker) takeGap() time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	gap := max(k.gap, time.Since(k.last))
	k.gap, k.last = 0, time.Now()
	return gap
}

// Promise: on three brokers nothing that was acknowledged is lost when the leader is killed and comes back, nor when all
// brokers are killed and come back; senders are told meanwhile, and both talking and reading go on by themselves.
func TestBrokersDie(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	cluster, err := services.NewFolder(t).StartKafka(ctx, 3, nil)
	if err != nil {
		t.Fatal(err)
	}
	o := optionsAt(t, cluster.URL, "", 1)
	o.Replication, o.AllowUnsafe = 0, false
	log := open(t, o)
	if err := log.Check(ctx); err != nil {
		t.Fatalf("a safe topic is refused: %v", err)
	}

	talking, stop := context.WithCancel(ctx)
	defer stop()
	k := &talker{log: log, acked: make(map[int]bool), last: time.Now()}
	read := make(map[int]bool)
	var running sync.WaitGroup
	running.Go(func() { k.talk(talking) })
	running.Go(func() {
		for from := chat.Offset(0); ; {
			run, err := log.Read(ctx, 0, from)
			if errors.Is(err, chat.ErrLogClosed) {
				return
			}
			if err != nil {
				t.Errorf("reading gives %v", err)
				return
			}
			for _, r := range run.Records {
				read[int(r.ID[14])<<8|int(r.ID[15])] = true
			}
			from = run.To
		}
	})
	k.await(t, 200)
	k.takeGap()
	topics, err := admin(t, o).ListTopics(ctx, o.Topic)
	if err != nil {
		t.Fatal(err)
	}
	leader := cluster.Brokers[topics[o.Topic].Partitions[0].Leader-1]
	leader.Kill()
	k.await(t, 200)
	t.Logf("the leader was killed: %v until the next ack, %d records given up", k.takeGap(), k.failed)
	if err := leader.Start(ctx); err != nil {
		t.Fatal(err)
	}
	k.await(t, 200)
	t.Logf("it came back: %v without an ack", k.takeGap())

	cluster.Kill()
	if err := cluster.Start(ctx); err != nil {
		t.Fatal(err)
	}
	k.await(t, 200)
	t.Logf("all were killed and came back: %v without an ack, %d records given up", k.takeGap(), k.failed)
	stop()
	log.Close()
	running.Wait()
	lost := 0
	for serial := range k.acked {
		if serial < 1<<16 && !read[serial] {
			lost++
		}
	}
	if lost > 0 {
		t.Errorf("%d of %d acknowledged records are lost", lost, len(k.acked))
	}
}
