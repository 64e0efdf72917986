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
