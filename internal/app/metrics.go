package app

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/blabber-hive/blabber-hive/internal/adapter/sqlite"
)

// storeMetrics counts what the store's writer does.
type storeMetrics struct {
	registry prometheus.Registerer
	changes  prometheus.Histogram
	seconds  *prometheus.HistogramVec
}

func newStoreMetrics(registry prometheus.Registerer) *storeMetrics {
	m := &storeMetrics{
		registry: registry,
		changes: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "blabber_store_commit_changes", Help: "Changes that shared one transaction and one sync of the disk.",
			Buckets: prometheus.ExponentialBuckets(1, 4, 6),
		}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "blabber_store_commit_seconds", Help: "Time from a transaction's first statement until the disk had it.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 14),
		}, []string{"outcome"}),
	}
	registry.MustRegister(m.changes, m.seconds)
	return m
}

func (m *storeMetrics) committed(stats sqlite.CommitStats) {
	outcome := "stored"
	if stats.Err != nil {
		outcome = "failed"
	}
	m.changes.Observe(float64(stats.Changes))
	m.seconds.WithLabelValues(outcome).Observe(stats.Took.Seconds())
}

func (m *storeMetrics) watch(waiting func() int) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "blabber_store_waiting", Help: "Changes that wait for the writer.",
	}, func() float64 { return float64(waiting()) }))
}
