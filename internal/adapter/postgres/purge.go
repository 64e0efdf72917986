package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/column"
	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/engine"
	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/run"
)

const (
	// Rows that one transaction removes: some milliseconds' work.
	purgeRows = 1000
	// After a failure; what is to be removed can wait.
	purgeRetry = 10 * time.Second
	// Between looks for what a node has left that died in the middle.
	purgeIdle = 5 * time.Minute
)

func (s *Store) wakePurge() {
	select {
	case s.purges <- struct{}{}:
	default: // it is awake
	}
}

// purge removes the rows of deleted rooms: at the start and now and then what another node left, and whenever a room is
// deleted here. Nodes that do so at the same time take different rooms.
func (s *Store) purge(ctx context.Context) error {
	idle := time.NewTicker(purgeIdle)
	defer idle.Stop()
	for {
		for more := true; more; {
			var err error
			more, err = s.purgeSome(ctx)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil { // whoever changes something is told of the failure; here it only means to try again
				if err := run.Pause(ctx, purgeRetry); err != nil {
					return err
				}
			}
		}
		select {
		case <-s.purges:
		case <-idle.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// purgeSome removes some rows of one deleted room and reports whether there may be more.
func (s *Store) purgeSome(ctx context.Context) (more bool, err error) {
	// Looked for before anything is locked: nearly always there is none.
	err = s.db.Row(ctx, `select room_id from rooms where id is null limit 1`, nil, new(int64))
	if err == nil {
		err = s.db.Change(ctx, purgeRoom)
	}
	if errors.Is(err, chat.ErrNotFound) {
		return false, nil // none, or others have them all
	}
	if err != nil {
		return true, fmt.Errorf("remove deleted rooms: %w", err)
	}
	return true, nil
}

// purgeRoom removes some rows of a deleted room that nobody else has; pgx.ErrNoRows where there is none.
func purgeRoom(c *engine.Conn) error {
	var no int64
	if err := c.Row(`select room_id from rooms where id is null order by room_id limit 1 for update skip locked`, nil, &no); err != nil {
		return err
	}
	var last chat.Seq
	var users [][16]byte
	var seqs []int64
	if err := c.Each(`select seq, mentions from messages where room_id = $1 order by seq limit $2`, []any{no, purgeRows}, func(row pgx.CollectableRow) error {
		var m chat.Message
		if err := row.Scan((*column.Seq)(&last), (*column.Mentions)(&m)); err != nil {
			return err
		}
		for _, user := range column.Mentioned(&m) {
			users, seqs = append(users, user), append(seqs, column.Num(last))
		}
		return nil
	}); err != nil {
		return err
	}
	if last > 0 {
		var b engine.Batch
		b.Exec(nil, `delete from mentions n using unnest($2::uuid[], $3::bigint[]) k(user_id, seq)
			where n.user_id = k.user_id and n.room_id = $1 and n.seq = k.seq`, no, users, seqs)
		b.Exec(nil, `delete from messages where room_id = $1 and seq <= $2`, no, column.Num(last))
		return c.SendLast(&b)
	}
	removed, err := c.Exec(`delete from events where room_id = $1 and seq in (select seq from events where room_id = $1 order by seq limit $2)`, no, purgeRows)
	if err != nil || removed > 0 {
		return err
	}
	removed, err = c.Exec(`delete from moods where room_id = $1 and at in (select at from moods where room_id = $1 order by at limit $2)`, no, purgeRows)
	if err != nil || removed > 0 {
		return err
	}
	_, err = c.Exec(`delete from rooms where room_id = $1 and id is null`, no)
	return err
}
