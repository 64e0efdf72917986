package presence

import (
	"context"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Store counts the connections of people over all nodes.
type Store interface {
	// Connected adds one connection of a person and reports whether it is the first anywhere.
	Connected(ctx context.Context, user chat.UserID) (first bool, err error)
	// Disconnected takes one away and reports whether it was the last anywhere.
	Disconnected(ctx context.Context, user chat.UserID) (last bool, err error)
	// Online reports for each person whether there is a connection, in the order asked.
	Online(ctx context.Context, users []chat.UserID) ([]bool, error)
	// Watch calls changed with people who came or went without a call of Connected or Disconnected that said so: those of
	// a node that died, and those who are counted anew after the store had been away. It returns when ctx ends. Of all
	// nodes that watch one learns of each such change; if that one dies too, none.
	Watch(ctx context.Context, changed func(users []chat.UserID)) error
}

// Signals tells every node that somebody came or went. It may lose what it is told.
type Signals interface {
	Signal(ctx context.Context, signal chat.Signal) error
}
