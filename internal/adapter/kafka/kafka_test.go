package kafka_test

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/blabber-hive/blabber-hive/internal/adapter/kafka"
	"github.com/blabber-hive/blabber-hive/internal/porttest/logtest"
	"github.com/blabber-hive/blabber-hive/internal/porttest/services"
	"github.com/blabber-hive/blabber-hive/internal/wire"
)

// options are those of a log of its own on the real broker, with so many partitions.
func options(t testing.TB, partitions int) kafka.Options {
	t.Helper()
	place := services.Kafka(t)
	return optionsAt(t, place.URL, place.Prefix, partitions)
}

func optionsAt(t testing.TB, url, prefix string, partitions int) kafka.Options {
	t.Helper()
	return kafka.Options{
		Brokers: strings.Split(url, ","), Topic: prefix + "events", DeadLetterTopic: prefix + "dead", Group: prefix + "group", MoodGroup: prefix + "mood",
		Partitions: partitions, Replication: 1, AllowUnsafe: true,
		Encode: wire.EncodeRecord, Decode: wire.DecodeRecord,
		Registry: prometheus.NewRegistry(), Logger: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
}

// open makes the topics and opens the log, which ends with the test.
func open(t testing.TB, o kafka.Options) *kafka.Log {
	t.Helper()
	if err := kafka.Migrate(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	return join(t, o)
}

// join opens the log as another process would.
func join(t testing.TB, o kafka.Options) *kafka.Log {
	t.Helper()
	o.Registry = prometheus.NewRegistry()
	log, err := kafka.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := log.Stop(); err != nil {
			t.Error(err)
		}
	})
	return log
}

func instance(log *kafka.Log) logtest.Instance {
	return logtest.Instance{Log: log, Close: log.Close, AcksByItself: true}
}

// Promise: the log of a cluster keeps the contract of logs, on a real broker.
func TestLogConforms(t *testing.T) {
	t.Parallel()
	logtest.Run(t, func(t *testing.T) logtest.Instance { return instance(open(t, options(t, 1))) })
}

// Promise: the log of a cluster keeps what it has, for all of its processes.
func TestLogIsDurable(t *testing.T) {
	t.Parallel()
	logtest.RunDurable(t, func(t *testing.T) logtest.Durable {
		o := options(t, 1)
		return logtest.Durable{Instance: instance(open(t, o)), Join: func(t *testing.T) logtest.Instance { return instance(join(t, o)) }}
	})
}
