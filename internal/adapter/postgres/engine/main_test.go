package engine

import (
	"context"
	"testing"
	"testing/fstest"

	"go.uber.org/goleak"

	"github.com/blabber-hive/blabber-hive/internal/porttest/services"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(services.During(m)) }

// schema is what these tests keep in a database.
var schema = fstest.MapFS{"0001_pairs.sql": {Data: []byte("-- +goose Up\ncreate table pairs (a int primary key, b int not null, constraint b_is_small check (b < 100));\n")}}

func migrated(t testing.TB) (url string) {
	t.Helper()
	return services.Postgres(t, services.Template("pairs", func(ctx context.Context, url string) error {
		_, err := Migrate(ctx, url, schema)
		return err
	}))
}

// setup opens a database of the test's own.
func setup(t testing.TB, options Options) *Engine {
	t.Helper()
	if options.URL == "" {
		options.URL = migrated(t)
	}
	e, err := Open(t.Context(), options, schema)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

func put(e *Engine, ctx context.Context, a, b int) error { //nolint:revive // reads as a call of e
	_, err := e.Exec(ctx, `insert into pairs (a, b) values ($1, $2)`, a, b)
	return err
}
