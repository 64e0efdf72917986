package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/column"
	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/engine"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Position is the offset up to which a partition is stored.
func (s *Store) Position(ctx context.Context, partition int) (stored chat.Offset, err error) {
	if err := s.db.Row(ctx, position, []any{partition}, (*int64)(&stored)); err != nil {
		return 0, fmt.Errorf("read position of partition %d: %w", partition, err)
	}
	return stored, nil
}

// position is zero for a partition that never was stored.
const position = `select coalesce((select stored from partitions where partition = $1), 0)`

// Load reads what numbering needs: a partition's offset, rooms and messages, as of one moment. It is one round trip of at
// most four statements, whatever the number of rooms and messages.
func (s *Store) Load(ctx context.Context, partition int, rooms []chat.RoomID, messages []chat.MessageRef) (chat.Loaded, error) {
	loaded := chat.Loaded{
		Rooms:    make(map[chat.RoomID]chat.RoomState, len(rooms)),
		Messages: make(map[chat.MessageRef]*chat.Message, len(messages)),
	}
	var reads engine.Batch
	reads.Row(position, []any{partition}, (*int64)(&loaded.Stored))
	if len(rooms) > 0 {
		readStates(&reads, rooms, loaded.Rooms)
	}
	if len(messages) > 0 {
		readMessages(&reads, messages, loaded.Messages)
	}
	if err := s.db.Moment(ctx, &reads); err != nil {
		return chat.Loaded{}, fmt.Errorf("load %d rooms and %d messages of partition %d: %w", len(rooms), len(messages), partition, err)
	}
	return loaded, nil
}

// readStates reads rooms in two statements, whatever their number: their heads, and what has one of their newest numbers.
// Below the window nothing is looked at, but for the records of void numbers: each half is a range of an index for each room.
func readStates(reads *engine.Batch, rooms []chat.RoomID, states map[chat.RoomID]chat.RoomState) {
	ids := distinct(rooms)
	reads.Each(`select id, head from rooms where id = any($1::uuid[])`, []any{ids}, func(row pgx.CollectableRow) error {
		var state chat.RoomState
		err := row.Scan(column.Into(&state.Room), (*column.Seq)(&state.Head))
		states[state.Room] = state
		return err
	})
	reads.Each(`select r.id, f.id, f.seq, f.fingerprint, f.first from unnest($1::uuid[]) k(id)
		cross join lateral (select id, room_id, head from rooms where id = k.id limit 1) r
		cross join lateral (
			(select m.id, m.seq, m.fingerprint, null as first from messages m where m.room_id = r.room_id and m.seq > r.head - $2 order by m.seq limit $2)
			union all
			(select coalesce(e.id, (select v.id from messages v where v.room_id = e.room_id and v.seq = e.target_seq),
					(select v.id from events v where v.room_id = e.room_id and v.seq = e.target_seq)), e.seq,
				case e.kind when 'void' then (select v.fingerprint from messages v where v.room_id = e.room_id and v.seq = e.target_seq) end,
				case e.kind when 'void' then e.target_seq end
			from events e where e.room_id = r.room_id and e.seq > r.head - $2 and (e.kind <> 'void' or e.target_seq is not null) order by e.seq limit $2)) f
		order by r.id, f.seq`, []any{ids, chat.WindowSize}, func(row pgx.CollectableRow) error {
		var room chat.RoomID
		var known chat.Known
		err := row.Scan(column.Into(&room), column.Into(&known.ID), (*column.Seq)(&known.Seq), (*column.UUID)(&known.Fingerprint), (*column.Seq)(&known.First))
		state := states[room]
		state.Recent = append(state.Recent, known)
		states[room] = state
		return err
	})
}

// distinct are ids as a parameter has them, each once.
func distinct(rooms []chat.RoomID) [][16]byte {
	seen := make(map[chat.RoomID]bool, len(rooms))
	ids := make([][16]byte, 0, len(rooms))
	for _, id := range rooms {
		if !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	return ids
}

// readMessages reads messages in their newest states, one probe of an index each.
func readMessages(reads *engine.Batch, refs []chat.MessageRef, messages map[chat.MessageRef]*chat.Message) {
	rooms, ids := make([][16]byte, len(refs)), make([][16]byte, len(refs))
	for i, ref := range refs {
		rooms[i], ids[i] = ref.Room, ref.ID
	}
	reads.Each(`select k.room, m.* from unnest($1::uuid[], $2::uuid[]) k(room, id)
		cross join lateral (select room_id from rooms where id = k.room limit 1) r
		cross join lateral (select `+messageColumns+` from `+messageSource+` where m.room_id = r.room_id and m.id = k.id limit 1) m`,
		[]any{rooms, ids}, func(row pgx.CollectableRow) error {
			m := &chat.Message{}
			err := row.Scan(append([]any{column.Into(&m.Room)}, messageInto(m)...)...)
			messages[chat.MessageRef{Room: m.Room, ID: m.ID}] = m
			return err
		})
}
