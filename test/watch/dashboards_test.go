package watch_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/blabber-hive/blabber-hive/test/watch"
)

const dashboardsDir = "../../deploy/compose/grafana/dashboards"

// Promise: each panel says what it shows, in which unit, and asks the data source that provisioning makes; and Prometheus
// understands every query.
func TestDashboards(t *testing.T) {
	t.Parallel()
	dashboards, err := watch.ReadDashboards(dashboardsDir)
	if err != nil {
		t.Fatal(err)
	}
	units := []string{"none", "s", "bytes", "Bps", "percentunit", "ops", "cps", "mps", "reqps"}
	var rules strings.Builder
	rules.WriteString("groups:\n  - name: panels\n    rules:\n")
	var titles []string
	for _, dashboard := range dashboards {
		titles = append(titles, dashboard.Title)
		seen := make(map[string]bool)
		for _, panel := range dashboard.Panels {
			place := dashboard.Title + ", " + panel.Title
			if seen[panel.Title] {
				t.Errorf("%s: there are two of this name", place)
			}
			seen[panel.Title] = true
			if panel.Type == "row" {
				continue
			}
			if panel.Description == "" || !slices.Contains(units, panel.FieldConfig.Defaults.Unit) || panel.Datasource.UID != "prometheus" {
				t.Errorf("%s: the description %q, unit %q, source %q", place, panel.Description, panel.FieldConfig.Defaults.Unit, panel.Datasource.UID)
			}
			if len(panel.Queries()) == 0 {
				t.Errorf("%s asks nothing", place)
			}
			for _, query := range panel.Queries() {
				fmt.Fprintf(&rules, "      - record: panel:query:%d\n        expr: %q\n", rules.Len(), query)
			}
		}
	}
	if want := []string{"Chat", "Mood", "Pipeline", "Go runtime"}; !slices.Equal(titles, want) {
		t.Errorf("the dashboards are %q, want %q", titles, want)
	}
	path := filepath.Join(t.TempDir(), "panels.yml")
	if err := os.WriteFile(path, []byte(rules.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, "check", "rules", path)
}

// Promise: what is recorded is used, and what is used is recorded.
func TestRecorded(t *testing.T) {
	t.Parallel()
	rules, err := watch.ReadRules(filepath.Join(prometheusDir, "rules"))
	if err != nil {
		t.Fatal(err)
	}
	dashboards, err := watch.ReadDashboards(dashboardsDir)
	if err != nil {
		t.Fatal(err)
	}
	var asked strings.Builder
	recorded := make(map[string]bool)
	for _, rule := range rules {
		asked.WriteString(rule.Expr + "\n")
		if rule.Record != "" {
			recorded[rule.Record] = true
		}
	}
	for _, dashboard := range dashboards {
		for _, panel := range dashboard.Panels {
			asked.WriteString(strings.Join(panel.Queries(), "\n") + "\n")
		}
	}
	used := make(map[string]bool)
	for _, name := range regexp.MustCompile(`\b(?:blabber|instance):\w+(?::\w+)?`).FindAllString(asked.String(), -1) {
		used[name] = true
		if !recorded[name] {
			t.Errorf("%s is asked for, and not recorded", name)
		}
	}
	for name := range recorded {
		if !used[name] {
			t.Errorf("%s is recorded, and nobody asks for it", name)
		}
	}
}
