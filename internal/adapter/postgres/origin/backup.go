package origin

import (
	"context"
	"fmt"
	"strings"

	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/column"
	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/engine"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// BeginCatchUp marks the store as behind its log and notes the heads of its rooms. One that was restored by other means than our
// own has no mark yet, and gets one.
func (s *Store) BeginCatchUp(ctx context.Context) error {
	err := s.exclusively(ctx, func(c *engine.Conn) error {
		var restored column.Text
		err := c.Row(`select coalesce((select archive from imports where not done limit 1), $1)`, []any{restoredPrefix + "of other means"}, &restored)
		switch mark := string(restored); {
		case err != nil || strings.HasPrefix(mark, catchUpPrefix):
			return err
		case !strings.HasPrefix(mark, restoredPrefix):
			return chat.Refuse(chat.Conflict, "this database holds only a part of %q: that has to be finished first", mark)
		}
		var b engine.Batch
		b.Exec(nil, `delete from imports where archive = $1`, string(restored))
		b.Exec(nil, `insert into imports (archive, done) values ($1, false)`, catchUpPrefix+string(restored))
		b.Exec(nil, `delete from restored_heads`)
		b.Exec(nil, `insert into restored_heads (room_id, head) select room_id, head from rooms where id is not null`)
		return c.SendLast(&b)
	})
	if err != nil {
		return fmt.Errorf("begin to catch up with the log: %w", err)
	}
	return nil
}

// EndCatchUp takes the mark and the heads away.
func (s *Store) EndCatchUp(ctx context.Context) error {
	err := s.db.Change(ctx, func(c *engine.Conn) error {
		var b engine.Batch
		b.Exec(nil, `delete from restored_heads`)
		b.Exec(nil, `delete from imports where not done and starts_with(archive, $1)`, catchUpPrefix)
		return c.SendLast(&b)
	})
	if err != nil {
		return fmt.Errorf("end catching up with the log: %w", err)
	}
	return nil
}
