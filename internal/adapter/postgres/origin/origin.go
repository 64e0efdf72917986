package origin

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/engine"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// What begins the mark of a database that is made of something else than an archive.
const (
	replayPrefix   = "log "
	restoredPrefix = "backup "                        // written by deploy/k8s/backup/restore.sh
	catchUpPrefix  = "catching up with the log from " // and then the mark of the backup, whose heads are noted
)

// Store is the origin of the database of an engine.
type Store struct{ db *engine.Engine }

// New makes one.
func New(db *engine.Engine) *Store { return &Store{db: db} }

// exclusively runs a change of the marks with their table locked, so that of two that begin one sees the other's mark.
func (s *Store) exclusively(ctx context.Context, change func(c *engine.Conn) error) error {
	return s.db.Change(ctx, func(c *engine.Conn) error {
		if _, err := c.Exec(`lock table imports in share row exclusive mode`); err != nil {
			return err
		}
		return change(c)
	})
}

// CheckWhole refuses a database that is being filled: rooms whose logs end early would go on with numbers that are given already.
func (s *Store) CheckWhole(ctx context.Context) error {
	half, err := s.HalfImported(ctx)
	switch {
	case err != nil:
		return err
	case half == "":
		return nil
	case strings.HasPrefix(half, replayPrefix):
		return errors.New("the database holds only a part of what the log says: run 'replay' again, which goes on from there")
	case strings.HasPrefix(half, restoredPrefix), strings.HasPrefix(half, catchUpPrefix):
		return errors.New("the database was restored from a backup, and the log knows what was said since: run 'replay --from backup' first")
	}
	return fmt.Errorf("the database holds only a part of archive %s: run 'import' with it again, which goes on from there", half)
}

// Log is the id of the log that the database is stored from; empty while it has none.
func (s *Store) Log(ctx context.Context) (id string, err error) {
	if err := s.db.Row(ctx, `select id from log`, nil, &id); err != nil && !errors.Is(err, chat.ErrNotFound) {
		return "", fmt.Errorf("read which log the database is stored from: %w", err)
	}
	return id, nil
}

// CheckLog refuses another log than that: the offsets up to which partitions are stored say nothing of it, and what it has below
// them would be left out.
func (s *Store) CheckLog(ctx context.Context, id string) error {
	known, err := s.Log(ctx)
	if err == nil && known != "" && known != id {
		err = chat.Refuse(chat.Conflict, "the database is stored from log %q and Kafka has log %q: run 'migrate'", known, id)
	}
	return err
}

// TakeLog lets the database be stored from a log; a new one in place of the one before, from its beginning. A database whose backup was
// to be caught up with the old log is as whole as it will be.
func (s *Store) TakeLog(ctx context.Context, id string) error {
	err := s.db.Change(ctx, func(c *engine.Conn) error {
		var b engine.Batch
		for _, statement := range []string{`delete from partitions`, `delete from restored_heads`} {
			b.Exec(nil, statement+` where exists (select from log where id <> $1)`, id)
		}
		b.Exec(nil, `delete from imports where not done and (starts_with(archive, $2) or starts_with(archive, $3)) and exists (select from log where id <> $1)`,
			id, restoredPrefix, catchUpPrefix)
		b.Exec(nil, `insert into log (id) values ($1) on conflict (one) do update set id = excluded.id`, id)
		return c.SendLast(&b)
	})
	if err != nil {
		return fmt.Errorf("take log %s for the database's: %w", id, err)
	}
	return nil
}
