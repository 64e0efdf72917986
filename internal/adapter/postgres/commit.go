package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/column"
	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/engine"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Commit stores a batch as one transaction of two round trips, whatever its size: the first moves the offset, locks the
// rooms and looks for records that stand already; the second writes and commits.
func (s *Store) Commit(ctx context.Context, batch chat.Batch) ([]chat.Void, error) {
	var voids []chat.Void
	err := s.db.Commit(ctx, func(c *engine.Conn) error {
		w := newBatchWriter()
		var reads engine.Batch
		var moved int64
		moveOffset(&reads, &moved, batch)
		w.look(&reads, batch.Events)
		if err := c.Send(&reads); err != nil {
			return err
		}
		if moved == 0 {
			return chat.ErrFenced
		}
		for i := range batch.Events {
			if err := w.store(&batch.Events[i]); err != nil {
				return fmt.Errorf("event %d of room %s: %w", batch.Events[i].Seq, batch.Events[i].Room, err)
			}
		}
		voids = w.voids
		var writes engine.Batch
		if err := s.insert(c, &writes, w.messages); err != nil {
			return err
		}
		if err := w.write(&writes); err != nil {
			return err
		}
		return c.SendLast(&writes)
	})
	if err != nil {
		return nil, fmt.Errorf("commit %d events of partition %d: %w", len(batch.Events), batch.Partition, err)
	}
	return voids, nil
}

// moveOffset is the fence: of two owners of a partition one finds the offset moved. Whoever comes second waits for the
// first's transaction to end and then sees what it has left.
func moveOffset(b *engine.Batch, moved *int64, batch chat.Batch) {
	if batch.From == 0 { // it may never have been stored
		b.Exec(moved, `insert into partitions (partition, stored) values ($1, $2)
			on conflict (partition) do update set stored = excluded.stored where partitions.stored = 0`, batch.Partition, int64(batch.To))
		return
	}
	b.Exec(moved, `update partitions set stored = $3 where partition = $1 and stored = $2`, batch.Partition, int64(batch.From), int64(batch.To))
}

// batchWriter works out in memory what a batch of events makes of its rooms: what stands already is read before and what
// has changed is written after, so that neither costs a round trip for each event.
type batchWriter struct {
	rooms   map[chat.RoomID]*roomHead
	records map[recordKey]*record // those that the batch meets

	messages []*messageRow
	changes  []*messageRow
	events   []eventRow
	voids    []chat.Void
}

func newBatchWriter() *batchWriter {
	return &batchWriter{rooms: make(map[chat.RoomID]*roomHead), records: make(map[recordKey]*record)}
}

// roomHead is what a batch moves of a room.
type roomHead struct {
	no           int64
	head         chat.Seq
	lastMessage  chat.Seq
	lastSender   chat.UserID
	lastOther    chat.Seq
	lastActivity column.Time
	moved        bool
}

type recordKey struct {
	room chat.RoomID
	id   chat.MessageID
}

// record is one that stands, in the store or in the batch. row is set for a message that the batch adds or changes.
type record struct {
	chat.Known
	message bool
	sender  chat.UserID
	before  []chat.UserID // whom the stored message mentions
	created time.Time
	mood    chat.Mood // of the stored message
	row     *messageRow
}

// messageRow is a message to be added, or to be changed to its newest state.
type messageRow struct {
	room    int64
	first   *chat.Message // as it was said; nil for one that is stored already
	seq     chat.Seq
	changed chat.Seq
	state   *chat.Message
	before  []chat.UserID // whom it mentioned in the store
	created time.Time
	mood    chat.Mood // that it had in the store
}

type eventRow struct {
	room   int64
	event  *chat.Event
	id     chat.MessageID // zero for a void
	kind   chat.Kind
	target chat.Seq
}

// recordOf is the id under which an event's record is known; zero for void ones.
func recordOf(event *chat.Event) chat.MessageID {
	switch {
	case event.Kind == chat.KindVoid:
		return chat.MessageID{}
	case event.Kind == chat.KindMessage && event.Message != nil:
		return event.Message.ID
	}
	return event.RecordID
}

