package memory_test

import (
	"context"
	"encoding/binary"
	"sync"
	"testing"

	"github.com/blabber-hive/blabber-hive/internal/adapter/memory"
	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/porttest/bustest"
	"github.com/blabber-hive/blabber-hive/internal/porttest/logtest"
)

// Promise: the log of one machine keeps the contract of logs.
func TestLogConforms(t *testing.T) {
	t.Parallel()
	logtest.Run(t, func(*testing.T) logtest.Instance {
		log := memory.NewLog(0)
		return logtest.Instance{Log: log, Close: log.Close}
	})
}

// Promise: the bus of one process keeps the contract of buses.
func TestBusConforms(t *testing.T) {
	t.Parallel()
	bustest.Run(t, func(*testing.T) []bustest.Bus { return []bustest.Bus{&memory.Bus{}} })
}

// Promise: a log goes on from the offset that is stored.
func TestLogGoesOnFromTheStoredOffset(t *testing.T) {
	t.Parallel()
	log := memory.NewLog(41)
	if err := log.Append(t.Context(), &chat.Record{}, func(chat.Receipt, error) {}); err != nil {
		t.Fatal(err)
	}
	if run, err := log.Read(t.Context(), 0, 0); err != nil || run.From != 41 || run.To != 42 {
		t.Errorf("the first run is %+v, %v", run, err)
	}
}

// Promise: who appends to a full log waits, and no longer than its context.
func TestAFullLogLetsSendersWait(t *testing.T) {
	t.Parallel()
	log := memory.NewLog(0)
	ctx, cancel := context.WithCancel(t.Context())
	taken := 0
	var filling sync.WaitGroup
	filled := make(chan struct{})
	filling.Go(func() {
		for {
			if err := log.Append(ctx, &chat.Record{}, func(chat.Receipt, error) {}); err != nil {
				if chat.CodeOf(err) != chat.Unavailable {
					t.Errorf("append gives %v", err)
				}
				return
			}
			if taken++; taken == 8192 {
				close(filled)
			}
		}
	})
	<-filled
	cancel()
	filling.Wait()
	if taken < 8192 || taken > 8193 {
		t.Errorf("%d records were taken", taken)
	}
	polled := 0
	log.Close()
	for {
		run, err := log.Read(t.Context(), 0, 0)
		if err != nil {
			break
		}
		if len(run.Records) > 1024 {
			t.Errorf("a run of %d records", len(run.Records))
		}
		polled += len(run.Records)
	}
	if polled != taken {
		t.Errorf("%d records were taken and %d polled", taken, polled)
	}
}

func BenchmarkAppendToSettle(b *testing.B) {
	for name, senders := range map[string]int{"one sender": 1, "100 senders": 100} {
		b.Run(name, func(b *testing.B) {
			log := memory.NewLog(0)
			var consuming sync.WaitGroup
			consuming.Go(func() {
				outcomes := make([]chat.Outcome, 1024)
				for {
					run, err := log.Read(context.Background(), 0, 0)
					if err != nil {
						return
					}
					log.Settle(context.Background(), run, outcomes[:len(run.Records)])
				}
			})
			b.ReportAllocs()
			b.SetParallelism(senders)
			b.RunParallel(func(pb *testing.PB) {
				var record chat.Record
				settled := make(chan struct{}, 1)
				for serial := uint64(0); pb.Next(); serial++ {
					binary.BigEndian.PutUint64(record.ID[:], serial)
					if err := log.Append(context.Background(), &record, func(chat.Receipt, error) { settled <- struct{}{} }); err != nil {
						b.Error(err)
						return
					}
					<-settled
				}
			})
			log.Close()
			consuming.Wait()
		})
	}
}
