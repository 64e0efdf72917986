package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/column"
	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/engine"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Changes reads the events after a position. Each number up to the head is exactly one row, of messages or of events, so
// a page is a range of numbers: it is bounded whatever lies in it, and its end is known before it is read.
func (s *Store) Changes(ctx context.Context, room chat.RoomID, after chat.Seq, limit int) (page chat.Page, err error) {
	limit = min(max(limit, 1), chat.ChangesMax)
	from := column.Num(after)
	var messages, others []chat.Event
	var reads engine.Batch
	reads.Row(`select head from rooms where id = $1`, []any{column.ID(room)}, (*column.Seq)(&page.Head))
	r := logRange{number: roomOf, args: []any{column.ID(room), from, from + int64(limit)}, room: room}
	reads.Each(r.messages(&messages))
	reads.Each(r.others(&others))
	if err := s.db.Moment(ctx, &reads); err != nil {
		return chat.Page{}, fmt.Errorf("read changes of room %s after %d: %w", room, after, err)
	}
	page.Through = page.Head
	if after < page.Head {
		page.Through = min(after+chat.Seq(limit), page.Head)
	}
	page.More = page.Through < page.Head
	page.Events = merge(messages, others)
	return page, nil
}

// logRange is a stretch of a room's log: after $2, through $3, of the room whose number is given in terms of $1. No number
// above the head has a row.
type logRange struct {
	number string
	args   []any
	room   chat.RoomID
}

// messages reads those numbers that are messages.
func (r logRange) messages(events *[]chat.Event) (query string, args []any, visit engine.Visit) {
	return `select ` + messageColumns + ` from ` + messageSource + `
		where m.room_id = ` + r.number + ` and m.seq > $2 and m.seq <= $3 order by m.seq`, r.args, func(row pgx.CollectableRow) error {
			m := &chat.Message{Room: r.room}
			if err := row.Scan(messageInto(m)...); err != nil {
				return err
			}
			*events = append(*events, chat.Event{
				Room: r.room, Seq: m.Seq, Kind: chat.KindMessage, At: m.CreatedAt, Actor: m.Sender, RecordID: m.ID, Message: m,
			})
			return nil
		}
}

// others reads the rest, but for void numbers. "limit 1" makes each message a probe of the index: the server takes rooms to be of
// one size, and might read a large one whole to find a few messages in it.
func (r logRange) others(events *[]chat.Event) (query string, args []any, visit engine.Visit) {
	return `select e.seq, e.id, e.kind, e.at, e.actor, a.username, a.display_name, a.avatar_url, e.payload,
			e.subject, s.username, s.display_name, s.avatar_url, ` + messageColumns + `
		from events e
		left join users a on a.id = e.actor
		left join users s on s.id = e.subject
		left join lateral (select * from messages m where m.room_id = e.room_id and m.seq = e.target_seq limit 1) m on true
		left join users u on u.id = m.sender
		where e.room_id = ` + r.number + ` and e.seq > $2 and e.seq <= $3 and e.kind <> 'void' order by e.seq`, r.args, func(row pgx.CollectableRow) error {
			event := chat.Event{Room: r.room}
			m := &chat.Message{Room: r.room}
			var payload []byte
			var subject chat.Profile
			dest := []any{(*column.Seq)(&event.Seq), column.Into(&event.RecordID), (*string)(&event.Kind), (*column.Time)(&event.At)}
			dest = append(append(dest, column.Profile(&event.Actor)...), &payload)
			dest = append(append(dest, column.Profile(&subject)...), messageInto(m)...)
			if err := row.Scan(dest...); err != nil {
				return err
			}
			if m.Seq != 0 {
				event.Message = m
			}
			if err := column.ReadPayload(&event, payload, subject); err != nil {
				return fmt.Errorf("event %d: %w", event.Seq, err)
			}
			*events = append(*events, event)
			return nil
		}
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
