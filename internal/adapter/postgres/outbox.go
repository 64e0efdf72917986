package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/column"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Outbox reads entries that wait for the log. Every node reads all of them and locks none, though two may then append the same
// entry: a record is known by its id. What that saves: an entry that a dead or hanging node had claimed would wait for it;
// with "skip locked" one node could append a room's second entry before another has appended its first; and whoever waits
// for its own change to be told (room.Relay) would wait for another node's round.
//
// Positions are given before the commit, so an entry may appear below one that was read before. The entries of one room
// appear in order, because a room's changes do.
func (s *Store) Outbox(ctx context.Context, after int64, limit int) (entries []chat.OutboxEntry, err error) {
	err = s.db.Each(ctx, `select position, id, room, payload from outbox where position > $1 order by position limit $2`,
		[]any{after, limit}, func(row pgx.CollectableRow) error {
			var entry chat.OutboxEntry
			err := row.Scan(&entry.Position, column.Into(&entry.ID), column.Into(&entry.Room), &entry.Payload)
			entries = append(entries, entry)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("read the outbox after %d: %w", after, err)
	}
	return entries, nil
}

// OutboxDone forgets entries that the log has. What another node is forgetting at this moment is left to it, so that nodes
// never wait for each other here; should that node fail, the entry stays and is appended once more.
func (s *Store) OutboxDone(ctx context.Context, positions []int64) error {
	if len(positions) == 0 {
		return nil
	}
	if _, err := s.db.Exec(ctx, `delete from outbox where position in
		(select position from outbox where position = any($1::bigint[]) order by position for update skip locked)`, positions); err != nil {
		return fmt.Errorf("forget %d outbox entries: %w", len(positions), err)
	}
	return nil
}
