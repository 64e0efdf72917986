package message

import (
	"context"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Log makes records durable in order.
type Log interface {
	// Append hands a record to the log and returns once the log has taken it over, which waits while the log is full and
	// at most until ctx ends. Records of one caller that appends one after the other keep their order. settled is called
	// exactly once for a record that was taken over: with a receipt when the record is durable, or with a refusal
	// (chat.Conflict, chat.NotFound, chat.Unavailable …). After chat.Unavailable the record may or may not be in the log,
	// so it must be sent again with the same id. settled must not block. The record must not be changed afterwards.
	Append(ctx context.Context, record *chat.Record, settled func(chat.Receipt, error)) error
}

// Store is what sending looks up. All methods answer chat.ErrNotFound for what is not there.
type Store interface {
	// Access reads the room and the person's place in it. ErrNotFound: no such room.
	Access(ctx context.Context, room chat.RoomID, user chat.UserID) (chat.Access, error)
	// Message reads a message in its newest state.
	Message(ctx context.Context, room chat.RoomID, id chat.MessageID) (*chat.Message, error)
	// MembersNamed gives those members of the room whose folded usernames are among the given, at most chat.MentionsMax.
	MembersNamed(ctx context.Context, room chat.RoomID, usernames []string) ([]chat.UserID, error)
}

// Limiter bounds how often something may happen.
type Limiter interface {
	// Allow takes one token from the bucket of that key, which holds burst tokens and gains perSecond of them a second.
	// Where there is none it says in how long there will be.
	Allow(ctx context.Context, key string, perSecond float64, burst int) (retryAfter time.Duration, ok bool)
}
