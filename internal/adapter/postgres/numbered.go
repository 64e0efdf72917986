package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/column"
	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/engine"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Numbered finds the numbers under which records stand, one probe of an index each, all of one moment.
func (s *Store) Numbered(ctx context.Context, records []chat.MessageRef) (map[chat.MessageRef]chat.LogRow, error) {
	if len(records) == 0 {
		return nil, nil
	}
	rows := make(map[chat.MessageRef]chat.LogRow, len(records))
	messages := make(map[chat.MessageRef]*chat.Message)
	var reads engine.Batch
	readMessages(&reads, records, messages)
	readEvents(&reads, records, rows)
	if err := s.db.Moment(ctx, &reads); err != nil {
		return nil, fmt.Errorf("look for %d records: %w", len(records), err)
	}
	for ref, m := range messages {
		rows[ref] = chat.LogRow{Event: bare(chat.Event{
			Room: m.Room, Seq: m.Seq, Kind: chat.KindMessage, At: m.CreatedAt, Actor: m.Sender, RecordID: m.ID, Message: m,
		})}
	}
	return rows, nil
}

// readEvents reads numbers that are no messages, by the ids of their records.
func readEvents(reads *engine.Batch, refs []chat.MessageRef, rows map[chat.MessageRef]chat.LogRow) {
	rooms, ids := make([][16]byte, len(refs)), make([][16]byte, len(refs))
	for i, ref := range refs {
		rooms[i], ids[i] = ref.Room, ref.ID
	}
	reads.Each(`select k.room, `+eventColumns+` from unnest($1::uuid[], $2::uuid[]) k(room, id)
		cross join lateral (select room_id from rooms where id = k.room limit 1) r
		cross join lateral (select * from events where room_id = r.room_id and id = k.id limit 1) e`, []any{rooms, ids}, func(row pgx.CollectableRow) error {
		var l chat.LogRow
		err := readEvent(row, &l, column.Into(&l.Room))
		rows[chat.MessageRef{Room: l.Room, ID: l.RecordID}] = l
		return err
	})
}

// StoredHeads reads, of one moment, the offset up to which a partition is stored and the heads of rooms; those that are not there
// are left out.
func (s *Store) StoredHeads(ctx context.Context, partition int, rooms []chat.RoomID) (stored chat.Offset, heads map[chat.RoomID]chat.Seq, err error) {
	heads = make(map[chat.RoomID]chat.Seq, len(rooms))
	var reads engine.Batch
	reads.Row(position, []any{partition}, (*int64)(&stored))
	reads.Each(`select id, head from rooms where id = any($1::uuid[])`, []any{distinct(rooms)}, func(row pgx.CollectableRow) error {
		var id chat.RoomID
		var head chat.Seq
		err := row.Scan(column.Into(&id), (*column.Seq)(&head))
		heads[id] = head
		return err
	})
	if err := s.db.Moment(ctx, &reads); err != nil {
		return 0, nil, fmt.Errorf("read the heads of %d rooms: %w", len(rooms), err)
	}
	return stored, heads, nil
}
