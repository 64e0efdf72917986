package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/column"
	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/engine"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

const (
	// RestoredPrefix begins what HalfImported names where a backup was restored; deploy/k8s/backup/restore.sh writes it.
	RestoredPrefix = "backup "
	// CatchUpPrefix comes before that from when the heads of the backup are noted.
	CatchUpPrefix = "catching up with the log from "
)

// BeginCatchUp marks the store as behind its log and notes the heads of its rooms. One that was restored by other means than our
// own has no mark yet, and gets one.
func (s *Store) BeginCatchUp(ctx context.Context) error {
	err := s.db.Change(ctx, func(c *engine.Conn) error {
		if _, err := c.Exec(`lock table imports in share row exclusive mode`); err != nil {
			return err
		}
		var restored column.Text
		err := c.Row(`select coalesce((select archive from imports where not done limit 1), $1)`, []any{RestoredPrefix + "of other means"}, &restored)
		switch mark := string(restored); {
		case err != nil || strings.HasPrefix(mark, CatchUpPrefix):
			return err
		case !strings.HasPrefix(mark, RestoredPrefix):
			return chat.Refuse(chat.Conflict, "this database holds only a part of %q: that has to be finished first", mark)
		}
		var b engine.Batch
		b.Exec(nil, `delete from imports where archive = $1`, string(restored))
		b.Exec(nil, `insert into imports (archive, done) values ($1, false)`, CatchUpPrefix+string(restored))
		b.Exec(nil, `delete from restored_heads`)
		b.Exec(nil, `insert into restored_heads (room_id, head) select room_id, head from rooms where id is not null`)
		return c.SendLast(&b)
	})
	if err != nil {
		return fmt.Errorf("begin to catch up with the log: %w", err)
	}
	return nil
}

// Since calls visit with the events about rooms and members beyond the heads that were noted, a range of each room's that has moved.
func (s *Store) Since(ctx context.Context, visit func(event *chat.Event) error) error {
	err := s.db.Long(ctx, func(c *engine.Conn) error {
		return c.Each(`select r.id, `+eventColumns+` from rooms r left join restored_heads h on h.room_id = r.room_id
			cross join lateral (select * from events where room_id = r.room_id and seq > coalesce(h.head, 0) and kind in ('member', 'room') order by seq) e
			where r.id is not null and r.head > coalesce(h.head, 0) order by r.id, e.seq`, nil, func(row pgx.CollectableRow) error {
			var l chat.LogRow
			if err := readEvent(row, &l, column.Into(&l.Room)); err != nil {
				return err
			}
			return visit(&l.Event)
		})
	})
	if err != nil {
		return fmt.Errorf("read what happened to rooms and members: %w", err)
	}
	return nil
}

// EndCatchUp takes the mark and the heads away.
func (s *Store) EndCatchUp(ctx context.Context) error {
	err := s.db.Change(ctx, func(c *engine.Conn) error {
		var b engine.Batch
		b.Exec(nil, `delete from restored_heads`)
		b.Exec(nil, `delete from imports where not done and starts_with(archive, $1)`, CatchUpPrefix)
		return c.SendLast(&b)
	})
	if err != nil {
		return fmt.Errorf("end catching up with the log: %w", err)
	}
	return nil
}
