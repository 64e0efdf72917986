package watch_test

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/blabber-hive/blabber-hive/test/watch"
)

const (
	prometheusDir = "../../deploy/compose/prometheus"
	runbook       = "../../docs/operations.md"
	runbookURL    = "https://github.com/blabber-hive/blabber-hive/blob/main/docs/operations.md#"
)

// promtool runs Prometheus' own checks in the folder that compose mounts.
func promtool(t *testing.T, args ...string) {
	t.Helper()
	program, err := exec.LookPath("promtool")
	if err != nil {
		t.Fatalf("promtool is not installed: install the package prometheus (%v)", err)
	}
	command := exec.CommandContext(t.Context(), program, args...)
	command.Dir = prometheusDir
	if out, err := command.CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// Promise: Prometheus takes the configuration and the rules as they stand, and each alert fires when it should and keeps
// quiet when it should.
func TestPromtool(t *testing.T) {
	t.Parallel()
	promtool(t, "check", "config", "--lint=all", "--lint-fatal", "prometheus.yml")
	promtool(t, "check", "rules", "--lint=all", "--lint-fatal", "rules/recorded.yml", "rules/alerts.yml")
	tests, err := filepath.Glob(filepath.Join(prometheusDir, "tests", "*.yml"))
	if err != nil || len(tests) == 0 {
		t.Fatalf("the tests of the rules: %q, %v", tests, err)
	}
	for i := range tests {
		tests[i] = filepath.Join("tests", filepath.Base(tests[i]))
	}
	promtool(t, append([]string{"test", "rules"}, tests...)...)
}

// Promise (docs/operations.md, Being called): each alert says how urgent it is, what is the case and where to read on, has a
// section there, and has been seen to fire and to keep quiet; and there is no section of an alert that is none.
func TestAlerts(t *testing.T) {
	t.Parallel()
	rules, err := watch.ReadRules(filepath.Join(prometheusDir, "rules"))
	if err != nil {
		t.Fatal(err)
	}
	cases, err := watch.ReadCases(filepath.Join(prometheusDir, "tests"))
	if err != nil {
		t.Fatal(err)
	}
	fires, quiet := make(map[string]bool), make(map[string]bool)
	for _, c := range cases {
		for _, asked := range c.Asked {
			if len(asked.Fires) > 0 {
				fires[asked.Alert] = true
			} else {
				quiet[asked.Alert] = true
			}
		}
	}
	text, err := os.ReadFile(runbook)
	if err != nil {
		t.Fatal(err)
	}
	_, page, _ := strings.Cut(string(text), "\n## Being called\n")
	page, _, _ = strings.Cut(page, "\n## ")
	sections := make(map[string]string)
	for _, section := range strings.Split(page, "\n### ")[1:] {
		name, body, _ := strings.Cut(section, "\n")
		sections[name] = body
	}
	alerts := 0
	for _, rule := range rules {
		name := rule.Alert
		if name == "" {
			continue
		}
		alerts++
		body, written := sections[name]
		delete(sections, name)
		switch {
		case !slices.Contains([]string{"page", "ticket"}, rule.Labels["severity"]):
			t.Errorf("%s has the severity %q, want page or ticket", name, rule.Labels["severity"])
		case rule.Annotations["summary"] == "" || rule.Annotations["description"] == "":
			t.Errorf("%s lacks a summary or a description", name)
		case rule.Annotations["runbook_url"] != runbookURL+strings.ToLower(name):
			t.Errorf("%s sends to %s, want %s", name, rule.Annotations["runbook_url"], runbookURL+strings.ToLower(name))
		case !written || !strings.Contains(body, "Means:") || !strings.Contains(body, "Look") || !strings.Contains(body, "o: "):
			t.Errorf("docs/operations.md does not say of %s what it means, where to look and what to do", name)
		case !fires[name] || !quiet[name]:
			t.Errorf("the tests see %s fire: %v, keep quiet: %v; want both", name, fires[name], quiet[name])
		}
	}
	if alerts < 20 {
		t.Errorf("%d alerts were read", alerts)
	}
	for _, name := range slices.Sorted(maps.Keys(sections)) {
		t.Errorf("docs/operations.md has a section of %s, which is no alert", name)
	}
}
