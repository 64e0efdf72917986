// Package storetest is what every store must do: one suite, run by each adapter against the real thing. Each sentence of
// the comments on the store ports of sequencer, message, history, gateway, room, mood and account is a test here, so that a store that
// passes can take another's place.
package storetest

import (
	"context"
	"testing"

	"github.com/blabber-hive/blabber-hive/internal/account"
	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/gateway"
	"github.com/blabber-hive/blabber-hive/internal/history"
	"github.com/blabber-hive/blabber-hive/internal/message"
	"github.com/blabber-hive/blabber-hive/internal/mood"
	"github.com/blabber-hive/blabber-hive/internal/room"
	"github.com/blabber-hive/blabber-hive/internal/sequencer"
)

// Store is all that one database does for the packages that declare its ports.
type Store interface { //nolint:interfacebloat // the sum of ports that stay small where they are used
	sequencer.Store
	message.Store
	history.Store
	history.Marks
	gateway.Store
	room.Store
	room.Directory
	room.Outbox
	account.Users
	account.Sessions
	account.Living
	account.Keys
	mood.Counts
	mood.Rooms

	// Position is the offset up to which a partition is stored, as Load says it.
	Position(ctx context.Context, partition int) (chat.Offset, error)
}

// Fresh makes an empty database for one test and returns how to open it. Each call of open closes the store that was
// opened before and opens the same database again, as a restart does; the end of the test closes the last.
type Fresh func(t *testing.T) (open func() Store)

// Run tests a store.
func Run(t *testing.T, fresh Fresh) {
	t.Helper()
	for name, part := range map[string]func(*testing.T, Fresh){
		"sequencer": testSequencer,
		"history":   testHistory,
		"marks":     testMarks,
		"rooms":     testRooms,
		"directory": testDirectory,
		"outbox":    testOutbox,
		"users":     testUsers,
		"sessions":  testSessions,
		"moods":     testMoods,
		"model":     testModel,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			part(t, fresh)
		})
	}
}

// each runs named tests, every one on a database of its own.
func each(t *testing.T, fresh Fresh, tests map[string]func(t *testing.T, i *Instance)) {
	t.Helper()
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, NewInstance(t, fresh(t), 0))
		})
	}
}
