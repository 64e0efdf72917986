package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/blabber-hive/blabber-hive/internal/adapter/sqlite/column"
	"github.com/blabber-hive/blabber-hive/internal/adapter/sqlite/engine"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Changes reads the events after a position. Each number up to the head is exactly one row, of messages or of events, so
// a page is a range of numbers: it is bounded whatever lies in it, and its end is known before it is read.
func (s *Store) Changes(ctx context.Context, room chat.RoomID, after chat.Seq, limit int) (page chat.Page, err error) {
	limit = min(max(limit, 1), chat.ChangesMax)
	err = s.db.ReadMoment(ctx, func(c *engine.Conn) error {
		var no int64
		if err := c.Row(`select no, head from rooms where id = ?`, []any{room[:]}, &no, (*column.Seq)(&page.Head)); err != nil {
			return err
		}
		page.Through = page.Head
		if after >= page.Head {
			return nil
		}
		page.Through = min(after+chat.Seq(limit), page.Head) //nolint:gosec // at most ChangesMax
		page.More = page.Through < page.Head
		messages, err := messagesBetween(c, room, no, after, page.Through)
		if err != nil {
			return err
		}
		others, err := eventsBetween(c, room, no, after, page.Through)
		if err != nil {
			return err
		}
		page.Events = merge(messages, others)
		return nil
	})
	if err != nil {
		return chat.Page{}, fmt.Errorf("read changes of room %s after %d: %w", room, after, err)
	}
	return page, nil
}

func messagesBetween(c *engine.Conn, room chat.RoomID, no int64, after, through chat.Seq) (events []chat.Event, err error) {
	err = c.Each(`select `+messageColumns+` from `+messageSource+`
		where m.room = ? and m.seq > ? and m.seq <= ? order by m.seq`, []any{no, column.Num(after), column.Num(through)}, func(rows *sql.Rows) error {
		m := &chat.Message{Room: room}
		if err := rows.Scan(messageInto(m)...); err != nil {
			return err
		}
		events = append(events, chat.Event{
			Room: room, Seq: m.Seq, Kind: chat.KindMessage, At: m.CreatedAt, Actor: m.Sender, RecordID: m.ID, Message: m,
		})
		return nil
	})
	return events, err
}

func eventsBetween(c *engine.Conn, room chat.RoomID, no int64, after, through chat.Seq) (events []chat.Event, err error) {
	err = c.Each(`select e.seq, e.id, e.kind, e.at, e.actor, a.username, a.display_name, a.avatar_url, e.payload,
			e.subject, s.username, s.display_name, s.avatar_url, `+messageColumns+`
		from events e
		left join users a on a.id = e.actor
		left join users s on s.id = e.subject
		left join messages m on m.room = e.room and m.seq = e.target_seq
		left join users u on u.id = m.sender
		where e.room = ? and e.seq > ? and e.seq <= ? and e.kind <> 'void' order by e.seq`,
		[]any{no, column.Num(after), column.Num(through)}, func(rows *sql.Rows) error {
			event := chat.Event{Room: room}
			m := &chat.Message{Room: room}
			var payload string
			var subject chat.Profile
			dest := []any{(*column.Seq)(&event.Seq), column.Into(&event.RecordID), (*string)(&event.Kind), (*column.Time)(&event.At)}
			dest = append(append(dest, column.Profile(&event.Actor)...), (*column.Text)(&payload))
			dest = append(append(dest, column.Profile(&subject)...), messageInto(m)...)
			if err := rows.Scan(dest...); err != nil {
				return err
			}
			if m.Seq != 0 {
				event.Message = m
			}
			if err := column.ReadPayload(&event, payload, subject); err != nil {
				return fmt.Errorf("event %d: %w", event.Seq, err)
			}
			events = append(events, event)
			return nil
		})
	return events, err
}

// merge puts two runs of events, each ascending, into one.
func merge(a, b []chat.Event) []chat.Event {
	if len(b) == 0 {
		return a
	}
	merged := make([]chat.Event, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		if a[0].Seq < b[0].Seq {
			merged, a = append(merged, a[0]), a[1:]
		} else {
			merged, b = append(merged, b[0]), b[1:]
		}
	}
	return append(append(merged, a...), b...)
}
