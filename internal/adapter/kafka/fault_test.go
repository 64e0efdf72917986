package kafka_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/blabber-hive/blabber-hive/internal/adapter/kafka"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// givenUpMax is when a record must have been settled whatever the brokers do: deliveryMax, after a request that is never
// answered.
const givenUpMax = 20 * time.Second

// fake is a cluster of three in this process, whose brokers can be made to misbehave.
func fake(t *testing.T, more ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	cluster, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(3)}, more...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	return cluster
}

func fakeOptions(t *testing.T, cluster *kfake.Cluster) kafka.Options {
	t.Helper()
	o := optionsAt(t, strings.Join(cluster.ListenAddrs(), ","), "", 1)
	o.Replication, o.AllowUnsafe = 0, false
	o.Logger = slog.New(slog.DiscardHandler) // of faults that are meant
	return o
}

func message(serial int) *chat.Record {
	r := &chat.Record{Room: chat.RoomID{1}, Kind: chat.KindMessage, At: time.Date(2026, 11, 23, 12, 0, 0, serial, time.UTC), Body: "words"}
	r.ID = chat.MessageID{15: byte(serial), 14: byte(serial >> 8), 0: 1}
	r.Actor.ID = chat.UserID{1}
	return r
}

// say appends a record and answers what its sender is told.
func say(t *testing.T, log *kafka.Log, serial int) <-chan error {
	t.Helper()
	told := make(chan error, 2)
	if err := log.Append(t.Context(), message(serial), func(_ chat.Receipt, err error) { told <- err }); err != nil {
		t.Fatalf("append: %v", err)
	}
	return told
}

// hear waits for what a sender is told.
func hear(t *testing.T, told <-chan error) error {
	t.Helper()
	select {
	case err := <-told:
		return err
	case <-time.After(givenUpMax):
		t.Fatalf("after %v a sender knows nothing", givenUpMax)
		return nil
	}
}

// Promise: a broker that has lost a producer's sequence, or fences it, keeps nobody stuck: the record is sent anew or its
// sender is told, and the next one is taken.
func TestALostSequenceIsNotSilent(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]*kerr.Error{
		"out of order":     kerr.OutOfOrderSequenceNumber,
		"unknown producer": kerr.UnknownProducerID,
		"old epoch":        kerr.InvalidProducerEpoch,
		"fenced":           kerr.ProducerFenced,
		"not in sync":      kerr.NotEnoughReplicas,
		"storage":          kerr.KafkaStorageError,
		"not authorised":   kerr.TopicAuthorizationFailed,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cluster := fake(t)
			log := open(t, fakeOptions(t, cluster))
			if err := hear(t, say(t, log, 0)); err != nil {
				t.Fatalf("the first sender was told %v", err)
			}
			once := cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: fault, Count: 1})
			if err := hear(t, say(t, log, 1)); err != nil && chat.CodeOf(err) != chat.Unavailable {
				t.Errorf("after one fault the sender was told %v", err)
			}
			if once.Hits() != 1 {
				t.Errorf("the fault was met %d times", once.Hits())
			}
			always := cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: fault, Count: -1})
			told := say(t, log, 2)
			if err := hear(t, told); chat.CodeOf(err) != chat.Unavailable {
				t.Errorf("with a fault that stays the sender was told %v", err)
			}
			always.Remove()
			if err := hear(t, say(t, log, 3)); err != nil {
				t.Errorf("when the fault was gone the sender was told %v", err)
			}
			if len(told) > 0 {
				t.Error("a sender was told twice")
			}
		})
	}
}

// Promise: a broker that no longer answers is given up on, and taken up again when it does.
func TestASilentBrokerIsGivenUp(t *testing.T) {
	t.Parallel()
	cluster := fake(t)
	log := open(t, fakeOptions(t, cluster))
	var silent atomic.Bool
	silent.Store(true)
	cluster.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		return nil, nil, silent.Load()
	})
	began := time.Now()
	told := say(t, log, 0)
	if err := hear(t, told); chat.CodeOf(err) != chat.Unavailable {
		t.Errorf("the sender was told %v", err)
	}
	t.Logf("given up after %v", time.Since(began))
	silent.Store(false)
	if err := hear(t, say(t, log, 1)); err != nil {
		t.Errorf("when the broker was back the sender was told %v", err)
	}
}

// Promise: the records of one sender keep their order over retries, each is there, and each sender is told once.
func TestRetriesKeepTheOrder(t *testing.T) {
	t.Parallel()
	const records = 400
	cluster := fake(t)
	log := open(t, fakeOptions(t, cluster))
	cluster.Fault(
		kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotLeaderForPartition, Count: 3},
		kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.RequestTimedOut, Count: 2}, // written all the same
		kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.OutOfOrderSequenceNumber, Count: 1},
	)
	all := make([]<-chan error, records)
	for serial := range records {
		all[serial] = say(t, log, serial)
	}
	for serial, told := range all {
		if err := hear(t, told); err != nil {
			t.Errorf("sender %d was told %v", serial, err)
		}
		if len(told) > 0 {
			t.Errorf("sender %d was told twice", serial)
		}
	}
	log.Close()
	var newest []int
	seen := make(map[int]bool)
	for from := chat.Offset(0); ; {
		run, err := log.Read(t.Context(), 0, from)
		if err != nil {
			break
		}
		for _, r := range run.Records {
			if serial := int(r.ID[14])<<8 | int(r.ID[15]); !seen[serial] { // repeats are told apart by their ids
				seen[serial] = true
				newest = append(newest, serial)
			}
		}
		from = run.To
	}
	if len(newest) != records || !slices.IsSorted(newest) {
		t.Errorf("of %d records %d are in the log, in order: %v", records, len(newest), slices.IsSorted(newest))
	}
}

// Promise: memory for what Kafka does not take is bounded: who appends to a full buffer waits no longer than its context,
// and closing tells everybody who was taken.
func TestAFullBufferMakesSendersWait(t *testing.T) {
	t.Parallel()
	cluster := fake(t)
	log := open(t, fakeOptions(t, cluster))
	cluster.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		return nil, nil, true
	})
	body := strings.Repeat("x", 500_000)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second) // less than records are given up after
	defer cancel()
	var told atomic.Int64
	taken := 0
	for ; taken < 1000; taken++ {
		r := message(taken)
		r.Body = body
		err := log.Append(ctx, r, func(chat.Receipt, error) { told.Add(1) })
		if err == nil {
			continue
		}
		if chat.CodeOf(err) != chat.Unavailable || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a full buffer refuses with %v", err)
		}
		break
	}
	if taken < 50 || taken > 70 { // 32 MiB
		t.Errorf("%d records of half a megabyte were taken", taken)
	}
	waiting := make(chan error, 1)
	var appending sync.WaitGroup
	appending.Go(func() {
		r := message(taken)
		r.Body = body
		waiting <- log.Append(t.Context(), r, func(chat.Receipt, error) { t.Error("a record that was not taken was settled") })
	})
	appending.Go(log.Close)
	if err := <-waiting; chat.CodeOf(err) != chat.Unavailable {
		t.Errorf("who waited while the log was closed was told %v", err)
	}
	appending.Wait()
	if told.Load() != int64(taken) {
		t.Errorf("%d records were taken and %d senders told", taken, told.Load())
	}
}
