package sequencer

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Metrics counts what a sequencer does.
type Metrics struct {
	batchEvents   prometheus.Histogram
	commitSeconds *prometheus.HistogramVec
	voids         prometheus.Counter
	refused       prometheus.Counter
	unpublished   prometheus.Counter

	numbered       prometheus.Histogram
	publishSeconds prometheus.Histogram
	announced      prometheus.Counter
	holds          prometheus.Counter
	held, lag      *prometheus.GaugeVec
}

// NewMetrics makes the metrics and registers them.
func NewMetrics(registry prometheus.Registerer) *Metrics {
	m := &Metrics{
		batchEvents: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "blabber_sequencer_batch_events", Help: "Events stored in one transaction.",
			Buckets: prometheus.ExponentialBuckets(1, 4, 6),
		}),
		commitSeconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "blabber_sequencer_commit_seconds", Help: "Time to store one batch durably.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 14),
		}, []string{"outcome"}),
		voids: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "blabber_sequencer_voids_total", Help: "Numbers given up because their record was already stored.",
		}),
		refused: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "blabber_sequencer_refused_total", Help: "Records refused because the store could not take them, or that were refused after their ack.",
		}),
		unpublished: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "blabber_sequencer_unpublished_total", Help: "Stored events that the bus did not take.",
		}),
	}
	for _, outcome := range []string{"stored", "failed"} {
		m.commitSeconds.WithLabelValues(outcome) // there from the start: a counter that comes with its first count has no rate
	}
	m.numbered = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "blabber_sequencer_numbered_seconds", Help: "Time from when a server took something until it was numbered and about to be published, by the clocks of both servers.",
		Buckets: prometheus.ExponentialBuckets(0.001, 1.5, 24),
	})
	m.publishSeconds = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "blabber_sequencer_publish_seconds", Help: "Time to publish the events of one run.",
		Buckets: prometheus.ExponentialBuckets(0.0001, 2, 14),
	})
	m.announced = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "blabber_sequencer_announced_total", Help: "Events published ahead of the store.",
	})
	m.holds = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "blabber_sequencer_holds_total", Help: "Times that a room had to wait for the store before its events were published.",
	})
	m.held = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "blabber_sequencer_held_rooms", Help: "Rooms whose events wait for the store before they are published.",
	}, []string{"partition"})
	m.lag = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "blabber_sequencer_store_lag_records", Help: "Records that were announced and are not stored.",
	}, []string{"partition"})
	registry.MustRegister(m.numbered, m.publishSeconds, m.announced, m.holds, m.held, m.lag)
	registry.MustRegister(m.batchEvents, m.commitSeconds, m.voids, m.refused, m.unpublished)
	return m
}

func (m *Metrics) publishing() (done func(error)) {
	began := time.Now()
	return func(error) { m.publishSeconds.Observe(time.Since(began).Seconds()) }
}

func (m *Metrics) committing(events int) (done func(error)) {
	m.batchEvents.Observe(float64(events))
	began := time.Now()
	return func(err error) {
		outcome := "stored"
		if err != nil {
			outcome = "failed"
		}
		m.commitSeconds.WithLabelValues(outcome).Observe(time.Since(began).Seconds())
	}
}

// seen tells how a partition that this process owns is doing.
func (m *Metrics) seen(partition, held int, lag chat.Offset) {
	label := strconv.Itoa(partition)
	m.held.WithLabelValues(label).Set(float64(held))
	m.lag.WithLabelValues(label).Set(float64(lag))
}

// left forgets a partition that is somebody else's now.
func (m *Metrics) left(partition int) {
	label := strconv.Itoa(partition)
	m.held.DeleteLabelValues(label)
	m.lag.DeleteLabelValues(label)
}
