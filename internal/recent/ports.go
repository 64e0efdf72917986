package recent

import (
	"context"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Store is what is read of the store. Every answer is of one moment.
type Store interface {
	Log
	Rooms
	People
}

// Log reads what was said. What is not there is chat.ErrNotFound.
type Log interface {
	// Message reads a message in its newest state.
	Message(ctx context.Context, room chat.RoomID, id chat.MessageID) (*chat.Message, error)
	// Messages reads messages ascending by seq as the query says, deleted ones included, and the room's head.
	Messages(ctx context.Context, room chat.RoomID, query chat.HistoryQuery) ([]chat.Message, chat.Seq, error)
	// Changes reads the events after a position, ascending, at most limit, with messages in their newest state; see
	// history.Store.
	Changes(ctx context.Context, room chat.RoomID, after chat.Seq, limit int) (chat.Page, error)
	// Heads reads the heads of rooms. Rooms that are gone are left out.
	Heads(ctx context.Context, rooms []chat.RoomID) (map[chat.RoomID]chat.Seq, error)
}

// Rooms reads rooms as one person sees them.
type Rooms interface {
	// Access reads the room and the person's place in it.
	Access(ctx context.Context, room chat.RoomID, user chat.UserID) (chat.Access, error)
	// RoomsOf reads every room of a person, newest activity first: that is the time of the newest message, or of the
	// room's creation; of two at the same time the lower id.
	RoomsOf(ctx context.Context, user chat.UserID) ([]chat.MemberRoom, error)
	// RoomOf reads one room as its member sees it; chat.ErrNotFound for outsiders.
	RoomOf(ctx context.Context, room chat.RoomID, user chat.UserID) (chat.MemberRoom, error)
}

// People reads who is where, which the store knows before anybody else.
type People interface {
	// MembersNamed gives those members of the room whose folded usernames are among the given.
	MembersNamed(ctx context.Context, room chat.RoomID, usernames []string) ([]chat.UserID, error)
	// RoomIDs reads the ids of every room that a person is in.
	RoomIDs(ctx context.Context, user chat.UserID) ([]chat.RoomID, error)
	// RoomIDsOf reads the same for many people.
	RoomIDsOf(ctx context.Context, users []chat.UserID) (map[chat.UserID][]chat.RoomID, error)
}

// Bus keeps the newest events of active rooms for a while. It may have lost any of them.
type Bus interface {
	// Tail gives the newest events of a room that the bus keeps, with seq > after, ascending and without a gap inside; none
	// where it keeps none. The caller may change them.
	Tail(ctx context.Context, room chat.RoomID, after chat.Seq) ([]chat.Event, error)
	// Heads gives the highest seq that the bus keeps of each room; rooms of which it keeps nothing are left out.
	Heads(ctx context.Context, rooms []chat.RoomID) (map[chat.RoomID]chat.Seq, error)
}
