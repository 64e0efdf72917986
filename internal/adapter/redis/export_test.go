package redis

import (
	"context"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/run"
)

// WatchWithoutFarewell keeps a node known until ctx ends, and then says nothing, as one that is killed.
func WatchWithoutFarewell(ctx context.Context, p *Presence) error {
	p.look(ctx, func([]chat.UserID) {})
	return run.Every(ctx, p.beat, func(ctx context.Context) error {
		p.look(ctx, func([]chat.UserID) {})
		return nil
	})
}

// SetPace makes a node's life short. People go offline at the latest lease and beat after their node has died.
func SetPace(p *Presence, lease, beat time.Duration) { p.lease, p.beat = lease, beat }

// Counts reports whether the presence has begun to count: before, who comes is counted again when it does.
func Counts(p *Presence) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.doubt
}
