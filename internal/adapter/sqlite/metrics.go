package sqlite

import "github.com/prometheus/client_golang/prometheus"

// metrics are what an operator sees of the writer.
type metrics struct {
	changes prometheus.Histogram
	seconds *prometheus.HistogramVec
}

// newMetrics makes and registers them; nil where nobody looks.
func newMetrics(registry prometheus.Registerer, waiting func() int) *metrics {
	if registry == nil {
		return nil
	}
	m := &metrics{
		changes: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "blabber_store_commit_changes", Help: "Changes that shared one transaction and one sync of the disk.",
			Buckets: prometheus.ExponentialBuckets(1, 4, 6),
		}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "blabber_store_commit_seconds", Help: "Time from a transaction's first statement until the disk had it.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 14),
		}, []string{"outcome"}),
	}
	registry.MustRegister(m.changes, m.seconds, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "blabber_store_waiting", Help: "Changes that wait for the writer.",
	}, func() float64 { return float64(waiting()) }))
	return m
}

func (m *metrics) committed(stats CommitStats) {
	outcome := "stored"
	if stats.Err != nil {
		outcome = "failed"
	}
	m.changes.Observe(float64(stats.Changes))
	m.seconds.WithLabelValues(outcome).Observe(stats.Took.Seconds())
}
