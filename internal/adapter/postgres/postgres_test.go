package postgres

import (
	"context"
	"testing"

	"go.uber.org/goleak"

	"github.com/blabber-hive/blabber-hive/internal/porttest/services"
	"github.com/blabber-hive/blabber-hive/internal/porttest/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(services.During(m)) }

// migrated is a database of the test's own with the schema in it.
func migrated(t testing.TB) (url string) {
	t.Helper()
	return services.Postgres(t, services.Fast(), services.Template("store", func(ctx context.Context, url string) error {
		_, err := Migrate(ctx, url)
		return err
	}))
}

// setup opens a store on a database of its own.
func setup(t testing.TB, options Options) *Store {
	t.Helper()
	if options.URL == "" {
		options.URL = migrated(t)
	}
	s, err := Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

// reopening opens a store on one database again and again, closing the one before.
func reopening(t *testing.T) func() *Store {
	t.Helper()
	url := migrated(t)
	var s *Store
	return func() *Store {
		if s != nil {
			if err := s.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		}
		s = setup(t, Options{URL: url})
		return s
	}
}

// Promise: this store is what its ports say.
func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) func() storetest.Store {
		open := reopening(t)
		return func() storetest.Store { return open() }
	})
}
