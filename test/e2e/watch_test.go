package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/porttest/services"
	"github.com/blabber-hive/blabber-hive/internal/run"
	"github.com/blabber-hive/blabber-hive/test/e2e/client"
	"github.com/blabber-hive/blabber-hive/test/watch"
)

const (
	composePrometheus = "../../deploy/compose/prometheus"
	composeDashboards = "../../deploy/compose/grafana/dashboards"
	// watchPatience is how long it may take until every query has something to tell: a rate needs two scrapes, what is
	// recorded of it one evaluation more, at 15 s each.
	watchPatience = 3 * time.Minute
)

// empty are queries that have no answer on a healthy cluster of this test, each with the reason.
var empty = map[string]string{ //nolint:gochecknoglobals // a table
	"Pipeline, Commits of a server alone": "a cluster stores in PostgreSQL, whose commits are the sequencer's",
	"Pipeline, Replicas that lack":        "the exporter of Kafka is no Debian package",
	"LogUnderReplicated":                  "the exporter of Kafka is no Debian package",
}

// measured is what an alert looks at: a part of its query, which has an answer also while there is nothing to tell.
var measured = map[string]string{ //nolint:gochecknoglobals // a table
	"NoServer":                     `up{job="blabber-hive"} == 1`,
	"SendsFail":                    `blabber:message_sends_failed:ratio5m`,
	"AcksSlow":                     `blabber:message_ack_seconds:p99_5m`,
	"DeliveriesSlow":               `blabber:delivery_seconds:p99_5m`,
	"RequestsFail":                 `blabber:http_requests_failed:rate5m / blabber:http_requests:rate5m`,
	"ConnectionsNearLimit":         `instance:open_files:ratio`,
	"LogLag":                       `blabber:log_lag_records:sum`,
	"PartitionsUnowned":            `max_over_time(blabber:owned_partitions:count[1h])`,
	"StoreLag":                     `blabber:store_lag_records:sum`,
	"StoreFails":                   `sum by (instance) (rate(blabber_sequencer_commit_seconds_count{outcome="failed"}[5m]))`,
	"RecordsRefused":               `increase(blabber_sequencer_refused_total[10m])`,
	"DeadLetters":                  `increase(blabber_kafka_dead_letters_total[1h])`,
	"DeadLettersUnsent":            `increase(blabber_kafka_dead_letters_unsent_total[1h])`,
	"BusDown":                      `blabber_gateway_bus_up`,
	"ManyRepairs":                  `blabber:repairs:rate5m`,
	"MoodLag":                      `blabber:mood_behind_records:max`,
	"ModelServerFails":             `sum by (instance) (rate(blabber_mood_retries_total{for="model"}[5m]))`,
	"TargetDown":                   `up`,
	"DiskNearlyFull":               `instance:disk_free:ratio`,
	"DiskFilling":                  `predict_linear(blabber_disk_free_bytes[6h], 3 * 24 * 3600)`,
	"MachineDiskNearlyFull":        `instance:filesystem_free:ratio`,
	"DatabaseConnectionsNearLimit": `0.8 * sum by (instance) (pg_settings_max_connections)`,
	"RedisMemoryNearlyFull":        `redis_memory_used_bytes`,
	"BackupOld":                    `blabber_backup_newest_timestamp_seconds`,
	"LogUnderReplicated":           `sum(kafka_topic_partition_under_replicated_partition)`,
}

// watcher is a Prometheus that watches a cluster.
type watcher struct {
	t   *testing.T
	api string
}

// watchOver starts Prometheus with the scrape configuration and rules of compose. Only the addresses are others.
func (c *cluster) watchOver(t *testing.T) watcher {
	t.Helper()
	ctx := t.Context()
	folder := services.NewFolder(t)
	database, err := folder.StartPostgresExporter(ctx, c.postgres.URL)
	must(t, err)
	redis, err := folder.StartRedisExporter(ctx, c.redis.URL)
	must(t, err)
	machine, err := folder.StartNodeExporter(ctx)
	must(t, err)
	host := func(address string) string { return strings.TrimPrefix(address, "http://") }
	var nodes []string
	for _, node := range c.nodes {
		nodes = append(nodes, node.admin)
	}
	prometheus, err := folder.StartPrometheus(ctx, func(listen, dir string) string {
		must(t, os.CopyFS(filepath.Join(dir, "rules"), os.DirFS(filepath.Join(composePrometheus, "rules"))))
		text, err := os.ReadFile(filepath.Join(composePrometheus, "prometheus.yml"))
		must(t, err)
		return retarget(t, string(text), map[string][]string{
			"localhost:9090": {listen}, "blabber-hive": nodes, "fastapi:8000": {host(c.model.URL)},
			"postgres-exporter:9187": {host(database.URL)}, "redis-exporter:9121": {host(redis.URL)}, "kafka-exporter:9308": nil,
			"targets/machine.yml": {host(machine.URL)},
		})
	})
	must(t, err)
	t.Cleanup(func() {
		if t.Failed() {
			said, _ := os.ReadFile(prometheus.Log) // what cannot be read is not there to be shown
			t.Logf("Prometheus' log:\n%s", tail(string(said)))
		}
	})
	return watcher{t, prometheus.URL + "/api/v1/"}
}

