package run_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/run"
)

// Promise: the bound doubles up to Max, is never overrun or overflown, and starts over after Reset.
func TestBackoffBounds(t *testing.T) {
	t.Parallel()

	b := run.Backoff{First: 100 * time.Millisecond, Max: 450 * time.Millisecond, Rand: func() float64 { return 0.5 }}
	for i, want := range []int64{50, 100, 200, 225, 225} {
		if got := b.Next().Milliseconds(); got != want {
			t.Errorf("wait %d = %d ms, want %d ms", i, got, want)
		}
	}

	b.Reset()

	if got := b.Next(); got != 50*time.Millisecond {
		t.Errorf("after Reset = %v, want 50ms", got)
	}

	var zero run.Backoff
	for i := range 200 {
		if got := zero.Next(); got < 0 || got >= 30*time.Second {
			t.Fatalf("wait %d of the zero Backoff = %v, want within [0, 30s)", i, got)
		}
	}
}

// Promise: Retry goes on until success, a permanent error or the end of its context, and says which.
func TestRetry(t *testing.T) {
	t.Parallel()

	for name, tc := range map[string]struct {
		answers []error // the last one repeats
		calls   int
		want    []error
	}{
		"success after failures": {[]error{errBroken, errBroken, nil}, 3, []error{nil}},
		"a permanent error":      {[]error{errBroken, run.Permanent(errBroken)}, 2, []error{errBroken}},
		"the context ends":       {[]error{errBroken}, 10, []error{context.DeadlineExceeded, errBroken}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 9500*time.Millisecond)
				defer cancel()

				calls := 0
				err := run.Retry(ctx, run.Backoff{First: 2 * time.Second, Max: 2 * time.Second, Rand: func() float64 { return 0.5 }},
					func(context.Context) error {
						calls++
						return tc.answers[min(calls, len(tc.answers))-1]
					})

				for _, want := range tc.want {
					if !errors.Is(err, want) {
						t.Errorf("Retry() = %v, want %v", err, want)
					}
				}

				if calls != tc.calls {
					t.Errorf("fn was called %d times, want %d", calls, tc.calls)
				}
			})
		})
	}

	if run.Permanent(nil) != nil {
		t.Error("Permanent(nil) is not nil")
	}
}

// Promise: Every calls once a period, never twice at a time, and ends with its context or with fn.
func TestEvery(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10500*time.Millisecond)
		defer cancel()

		calls := 0

		err := run.Every(ctx, time.Second, func(context.Context) error {
			calls++
			return nil
		})
		if !errors.Is(err, context.DeadlineExceeded) || calls != 10 {
			t.Errorf("Every() = %v after %d calls, want the deadline after 10", err, calls)
		}

		err = run.Every(t.Context(), time.Second, func(context.Context) error { return errBroken })
		if !errors.Is(err, errBroken) {
			t.Errorf("Every() = %v, want fn's error", err)
		}
	})
}

// Promise: a pause ends at once when its context does, even one of no length.
func TestPause(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()

		start := time.Now()
		if err := run.Pause(ctx, time.Hour); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("Pause() = %v after %v, want the deadline after 1s", err, time.Since(start))
		}

		if err := run.Pause(ctx, 0); err == nil {
			t.Error("Pause(0) = nil under a done context")
		}

		if err := run.Pause(t.Context(), 0); err != nil {
			t.Errorf("Pause(0) = %v, want nil", err)
		}
	})
}
