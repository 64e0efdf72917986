package redis

import "github.com/prometheus/client_golang/prometheus"

// metrics counts what this node does with Redis.
type metrics struct {
	up          prometheus.Gauge
	reconnects  prometheus.Counter
	published   prometheus.Counter
	unpublished prometheus.Counter
	dropped     prometheus.Counter
	relinked    prometheus.Counter
	tails       *prometheus.CounterVec
	local       prometheus.Counter
}

func newMetrics(registry prometheus.Registerer) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "blabber_redis_" + name, Help: help})
	}
	m := &metrics{
		up:          prometheus.NewGauge(prometheus.GaugeOpts{Name: "blabber_redis_up", Help: "1 while Redis answers."}),
		reconnects:  counter("reconnects_total", "Times that Redis answered again after it had not."),
		published:   counter("published_total", "Envelopes that were handed to Redis."),
		unpublished: counter("unpublished_total", "Envelopes that Redis did not take; gateways fetch them."),
		dropped:     counter("dropped_total", "Envelopes that the gateway was too busy to hear of; it fetches them."),
		relinked:    counter("subscriptions_lost_total", "Times that a connection with subscriptions was lost."),
		tails: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "blabber_redis_tail_reads_total", Help: "Readings of a room's newest events, by whether they had more than the store.",
		}, []string{"more"}),
		local: counter("limits_alone_total", "Rate limits that were decided by this process alone."),
	}
	m.up.Set(1)
	registry.MustRegister(m.up, m.reconnects, m.published, m.unpublished, m.dropped, m.relinked, m.tails, m.local)
	return m
}
