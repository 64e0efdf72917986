package archive

import (
	"context"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Source gives all that an instance holds.
type Source interface {
	// Rows calls visit with everything, of one moment, so that nothing comes before what it refers to: accounts, rooms,
	// members, bans, invites and logs by room and person, each room's log ascending by number, the outbox last and in order. An error of visit ends it
	// and comes back.
	Rows(ctx context.Context, visit func(row chat.Row) error) error
}

// Target takes what an archive holds.
type Target interface {
	// BeginImport marks the instance as taking that archive. done: it has already taken it whole. chat.Conflict, with a
	// sentence for people: it holds something that is not of this archive.
	BeginImport(ctx context.Context, archive string) (done bool, err error)
	// Put adds rows in the order of Rows, as one durable transaction. What is already there stays as it is.
	// chat.Invalid: a row refers to what is not there, or contradicts another.
	Put(ctx context.Context, rows []chat.Row) error
	// EndImport marks the import as whole.
	EndImport(ctx context.Context, archive string) error
}

// Auditor checks what only the store itself can see.
type Auditor interface {
	Source
	// Audit reports, as sentences, what contradicts itself in what the store derives from rows: its indexes, its copies,
	// its counts of mentions, its file.
	Audit(ctx context.Context, report func(finding string)) error
}

// Log is the log of a cluster, to be read beside those who number it.
type Log interface {
	// Extents tells what of each partition, by its number, is in the log now. The id is that of this log and no other.
	Extents(ctx context.Context) (id string, extents []chat.Extent, err error)
	// Read waits for records of a partition at offset from or after and answers a run of at least one.
	Read(ctx context.Context, partition int, from chat.Offset) (chat.LogRun, error)
	// Release lets go of what reading a partition has taken.
	Release(partition int)
}

// Logged is what the store of a cluster has of the log.
type Logged interface {
	// StoredHeads reads, of one moment, up to which offset a partition is stored and the heads of rooms. What is not there is
	// left out.
	StoredHeads(ctx context.Context, partition int, rooms []chat.RoomID) (stored chat.Offset, heads map[chat.RoomID]chat.Seq, err error)
	// Numbered finds the numbers under which records stand, by room and id of each. What is not there is left out.
	Numbered(ctx context.Context, records []chat.MessageRef) (map[chat.MessageRef]chat.LogRow, error)
	// Outbox is room.Outbox's: changes that the log has not been told of yet.
	Outbox(ctx context.Context, after int64, limit int) ([]chat.OutboxEntry, error)
	// Changes is history.Store's: the events after a position, void numbers left out.
	Changes(ctx context.Context, room chat.RoomID, after chat.Seq, limit int) (chat.Page, error)
}
