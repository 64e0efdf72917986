package cluster

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/blabber-hive/blabber-hive/internal/adapter/kafka"
	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/engine"
	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/run"
)

// body is what everybody says: about as long as messages are.
const body = "The quick brown fox jumps over the lazy dog, and 다람쥐 헌 쳇바퀴에 타고파 is what the dog says."

// Backlog is messages that nobody has numbered yet. Each is made anew where it is needed, from its place.
type Backlog struct {
	people  []chat.Profile
	rooms   []chat.RoomID
	numbers []int64 // by which the database knows the rooms
	began   time.Time
	random  uint64
	size    int

	db *pgx.Conn
}

// message is the one at a place: rooms take turns, ten thousand messages a second.
func (g *Backlog) message(i int) (id chat.MessageID, room int, seq int64, at time.Time, sender chat.Profile) {
	at = g.began.Add(time.Duration(i) * 100 * time.Microsecond).Truncate(time.Millisecond)
	binary.BigEndian.PutUint64(id[:], uint64(at.UnixMilli())<<16)
	binary.BigEndian.PutUint64(id[8:], g.random+uint64(i)*0x9E3779B97F4A7C15) //nolint:gosec // spread, as the random part of an id is
	id[6], id[8] = 0x70, 0x80|id[8]&0x3f
	return id, i % len(g.rooms), int64(i/len(g.rooms)) + 1, at, g.people[i%len(g.people)]
}

// NewBacklog makes one of people and rooms that exist; Close must be called.
func (c *Services) NewBacklog(ctx context.Context, people []chat.Profile, rooms []chat.RoomID, size int) (*Backlog, error) {
	db, err := pgx.Connect(ctx, c.Postgres.URL)
	if err != nil {
		return nil, err
	}
	g := &Backlog{people: people, rooms: rooms, numbers: make([]int64, len(rooms)), began: time.Now(), random: rand.Uint64(), size: size, db: db} //nolint:gosec // tells runs apart, guards nothing
	for i, room := range rooms {
		if err := db.QueryRow(ctx, `select room_id from rooms where id = $1`, [16]byte(room)).Scan(&g.numbers[i]); err != nil {
			return nil, errors.Join(fmt.Errorf("read the number of room %s: %w", room, err), g.Close(ctx))
		}
	}
	return g, nil
}

// Close ends the backlog's connection to the database.
func (g *Backlog) Close(ctx context.Context) error { return g.db.Close(ctx) }

// Fill appends the backlog to the log, as gateways do.
func (c *Services) Fill(ctx context.Context, g *Backlog) error {
	log, err := kafka.Open(ctx, c.log())
	if err != nil {
		return err
	}
	var refused atomic.Int64
	for i := range g.size {
		id, room, _, at, sender := g.message(i)
		record := &chat.Record{
			ID: id, Room: g.rooms[room], Kind: chat.KindMessage, At: at, Actor: sender, Body: body,
			Fingerprint: chat.FingerprintOf(sender.ID, body, chat.MessageID{}),
		}
		if err := log.Append(ctx, record, func(_ chat.Receipt, err error) {
			if err != nil {
				refused.Add(1)
			}
		}); err != nil {
			return errors.Join(err, log.Stop())
		}
	}
	if err := log.Stop(); err != nil {
		return err
	}
	if n := refused.Load(); n > 0 {
		return fmt.Errorf("the log did not take %d of %d messages", n, g.size)
	}
	return nil
}

// Empty makes the database as it was before any message was stored.
func (g *Backlog) Empty(ctx context.Context) error {
	for _, statement := range []string{
		`truncate messages, events, mentions, partitions`,
		`update rooms set head = 0, last_message_seq = 0, last_other_seq = 0, last_sender = null`,
		`vacuum rooms`, `checkpoint`,
	} {
		if _, err := g.db.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

// InsertSingly measures what a consumer does that stores message by message, of the first so many.
func (g *Backlog) InsertSingly(ctx context.Context, most int) (rate float64, err error) {
	if err := g.Empty(ctx); err != nil {
		return 0, err
	}
	count := min(most, g.size)
	began := time.Now()
	for i := range count {
		if _, err := g.db.Exec(ctx, `insert into messages (room_id, seq, created_at, id, sender, fingerprint, body) values ($1, $2, $3, $4, $5, $6, $7)`, g.row(i)...); err != nil {
			return 0, err
		}
	}
	return float64(count) / time.Since(began).Seconds(), nil
}

func (g *Backlog) row(i int) []any {
	id, room, seq, at, sender := g.message(i)
	return []any{g.numbers[room], seq, at, [16]byte(id), [16]byte(sender.ID), [16]byte(chat.FingerprintOf(sender.ID, body, chat.MessageID{})), body}
}

// CopyBare measures nothing but COPY of the same rows: as many connections as a sequencer commits on, each with rooms of
// its own, a transaction for each batch.
func (c *Services) CopyBare(ctx context.Context, g *Backlog, batch int) (rate float64, err error) {
	if err := g.Empty(ctx); err != nil {
		return 0, err
	}
	columns := []string{"room_id", "seq", "created_at", "id", "sender", "fingerprint", "body"}
	began := time.Now()
	group := run.NewGroup(ctx)
	for worker := range engine.CommitsDefault {
		group.Go("copy", func(ctx context.Context) (err error) {
			conn, err := pgx.Connect(ctx, c.Postgres.URL)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, conn.Close(ctx)) }()
			// Rooms take turns, and so do workers within them: a worker's messages are every fourth.
			for next := worker; next < g.size; {
				copied := 0
				rows := pgx.CopyFromFunc(func() ([]any, error) {
					if copied == batch || next >= g.size {
						return nil, nil
					}
					row := g.row(next)
					copied, next = copied+1, next+engine.CommitsDefault
					return row, nil
				})
				if _, err := conn.CopyFrom(ctx, pgx.Identifier{"messages"}, columns, rows); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err = group.Wait()
	return float64(g.size) / time.Since(began).Seconds(), err
}
