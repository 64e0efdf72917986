package gateway

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/blabber-hive/blabber-hive/internal/feed"
	"github.com/blabber-hive/blabber-hive/internal/gateway/socket"
	"github.com/blabber-hive/blabber-hive/internal/wire"
)

// Metrics counts what a gateway does.
type Metrics struct {
	connections prometheus.Gauge
	deliveries  prometheus.Counter
	delivery    prometheus.Histogram
	ready       prometheus.Counter
	repairs     prometheus.Counter
	slow        prometheus.Counter
	closed      *prometheus.CounterVec
	link        prometheus.Gauge
}

// NewMetrics makes the metrics and registers them.
func NewMetrics(registry prometheus.Registerer) *Metrics {
	m := &Metrics{
		connections: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "blabber_gateway_connections", Help: "Open connections.",
		}),
		deliveries: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "blabber_gateway_deliveries_total", Help: "Events handed to connections.",
		}),
		delivery: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "blabber_gateway_delivery_seconds", Help: "Time from when a server took something until this one handed it to all its connections, by the clocks of both; one for each event.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 16),
		}),
		ready: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "blabber_gateway_ready_total", Help: "Connections that signed in and resumed.",
		}),
		repairs: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "blabber_gateway_repairs_total", Help: "Holes in rooms' feeds that were filled from the store.",
		}),
		slow: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "blabber_gateway_slow_consumers_total", Help: "Connections closed because they did not keep up.",
		}),
		closed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "blabber_gateway_closed_total", Help: "Connections that this gateway closed, by close code.",
		}, []string{"code"}),
		link: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "blabber_gateway_bus_up", Help: "1 while the bus is reached; at 0 the store is asked for what it would have brought.",
		}),
	}
	registry.MustRegister(m.connections, m.deliveries, m.delivery, m.ready, m.repairs, m.slow, m.closed, m.link)
	return m
}

// linked notes whether the bus is reached.
func (m *Metrics) linked(up bool) {
	m.link.Set(0)
	if up {
		m.link.Set(1)
	}
}

// ended counts a connection that this side ended.
func (m *Metrics) ended(why socket.Closing) {
	m.closed.WithLabelValues(strconv.Itoa(int(why.Code))).Inc()
	if why == closeSlow {
		m.slow.Inc()
	}
}

// delivered counts an event that was handed to so many connections. Those that nobody heard say nothing of how long it takes.
func (m *Metrics) delivered(item feed.Item, connections int) {
	if connections == 0 {
		return
	}
	m.deliveries.Add(float64(connections))
	if at, found := wire.EventAt(item.Frame); found {
		m.delivery.Observe(max(0, time.Since(at).Seconds()))
	}
}
