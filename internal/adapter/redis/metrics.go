package redis

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	published  prometheus.Counter
	failed     prometheus.Counter
	received   prometheus.Counter
	reconnects prometheus.Counter
	up         prometheus.Gauge
	tails      *prometheus.CounterVec
}

func newMetrics(registry prometheus.Registerer) *metrics {
	m := &metrics{
		published:  prometheus.NewCounter(prometheus.CounterOpts{Name: "blabber_bus_published_total", Help: "Events given to the bus."}),
		failed:     prometheus.NewCounter(prometheus.CounterOpts{Name: "blabber_bus_unpublished_total", Help: "Events that the bus did not take; gateways fetch them."}),
		received:   prometheus.NewCounter(prometheus.CounterOpts{Name: "blabber_bus_received_total", Help: "Events that the bus brought to this node."}),
		reconnects: prometheus.NewCounter(prometheus.CounterOpts{Name: "blabber_bus_reconnects_total", Help: "Times that this node listened to the bus again after it had lost it."}),
		up:         prometheus.NewGauge(prometheus.GaugeOpts{Name: "blabber_bus_up", Help: "Whether this node hears the bus."}),
		tails: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "blabber_bus_tails_total", Help: "Looks at the newest events of a room, by what was there.",
		}, []string{"outcome"}),
	}
	registry.MustRegister(m.published, m.failed, m.received, m.reconnects, m.up, m.tails)
	return m
}
