package kafka

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics count what the log does. What is known at any moment anyway is collected when it is asked for.
type metrics struct {
	log      *Log
	registry prometheus.Registerer

	produceSeconds *prometheus.HistogramVec
	waits          prometheus.Counter
	sequenceLosses prometheus.Counter
	deadLetters    prometheus.Counter
	lostLetters    prometheus.Counter
	reads          *prometheus.CounterVec
	rebalances     *prometheus.CounterVec
	overstays      prometheus.Counter
	groupErrors    prometheus.Counter
	owned          prometheus.Gauge

	lag, buffered, bufferedBytes *prometheus.Desc
}

func newMetrics(registry prometheus.Registerer, log *Log) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "blabber_kafka_" + name, Help: help})
	}
	m := &metrics{
		log: log, registry: registry,
		produceSeconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "blabber_kafka_produce_seconds", Help: "Time from appending a record to its acknowledgement by all replicas in sync.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 15),
		}, []string{"outcome"}),
		waits:          counter("append_waits_total", "Appends that had to wait because the buffer was full."),
		sequenceLosses: counter("sequence_losses_total", "Times that a broker no longer knew what it had acknowledged to this process."),
		deadLetters:    counter("dead_letters_total", "Records that could not be read."),
		lostLetters:    counter("dead_letters_unsent_total", "Records that could not be read and could not be sent to the dead letters either."),
		overstays:      counter("overstays_total", "Partitions that were given away before their work had returned."),
		groupErrors:    counter("group_errors_total", "Failures to take part in the group of owners."),
		reads: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "blabber_kafka_runs_read_total", Help: "Runs that were read, from memory or from a broker.",
		}, []string{"path"}),
		rebalances: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "blabber_kafka_rebalances_total", Help: "Times that partitions were assigned to this process, revoked, or lost without being asked.",
		}, []string{"event"}),
		owned: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "blabber_kafka_owned_partitions", Help: "Partitions whose work runs in this process.",
		}),
		lag: prometheus.NewDesc("blabber_kafka_lag_records",
			"Records between the end of the log and what was read (live) or settled (stored).", []string{"partition", "reader"}, nil),
		buffered:      prometheus.NewDesc("blabber_kafka_buffered_records", "Records that wait for their acknowledgement.", nil, nil),
		bufferedBytes: prometheus.NewDesc("blabber_kafka_buffered_bytes", "Bytes of the records that wait for their acknowledgement.", nil, nil),
	}
	for _, outcome := range []string{"acked", "failed"} {
		m.produceSeconds.WithLabelValues(outcome) // there from the start: a counter that comes with its first count has no rate
	}
	registry.MustRegister(m.all()...)
	return m
}

func (m *metrics) all() []prometheus.Collector {
	return []prometheus.Collector{
		m.produceSeconds, m.waits, m.sequenceLosses, m.deadLetters, m.lostLetters, m.reads, m.rebalances, m.overstays, m.groupErrors, m.owned, m,
	}
}

func (m *metrics) unregister() {
	for _, one := range m.all() {
		m.registry.Unregister(one)
	}
}

// Describe implements prometheus.Collector.
func (m *metrics) Describe(to chan<- *prometheus.Desc) {
	to <- m.lag
	to <- m.buffered
	to <- m.bufferedBytes
}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(to chan<- prometheus.Metric) {
	to <- prometheus.MustNewConstMetric(m.buffered, prometheus.GaugeValue, float64(m.log.producer.BufferedProduceRecords()))
	to <- prometheus.MustNewConstMetric(m.bufferedBytes, prometheus.GaugeValue, float64(m.log.producer.BufferedProduceBytes()))
	m.log.mu.Lock()
	partitions := slices.Collect(maps.Values(m.log.partitions))
	m.log.mu.Unlock()
	for _, p := range partitions {
		end, live, stored := p.places()
		label := strconv.Itoa(p.number)
		to <- prometheus.MustNewConstMetric(m.lag, prometheus.GaugeValue, float64(end-min(live, end)), label, "live")
		to <- prometheus.MustNewConstMetric(m.lag, prometheus.GaugeValue, float64(end-min(stored, end)), label, "stored")
	}
}

func (m *metrics) produced(began time.Time, err error) {
	outcome := "acked"
	if err != nil {
		outcome = "failed"
	}
	m.produceSeconds.WithLabelValues(outcome).Observe(time.Since(began).Seconds())
}
