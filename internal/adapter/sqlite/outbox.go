package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/blabber-hive/blabber-hive/internal/adapter/sqlite/column"
	"github.com/blabber-hive/blabber-hive/internal/adapter/sqlite/engine"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Outbox reads entries that wait for the log.
func (s *Store) Outbox(ctx context.Context, after int64, limit int) (entries []chat.OutboxEntry, err error) {
	err = s.db.Read(ctx, func(c *engine.Conn) error {
		return c.Each(`select position, id, room, payload from outbox where position > ? order by position limit ?`,
			[]any{after, limit}, func(rows *sql.Rows) error {
				var entry chat.OutboxEntry
				err := rows.Scan(&entry.Position, column.Into(&entry.ID), column.Into(&entry.Room), &entry.Payload)
				entries = append(entries, entry)
				return err
			})
	})
	if err != nil {
		return nil, fmt.Errorf("read the outbox after %d: %w", after, err)
	}
	return entries, nil
}

// OutboxDone forgets entries that the log has.
func (s *Store) OutboxDone(ctx context.Context, positions []int64) error {
	if len(positions) == 0 {
		return nil
	}
	err := s.db.Write(ctx, func(c *engine.Conn) error {
		for _, position := range positions {
			if _, err := c.Exec(`delete from outbox where position = ?`, position); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("forget %d outbox entries: %w", len(positions), err)
	}
	return nil
}
