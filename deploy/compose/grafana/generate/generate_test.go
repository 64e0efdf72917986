package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// Promise: the dashboards that Grafana mounts are what is written here.
func TestCommitted(t *testing.T) {
	t.Parallel()
	const dir = "../dashboards"
	want := make(map[string][]byte)
	for _, one := range boards() {
		data, err := one.json()
		if err != nil {
			t.Fatal(err)
		}
		want[one.uid+".json"] = data
	}
	there, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range there {
		name := filepath.Base(path)
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want[name]) {
			t.Errorf("%s is not what is written here: run `make dashboards`", name)
		}
		delete(want, name)
	}
	for name := range want {
		t.Errorf("%s is missing: run `make dashboards`", name)
	}
}

// Promise: what is committed is a dashboard by Grafana's own schema, with nothing in it that the schema does not know.
func TestSchema(t *testing.T) {
	t.Parallel()
	plugins.RegisterDefaultPlugins()
	paths, err := filepath.Glob("../dashboards/*.json")
	if err != nil || len(paths) != len(boards()) {
		t.Fatalf("%d dashboards, %v; want %d", len(paths), err, len(boards()))
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if wrong := schema(data); wrong != "" {
			t.Errorf("%s: %s", filepath.Base(path), wrong)
		}
		planted := bytes.Replace(data, []byte(`"legendFormat"`), []byte(`"legendFromat"`), 1)
		if schema(planted) == "" {
			t.Errorf("%s: a field that there is not is not found", filepath.Base(path))
		}
	}
}

// schema says what is not as Grafana has it. Its reader answers an error without a text where there is nothing to say.
func schema(data []byte) string {
	var read dashboard.Dashboard //nolint:staticcheck // as in board.json
	if err := read.UnmarshalJSONStrict(data); err != nil && err.Error() != "" {
		return err.Error()
	}
	if err := read.Validate(); err != nil {
		return err.Error()
	}
	return ""
}
