package replay

import (
	"context"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Log is the log of a cluster, to be read from its beginning to where it ends when it is asked.
type Log interface {
	// Extents tells what of each partition, by its number, is in the log now. The id is that of this log and no other.
	Extents(ctx context.Context) (id string, extents []chat.Extent, err error)
	// Owners tells how many processes number the log at this moment.
	Owners(ctx context.Context) (int, error)
	// Read waits for records of a partition at offset from or after and answers a run of at least one.
	Read(ctx context.Context, partition int, from chat.Offset) (chat.LogRun, error)
	// Release lets go of what reading a partition has taken.
	Release(partition int)
}

// Store is an empty store that is to be filled.
type Store interface {
	// BeginReplay marks the store as one that is made of that log, which nobody serves. One that is marked so already is
	// gone on with, and forgets its memberships and bans. chat.Conflict, with a sentence for people: it holds something else,
	// or is whole.
	BeginReplay(ctx context.Context, log string) error
	// Put adds accounts, rooms, members and bans as one transaction. What is already there stays as it is.
	Put(ctx context.Context, rows []chat.Row) error
	// Update runs a change of one room as one transaction.
	Update(ctx context.Context, room chat.RoomID, change func(tx chat.RoomTx) error) error
	// Rows calls visit with everything, of one moment; each room's log ascending by number, and rooms before logs.
	Rows(ctx context.Context, visit func(row chat.Row) error) error
	// EndReplay marks the store as whole, and as stored up to where each partition ends.
	EndReplay(ctx context.Context, log string, extents []chat.Extent) error
}
