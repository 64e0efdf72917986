package services_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/blabber-hive/blabber-hive/internal/porttest/services"
	"github.com/blabber-hive/blabber-hive/internal/run"
)

// Promise: a cluster of three keeps what it acknowledged and goes on when one broker is killed, which comes back.
func TestKafkaOfThreeSurvivesADeath(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	cluster, err := services.NewFolder(t).StartKafka(ctx, 3, nil)
	if err != nil {
		t.Fatal(err)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(cluster.URL, ",")...), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.DefaultProduceTopic("kept"), kgo.MetadataMinAge(100*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	inSync := "2"
	if _, err := kadm.NewClient(client).CreateTopic(ctx, 1, 3, map[string]*string{"min.insync.replicas": &inSync}, "kept"); err != nil {
		t.Fatal(err)
	}
	produce := func() int64 {
		record, err := client.ProduceSync(ctx, &kgo.Record{Value: []byte("word")}).First()
		if err != nil {
			t.Fatal(err)
		}
		return record.Offset
	}
	if at := produce(); at != 0 {
		t.Errorf("the first record stands at %d", at)
	}
	described, err := kadm.NewClient(client).ListTopics(ctx, "kept")
	if err != nil {
		t.Fatal(err)
	}
	leader := cluster.Brokers[described["kept"].Partitions[0].Leader-1]
	leader.Kill()
	if at := produce(); at != 1 {
		t.Errorf("after the leader's death the second record stands at %d", at)
	}
	if err := leader.Start(ctx); err != nil {
		t.Fatal(err)
	}
	if at := produce(); at != 2 {
		t.Errorf("after its return the third record stands at %d", at)
	}
}

// Promise: tests share one broker, each with names of its own that go with it.
func TestKafkaGivesEachTestItsNames(t *testing.T) { //nolint:tparallel // the end of the inner test is what is looked at
	t.Parallel()
	var first services.KafkaPlace
	t.Run("a test", func(t *testing.T) {
		first = services.Kafka(t)
		client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(first.URL, ",")...))
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		if _, err := kadm.NewClient(client).CreateTopic(t.Context(), 1, 1, nil, first.Prefix+"topic"); err != nil {
			t.Fatal(err)
		}
	})
	second := services.Kafka(t)
	if first.URL != second.URL || first.Prefix == second.Prefix {
		t.Errorf("places are %v and %v", first, second)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(second.URL, ",")...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	// A broker learns of a deletion a moment after it is decided.
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err = run.Retry(ctx, run.Backoff{}, func(ctx context.Context) error {
		topics, err := kadm.NewClient(client).ListTopics(ctx)
		for _, name := range topics.Names() {
			if strings.HasPrefix(name, first.Prefix) {
				err = errors.Join(err, errors.New("topic "+name+" is still there"))
			}
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