// retarget replaces the targets of a configuration of Prometheus, and nothing else. Each target has to be known.
func retarget(t *testing.T, config string, addresses map[string][]string) string {
	t.Helper()
	known := maps.Clone(addresses)
	target := func(name string) string {
		to, ok := addresses[name]
		if !ok {
			t.Fatalf("prometheus.yml scrapes %s, of which this test does not know where it is", name)
		}
		delete(known, name)
		return "static_configs:\n      - targets: [" + strings.Join(to, ", ") + "]\n"
	}
	static := regexp.MustCompile(`static_configs:\n      - targets: \[([^\],]+)\]\n`)
	config = static.ReplaceAllStringFunc(config, func(found string) string { return target(static.FindStringSubmatch(found)[1]) })
	byFile := regexp.MustCompile(`file_sd_configs:.*\n      - files: \[([^\],]+)\]\n`)
	config = byFile.ReplaceAllStringFunc(config, func(found string) string { return target(byFile.FindStringSubmatch(found)[1]) })
	byName := regexp.MustCompile(`dns_sd_configs:\n      - names: \[([^\],]+)\]\n(?:        .*\n)*`)
	config = byName.ReplaceAllStringFunc(config, func(found string) string { return target(byName.FindStringSubmatch(found)[1]) })
	if len(known) > 0 {
		t.Fatalf("prometheus.yml does not scrape %v", slices.Sorted(maps.Keys(known)))
	}
	return config
}

