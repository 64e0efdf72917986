package sequencer

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics counts what a sequencer does.
type Metrics struct {
	batchEvents   prometheus.Histogram
	commitSeconds *prometheus.HistogramVec
	voids         prometheus.Counter
	refused       prometheus.Counter
	unpublished   prometheus.Counter
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
			Name: "blabber_sequencer_refused_total", Help: "Records refused because the store could not take them.",
		}),
		unpublished: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "blabber_sequencer_unpublished_total", Help: "Stored events that the bus did not take.",
		}),
	}
	registry.MustRegister(m.batchEvents, m.commitSeconds, m.voids, m.refused, m.unpublished)
	return m
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
