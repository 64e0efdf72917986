package app_test

import (
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/blabber-hive/blabber-hive/internal/app"
)

// Promise: the page for operators names every flag with its variable and default, every command and every metric that
// there is, and none that there is not.
func TestOperationsPage(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	_, help, _ := blabberHive(t, "", "serve", "--help")
	joined := regexp.MustCompile(`\s+`).ReplaceAllString(help, " ")
	flags := regexp.MustCompile(`--([a-z-]+)(?:=\S+)? ((?:[^-]|-[^-])*?)\(\$([A-Z_]+)\)`).FindAllStringSubmatch(joined, -1)
	if len(flags) < 12 {
		t.Fatalf("found %d flags in the help", len(flags))
	}
	rows := regexp.MustCompile("(?m)^\\| `--([a-z-]+)` \\| `([A-Z_]+)` \\| (?:`([^`]*)` )?\\|").FindAllStringSubmatch(page, -1)
	onPage := make(map[string][]string)
	for _, row := range rows {
		onPage[row[1]] = row[2:]
	}
	for _, flag := range flags {
		name, fallback := flag[1], ""
		if _, text, found := strings.Cut(flag[2], " Default: "); found {
			fallback = strings.TrimSuffix(strings.TrimSpace(text), ".")
		}
		row := onPage[name]
		delete(onPage, name)
		switch {
		case row == nil:
			t.Errorf("the page does not name --%s", name)
		case row[0] != flag[3] || row[1] != fallback:
			t.Errorf("the page says that --%s is %s, by default %q; it is %s and %q", name, row[0], row[1], flag[3], fallback)
		}
	}
	for name := range onPage {
		t.Errorf("the page names --%s, which there is not", name)
	}

	server := start(t, nil)
	conversation(t, server)
	_, metrics := call(t, http.MethodGet, server.AdminAddr(), "/metrics", "", "")
	there := make(map[string]bool)
	for _, match := range regexp.MustCompile(`(?m)^# HELP (blabber_\w+)`).FindAllStringSubmatch(metrics, -1) {
		there[match[1]] = true
		if !strings.Contains(page, "`"+match[1]+"`") {
			t.Errorf("the page does not name the metric %s", match[1])
		}
	}
	seldom := map[string]bool{"blabber_gateway_closed_total": true} // not there until something was closed
	// Those of its table: its text also speaks of a cluster's.
	for _, match := range regexp.MustCompile("(?m)^\\| `(blabber_\\w+)`").FindAllStringSubmatch(page, -1) {
		if !there[match[1]] && !seldom[match[1]] {
			t.Errorf("the page names the metric %s, which there is not", match[1])
		}
	}

	code, help, _ := blabberHive(t, "", "--help")
	if code != app.ExitDone {
		t.Fatalf("--help ends with code %d", code)
	}
	for _, match := range regexp.MustCompile(`(?m)^  ([a-z][a-z -]*[a-z])  `).FindAllStringSubmatch(help, -1) {
		if name := match[1]; name != "version" && name != "openapi" && !strings.Contains(page, name) {
			t.Errorf("the page does not name the command %q", name)
		}
	}
}
