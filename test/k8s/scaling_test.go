package k8s_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/blabber-hive/blabber-hive/internal/porttest/services"
	"github.com/blabber-hive/blabber-hive/internal/run"
)

// crowd stands for servers that say what they have to do.
type crowd struct{ connections, lag atomic.Int64 }

func (m *crowd) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprintf(w, "blabber_gateway_connections %d\nblabber_kafka_lag_records{reader=\"live\",partition=\"0\"} %d\n", m.connections.Load(), m.lag.Load())
}

// serve answers Prometheus until the test ends, and tells where.
func (m *crowd) serve(t *testing.T) (addr string) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: m}
	group := run.NewGroup(t.Context())
	group.Go("metrics", func(context.Context) error { return server.Serve(listener) })
	t.Cleanup(func() {
		_ = server.Close()
		_ = group.Wait() // it ends as it was told
	})
	return listener.Addr().String()
}

// Promise: autoscalers find their metrics, out of what Prometheus records, by the very values that the chart of prometheus-adapter is
// given: gateways follow the connections, sequencers what waits in the log, within their bounds.
func TestAutoscaling(t *testing.T) {
	t.Parallel()
	c := start(t)
	var servers crowd
	addr := servers.serve(t)
	folder := services.NewFolder(t)
	rules, err := filepath.Abs("../../deploy/compose/prometheus/rules/recorded.yml")
	if err != nil {
		t.Fatal(err)
	}
	prometheus, err := folder.StartPrometheus(t.Context(), func(string, string) string {
		return fmt.Sprintf("global: {scrape_interval: 1s, evaluation_interval: 1s}\nrule_files: [%q]\nscrape_configs: [{job_name: blabber-hive, static_configs: [{targets: [%q]}]}]\n", rules, addr)
	})
	if err != nil {
		t.Fatal(err)
	}
	var values struct {
		Rules struct {
			External []any `yaml:"external"`
		} `yaml:"rules"`
	}
	text, err := os.ReadFile(filepath.Join(c.root, "deploy/k8s/autoscaling/adapter-values.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &values); err != nil {
		t.Fatal(err)
	}
	config, err := yaml.Marshal(map[string]any{"externalRules": values.Rules.External})
	if err != nil {
		t.Fatal(err)
	}
	if err := folder.StartPrometheusAdapter(t.Context(), c.Kubernetes, prometheus.URL, string(config)); err != nil {
		t.Fatal(err)
	}
	c.do("apply", "--server-side", "--kustomize", filepath.Join(c.root, "deploy/k8s/overlays/eks"))
	for _, step := range []struct {
		connections, lag     int64
		gateways, sequencers int
	}{
		{0, 0, 3, 3}, // one for each zone
		{37_000, 1_200, 8, 6},
	} {
		servers.connections.Store(step.connections)
		servers.lag.Store(step.lag)
		c.eventually(fmt.Sprintf("%d gateways and %d sequencers are there", step.gateways, step.sequencers), func() error {
			output := c.do("get", "deployments", "gateway", "sequencer", "--namespace", namespace, "--output=jsonpath={.items[*].status.readyReplicas}")
			if want := fmt.Sprintf("%d %d", step.gateways, step.sequencers); output != want {
				return fmt.Errorf("there are %q: %s", output, c.do("get", "horizontalpodautoscalers", "--namespace", namespace,
					`--output=jsonpath={range .items[*]}{"\n"}{.metadata.name}{": "}{.status.conditions[*].message}{end}`))
			}
			return nil
		})
	}
}
