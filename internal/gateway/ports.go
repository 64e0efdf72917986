package gateway

import (
	"context"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Bus brings numbered events and signals to this node.
type Bus interface {
	// Subscribe starts the delivery of a room's envelopes to Listen's events. Envelopes published after it returned are
	// delivered, unless lost.
	Subscribe(ctx context.Context, room chat.RoomID) error
	// Unsubscribe ends it.
	Unsubscribe(ctx context.Context, room chat.RoomID) error
	// Listen delivers until ctx ends. Each room's envelopes arrive in order, possibly with holes or repeats. Both
	// functions must not block for long: what they hold up is dropped and noticed by the numbers.
	Listen(ctx context.Context, events func([]chat.Envelope), signals func(chat.Signal)) error
	// Signal sends news to every node, this one included. It may be lost.
	Signal(ctx context.Context, signal chat.Signal) error
}
