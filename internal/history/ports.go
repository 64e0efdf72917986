package history

import (
	"context"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Store reads what happened and keeps where each member stands. What is not there is chat.ErrNotFound.
type Store interface {
	// Access reads the room and the person's place in it.
	Access(ctx context.Context, room chat.RoomID, user chat.UserID) (chat.Access, error)
	// Messages reads messages ascending by seq as the query says, deleted ones included, and the room's head at that moment.
	Messages(ctx context.Context, room chat.RoomID, query chat.HistoryQuery) ([]chat.Message, chat.Seq, error)
	// Changes reads the events after a position, ascending, at most limit, with messages in their newest state. Void
	// numbers are left out but covered by Through. Page and head are of one moment.
	Changes(ctx context.Context, room chat.RoomID, after chat.Seq, limit int) (chat.Page, error)
	// RoomsOf reads every room of a person with counts and last message, newest activity first: that is the time of the
	// newest message, or of the room's creation; of two at the same time the lower id.
	RoomsOf(ctx context.Context, user chat.UserID) ([]chat.MemberRoom, error)
	// RoomIDs reads the ids of every room that a person is in, in any order.
	RoomIDs(ctx context.Context, user chat.UserID) ([]chat.RoomID, error)
	// RoomOf reads one room as its member sees it; ErrNotFound for outsiders.
	RoomOf(ctx context.Context, room chat.RoomID, user chat.UserID) (chat.MemberRoom, error)
}

// Marks keeps read lines and notification levels of members; ErrNotFound for outsiders.
type Marks interface {
	// MarkRead moves the read line forward to seq, or to the head where seq is beyond it, never back, and clears UnreadFrom.
	MarkRead(ctx context.Context, room chat.RoomID, user chat.UserID, seq chat.Seq) (chat.ReadState, error)
	// MarkUnread sets UnreadFrom; the read line stays.
	MarkUnread(ctx context.Context, room chat.RoomID, user chat.UserID, from chat.Seq) (chat.ReadState, error)
	// SetNotify sets the notification level.
	SetNotify(ctx context.Context, room chat.RoomID, user chat.UserID, level chat.Notify) error
}

// Signals tells other connections what is not part of a log; see chat.Signal.
type Signals interface {
	Signal(ctx context.Context, signal chat.Signal) error
}
