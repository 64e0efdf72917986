package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/adapter/sqlite/column"
	"github.com/blabber-hive/blabber-hive/internal/adapter/sqlite/engine"
	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/run"
)

const (
	// Rows that one transaction removes: about a millisecond's work, so that whoever sends meanwhile does not notice.
	purgeRows = 200
	// After a failure the disk is likely full or broken; what is to be removed can wait.
	purgeRetry = 10 * time.Second
)

func (s *Store) wakePurge() {
	select {
	case s.purges <- struct{}{}:
	default: // it is awake
	}
}

// purge removes the rows of deleted rooms: at the start what an earlier process left, then whenever a room is deleted.
func (s *Store) purge(ctx context.Context) error {
	for {
		for {
			more, err := s.purgeSome(ctx)
			switch {
			case ctx.Err() != nil:
				return ctx.Err()
			case err != nil:
				// Whoever writes is told of the failure; here it only means to try again.
				if err := run.Pause(ctx, purgeRetry); err != nil {
					return err
				}
				continue
			}
			if !more {
				break
			}
		}
		select {
		case <-s.purges:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// purgeSome removes some rows of one deleted room and reports whether there may be more.
func (s *Store) purgeSome(ctx context.Context) (more bool, err error) {
	var no int64
	err = s.db.Read(ctx, func(c *engine.Conn) error {
		return c.Row(`select no from rooms where id is null order by no limit 1`, nil, &no)
	})
	if errors.Is(err, chat.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return true, fmt.Errorf("find deleted rooms: %w", err)
	}
	err = s.db.Write(ctx, func(c *engine.Conn) error { return purgeRoom(c, no) })
	if err != nil {
		return true, fmt.Errorf("remove deleted room %d: %w", no, err)
	}
	return true, nil
}

func purgeRoom(c *engine.Conn, no int64) error {
	var messages []chat.Message
	if err := c.Each(`select seq, mentions from messages where room = ? order by seq limit ?`, []any{no, purgeRows}, func(rows *sql.Rows) error {
		messages = append(messages, chat.Message{})
		m := &messages[len(messages)-1]
		return rows.Scan((*column.Seq)(&m.Seq), (*column.Mentions)(m))
	}); err != nil {
		return err
	}
	for i := range messages {
		for _, user := range column.Mentioned(&messages[i]) {
			if _, err := c.Exec(`delete from mentions where user = ? and room = ? and seq = ?`, user[:], no, column.Num(messages[i].Seq)); err != nil {
				return err
			}
		}
	}
	if n := len(messages); n > 0 {
		_, err := c.Exec(`delete from messages where room = ? and seq <= ?`, no, column.Num(messages[n-1].Seq))
		return err
	}
	removed, err := c.Exec(`delete from events where no in (select no from events where room = ? limit ?)`, no, purgeRows)
	if err != nil || removed > 0 {
		return err
	}
	if _, err := c.Exec(`delete from moods where room = ?`, no); err != nil {
		return err
	}
	_, err = c.Exec(`delete from rooms where no = ? and id is null`, no)
	return err
}
