package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/column"
	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/engine"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

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
