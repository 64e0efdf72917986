package kafka_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/blabber-hive/blabber-hive/internal/adapter/kafka"
	"github.com/blabber-hive/blabber-hive/internal/run"
)

func admin(t *testing.T, o kafka.Options) *kadm.Client {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(o.Brokers...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return kadm.NewClient(client)
}

func setting(t *testing.T, o kafka.Options, name string) string {
	t.Helper()
	described, err := admin(t, o).DescribeTopicConfigs(t.Context(), o.Topic)
	if err != nil {
		t.Fatal(err)
	}
	for _, config := range described[0].Configs {
		if config.Key == name {
			return config.MaybeValue()
		}
	}
	return ""
}

func refused(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("it is not refused; want %q", words)
		return
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("it is refused with %q, which does not say %q", err, word)
		}
	}
}

// Promise: where there are three brokers the topics are made safe, and kept so; how many partitions there are is never
// changed.
func TestMigrateMakesSafeTopics(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	o := fakeOptions(t, fake(t))
	o.Partitions = 0
	for range 2 { // the second time there is nothing to do
		if err := kafka.Migrate(ctx, o); err != nil {
			t.Fatal(err)
		}
	}
	topics, err := admin(t, o).ListTopics(ctx, o.Topic, o.DeadLetterTopic)
	if err != nil {
		t.Fatal(err)
	}
	if partitions := topics[o.Topic].Partitions; len(partitions) != kafka.PartitionsDefault || partitions.NumReplicas() != 3 {
		t.Errorf("the topic has %d partitions with %d replicas", len(partitions), partitions.NumReplicas())
	}
	if len(topics[o.DeadLetterTopic].Partitions) != 1 {
		t.Errorf("the dead letters have %d partitions", len(topics[o.DeadLetterTopic].Partitions))
	}
	for name, want := range map[string]string{"min.insync.replicas": "2", "retention.ms": "-1", "unclean.leader.election.enable": "false"} {
		if got := setting(t, o, name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if err := join(t, o).Check(ctx); err != nil {
		t.Errorf("the check refuses what was made: %v", err)
	}
	more := o
	more.Partitions = 24
	refused(t, kafka.Migrate(ctx, more), "12 partitions", "KAFKA_PARTITIONS says 24", "never changed")

	one := "1"
	if _, err := admin(t, o).AlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "min.insync.replicas", Value: &one}}, o.Topic); err != nil {
		t.Fatal(err)
	}
	refused(t, join(t, o).Check(ctx), "min.insync.replicas is 1", "acknowledged by one broker alone", "KAFKA_ALLOW_UNSAFE=1")
	if err := kafka.Migrate(ctx, o); err != nil {
		t.Fatal(err)
	}
	if got := setting(t, o, "min.insync.replicas"); got != "2" {
		t.Errorf("after migrating again min.insync.replicas is %q", got)
	}
}

// Promise: a log that can lose what it acknowledged is refused with what can be lost, unless that is accepted, and then
// it is said.
func TestAnUnsafeLogIsRefused(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	o := options(t, 2) // on the one real broker
	unsafe := o
	o.AllowUnsafe, o.Replication = false, 0
	refused(t, join(t, o).Check(ctx), "blabber-hive migrate")
	refused(t, kafka.Migrate(ctx, o), "1 replicas", "KAFKA_ALLOW_UNSAFE=1")
	if err := kafka.Migrate(ctx, unsafe); err != nil {
		t.Fatal(err)
	}
	if got := setting(t, o, "flush.messages"); got != "1" {
		t.Errorf("flush.messages is %q where there is one replica", got)
	}
	refused(t, join(t, o).Check(ctx), "one replica", "not yet in the database is lost")
	var said bytes.Buffer
	unsafe.Logger = slog.New(slog.NewTextHandler(&said, nil))
	if err := join(t, unsafe).Check(ctx); err != nil {
		t.Errorf("what is accepted is refused: %v", err)
	}
	if !strings.Contains(said.String(), "one replica") {
		t.Errorf("the log says %q", said.String())
	}
	many := "100"
	if _, err := admin(t, o).AlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "flush.messages", Value: &many}}, o.Topic); err != nil {
		t.Fatal(err)
	}
	if err := run.Retry(ctx, run.Backoff{First: time.Millisecond, Max: 50 * time.Millisecond}, func(context.Context) error {
		if got := setting(t, o, "flush.messages"); got != many { // the broker hears of it from the controller
			return fmt.Errorf("flush.messages is %s", got)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	refused(t, join(t, o).Check(ctx), "flush.messages is not 1", "loses power")
}

// Promise: two replicas are not enough, and it is said why.
func TestTwoReplicasAreRefused(t *testing.T) {
	t.Parallel()
	o := fakeOptions(t, fake(t, kfake.NumBrokers(2)))
	refused(t, kafka.Migrate(t.Context(), o), "2 brokers", "2 replicas")
	unsafe := o
	unsafe.AllowUnsafe = true
	if err := kafka.Migrate(t.Context(), unsafe); err != nil {
		t.Fatal(err)
	}
	refused(t, join(t, o).Check(t.Context()), "2 replicas", "min.insync.replicas is 1")
}