// get asks Prometheus' API for something.
func (w watcher) get(path string, data any) error {
	ctx, cancel := context.WithTimeout(w.t.Context(), 30*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.api+path, http.NoBody)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	var answer struct {
		Status string          `json:"status"`
		Error  string          `json:"error"`
		Data   json.RawMessage `json:"data"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return fmt.Errorf("read the answer of %s: %w", path, err)
	}
	if answer.Status != "success" {
		return fmt.Errorf("ask for %s: %s", path, answer.Error)
	}
	return json.Unmarshal(answer.Data, data)
}

// tells reports whether Prometheus has a number for a query. NaN is none: it is what nothing divided by nothing is.
func (w watcher) tells(query string) bool {
	w.t.Helper()
	var data struct {
		Result []struct {
			Value []any `json:"value"`
		} `json:"result"`
	}
	if err := w.get("query?query="+url.QueryEscape(query), &data); err != nil {
		w.t.Fatalf("%s: %v", query, err)
	}
	return slices.ContainsFunc(data.Result, func(series struct {
		Value []any `json:"value"`
	},
	) bool {
		return len(series.Value) == 2 && series.Value[1] != "NaN"
	})
}

// question is a query with its place.
type question struct{ place, query string }

// questions are all that dashboards, recording rules and alerts ask.
func questions(t *testing.T) (all []question) {
	t.Helper()
	dashboards, err := watch.ReadDashboards(composeDashboards)
	must(t, err)
	for _, dashboard := range dashboards {
		for _, panel := range dashboard.Panels {
			for _, query := range panel.Queries() {
				all = append(all, question{dashboard.Title + ", " + panel.Title, query})
			}
		}
	}
	rules, err := watch.ReadRules(filepath.Join(composePrometheus, "rules"))
	must(t, err)
	alerts := make(map[string]bool)
	for _, rule := range rules {
		if rule.Record != "" {
			all = append(all, question{rule.Record, rule.Expr})
			continue
		}
		part := measured[rule.Alert]
		if part == "" || !strings.Contains(rule.Expr, part) {
			t.Errorf("the alert %s asks %s, of which the part %q is said to have an answer", rule.Alert, rule.Expr, part)
			continue
		}
		alerts[rule.Alert] = true
		all = append(all, question{rule.Alert, part})
	}
	for name := range measured {
		if !alerts[name] {
			t.Errorf("the table has the alert %s, which there is not", name)
		}
	}
	return all
}

// converse keeps two people talking through nginx, in a room whose mood is read, until the test ends; and lets nginx's
// other side refuse somebody.
func (c *cluster) converse(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	crowd := gather(t, c.door(), 2, 1, 1)
	_, err := crowd.people[0].Call(ctx, http.MethodPatch, "/rooms/"+crowd.rooms[0].String(), map[string]bool{"mood_enabled": true}, nil)
	must(t, err)
	stranger, err := client.Dial(ctx, c.front)
	must(t, err)
	must(t, stranger.Write(map[string]any{"type": "auth", "token": "nobody's"}))
	for err == nil {
		_, err = stranger.Read()
	}
	stranger.Close()
	talking := run.NewGroup(ctx)
	for _, device := range crowd.devices {
		talking.Go("talk", func(ctx context.Context) error {
			for k := 0; run.Pause(ctx, 100*time.Millisecond) == nil; k++ {
				_ = device.Send(ctx, crowd.rooms[0], fmt.Sprintf("%s what a lovely day, number %d", secretMark, k)) // it is tried again
			}
			return nil
		})
	}
	talking.Go("look", func(ctx context.Context) error {
		for run.Pause(ctx, time.Second) == nil {
			_, _ = crowd.people[1].Changes(ctx, crowd.rooms[0], 0) // it is asked again
		}
		return nil
	})
	t.Cleanup(func() {
		talking.Cancel()
		must(t, talking.Wait())
	})
}

// Promise (docs/operations.md): on a cluster behind nginx, all in compose's configuration, every query of every panel,
// recording rule and alert has an answer, or a reason why a healthy system has none; and no rule fails.
func TestWatched(t *testing.T) { //nolint:paralleltest // it borrows the cluster
	c := borrow(t)
	w := c.watchOver(t)
	c.converse(t)
	began := time.Now()
	silent := questions(t)
	expected := func(q question) bool { return empty[q.place] != "" }
	for {
		silent = slices.DeleteFunc(silent, func(q question) bool { return !expected(q) && w.tells(q.query) })
		if !slices.ContainsFunc(silent, func(q question) bool { return !expected(q) }) || time.Since(began) > watchPatience {
			break
		}
		pause(t, time.Second)
	}
	t.Logf("all is told after %v", time.Since(began).Round(time.Second))
	needed := make(map[string]bool)
	for _, q := range silent {
		switch told := w.tells(q.query); {
		case !told && !expected(q):
			t.Errorf("%s: nothing answers %s", q.place, q.query)
		case !told:
			needed[q.place] = true
		}
	}
	for place, reason := range empty {
		if !needed[place] {
			t.Errorf("%s has answers; that it has none since %s is out of date", place, reason)
		}
	}
	w.rulesAreWell()
	w.targetsAreUp()
}

// rulesAreWell checks that Prometheus runs all rules, none fails, and none has called anybody.
func (w watcher) rulesAreWell() {
	w.t.Helper()
	var data struct {
		Groups []struct {
			Rules []struct {
				Name, Health, LastError, State string
			} `json:"rules"`
		} `json:"groups"`
	}
	must(w.t, w.get("rules", &data))
	rules, err := watch.ReadRules(filepath.Join(composePrometheus, "rules"))
	must(w.t, err)
	runs := 0
	for _, group := range data.Groups {
		for _, rule := range group.Rules {
			runs++
			if rule.Health != "ok" {
				w.t.Errorf("the rule %s is %s: %s", rule.Name, rule.Health, rule.LastError)
			}
			if rule.State == "firing" && rule.Name != "AcksSlow" && rule.Name != "DeliveriesSlow" { // a matter of the test machine
				w.t.Errorf("%s calls somebody for a healthy cluster", rule.Name)
			}
		}
	}
	if runs != len(rules) {
		w.t.Errorf("Prometheus runs %d rules, want %d", runs, len(rules))
	}
}

// targetsAreUp checks that all that is scraped answers.
func (w watcher) targetsAreUp() {
	w.t.Helper()
	var data struct {
		Active []struct {
			Labels    map[string]string `json:"labels"`
			Health    string            `json:"health"`
			LastError string            `json:"lastError"`
		} `json:"activeTargets"`
	}
	must(w.t, w.get("targets", &data))
	if want := clusterNodes + 5; len(data.Active) != want {
		w.t.Errorf("%d targets, want %d", len(data.Active), want)
	}
	for _, target := range data.Active {
		if target.Health != "up" {
			w.t.Errorf("%v is %s: %s", target.Labels, target.Health, target.LastError)
		}
	}
}
