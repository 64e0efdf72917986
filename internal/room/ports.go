package room

import (
	"context"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Store keeps rooms, members, bans and invites. What is not there is chat.ErrNotFound.
type Store interface {
	// Access reads the room and the person's place in it.
	Access(ctx context.Context, room chat.RoomID, user chat.UserID) (chat.Access, error)
	// RoomOf reads a room as its member sees it.
	RoomOf(ctx context.Context, room chat.RoomID, user chat.UserID) (chat.MemberRoom, error)
	Changes
}

// Changes is that half of a Store which decides: it must know what is committed, and need not know what is only shown.
type Changes interface {
	// Update runs change in one transaction over the room, which need not exist yet. Where change answers an error nothing
	// is changed and that error comes back. change may run again after a conflict and must have no other effect.
	Update(ctx context.Context, room chat.RoomID, change func(tx chat.RoomTx) error) error
	// RoomCount is how many rooms a person is in.
	RoomCount(ctx context.Context, user chat.UserID) (int, error)
}

// Directory lists what Store keeps, a page at a time.
type Directory interface {
	// Members reads members, owners first, then moderators, then the others, by username; at most limit.
	Members(ctx context.Context, room chat.RoomID, after chat.Cursor, limit int) ([]chat.Member, chat.Cursor, error)
	// Bans reads the bans of a room, newest first, at most chat.ChangesMax.
	Bans(ctx context.Context, room chat.RoomID) ([]chat.Ban, error)
	// Invites reads the invites of a room, newest first; with a non-zero by only that person's.
	Invites(ctx context.Context, room chat.RoomID, by chat.UserID) ([]chat.Invite, error)
	// Invite reads an invite and its room by code.
	Invite(ctx context.Context, code string) (chat.InvitePreview, error)
	// PublicRooms reads public rooms whose name or topic contains query (any if empty, case folded), newest activity
	// first; at most limit.
	PublicRooms(ctx context.Context, viewer chat.UserID, query string, after chat.Cursor, limit int) ([]chat.RoomListing, chat.Cursor, error)
}

// People reads accounts.
type People interface {
	// User reads an account; chat.ErrNotFound where there is none.
	User(ctx context.Context, id chat.UserID) (chat.User, error)
}

// Outbox holds records that were committed with a change and wait for the log.
type Outbox interface {
	// Outbox reads waiting entries with a position after the given one, ascending, at most limit.
	Outbox(ctx context.Context, after int64, limit int) ([]chat.OutboxEntry, error)
	// OutboxDone forgets entries that the log has.
	OutboxDone(ctx context.Context, positions []int64) error
}

// Log makes records durable in order; see message.Log, of which this is the same.
type Log interface {
	Append(ctx context.Context, record *chat.Record, settled func(chat.Receipt, error)) error
}

// Shown reads what people are shown of a room, which in a cluster is more than what is stored.
type Shown interface {
	// Changes reads the events after a position; see history.Store.
	Changes(ctx context.Context, room chat.RoomID, after chat.Seq, limit int) (chat.Page, error)
}

// Signals hurries news to other connections and nodes; it may lose them.
type Signals interface {
	Signal(ctx context.Context, signal chat.Signal) error
}
