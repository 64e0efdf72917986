package message

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Metrics count what becomes of messages that are sent.
type Metrics struct {
	sends *prometheus.CounterVec
	ack   prometheus.Histogram
}

// NewMetrics makes the metrics and registers them.
func NewMetrics(registry prometheus.Registerer) *Metrics {
	m := &Metrics{
		sends: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "blabber_message_sends_total",
			Help: "Messages sent, by what became of them: acked, repeated (acked before), refused (the sender may not, or asks for what cannot be), failed (sent again by its sender).",
		}, []string{"outcome"}),
		ack: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "blabber_message_ack_seconds", Help: "Time from when a message came in until it could be acknowledged, for those that were.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 15),
		}),
	}
	for _, outcome := range []string{"acked", "repeated", "refused", "failed"} {
		m.sends.WithLabelValues(outcome) // there from the start: a counter that comes with its first count has no rate
	}
	registry.MustRegister(m.sends, m.ack)
	return m
}

// settled counts what became of a message that came in at began.
func (m *Metrics) settled(began, now time.Time, receipt chat.Receipt, err error) {
	switch {
	case err != nil:
		m.refused(err)
	case receipt.Repeat:
		m.sends.WithLabelValues("repeated").Inc()
	default:
		m.sends.WithLabelValues("acked").Inc()
		m.ack.Observe(now.Sub(began).Seconds())
	}
}

func (m *Metrics) refused(err error) {
	outcome := "refused"
	if code := chat.CodeOf(err); code == chat.Unavailable || code == chat.Internal {
		outcome = "failed"
	}
	m.sends.WithLabelValues(outcome).Inc()
}
