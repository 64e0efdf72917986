package kafka_test

import (
	"context"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/run"
)

// Promise: a log tells what of it is there, also when its beginning was deleted, and who owns it.
func TestExtents(t *testing.T) {
	t.Parallel()
	o := options(t, 2)
	log := open(t, o)
	id, extents, err := log.Extents(t.Context())
	if err != nil || len(extents) != 2 || extents[0] != (chat.Extent{}) || extents[1] != (chat.Extent{}) || id == "" {
		t.Fatalf("an empty log: %q, %v, %v", id, extents, err)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(o.Brokers...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for range 5 {
		if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: o.Topic, Partition: 1, Value: []byte("?")}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	gone := kadm.Offsets{}
	gone.Add(kadm.Offset{Topic: o.Topic, Partition: 1, At: 3})
	if _, err := kadm.NewClient(client).DeleteRecords(t.Context(), gone); err != nil {
		t.Fatal(err)
	}
	again, extents, err := log.Extents(t.Context())
	if err != nil || again != id || extents[0] != (chat.Extent{}) || extents[1] != (chat.Extent{First: 3, End: 5}) {
		t.Errorf("after five records, of which three were deleted: %q, %v, %v", again, extents, err)
	}
	if owners, err := log.Owners(t.Context()); err != nil || owners != 0 {
		t.Errorf("nobody owns the log, it says %d, %v", owners, err)
	}
	owning := run.NewGroup(t.Context())
	begun := make(chan struct{}, 2)
	owning.Go("own", func(ctx context.Context) error {
		return log.Own(ctx, func(ctx context.Context, _ int) error {
			begun <- struct{}{}
			<-ctx.Done()
			return ctx.Err()
		})
	})
	<-begun
	if owners, err := log.Owners(t.Context()); err != nil || owners != 1 {
		t.Errorf("one process owns the log, it says %d, %v", owners, err)
	}
	owning.Cancel()
	if err := owning.Wait(); err != nil {
		t.Error(err)
	}
	o.Topic += "-not"
	if _, _, err := join(t, o).Extents(t.Context()); err == nil || !strings.Contains(err.Error(), "run blabber-hive migrate first") {
		t.Errorf("a topic that is not there: %v", err)
	}
}
