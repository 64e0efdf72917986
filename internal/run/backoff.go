package run

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// Pause waits until d has passed and returns nil, or until ctx is done and returns its error.
func Pause(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err // also when d is 0: a loop that pauses for nothing must still end
	}

	timer := time.NewTimer(d)
	defer timer.Stop()

	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Every calls fn once per period, first after one period, until ctx is done (its error) or fn fails (that error).
//
// Calls never overlap: while fn runs, ticks are dropped rather than saved up.
func Every(ctx context.Context, period time.Duration, fn func(ctx context.Context) error) error {
	ticker := time.NewTicker(period)
	defer ticker.Stop()

	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}

		if err := fn(ctx); err != nil {
			return err
		}
	}
}

// Backoff says how long to wait before the next attempt: a random part ("full jitter") of a bound that starts at First
// and doubles up to Max. Random over the whole range, because callers that failed together must not come back together.
//
// A Backoff belongs to one loop; copies start where the original stood.
type Backoff struct {
	First time.Duration  // bound of the first wait; 100 ms if zero
	Max   time.Duration  // bound of every wait; 30 s if zero
	Rand  func() float64 // in [0, 1); math/rand/v2 if nil

	bound time.Duration
}

const (
	backoffFirstDefault = 100 * time.Millisecond
	backoffMaxDefault   = 30 * time.Second
)

// Next is the time to wait now; each call doubles the bound of the next one.
func (b *Backoff) Next() time.Duration {
	first, most := b.First, b.Max
	if first <= 0 {
		first = backoffFirstDefault
	}

	if most <= 0 {
		most = backoffMaxDefault
	}

	switch {
	case b.bound == 0:
		b.bound = min(first, most)
	case b.bound > most/2: // doubling first could overflow
		b.bound = most
	default:
		b.bound *= 2
	}

	random := b.Rand
	if random == nil {
		random = rand.Float64
	}

	return time.Duration(random() * float64(b.bound))
}

// Reset starts over; call it after a success.
func (b *Backoff) Reset() { b.bound = 0 }

// Wait pauses for Next, or until ctx is done and returns its error.
func (b *Backoff) Wait(ctx context.Context) error { return Pause(ctx, b.Next()) }

// Retry calls fn until it returns nil (nil), a Permanent error (what that wraps) or ctx is done (the context's error and
// the last of fn's, both found by errors.Is). Between calls it waits as b says.
func Retry(ctx context.Context, b Backoff, fn func(ctx context.Context) error) error {
	for {
		err := fn(ctx)
		if err == nil {
			return nil
		}

		if final, ok := errors.AsType[*permanentError](err); ok {
			return final.err
		}

		if stopped := b.Wait(ctx); stopped != nil {
			return fmt.Errorf("%w; last attempt: %w", stopped, err)
		}
	}
}

// Permanent marks an error that another attempt cannot cure. Permanent(nil) is nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}

	return &permanentError{err}
}

type permanentError struct{ err error }

func (e *permanentError) Error() string { return e.err.Error() }
func (e *permanentError) Unwrap() error { return e.err }
