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

// BeginImport marks the store as taking an archive.
func (s *Store) BeginImport(ctx context.Context, archive string) (done bool, err error) {
	err = s.exclusively(ctx, func(c *engine.Conn) error {
		err := c.Row(`select done from imports where archive = $1`, []any{column.Escape(archive)}, &done)
		if !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		var people, rooms, others int
		if err := c.Row(`select (select count(*) from users), (select count(*) from rooms where id is not null), (select count(*) from imports)`, nil,
			&people, &rooms, &others); err != nil {
			return err
		}
		if people+rooms+others > 0 {
			return chat.Refuse(chat.Conflict, "this instance already holds %d people and %d rooms that are not of this archive: import into an empty data directory or database", people, rooms)
		}
		_, err = c.Exec(`insert into imports (archive, done) values ($1, false)`, column.Escape(archive))
		return err
	})
	if err != nil {
		return false, fmt.Errorf("begin the import of %s: %w", archive, err)
	}
	return done, nil
}

// EndImport marks the import as whole.
func (s *Store) EndImport(ctx context.Context, archive string) error {
	if err := s.db.One(ctx, `update imports set done = true where archive = $1`, column.Escape(archive)); err != nil {
		return fmt.Errorf("end the import of %s: %w", archive, err)
	}
	return nil
}

// HalfImported names an archive of which the store holds only a part; empty where there is none. Such an instance must
// not be served: rooms whose logs end early would go on with numbers that the archive has too.
func (s *Store) HalfImported(ctx context.Context) (archive string, err error) {
	err = s.db.Row(ctx, `select archive from imports where not done limit 1`, nil, (*column.Text)(&archive))
	if err != nil && !errors.Is(err, chat.ErrNotFound) {
		return "", fmt.Errorf("look for unfinished imports: %w", err)
	}
	return archive, nil
}
