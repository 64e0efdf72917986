package sim

import (
	"context"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/wire"
)

// relay carries the oldest entry of the outbox to the log, and the next when that one is settled.
type relay struct {
	w    *world
	into engine
	gone func() bool // whether its process is dead
}

func (r *relay) later(delay time.Duration) {
	r.w.after(delay+r.w.between(0, 100*time.Millisecond), r.carry)
}

func (r *relay) carry() {
	if r.gone() {
		return
	}
	entries, _ := r.w.store.Outbox(context.Background(), 0, 1) // the model never fails
	if len(entries) == 0 || r.w.reachable() != nil {
		r.later(50 * time.Millisecond)
		return
	}
	entry := entries[0]
	record, err := wire.DecodeRecord(entry.Payload)
	if err != nil {
		r.w.violate("an outbox entry cannot be read: %v", err)
		return
	}
	err = r.into.append(nil, record, func(_ chat.Receipt, err error) {
		if r.gone() {
			return
		}
		if err == nil && r.w.reachable() == nil && !r.w.chance(r.w.faults.readFail) {
			_ = r.w.store.OutboxDone(context.Background(), []int64{entry.Position}) // the model never fails
		}
		r.later(0)
	})
	if err != nil {
		r.later(50 * time.Millisecond)
	}
}
