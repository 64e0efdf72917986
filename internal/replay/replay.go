package replay

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/run"
)

const (
	// atOnce is how many partitions are read, or numbered, at the same time: as many as a node has connections for batches.
	atOnce = 4
	// putRows is how many rows one transaction takes.
	putRows = 1000
)

// Replay is one replay of a whole log.
type Replay struct {
	Log   Log
	Store Store
	// Number has a log numbered and stored to its end, as sequencers do, and ends with the first thing that fails.
	Number func(ctx context.Context, log *Stretch) error
	// AcceptMissing goes on with a log that lacks its beginning, or the creation of rooms: those rooms are left out.
	AcceptMissing bool
	// Progress is told how far all of it is, by one caller at a time.
	Progress func(done, total int64)
}

// Run makes the store.
func (r *Replay) Run(ctx context.Context) (Summary, error) {
	if err := refuseBeside(ctx, r.Log); err != nil {
		return Summary{}, err
	}
	id, extents, err := r.Log.Extents(ctx)
	if err != nil {
		return Summary{}, fmt.Errorf("replay: %w", err)
	}
	if err := r.checkBeginning(extents); err != nil {
		return Summary{}, err
	}
	stretch := newStretch(r.Log, extents, r.Progress)
	survey, err := stretch.survey(ctx)
	if err != nil {
		return Summary{}, fmt.Errorf("replay: look through the log: %w", err)
	}
	if survey.summary.MissingRooms > 0 && !r.AcceptMissing {
		return Summary{}, chat.Refuse(chat.Conflict, "the log has records of %d rooms, like %s, and not their creation: they came from an archive, or their creation was lost; "+
			"--accept-missing goes on and leaves these rooms out", survey.summary.MissingRooms, survey.missing)
	}
	if err := r.Store.BeginReplay(ctx, id); err != nil {
		return Summary{}, err
	}
	if err := put(ctx, r.Store, survey.rows()); err != nil {
		return Summary{}, fmt.Errorf("replay: put accounts and rooms: %w", err)
	}
	if err := r.Number(ctx, stretch); err != nil {
		return Summary{}, inNumbering(err)
	}
	if err := ctx.Err(); err != nil {
		return Summary{}, fmt.Errorf("replay: %w", err)
	}
	fold := newFold()
	if err := r.Store.Rows(ctx, fold.row); err != nil {
		return Summary{}, fmt.Errorf("replay: read what was stored: %w", err)
	}
	if err := r.settle(ctx, fold); err != nil {
		return Summary{}, fmt.Errorf("replay: %w", err)
	}
	if err := r.Store.EndReplay(ctx, id, extents); err != nil {
		return Summary{}, fmt.Errorf("replay: %w", err)
	}
	summary := survey.summary
	summary.Accounts, summary.Rooms, summary.Numbers = fold.accounts, fold.count, fold.numbers
	return summary, nil
}

// refuseBeside refuses to be at work beside sequencers.
func refuseBeside(ctx context.Context, log Log) error {
	owners, err := log.Owners(ctx)
	if err != nil {
		return fmt.Errorf("look for servers that number the log: %w", err)
	}
	if owners > 0 {
		return chat.Refuse(chat.Conflict, "%d servers number this log at this moment: stop all servers first", owners)
	}
	return nil
}

// inNumbering says what became of numbering.
func inNumbering(err error) error {
	if errors.Is(err, chat.ErrFenced) {
		return chat.Refuse(chat.Conflict, "somebody else stores this log in the same database: stop all servers and other replays, and run this again")
	}
	return fmt.Errorf("replay: %w", err)
}

// checkBeginning refuses a log of which retention has deleted something.
func (r *Replay) checkBeginning(extents []chat.Extent) error {
	if r.AcceptMissing {
		return nil
	}
	for number, extent := range extents {
		if extent.First > 0 {
			return chat.Refuse(chat.Conflict, "the beginning of the log was deleted: partition %d begins at offset %d; "+
				"--accept-missing goes on and leaves out the rooms whose creation is gone", number, extent.First)
		}
	}
	return nil
}

// put adds rows, some at a time.
func put(ctx context.Context, store interface {
	Put(ctx context.Context, rows []chat.Row) error
}, rows []chat.Row,
) error {
	for some := range slices.Chunk(rows, putRows) {
		if err := store.Put(ctx, some); err != nil {
			return err
		}
	}
	return nil
}

