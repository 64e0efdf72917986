package sequencer

import (
	"context"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Log is the sequencer's half of the log: what was appended, in order, with a place for each.
type Log interface {
	// Poll waits for records after what was polled before (from the start offset the log was opened or sought at) and
	// answers at least one, in order. chat.ErrLogClosed: there will be no more.
	Poll(ctx context.Context) (chat.LogRun, error)
	// Settle tells the log what became of a run's records, in order and one outcome each. The alone log acks senders by
	// it; a log that acked on append need not care.
	Settle(ctx context.Context, run chat.LogRun, outcomes []chat.Outcome)
}

// Bus carries numbered events to every gateway with a listener.
type Bus interface {
	// Publish sends envelopes, each room's in order. It may lose them: gateways notice by the numbers.
	Publish(ctx context.Context, envelopes []chat.Envelope) error
}

// Store is what lies behind the log.
type Store interface {
	// Position is the offset up to which the partition is stored; zero for one that never was.
	Position(ctx context.Context, partition int) (chat.Offset, error)
	// RoomState reads what numbering needs of a room. chat.ErrNotFound: no such room.
	RoomState(ctx context.Context, room chat.RoomID) (chat.RoomState, error)
	// Message reads a message in its newest stored state; chat.ErrNotFound where there is none.
	Message(ctx context.Context, room chat.RoomID, id chat.MessageID) (*chat.Message, error)
	// Commit stores a batch as one durable transaction: new messages, changed ones, heads, and the offset, moved from
	// batch.From to batch.To by compare-and-set. chat.ErrFenced: it was not at From; nothing is changed. A number whose
	// record id already stands under another number of its room is stored as void and reported, in order. Events of rooms
	// that are gone are left out. Any other error leaves open whether the batch is stored: reload before going on.
	Commit(ctx context.Context, batch chat.Batch) ([]chat.Void, error)
}
