package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/blabber-hive/blabber-hive/internal/adapter/sqlite/column"
	"github.com/blabber-hive/blabber-hive/internal/adapter/sqlite/engine"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Load reads what numbering needs: a partition's offset, rooms and messages, as of one moment.
func (s *Store) Load(ctx context.Context, partition int, rooms []chat.RoomID, messages []chat.MessageRef) (chat.Loaded, error) {
	loaded := chat.Loaded{
		Rooms:    make(map[chat.RoomID]chat.RoomState, len(rooms)),
		Messages: make(map[chat.MessageRef]*chat.Message, len(messages)),
	}
	err := s.db.ReadMoment(ctx, func(c *engine.Conn) (err error) {
		if loaded.Stored, err = storedOffset(c, partition); err != nil {
			return err
		}
		for _, id := range rooms {
			state, err := roomState(c, id)
			if errors.Is(err, sql.ErrNoRows) {
				continue
			}
			if err != nil {
				return fmt.Errorf("room %s: %w", id, err)
			}
			loaded.Rooms[id] = state
		}
		for _, ref := range messages {
			message, err := readMessage(c, ref.Room, ref.ID)
			if errors.Is(err, sql.ErrNoRows) {
				continue
			}
			if err != nil {
				return fmt.Errorf("message %s of room %s: %w", ref.ID, ref.Room, err)
			}
			loaded.Messages[ref] = message
		}
		return nil
	})
	if err != nil {
		return chat.Loaded{}, fmt.Errorf("load %d rooms and %d messages of partition %d: %w", len(rooms), len(messages), partition, err)
	}
	return loaded, nil
}

// Position is the offset up to which a partition is stored.
func (s *Store) Position(ctx context.Context, partition int) (stored chat.Offset, err error) {
	err = s.db.Read(ctx, func(c *engine.Conn) (err error) {
		stored, err = storedOffset(c, partition)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("read position of partition %d: %w", partition, err)
	}
	return stored, nil
}

func storedOffset(c *engine.Conn, partition int) (chat.Offset, error) {
	var stored int64
	err := c.Row(`select stored from partitions where partition = ?`, []any{partition}, &stored)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil // it never was stored
	}
	return chat.Offset(stored), err
}

// roomState reads the head of a room and its newest records.
func roomState(c *engine.Conn, room chat.RoomID) (chat.RoomState, error) {
	state := chat.RoomState{Room: room}
	var no int64
	if err := c.Row(`select no, head from rooms where id = ?`, []any{room[:]}, &no, (*column.Seq)(&state.Head)); err != nil {
		return state, err
	}
	after := int64(0)
	if state.Head > chat.WindowSize {
		after = column.Num(state.Head - chat.WindowSize)
	}
	// The last part are void numbers: with the record that stands under the number that they name.
	return state, c.Each(`select id, seq, fingerprint, null from messages where room = ?1 and seq > ?2
		union all
		select id, seq, null, null from events where room = ?1 and seq > ?2 and id is not null
		union all
		select coalesce(m.id, e.id), v.seq, m.fingerprint, v.target_seq from events v
			left join messages m on m.room = v.room and m.seq = v.target_seq
			left join events e on e.room = v.room and e.seq = v.target_seq
			where v.room = ?1 and v.seq > ?2 and v.kind = 'void' and v.target_seq is not null
		order by seq`, []any{no, after}, func(rows *sql.Rows) error {
		var known chat.Known
		err := rows.Scan(column.Into(&known.ID), (*column.Seq)(&known.Seq), (*column.UUID)(&known.Fingerprint), (*column.Seq)(&known.First))
		state.Recent = append(state.Recent, known)
		return err
	})
}
