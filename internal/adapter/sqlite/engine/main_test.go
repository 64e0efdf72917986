package engine

import (
	"testing"
	"testing/fstest"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// schema is what these tests keep in a database.
var schema = fstest.MapFS{"0001_keys.sql": {Data: []byte(`create table keys (name text primary key, value blob not null) strict;`)}}

// setup opens a database in a directory of its own.
func setup(t testing.TB, options Options) *Engine {
	t.Helper()
	if options.Dir == "" {
		options.Dir = t.TempDir()
	}
	options.Migrations = schema
	e, err := Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return e
}
