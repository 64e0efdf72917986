package engine

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/blabber-hive/blabber-hive/internal/porttest/services"
)

// Promise: of several migrators one does the work, the others wait and find it done.
func TestMigratorsTakeTurns(t *testing.T) {
	t.Parallel()
	url := services.Postgres(t)
	slow := fstest.MapFS{
		"0001_pairs.sql": schema["0001_pairs.sql"],
		"0002_slow.sql":  {Data: []byte("-- +goose Up\nselect pg_sleep(0.3);\ncreate table slow (a int);\n")},
	}
	var all sync.WaitGroup
	applied := make([][]string, 4)
	for n := range applied {
		all.Go(func() {
			var err error
			if applied[n], err = Migrate(t.Context(), url, slow); err != nil {
				t.Errorf("Migrate: %v", err)
			}
		})
	}
	all.Wait()
	if got := slices.Concat(applied...); !slices.Equal(got, []string{"0001_pairs.sql", "0002_slow.sql"}) {
		t.Errorf("%v were applied, want each once", got)
	}
}

// Promise: a file that fails leaves nothing of itself and keeps those before it; mended, it goes on from there.
func TestFailedMigration(t *testing.T) {
	t.Parallel()
	url := services.Postgres(t)
	files := fstest.MapFS{
		"0001_pairs.sql": schema["0001_pairs.sql"],
		"0002_bad.sql":   {Data: []byte("-- +goose Up\ncreate table half (a int);\nselect 1 from nowhere;\n")},
	}
	if _, err := Migrate(t.Context(), url, files); err == nil || !strings.Contains(err.Error(), "0002_bad.sql") || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("Migrate = %v, want what is wrong and where", err)
	}
	if e, err := Open(t.Context(), Options{URL: url}, files); err == nil {
		e.Close()
		t.Error("a database in the middle of its migrations was opened")
	}
	files["0002_bad.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\ncreate table half (a int);\n")}
	if applied, err := Migrate(t.Context(), url, files); err != nil || !slices.Equal(applied, []string{"0002_bad.sql"}) {
		t.Errorf("Migrate = %v, %v", applied, err)
	}
}

// Promise: a node of the version before goes on serving a database that was migrated further, also after a restart.
func TestOlderBinaryServes(t *testing.T) {
	t.Parallel()
	url := services.Postgres(t)
	newer := fstest.MapFS{
		"0001_pairs.sql": schema["0001_pairs.sql"],
		"0002_more.sql":  {Data: []byte("-- +goose Up\nalter table pairs add column c int;\n")},
	}
	if _, err := Migrate(t.Context(), url, schema); err != nil {
		t.Fatal(err)
	}
	old := setup(t, Options{URL: url})
	if err := put(old, t.Context(), 1, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := Migrate(t.Context(), url, newer); err != nil {
		t.Fatal(err)
	}
	if err := put(old, t.Context(), 2, 2); err != nil {
		t.Errorf("a change after the migration: %v", err)
	}
	if err := put(setup(t, Options{URL: url}), t.Context(), 3, 3); err != nil {
		t.Errorf("a change after a restart: %v", err)
	}
	if applied, err := Migrate(t.Context(), url, schema); err != nil || len(applied) != 0 {
		t.Errorf("Migrate by the older binary = %v, %v, want nothing", applied, err)
	}
}

// Promise: a migrator whose database is away says so and does not wait.
func TestMigrateAway(t *testing.T) {
	t.Parallel()
	if _, err := Migrate(context.Background(), "postgres://nobody@127.0.0.1:1/none?sslmode=disable", schema); err == nil || !strings.Contains(err.Error(), "unavailable") {
		t.Errorf("Migrate = %v, want unavailable", err)
	}
}
