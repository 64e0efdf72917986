package origin

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/column"
	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/engine"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// BeginReplay marks the store as being made of a log.
func (s *Store) BeginReplay(ctx context.Context, log string) error {
	err := s.exclusively(ctx, func(c *engine.Conn) error {
		mark := column.Escape(replayPrefix + log)
		var done bool
		err := c.Row(`select done from imports where archive = $1`, []any{mark}, &done)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			if err := refuseUsed(c); err != nil {
				return err
			}
			_, err := c.Exec(`insert into imports (archive, done) values ($1, false)`, mark)
			return err
		case err != nil:
			return err
		case done:
			return chat.Refuse(chat.Conflict, "this database was made of this log already, and is whole: servers go on from there by themselves")
		}
		// The log may have grown since, so that what was folded is not what is now.
		var b engine.Batch
		for _, statement := range []string{`delete from members`, `delete from bans`, `update rooms set members = 0 where members <> 0`} {
			b.Exec(nil, statement)
		}
		return c.Send(&b)
	})
	if err != nil {
		return fmt.Errorf("begin the replay of log %s: %w", log, err)
	}
	return nil
}

// refuseUsed refuses a database in which anything was ever done.
func refuseUsed(c *engine.Conn) error {
	var people, rooms, archives, partitions int
	var stored int64
	if err := c.Row(`select (select count(*) from users), (select count(*) from rooms), (select count(*) from imports),
			(select count(*) from partitions), (select coalesce(max(stored), 0) from partitions)`, nil,
		&people, &rooms, &archives, &partitions, &stored); err != nil {
		return err
	}
	switch {
	case people+rooms+archives > 0:
		return chat.Refuse(chat.Conflict, "this database is not empty, it holds %d people and %d rooms: one that was restored from a backup needs "+
			"'replay --from backup', and a replay from the beginning an empty database, made with 'migrate'", people, rooms)
	case partitions > 0:
		return chat.Refuse(chat.Conflict, "servers are or were at work on this database: %d partitions are stored, up to offset %d; stop them, and replay into an empty database", partitions, stored)
	}
	return nil
}

// EndReplay marks the store as whole, and every partition as stored to its end: also one whose last records, or all of them,
// made no events.
func (s *Store) EndReplay(ctx context.Context, log string, extents []chat.Extent) error {
	err := s.db.Change(ctx, func(c *engine.Conn) error {
		var b engine.Batch
		for number, extent := range extents {
			if extent.End > 0 {
				b.Exec(nil, `insert into partitions (partition, stored) values ($1, $2)
					on conflict (partition) do update set stored = greatest(partitions.stored, excluded.stored)`, number, int64(extent.End))
			}
		}
		b.Exec(nil, `update imports set done = true where archive = $1`, column.Escape(replayPrefix+log))
		return c.SendLast(&b)
	})
	if err != nil {
		return fmt.Errorf("end the replay of log %s: %w", log, err)
	}
	return nil
}
