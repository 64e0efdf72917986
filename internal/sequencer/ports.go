package sequencer

import (
	"context"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Log is the sequencer's half of the log: what was appended, in order, with a place for each.
type Log interface {
	// Own calls work for each partition that this process owns, from when it comes to own it until work's ctx ends because
	// it must let go. It waits for a work to return before the partition is given away, though not for ever. It returns
	// when ctx has ended, or the log is closed, and every work has returned; the error of a work ends everything and comes
	// back.
	Own(ctx context.Context, work func(ctx context.Context, partition int) error) error
	// Read waits for records of a partition at offset from or after and answers a run of at least one, in order and without
	// a gap inside; numbers between from and run.From never were records. chat.ErrLogClosed: there will be no more.
	Read(ctx context.Context, partition int, from chat.Offset) (chat.LogRun, error)
	// Settle tells the log what became of a run's records, in order and one outcome each. A log that is not durable by
	// itself acks senders by it.
	Settle(ctx context.Context, run chat.LogRun, outcomes []chat.Outcome)
}

// Bus carries numbered events to every gateway with a listener.
type Bus interface {
	// Publish sends envelopes, each room's in order. It may lose them: gateways notice by the numbers.
	Publish(ctx context.Context, envelopes []chat.Envelope) error
	// Signal tells every gateway what became of a record that was acked before it was numbered. It may be lost.
	Signal(ctx context.Context, signal chat.Signal) error
}

// Store is what lies behind the log.
type Store interface {
	// Load reads, all of one moment, the offset up to which the partition is stored (zero for one that never was), the
	// states of rooms and the newest states of messages. What is not there is left out.
	Load(ctx context.Context, partition int, rooms []chat.RoomID, messages []chat.MessageRef) (chat.Loaded, error)
	// Commit stores a batch as one durable transaction: new messages, changed ones, heads, and the offset, moved from
	// batch.From to batch.To by compare-and-set. chat.ErrFenced: it was not at From; nothing is changed. A number whose
	// record id already stands under another number of its room is stored as void and reported, in order. Events of rooms
	// that are gone are left out. Any other error leaves open whether the batch is stored: reload before going on.
	Commit(ctx context.Context, batch chat.Batch) ([]chat.Void, error)
}
