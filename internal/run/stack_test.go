package run_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/run"
)

// Promise: every step is taken once, newest first, whatever the others do, and each error names its step.
func TestStackTakesEveryStep(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var (
			stack run.Stack
			mu    sync.Mutex // a step that is left behind orders nothing before the next
			order []string
		)

		release := make(chan struct{})
		push := func(name string, stop func(ctx context.Context) error) {
			stack.Push(name, 5*time.Second, func(ctx context.Context) error {
				mu.Lock()
				order = append(order, name)
				mu.Unlock()

				return stop(ctx)
			})
		}
		push("store", func(context.Context) error { return nil })
		push("log", func(context.Context) error { return errBroken })
		push("bus", func(context.Context) error { panic("gone") })
		push("deaf", func(context.Context) error { <-release; return nil })
		push("http server", untilStopped)

		start := time.Now()
		err := stack.Close(t.Context())

		if want := []string{"http server", "deaf", "bus", "log", "store"}; !slices.Equal(order, want) {
			t.Errorf("steps taken: %q, want %q", order, want)
		}

		for _, want := range []string{
			"stop http server: context deadline exceeded", "stop deaf: left running 1s after context deadline exceeded",
			"stop bus: panic: gone", "stop log: broken",
		} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("Close() = %v\nwant it to say %q", err, want)
			}
		}

		// 5 s for each of the two that overran, and the deaf one's grace.
		if took := time.Since(start); took != 11*time.Second {
			t.Errorf("Close took %v, want 11s", took)
		}

		if err := stack.Close(t.Context()); err != nil || len(order) != 5 {
			t.Errorf("second Close() = %v, steps now %q, want nothing done", err, order)
		}

		close(release)
	})
}

// Promise: steps are taken even if the time to stop is over, under a context that says so.
func TestStackUnderADoneContext(t *testing.T) {
	t.Parallel()

	ctx, cancel := context.WithCancel(t.Context())
	cancel()

	var (
		stack run.Stack
		told  error
	)

	stack.Push("store", time.Minute, func(ctx context.Context) error {
		told = ctx.Err()
		return nil
	})

	if err := stack.Close(ctx); err != nil || !errors.Is(told, context.Canceled) {
		t.Errorf("Close() = %v, the step saw %v, want nil and context.Canceled", err, told)
	}
}