// look locks the rooms of the events, and asks which of their records, and of the messages that they change, are stored. The
// lookups see what was committed before the locks were had: each statement of a transaction sees what has been committed
// when it begins. They ask by id alone, of which nearly always none is there, or only in the one room.
func (w *batchWriter) look(reads *engine.Batch, events []chat.Event) {
	asked := make(map[recordKey]bool, len(events))
	seen := make(map[chat.RoomID]bool)
	var rooms, ids [][16]byte
	ask := func(room chat.RoomID, id chat.MessageID) {
		if key := (recordKey{room, id}); !id.IsZero() && !asked[key] {
			asked[key] = true
			ids = append(ids, id)
		}
	}
	for i := range events {
		event := &events[i]
		if !seen[event.Room] {
			seen[event.Room] = true
			rooms = append(rooms, event.Room)
		}
		ask(event.Room, recordOf(event))
		if event.Message != nil && event.Kind != chat.KindMessage {
			ask(event.Room, event.Message.ID)
		}
	}
	if len(rooms) == 0 {
		return
	}
	numbers := make(map[int64]chat.RoomID, len(rooms))
	reads.Each(`select id, room_id, head, last_message_seq, last_sender, last_other_seq, last_activity_at
		from rooms where id = any($1::uuid[]) order by room_id for no key update`, []any{rooms}, func(row pgx.CollectableRow) error {
		var id chat.RoomID
		r := &roomHead{}
		err := row.Scan(column.Into(&id), &r.no, (*column.Seq)(&r.head), (*column.Seq)(&r.lastMessage), column.Into(&r.lastSender), (*column.Seq)(&r.lastOther), &r.lastActivity)
		w.rooms[id], numbers[r.no] = r, id
		return err
	})
	if len(ids) == 0 {
		return
	}
	found := func(no int64, r *record) {
		if room, ours := numbers[no]; ours && asked[recordKey{room, r.ID}] {
			w.records[recordKey{room, r.ID}] = r
		}
	}
	reads.Each(`select room_id, id, seq, fingerprint, sender, mentions, created_at, mood, coalesce(mood_score, 0) from messages where id = any($1::uuid[])`, []any{ids}, func(row pgx.CollectableRow) error {
		var no int64
		var m chat.Message
		if err := row.Scan(&no, column.Into(&m.ID), (*column.Seq)(&m.Seq), (*column.UUID)(&m.Fingerprint), column.Into(&m.Sender.ID), (*column.Mentions)(&m),
			(*column.Time)(&m.CreatedAt), (*column.Mood)(&m.Mood.Label), &m.Mood.Thousandths); err != nil {
			return err
		}
		found(no, &record{
			Known: chat.Known{ID: m.ID, Seq: m.Seq, Fingerprint: m.Fingerprint}, message: true, sender: m.Sender.ID,
			before: column.Mentioned(&m), created: m.CreatedAt, mood: m.Mood,
		})
		return nil
	})
	reads.Each(`select room_id, id, seq from events where id = any($1::uuid[])`, []any{ids}, func(row pgx.CollectableRow) error {
		var no int64
		r := &record{}
		if err := row.Scan(&no, column.Into(&r.ID), (*column.Seq)(&r.Seq)); err != nil {
			return err
		}
		found(no, r)
		return nil
	})
}

// store takes the next event; those of rooms that are gone are left out.
func (w *batchWriter) store(event *chat.Event) error {
	r := w.rooms[event.Room]
	if r == nil {
		return nil
	}
	if event.Seq != r.head+1 {
		return fmt.Errorf("its number does not follow the stored head %d", r.head)
	}
	r.head, r.moved = event.Seq, true
	switch event.Kind {
	case chat.KindMessage:
		return w.storeMessage(r, event)
	case chat.KindEdit, chat.KindDelete, chat.KindReaction, chat.KindMood:
		return w.storeChange(r, event)
	case chat.KindMember, chat.KindRoom:
		w.storeEvent(r, event, 0)
		return nil
	case chat.KindVoid:
		w.storeVoid(r, event, 0)
		return nil
	}
	return fmt.Errorf("unknown kind %q", event.Kind)
}

