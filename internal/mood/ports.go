package mood

import (
	"context"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Texts are what was said and not read yet, where it is durable. One reader at a time uses it.
type Texts interface {
	// Poll waits for texts and gives the oldest, those of one room in order, at most most; perhaps none, where nothing of
	// what it looked at is to be read. Until they are Done it gives the same again, or to another process, and some even
	// afterwards, when a process dies.
	Poll(ctx context.Context, most int) ([]chat.MoodText, error)
	// Done says that what Poll gave last is dealt with.
	Done(ctx context.Context) error
	// Behind is how much of what was said nobody has dealt with: of all readers together.
	Behind(ctx context.Context) (int64, error)
}

// Model says how texts sound.
type Model interface {
	// Read gives the mood of each text, in order. chat.Invalid: the texts are at fault, and will be tomorrow. Any other error
	// may pass.
	Read(ctx context.Context, texts []string) ([]chat.Mood, error)
}

// Rooms know whose texts may be read.
type Rooms interface {
	// MoodRooms are those of the rooms whose mood is on, as it is now, and since when: nothing that was said earlier may be
	// read. Zero: there is nothing earlier among the texts.
	MoodRooms(ctx context.Context, rooms []chat.RoomID) (since map[chat.RoomID]time.Time, err error)
}

// Log makes records durable in order; see message.Log, of which this is the same.
type Log interface {
	Append(ctx context.Context, record *chat.Record, settled func(chat.Receipt, error)) error
}

// Counts are what was found, as the store counts it.
type Counts interface {
	// Access reads the room and the person's place in it; chat.ErrNotFound: no such room.
	Access(ctx context.Context, room chat.RoomID, user chat.UserID) (chat.Access, error)
	// Moods reads what is counted of the messages of a room that were made in [from, to), one count for each chat.MoodSpan
	// that has any, ascending; both times are begins of a span. chat.ErrNotFound: no such room.
	Moods(ctx context.Context, room chat.RoomID, from, to time.Time) ([]chat.MoodCount, error)
}
