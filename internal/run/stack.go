package run

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// stubbornGrace is how long a step may go on after its limit before Close leaves it behind: enough to notice a done
// context, too short to hold up a deploy.
const stubbornGrace = time.Second

// Stack is the order in which things stop: what was opened last is closed first. The zero value is ready to use. The
// methods may be called concurrently.
type Stack struct {
	mu    sync.Mutex
	steps []step
}

type step struct {
	name  string
	limit time.Duration
	stop  func(ctx context.Context) error
}

// Push adds a step that Close will take before all earlier ones. Its context is done after limit at the latest.
//
// The name is a thing ("http server"); it opens the step's error.
func (s *Stack) Push(name string, limit time.Duration, stop func(ctx context.Context) error) {
	s.mu.Lock()
	defer s.mu.Unlock()

	s.steps = append(s.steps, step{name, limit, stop})
}

// Close takes every step, newest first, one after the other, and returns all their errors joined. A step that fails,
// panics or overruns its limit does not keep the others from being taken. Taken steps are forgotten, so a second Close
// does nothing.
//
// When ctx is done the remaining steps are still taken, each with a done context: what can be flushed at once is.
func (s *Stack) Close(ctx context.Context) error {
	var errs []error

	for {
		top, ok := s.pop()
		if !ok {
			return errors.Join(errs...)
		}

		if err := top.take(ctx); err != nil {
			errs = append(errs, fmt.Errorf("stop %s: %w", top.name, err))
		}
	}
}

func (s *Stack) pop() (step, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()

	if len(s.steps) == 0 {
		return step{}, false
	}

	top := s.steps[len(s.steps)-1]
	s.steps = s.steps[:len(s.steps)-1]

	return top, true
}

// take is the one place that does not wait for what it started: the process is about to end, and a step that ignores
// its context would otherwise keep it alive for ever.
func (s step) take(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.limit)
	defer cancel()

	done := make(chan error, 1)

	go func() { done <- Protect(ctx, s.stop) }()

	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}

	grace := time.NewTimer(stubbornGrace)
	defer grace.Stop()

	select {
	case err := <-done:
		return err
	case <-grace.C:
		return fmt.Errorf("left running %v after %w", stubbornGrace, ctx.Err())
	}
}