// settle writes what was folded.
func (r *Replay) settle(ctx context.Context, f *fold) error {
	if err := change(ctx, r.Store, f.changed); err != nil {
		return err
	}
	if err := put(ctx, r.Store, f.rows()); err != nil {
		return fmt.Errorf("put members and bans: %w", err)
	}
	return nil
}

// change lets rooms be what they became.
func change(ctx context.Context, store interface {
	Update(ctx context.Context, room chat.RoomID, change func(tx chat.RoomTx) error) error
}, rooms map[chat.RoomID]chat.Room,
) error {
	for id, room := range rooms {
		if err := store.Update(ctx, id, func(tx chat.RoomTx) error { return tx.PutRoom(room) }); err != nil {
			return fmt.Errorf("change room %s: %w", id, err)
		}
	}
	return nil
}

// Stretch is the log from where it begins to where it ended when the replay began, as the log of a sequencer.
type Stretch struct {
	log     Log
	extents []chat.Extent

	mu       sync.Mutex
	passed   []chat.Offset // of each partition, in the pass that is under way
	done     int64         // records, in both passes
	total    int64
	progress func(done, total int64)
	left     map[chat.RoomID]int64 // messages whose room is not there
}

func newStretch(log Log, extents []chat.Extent, progress func(done, total int64)) *Stretch {
	s := &Stretch{log: log, extents: extents, progress: progress, left: make(map[chat.RoomID]int64)}
	for _, extent := range extents {
		s.total += passes * int64(extent.End-extent.First)
	}
	s.begin()
	return s
}

// passes is how often the log is read: to survey it, and to number it.
const passes = 2

// begin begins a pass.
func (s *Stretch) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.passed = make([]chat.Offset, len(s.extents))
	for number, extent := range s.extents {
		s.passed[number] = extent.First
	}
}

// pass notes how far a partition was read.
func (s *Stretch) pass(partition int, to chat.Offset) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if to <= s.passed[partition] {
		return
	}
	s.done += int64(to - s.passed[partition])
	s.passed[partition] = to
	s.progress(s.done, s.total)
}

// Own implements sequencer.Log: all partitions are ours, some at a time.
func (s *Stretch) Own(ctx context.Context, work func(ctx context.Context, partition int) error) error {
	s.begin()
	partitions := make(chan int, len(s.extents))
	for number := range s.extents {
		partitions <- number
	}
	close(partitions)
	group := run.NewGroup(ctx)
	for n := range min(atOnce, len(s.extents)) {
		group.Go("work "+strconv.Itoa(n+1), func(ctx context.Context) error {
			for number := range partitions {
				err := work(ctx, number)
				s.log.Release(number)
				if err == nil {
					err = ctx.Err()
				}
				if err != nil {
					return fmt.Errorf("partition %d: %w", number, err)
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// Read implements sequencer.Log. What was deleted at the beginning never was; after the end there will be no more.
func (s *Stretch) Read(ctx context.Context, partition int, from chat.Offset) (chat.LogRun, error) {
	extent := s.extents[partition]
	if from > extent.End {
		return chat.LogRun{}, fmt.Errorf("partition %d is stored up to offset %d and the log ends at %d: it is not the log that was stored", partition, from, extent.End)
	}
	from = max(from, extent.First)
	s.pass(partition, from)
	if from == extent.End {
		return chat.LogRun{}, chat.ErrLogClosed
	}
	records, err := s.log.Read(ctx, partition, from)
	if err != nil {
		return chat.LogRun{}, err
	}
	if records.From >= extent.End {
		s.pass(partition, extent.End)
		return chat.LogRun{}, chat.ErrLogClosed
	}
	if records.To > extent.End {
		records.To = extent.End
		records.Records = records.Records[:records.To-records.From]
	}
	return records, nil
}

// Settle implements sequencer.Log. What could not be read was sent to the dead letters when it was new.
func (s *Stretch) Settle(_ context.Context, records chat.LogRun, outcomes []chat.Outcome) {
	s.pass(records.Partition, records.To)
	for i := range outcomes {
		if record := records.Records[i]; record.Kind == chat.KindMessage && errors.Is(outcomes[i].Err, chat.ErrNotFound) {
			s.mu.Lock()
			s.left[record.Room]++
			s.mu.Unlock()
		}
	}
}

// homeless counts the messages that were left out because their room is not there, but for rooms that the log deletes.
func (s *Stretch) homeless(found *survey) (count int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, messages := range s.left {
		if room := found.rooms[id]; room == nil || !room.deleted {
			count += messages
		}
	}
	return count
}
