package kafka_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/blabber-hive/blabber-hive/internal/adapter/kafka"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Promise: bytes that are no record keep their place in the log, hold nobody up, and go to the dead letters with the reason
// when they are settled.
func TestUnreadableRecordsBecomeDeadLetters(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	o := options(t, 1)
	log := open(t, o)
	if err := hear(t, say(t, log, 0)); err != nil {
		t.Fatal(err)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(o.Brokers...), kgo.ConsumeTopics(o.DeadLetterTopic))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	room := chat.RoomID{7}
	if err := client.ProduceSync(ctx, &kgo.Record{Topic: o.Topic, Key: room[:], Value: []byte("\xff no record")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if err := hear(t, say(t, log, 1)); err != nil {
		t.Fatal(err)
	}
	var records []*chat.Record
	for from := chat.Offset(0); len(records) < 3; {
		run, err := log.Read(ctx, 0, from)
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, run.Records...)
		log.Settle(ctx, run, make([]chat.Outcome, len(run.Records)))
		from = run.To
	}
	if bad := records[1]; bad.Kind != chat.KindUnreadable || bad.Room != room || bad.Body != "\xff no record" {
		t.Errorf("the unreadable record is %+v", bad)
	}
	if records[0].ID != message(0).ID || records[2].ID != message(1).ID {
		t.Errorf("around it stand %v and %v", records[0].ID, records[2].ID)
	}
	fetches := client.PollFetches(ctx)
	if err := fetches.Err(); err != nil {
		t.Fatal(err)
	}
	letter := fetches.Records()[0]
	headers := make(map[string]string)
	for _, header := range letter.Headers {
		headers[header.Key] = string(header.Value)
	}
	if string(letter.Value) != "\xff no record" || chat.RoomID(letter.Key) != room || headers["origin-topic"] != o.Topic ||
		headers["origin-partition"] != "0" || headers["origin-offset"] != "1" || headers["reason"] == "" {
		t.Errorf("the dead letter is %q of %x with %v", letter.Value, letter.Key, headers)
	}
}

// Promise: a place before the beginning of the log, or after its end, is a loss that is reported, and nothing is skipped.
func TestALogThatLostRecordsIsNotReadOn(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	o := options(t, 1)
	log := open(t, o)
	for serial := range 10 {
		if err := hear(t, say(t, log, serial)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := log.Read(ctx, 0, 25); err == nil || !strings.Contains(err.Error(), "offsets 0 to 10, and the store goes on from 25") {
		t.Errorf("after the end reading gives %v", err)
	}
	cut := kadm.Offsets{}
	cut.AddOffset(o.Topic, 0, 5, -1)
	if _, err := admin(t, o).DeleteRecords(ctx, cut); err != nil {
		t.Fatal(err)
	}
	if _, err := log.Read(ctx, 0, 2); err == nil || !strings.Contains(err.Error(), "offsets 5 to 10, and the store goes on from 2") {
		t.Errorf("before the beginning reading gives %v", err)
	}
	if run, err := log.Read(ctx, 0, 5); err != nil || run.From != 5 || run.To != 10 {
		t.Errorf("at the beginning reading gives %+v, %v", run, err)
	}
}

// Promise: what is kept in memory is bounded, the reader at the end reads from there, and the one that is far behind does
// not.
func TestReadersReadFromWhereItIs(t *testing.T) {
	t.Parallel()
	const records, size = 4000, 8000 // 32 MB: four times what is kept
	ctx := t.Context()
	o := options(t, 1)
	if err := kafka.Migrate(ctx, o); err != nil {
		t.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	o.Registry = registry
	log, err := kafka.Open(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := log.Stop(); err != nil {
			t.Error(err)
		}
	}()
	body := strings.Repeat("x", size)
	told := make(chan error, records)
	for serial := range records {
		r := message(serial)
		r.Body = body
		if err := log.Append(ctx, r, func(_ chat.Receipt, err error) { told <- err }); err != nil {
			t.Fatal(err)
		}
	}
	for range records {
		if err := <-told; err != nil {
			t.Fatal(err)
		}
	}
	read := func() {
		for from := chat.Offset(0); from < records; {
			run, err := log.Read(ctx, 0, from)
			if err != nil {
				t.Fatal(err)
			}
			from = run.To
			log.Settle(ctx, run, nil)
		}
	}
	read()
	runs := func(path string) float64 { return value(t, registry, "blabber_kafka_runs_read_total", path) }
	if runs("memory") == 0 || runs("broker") != 0 {
		t.Errorf("the first reader read %v runs from memory and %v from the broker", runs("memory"), runs("broker"))
	}
	fromMemory := runs("memory")
	read()
	if runs("broker") == 0 {
		t.Error("a reader from the beginning on read from memory alone, which holds a quarter")
	}
	if runs("memory") == fromMemory {
		t.Error("a reader that has caught up did not read from memory")
	}
	if lag := value(t, registry, "blabber_kafka_lag_records", "stored"); lag != 0 {
		t.Errorf("the lag is %v", lag)
	}
	if problems, err := testutil.GatherAndLint(registry); err != nil || len(problems) > 0 {
		t.Errorf("the metrics have %v, %v", problems, err)
	}
}

// value is that of a metric that has a label of that value.
func value(t *testing.T, registry *prometheus.Registry, name, label string) float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, metric := range family.GetMetric() {
			for _, pair := range metric.GetLabel() {
				if pair.GetValue() == label {
					return metric.GetCounter().GetValue() + metric.GetGauge().GetValue()
				}
			}
		}
	}
	return 0
}

// Promise: a reader whose work is over is not kept waiting, and the log can be read again afterwards.
func TestReadingEndsWithItsContext(t *testing.T) {
	t.Parallel()
	log := open(t, options(t, 1))
	for range 2 {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		if _, err := log.Read(ctx, 0, 0); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("reading gives %v", err)
		}
		cancel()
	}
}
