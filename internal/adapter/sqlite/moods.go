package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/adapter/sqlite/column"
	"github.com/blabber-hive/blabber-hive/internal/adapter/sqlite/engine"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// countMood moves what is counted of a room by what has become of one message.
func (w *batchWriter) countMood(r *roomHead, seq chat.Seq, created time.Time, before, after chat.Mood) error {
	if before == after {
		return nil
	}
	var count chat.MoodCount
	count.Count(before, seq, -1)
	count.Count(after, seq, 1)
	_, err := w.c.Exec(`insert into moods (room, at, positive, neutral, negative, thousandths, first_seq, last_seq) values (?, ?, ?, ?, ?, ?, ?, ?)
		on conflict (room, at) do update set positive = positive + excluded.positive, neutral = neutral + excluded.neutral,
			negative = negative + excluded.negative, thousandths = thousandths + excluded.thousandths,
			first_seq = min(first_seq, excluded.first_seq), last_seq = max(last_seq, excluded.last_seq)`,
		r.no, created.Truncate(chat.MoodSpan).UnixMilli(), count.Positive, count.Neutral, count.Negative, count.Thousandths, column.Num(seq), column.Num(seq))
	return err
}

// queueText leaves the text that an event has made of a message to be read, where the room's texts are.
func (w *batchWriter) queueText(r *roomHead, event *chat.Event, seq chat.Seq) error {
	if !r.mood {
		return nil
	}
	w.queued = true
	_, err := w.c.Exec(`insert into mood_texts (room, seq, record, at) values (?, ?, ?, ?)`, r.no, column.Num(seq), event.RecordID[:], event.At.UnixMilli())
	return err
}

func (s *Store) wakeTexts() {
	select {
	case s.texts <- struct{}{}:
	default: // whoever reads is awake
	}
}

// Texts are the texts that were left to be read, for one reader.
type Texts struct {
	store *Store
	last  int64 // position of the last that Poll gave; zero where there was none
}

// Texts begins at the oldest text that is not done.
func (s *Store) Texts() *Texts { return &Texts{store: s} }

// Poll waits for texts and gives the oldest, at most so many: what their messages say now. It gives the same again until they
// are Done. Where all of the oldest are of messages that are gone, it gives none.
func (t *Texts) Poll(ctx context.Context, most int) (texts []chat.MoodText, err error) {
	for {
		t.last = 0
		err := t.store.db.Read(ctx, func(c *engine.Conn) error {
			texts = nil
			return c.Each(`select q.position, q.record, q.at, r.id, m.id, ifnull(m.body, '') from mood_texts q
				left join rooms r on r.no = q.room left join messages m on m.room = q.room and m.seq = q.seq
				order by q.position limit ?`, []any{most}, func(rows *sql.Rows) error {
				var text chat.MoodText
				err := rows.Scan(&t.last, column.Into(&text.Record), (*column.Time)(&text.At), column.Into(&text.Room), column.Into(&text.Message), &text.Body)
				if !text.Room.IsZero() && text.Body != "" { // a deleted message has no body
					texts = append(texts, text)
				}
				return err
			})
		})
		switch {
		case err != nil:
			return nil, fmt.Errorf("look for texts to read: %w", err)
		case t.last > 0:
			return texts, nil
		}
		select {
		case <-t.store.texts:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Done says that what Poll gave is dealt with.
func (t *Texts) Done(ctx context.Context) error {
	if err := t.store.db.Write(ctx, func(c *engine.Conn) error {
		_, err := c.Exec(`delete from mood_texts where position <= ?`, t.last)
		return err
	}); err != nil {
		return fmt.Errorf("forget texts that were read: %w", err)
	}
	return nil
}

// Behind is how many texts are to be read.
func (t *Texts) Behind(ctx context.Context) (count int64, err error) {
	if err := t.store.db.Read(ctx, func(c *engine.Conn) error { return c.Row(`select count(*) from mood_texts`, nil, &count) }); err != nil {
		return 0, fmt.Errorf("count texts to read: %w", err)
	}
	return count, nil
}

// Moods reads what is counted of the messages of a room that were made in [from, to), ascending; spans without any are
// left out. chat.ErrNotFound: no such room.
func (s *Store) Moods(ctx context.Context, room chat.RoomID, from, to time.Time) (counts []chat.MoodCount, err error) {
	err = s.db.ReadMoment(ctx, func(c *engine.Conn) error {
		no, err := roomNo(c, room)
		if err != nil {
			return err
		}
		return c.Each(`select at, positive, neutral, negative, thousandths, first_seq, last_seq from moods
			where room = ? and at >= ? and at < ? and positive + neutral + negative > 0 order by at`, []any{no, from.UnixMilli(), to.UnixMilli()}, func(rows *sql.Rows) error {
			var m chat.MoodCount
			err := rows.Scan((*column.Time)(&m.At), &m.Positive, &m.Neutral, &m.Negative, &m.Thousandths, (*column.Seq)(&m.First), (*column.Seq)(&m.Last))
			counts = append(counts, m)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read the moods of room %s: %w", room, err)
	}
	return counts, nil
}

// MoodRooms are those of the rooms whose texts may be read. Since when is not known, and zero: what was said while they were
// not is not among the texts.
func (s *Store) MoodRooms(ctx context.Context, rooms []chat.RoomID) (since map[chat.RoomID]time.Time, err error) {
	err = s.db.ReadMoment(ctx, func(c *engine.Conn) error {
		since = make(map[chat.RoomID]time.Time, len(rooms))
		for _, room := range rooms {
			var on bool
			if err := c.Row(`select exists (select 1 from rooms where id = ? and mood_enabled)`, []any{room[:]}, &on); err != nil {
				return err
			}
			if on {
				since[room] = time.Time{}
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look which of %d rooms are read: %w", len(rooms), err)
	}
	return since, nil
}

// moods checks what is counted against the messages themselves.
func (a *auditor) moods() error {
	const span = `15 * 60 * 1000`
	return a.c.Each(`select r.id, k.at from (
			select room, at, sum(positive) positive, sum(neutral) neutral, sum(negative) negative, sum(thousandths) thousandths from (
				select room, created_at - created_at % (`+span+`) at, mood = 1 positive, mood = 0 neutral, mood = -1 negative, mood_score thousandths
				from messages where mood is not null
				union all
				select room, at, -positive, -neutral, -negative, -thousandths from moods)
			group by room, at) k
		join rooms r on r.no = k.room
		where r.id is not null and (k.positive <> 0 or k.neutral <> 0 or k.negative <> 0 or k.thousandths <> 0) order by r.id, k.at`, nil, func(rows *sql.Rows) error {
		var room chat.RoomID
		var at time.Time
		err := rows.Scan(column.Into(&room), (*column.Time)(&at))
		a.say("in room %s the moods of the quarter of an hour from %s are counted wrongly", room, at.Format(time.RFC3339))
		return err
	})
}
