package gateway

import (
	"context"

	"github.com/blabber-hive/blabber-hive/internal/account"
	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/message"
)

// Bus brings numbered events and signals to this node.
type Bus interface {
	// Subscribe starts the delivery of a room's envelopes to Listen's events. Envelopes published after it returned are
	// delivered, unless lost. A bus that is away is no error: the subscription stands when Listen's link says up.
	Subscribe(ctx context.Context, room chat.RoomID) error
	// Unsubscribe ends it.
	Unsubscribe(ctx context.Context, room chat.RoomID) error
	// Listen delivers until ctx ends. Each room's envelopes arrive in order, possibly with holes or repeats; one without a
	// body only tells the room's head. link tells whether the bus is reached, first as soon as that is known and then at
	// each change: down when it is not, up when it is again and every subscription stands. Whatever was said before an up
	// may be lost, in whole or in part. The functions must not block for long: what they hold up is dropped and noticed by
	// the numbers.
	Listen(ctx context.Context, events func([]chat.Envelope), signals func(chat.Signal), link func(up bool)) error
	// Signal sends news to every node, this one included. It may be lost. It must not be called by the functions that
	// were given to Listen.
	Signal(ctx context.Context, signal chat.Signal) error
}

// Accounts knows who holds an access token.
type Accounts interface {
	// Authenticate answers whose token it is, or chat.Unauthenticated, or chat.Forbidden where the person may not come in.
	Authenticate(ctx context.Context, token string) (account.Identity, error)
	// Ended answers those of the given sign-ins that are over, for when signals of it may have been lost.
	Ended(ctx context.Context, logins []chat.Login) ([]chat.Login, error)
}

// Messages takes what people say.
type Messages interface {
	// Send is message.Service.Send: a refusal at once, or settled later, in the order of sending.
	Send(ctx context.Context, sender chat.Profile, request message.Request, settled func(chat.Receipt, error)) error
	// Typing refuses whoever may not be seen writing in the room.
	Typing(ctx context.Context, room chat.RoomID, user chat.UserID) error
}

// Reader moves a person's read line and tells that person's other connections.
type Reader interface {
	MarkRead(ctx context.Context, user chat.UserID, room chat.RoomID, seq chat.Seq, connection string) (chat.ReadState, error)
}

// Store reads what happened.
type Store interface {
	// Changes reads the events after a position; see history.Store.
	Changes(ctx context.Context, room chat.RoomID, after chat.Seq, limit int) (chat.Page, error)
	// RoomsOf reads every room of a person with counts and last message.
	RoomsOf(ctx context.Context, user chat.UserID) ([]chat.MemberRoom, error)
	// RoomOf reads one room as its member sees it; chat.ErrNotFound for outsiders.
	RoomOf(ctx context.Context, room chat.RoomID, user chat.UserID) (chat.MemberRoom, error)
	// RoomIDs reads the ids of every room that a person is in.
	RoomIDs(ctx context.Context, user chat.UserID) ([]chat.RoomID, error)
	// RoomIDsOf reads the same for many people, of one moment.
	RoomIDsOf(ctx context.Context, users []chat.UserID) (map[chat.UserID][]chat.RoomID, error)
	// Heads reads the heads of rooms, of one moment. Rooms that are gone are left out.
	Heads(ctx context.Context, rooms []chat.RoomID) (map[chat.RoomID]chat.Seq, error)
}

// Presence counts people's connections.
type Presence interface {
	Connected(ctx context.Context, user chat.UserID) error
	Disconnected(ctx context.Context, user chat.UserID) error
}
