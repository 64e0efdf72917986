package postgres

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/column"
	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/engine"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// moodKey is the row of moods in which a message counts.
type moodKey struct {
	room int64
	at   int64 // in milliseconds
}

// countMoods moves what is counted of rooms by what a batch has changed, each row once.
func countMoods(b *engine.Batch, rows []*messageRow) {
	counts := make(map[moodKey]*chat.MoodCount)
	for _, row := range rows {
		if row.mood == row.state.Mood {
			continue
		}
		key := moodKey{row.room, row.created.Truncate(chat.MoodSpan).UnixMilli()}
		count := counts[key]
		if count == nil {
			count = &chat.MoodCount{}
			counts[key] = count
		}
		count.Count(row.mood, row.seq, -1)
		count.Count(row.state.Mood, row.seq, 1)
	}
	if len(counts) == 0 {
		return
	}
	keys := slices.SortedFunc(maps.Keys(counts), func(a, b moodKey) int { return cmp.Or(cmp.Compare(a.room, b.room), cmp.Compare(a.at, b.at)) })
	n := len(keys)
	rooms, times := make([]int64, n), make([]pgtype.Timestamptz, n)
	positive, neutral, negative := make([]int64, n), make([]int64, n), make([]int64, n)
	thousandths, first, last := make([]int64, n), make([]int64, n), make([]int64, n)
	for i, key := range keys {
		count := counts[key]
		rooms[i], times[i] = key.room, column.At(time.UnixMilli(key.at))
		positive[i], neutral[i], negative[i] = int64(count.Positive), int64(count.Neutral), int64(count.Negative)
		thousandths[i], first[i], last[i] = count.Thousandths, column.Num(count.First), column.Num(count.Last)
	}
	b.Exec(nil, `insert into moods (room_id, at, positive, neutral, negative, thousandths, first_seq, last_seq)
		select * from unnest($1::bigint[], $2::timestamptz[], $3::integer[], $4::integer[], $5::integer[], $6::bigint[], $7::bigint[], $8::bigint[])
		on conflict (room_id, at) do update set positive = moods.positive + excluded.positive, neutral = moods.neutral + excluded.neutral,
			negative = moods.negative + excluded.negative, thousandths = moods.thousandths + excluded.thousandths,
			first_seq = least(moods.first_seq, excluded.first_seq), last_seq = greatest(moods.last_seq, excluded.last_seq)`,
		rooms, times, positive, neutral, negative, thousandths, first, last)
}

// Moods reads what is counted of the messages of a room that were made in [from, to), ascending; spans without any are
// left out. chat.ErrNotFound: no such room.
func (s *Store) Moods(ctx context.Context, room chat.RoomID, from, to time.Time) (counts []chat.MoodCount, err error) {
	var no int64
	var reads engine.Batch
	reads.Row(`select room_id from rooms where id = $1`, []any{column.ID(room)}, &no)
	reads.Each(`select at, positive, neutral, negative, thousandths, first_seq, last_seq from moods
		where room_id = `+roomOf+` and at >= $2 and at < $3 and positive + neutral + negative > 0 order by at`,
		[]any{column.ID(room), column.At(from), column.At(to)}, func(row pgx.CollectableRow) error {
			var c chat.MoodCount
			err := row.Scan((*column.Time)(&c.At), &c.Positive, &c.Neutral, &c.Negative, &c.Thousandths,
				(*column.Seq)(&c.First), (*column.Seq)(&c.Last))
			counts = append(counts, c)
			return err
		})
	if err := s.db.Moment(ctx, &reads); err != nil {
		return nil, fmt.Errorf("read the moods of room %s: %w", room, err)
	}
	return counts, nil
}

// MoodRooms are those of the rooms whose texts may be read, and since when: what was said before stays unread.
func (s *Store) MoodRooms(ctx context.Context, rooms []chat.RoomID) (since map[chat.RoomID]time.Time, err error) {
	since = make(map[chat.RoomID]time.Time, len(rooms))
	err = s.db.Each(ctx, `select id, mood_since from rooms where id = any($1::uuid[]) and mood_enabled`, []any{column.IDs(rooms)}, func(row pgx.CollectableRow) error {
		var room chat.RoomID
		var at time.Time
		err := row.Scan(column.Into(&room), (*column.Time)(&at))
		since[room] = at
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look which of %d rooms are read: %w", len(rooms), err)
	}
	return since, nil
}
