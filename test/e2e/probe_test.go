package e2e_test

import (
	"context"
	"flag"
	"sync"
	"testing"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/run"
)

var (
	torture     = flag.Duration("torture", time.Minute, "for how long faults are injected at random")
	tortureSeed = flag.Uint64("torture-seed", 1, "what decides which")
)

// probe notes for how long, at most, nobody in a crowd heard anything.
type probe struct {
	group *run.Group

	mu   sync.Mutex
	last time.Time
	gap  time.Duration
}

// startProbe listens through a crowd's devices until it is stopped.
func startProbe(t *testing.T, c *crowd) *probe {
	t.Helper()
	p := &probe{group: run.NewGroup(context.Background()), last: time.Now()}
	p.group.Go("listen", func(ctx context.Context) error {
		heard := c.heard()
		return run.Every(ctx, 20*time.Millisecond, func(context.Context) error {
			now, n := time.Now(), c.heard()
			p.mu.Lock()
			defer p.mu.Unlock()
			if n != heard {
				heard, p.last = n, now
			}
			p.gap = max(p.gap, now.Sub(p.last))
			return nil
		})
	})
	t.Cleanup(func() { p.stop() })
	return p
}

func (p *probe) stop() time.Duration {
	p.group.Cancel()
	_ = p.group.Wait() // it ended as it was told
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.gap
}

// heard counts the events that all devices have taken in.
func (c *crowd) heard() int {
	sum := 0
	for _, device := range c.devices {
		sum += device.Stats().Events
	}
	return sum
}
