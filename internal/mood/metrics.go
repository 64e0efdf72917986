package mood

import "github.com/prometheus/client_golang/prometheus"

// Metrics are what an operator sees of the reading of texts.
type Metrics struct {
	texts   *prometheus.CounterVec
	asked   *prometheus.HistogramVec
	retries *prometheus.CounterVec
	behind  prometheus.Gauge
}

// NewMetrics makes and registers them.
func NewMetrics(registry prometheus.Registerer) *Metrics {
	m := &Metrics{
		texts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "blabber_mood_texts_total",
			Help: "Texts by what became of them: read, repeated (read before), unwanted (the room's mood is off), unreadable (the model fails on it), refused (its message is gone).",
		}, []string{"outcome"}),
		asked: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "blabber_mood_model_seconds", Help: "How long the model took for a batch of texts, by whether it answered.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"outcome"}),
		retries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "blabber_mood_retries_total", Help: "Failed attempts that were or will be made again, by what was away: texts, rooms, model, log.",
		}, []string{"for"}),
		behind: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "blabber_mood_behind_records", Help: "How much of what was said was not looked at yet. Every server of a cluster says the same: take the largest.",
		}),
	}
	for _, outcome := range []string{"read", "repeated", "unwanted", "unreadable", "refused"} {
		m.texts.WithLabelValues(outcome)
	}
	for _, outcome := range []string{"answered", "failed"} {
		m.asked.WithLabelValues(outcome)
	}
	for _, what := range []string{"texts", "rooms", "model", "log"} {
		m.retries.WithLabelValues(what)
	}
	registry.MustRegister(m.texts, m.asked, m.retries, m.behind)
	return m
}
