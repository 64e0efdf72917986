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
}

// Signals tells every node that somebody came or went. It may lose what it is told.
type Signals interface {
	Signal(ctx context.Context, signal chat.Signal) error
}
