package sqlite

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/blabber-hive/blabber-hive/internal/porttest/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// setup opens a store in a directory of its own.
func setup(t testing.TB, options Options) *Store {
	t.Helper()
	if options.Dir == "" {
		options.Dir = t.TempDir()
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

// Promise: this store is what its ports say.
func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) func() storetest.Store {
		dir := t.TempDir()
		var s *Store
		return func() storetest.Store {
			if s != nil {
				if err := s.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
			}
			s = setup(t, Options{Dir: dir})
			return s
		}
	})
}
