package run_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/run"
)

var errBroken = errors.New("broken")

func untilStopped(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// Promise: the first failure stops the rest and keeps its name; members that obeyed do not hide it.
func TestGroupFirstFailureStopsTheRest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := run.NewGroup(t.Context())
		g.Go("wait", untilStopped)
		g.Go("store batches", func(ctx context.Context) error {
			return errors.Join(run.Pause(ctx, time.Second), errBroken)
		})
		g.Go("fail later", func(ctx context.Context) error {
			<-ctx.Done()
			return errors.New("a consequence")
		})

		err := g.Wait()
		if !errors.Is(err, errBroken) || !strings.HasPrefix(err.Error(), "store batches: ") {
			t.Errorf("Wait() = %v, want the error of store batches", err)
		}

		if g.Context().Err() == nil {
			t.Error("the group's context outlives Wait")
		}
	})
}

// Promise: Wait tells work cut short from outside from work that was finished or stopped on purpose.
func TestGroupStops(t *testing.T) {
	t.Parallel()

	for name, tc := range map[string]struct {
		stop func(cancelParent context.CancelFunc, g *run.Group)
		want error
	}{
		"the parent is cancelled": {func(cancel context.CancelFunc, _ *run.Group) { cancel() }, context.Canceled},
		"the owner says Cancel":   {func(_ context.CancelFunc, g *run.Group) { g.Cancel() }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()

			g := run.NewGroup(ctx)
			g.Go("one", untilStopped)
			g.Go("two", untilStopped)
			g.Go("three", func(context.Context) error { return nil })
			tc.stop(cancel, g)

			if err := g.Wait(); !errors.Is(err, tc.want) {
				t.Errorf("Wait() = %v, want %v", err, tc.want)
			}
		})
	}
}

// Promise: a failure while stopping is reported, not taken for obedience.
func TestGroupFailureWhileStopping(t *testing.T) {
	t.Parallel()

	ctx, cancel := context.WithCancel(t.Context())
	g := run.NewGroup(ctx)
	g.Go("obey", untilStopped)
	g.Go("flush", func(ctx context.Context) error {
		<-ctx.Done()
		return errBroken
	})
	cancel()

	if err := g.Wait(); !errors.Is(err, errBroken) {
		t.Errorf("Wait() = %v, want the failed flush", err)
	}
}

// Promise: somebody else's cancelled context is a failure, since nobody told this group to stop.
func TestGroupForeignCancelIsAFailure(t *testing.T) {
	t.Parallel()

	g := run.NewGroup(t.Context())
	g.Go("call", func(context.Context) error { return context.Canceled })

	err := g.Wait()
	if !errors.Is(err, context.Canceled) || !strings.HasPrefix(err.Error(), "call: ") {
		t.Errorf("Wait() = %v, want call's own error", err)
	}
}

// Promise: a panic, and a goroutine that is left by Goexit, are failures of their member.
func TestGroupPanicIsAnError(t *testing.T) {
	t.Parallel()

	g := run.NewGroup(t.Context())
	g.Go("wait", untilStopped)
	g.Go("apply record", func(context.Context) error { panic(errBroken) })

	err := g.Wait()

	caught, ok := errors.AsType[*run.PanicError](err)
	if !ok || !errors.Is(err, errBroken) {
		t.Fatalf("Wait() = %v, want a PanicError that wraps its value", err)
	}

	if !strings.Contains(string(caught.Stack), "TestGroupPanicIsAnError") || !strings.Contains(err.Error(), "apply record: panic: broken") {
		t.Errorf("the error %q tells neither who nor where", err)
	}

	g = run.NewGroup(t.Context())
	g.Go("leave", func(context.Context) error {
		runtime.Goexit()
		return nil
	})

	if err := g.Wait(); err == nil {
		t.Error("Wait() = nil though a member never came back")
	}
}

// Promise: members may join while Wait waits, all are waited for, and afterwards none is started any more.
func TestGroupMembersJoinUntilTheEnd(t *testing.T) {
	t.Parallel()

	const members = 1000

	var ran atomic.Int64

	g := run.NewGroup(t.Context())
	g.Go("listen", func(context.Context) error {
		for range members {
			g.Go("connection", func(context.Context) error {
				ran.Add(1)
				return nil
			})
		}

		return nil
	})

	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}

	if got := ran.Load(); got != members {
		t.Errorf("%d members had ended when Wait returned, want %d", got, members)
	}

	if g.Go("late", func(context.Context) error { panic("started") }) {
		t.Error("Go after Wait = true, want it refused")
	}
}
