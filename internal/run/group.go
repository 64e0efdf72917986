package run

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
)

// Group runs named functions that live and die together.
//
// The first member that fails cancels the context of all. Members may be added while others run, also by members and
// also while Wait waits. The methods may be called concurrently.
type Group struct {
	parent context.Context
	ctx    context.Context
	cancel context.CancelFunc

	mu      sync.Mutex
	idle    sync.Cond // signalled when running falls to 0
	running int
	ended   bool  // Wait has returned: nobody would wait for a further member
	failure error // of the member that failed first
	obeyed  bool  // a member came back only because it was told to stop
}

// NewGroup makes a group whose members get a context derived from ctx. Its Wait must be called, or the context leaks.
func NewGroup(ctx context.Context) *Group {
	g := &Group{parent: ctx}
	g.ctx, g.cancel = context.WithCancel(ctx)
	g.idle.L = &g.mu

	return g
}

// Context is what members are given: done when the parent is, when a member fails, when Cancel is called and when Wait returns.
func (g *Group) Context() context.Context { return g.ctx }

// Cancel tells all members to stop. It does not wait for them.
func (g *Group) Cancel() { g.cancel() }

// Go starts fn as a member and reports whether it did: once Wait has returned nobody would wait for fn, so it is not started.
//
// The name is an act ("store batches"); it opens the error that Wait returns if fn fails.
func (g *Group) Go(name string, fn func(ctx context.Context) error) bool {
	g.mu.Lock()
	defer g.mu.Unlock()

	if g.ended {
		return false
	}

	g.running++

	go func() {
		// Deferred, so that the count is right even if fn leaves by runtime.Goexit (t.FailNow in a test).
		err := errGoexit
		defer func() { g.leave(name, err) }()

		err = Protect(g.ctx, fn)
	}()

	return true
}

// Wait returns when every member has returned.
//
// The error is that of the member that failed first, opened with its name. A member that returns its context's error
// after it was told to stop has obeyed rather than failed. If nothing but obedience came back, Wait returns the
// parent's error, so that work cut short from outside is never taken for work done; after Cancel that is nil.
func (g *Group) Wait() error {
	g.mu.Lock()
	defer g.mu.Unlock()

	for g.running > 0 {
		g.idle.Wait()
	}

	g.ended = true
	g.cancel()

	if g.failure != nil {
		return g.failure
	}

	if g.obeyed {
		return g.parent.Err()
	}

	return nil
}

func (g *Group) leave(name string, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()

	if err != nil {
		g.note(name, err)
	}

	g.running--
	if g.running == 0 {
		g.idle.Broadcast()
	}
}

// note is called with the lock held.
func (g *Group) note(name string, err error) {
	if told := g.ctx.Err(); told != nil && errors.Is(err, told) {
		g.obeyed = true
		return
	}

	if g.failure == nil {
		g.failure = fmt.Errorf("%s: %w", name, err)
	}

	g.cancel()
}

var errGoexit = errors.New("left by runtime.Goexit")

// PanicError is a panic that Protect caught.
type PanicError struct {
	Value any    // what was given to panic
	Stack []byte // where, as debug.Stack prints it
}

// Error holds the stack too: the line in the log is the only place where a caught panic can be found again.
func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v\n%s", e.Value, e.Stack) }

// Unwrap is the panic's value if that is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// Protect calls fn and turns a panic into a *PanicError. Members of a Group are protected already; it is for one
// connection or one request among many, whose panic must end nothing else.
func Protect(ctx context.Context, fn func(ctx context.Context) error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()

	return fn(ctx)
}
