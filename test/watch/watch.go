// Package watch reads what watches over the chat (Prometheus' rules and Grafana's dashboards, as compose mounts them), so
// that tests can hold them to what they promise.
//
// Invariant: what is read is the files themselves; nothing here knows a rule or a panel by name.
//
// There are no dependencies that could die.
package watch

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml"
)

// Rule is a recording rule or an alert of Prometheus.
type Rule struct {
	Record      string            `yaml:"record"`
	Alert       string            `yaml:"alert"`
	Expr        string            `yaml:"expr"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
}

// ReadRules reads all rules of a folder.
func ReadRules(dir string) (rules []Rule, err error) {
	err = each(dir, "*.yml", func(data []byte) error {
		var file struct {
			Groups []struct {
				Rules []Rule `yaml:"rules"`
			} `yaml:"groups"`
		}
		if err := yaml.Unmarshal(data, &file); err != nil {
			return err
		}
		for _, group := range file.Groups {
			rules = append(rules, group.Rules...)
		}
		return nil
	})
	return rules, err
}

// Case is a test of an alert for `promtool test rules`.
type Case struct {
	Name  string `yaml:"name"`
	Asked []struct {
		Alert string `yaml:"alertname"`
		Fires []any  `yaml:"exp_alerts"`
	} `yaml:"alert_rule_test"`
}

// ReadCases reads all tests of a folder.
func ReadCases(dir string) (cases []Case, err error) {
	err = each(dir, "*.yml", func(data []byte) error {
		var file struct {
			Tests []Case `yaml:"tests"`
		}
		if err := yaml.Unmarshal(data, &file); err != nil {
			return err
		}
		cases = append(cases, file.Tests...)
		return nil
	})
	return cases, err
}

// Dashboard is one of Grafana's.
type Dashboard struct {
	Title  string  `json:"title"`
	UID    string  `json:"uid"`
	Panels []Panel `json:"panels"`
}

// Panel is a picture on a dashboard. Rows hold others and have no queries.
type Panel struct {
	Type        string `json:"type"`
	Title       string `json:"title"`
	Description string `json:"description"`
	Datasource  struct {
		UID string `json:"uid"`
	} `json:"datasource"`
	FieldConfig struct {
		Defaults struct {
			Unit string `json:"unit"`
		} `json:"defaults"`
	} `json:"fieldConfig"`
	Targets []struct {
		Expr string `json:"expr"`
	} `json:"targets"`
	GridPos struct {
		X, Y, W, H int
	} `json:"gridPos"`
	Panels []Panel `json:"panels"`
}

// Interval is what Grafana's $__rate_interval stands for in tests: four scrapes at least, and enough to have seen something.
const Interval = "1m"

// Queries are a panel's, as Prometheus would be asked them.
func (p Panel) Queries() (queries []string) {
	for _, target := range p.Targets {
		queries = append(queries, strings.ReplaceAll(target.Expr, "$__rate_interval", Interval))
	}
	return queries
}

// ReadDashboards reads all dashboards of a folder.
func ReadDashboards(dir string) (dashboards []Dashboard, err error) {
	err = each(dir, "*.json", func(data []byte) error {
		var one Dashboard
		if err := json.Unmarshal(data, &one); err != nil {
			return err
		}
		dashboards = append(dashboards, one)
		return nil
	})
	return dashboards, err
}

// each reads the files of a folder, of which there must be some.
func each(dir, pattern string, read func(data []byte) error) error {
	paths, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		return err
	}
	if len(paths) == 0 {
		return fmt.Errorf("look for %s in %s: there is none", pattern, dir)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path) //nolint:gosec // the files of this repository that a test names
		if err != nil {
			return err
		}
		if err := read(data); err != nil {
			return fmt.Errorf("read %s: %w", path, err)
		}
	}
	return nil
}