func (w *batchWriter) storeMessage(r *roomHead, event *chat.Event) error {
	m := event.Message
	if m == nil || m.Seq != event.Seq {
		return errors.New("a message event without its message")
	}
	// The id of any record counts: one that stands under an event is as much a repeat as one that stands under a message.
	key := recordKey{event.Room, m.ID}
	if first := w.records[key]; first != nil {
		w.storeRepeat(r, event, first)
		return nil
	}
	row := &messageRow{room: r.no, first: m, seq: m.Seq, changed: m.ChangedSeq, state: m, created: m.CreatedAt}
	w.messages = append(w.messages, row)
	w.records[key] = &record{
		Known: chat.Known{ID: m.ID, Seq: m.Seq, Fingerprint: m.Fingerprint}, message: true, sender: m.Sender.ID, row: row,
	}
	if m.Sender.ID != r.lastSender {
		r.lastOther, r.lastSender = r.lastMessage, m.Sender.ID
	}
	r.lastMessage, r.lastActivity = m.Seq, column.Time(m.CreatedAt)
	return nil
}

// storeChange stores an edit, a deletion, a reaction or a mood and the message's new state. The message is found by its id and
// sender: if its own number had to be voided, as a repeat of a message that stands elsewhere, the change belongs to that
// one; if that one is somebody else's, to none, and the number is void.
func (w *batchWriter) storeChange(r *roomHead, event *chat.Event) error {
	m := event.Message
	if m == nil {
		return fmt.Errorf("a change of kind %q without its message", event.Kind)
	}
	target := w.records[recordKey{event.Room, m.ID}]
	if target == nil || !target.message || target.sender != m.Sender.ID {
		w.voids = append(w.voids, chat.Void{Room: event.Room, Seq: event.Seq})
		w.storeVoid(r, event, 0)
		return nil
	}
	if !w.storeEvent(r, event, target.Seq) {
		return nil // a repeat: the message stays as it is
	}
	if target.row == nil {
		target.row = &messageRow{room: r.no, seq: target.Seq, before: target.before, created: target.created, mood: target.mood}
		w.changes = append(w.changes, target.row)
	}
	target.row.changed, target.row.state = event.Seq, m
	return nil
}

// storeEvent stores a number that is no message, and reports whether it did: a repeat is stored as void.
func (w *batchWriter) storeEvent(r *roomHead, event *chat.Event, target chat.Seq) bool {
	key := recordKey{event.Room, event.RecordID}
	if first := w.records[key]; first != nil {
		w.storeRepeat(r, event, first)
		return false
	}
	w.records[key] = &record{Known: chat.Known{ID: event.RecordID, Seq: event.Seq}}
	w.events = append(w.events, eventRow{room: r.no, event: event, id: event.RecordID, kind: event.Kind, target: target})
	return true
}

// storeRepeat gives up a number whose record already stands, and reports where.
func (w *batchWriter) storeRepeat(r *roomHead, event *chat.Event, first *record) {
	w.voids = append(w.voids, chat.Void{Room: event.Room, Seq: event.Seq, First: first.Known})
	w.storeVoid(r, event, first.Seq)
}

func (w *batchWriter) storeVoid(r *roomHead, event *chat.Event, first chat.Seq) {
	w.events = append(w.events, eventRow{room: r.no, event: event, kind: chat.KindVoid, target: first})
}

// moved are the rooms that the batch has moved, by number.
func (w *batchWriter) moved() []*roomHead {
	rooms := slices.DeleteFunc(slices.Collect(maps.Values(w.rooms)), func(r *roomHead) bool { return !r.moved })
	slices.SortFunc(rooms, func(a, b *roomHead) int { return int(a.no - b.no) })
	return rooms
}
