package gateway

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/blabber-hive/blabber-hive/internal/gateway/socket"
)

// Metrics counts what a gateway does.
type Metrics struct {
	connections prometheus.Gauge
	deliveries  prometheus.Counter
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
	registry.MustRegister(m.connections, m.deliveries, m.ready, m.repairs, m.slow, m.closed, m.link)
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
