package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/accounts"
	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/column"
	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/engine"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// rowsPage is how many numbers of a log are read at a time for an archive.
const rowsPage = 1000

// Rows calls visit with everything that the store holds, of one moment. Until it ends, the server keeps all that is replaced
// meanwhile.
func (s *Store) Rows(ctx context.Context, visit func(row chat.Row) error) error {
	err := s.db.Long(ctx, func(c *engine.Conn) error {
		r := rowReader{c: c, visit: visit}
		for _, table := range []func() error{r.accounts, r.rooms, r.members, r.bans, r.invites, r.logs, r.outbox} {
			if err := table(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read everything: %w", err)
	}
	return nil
}

type rowReader struct {
	c     *engine.Conn
	visit func(row chat.Row) error
	logOf []loggedRoom
}

type loggedRoom struct {
	no   int64
	id   chat.RoomID
	head chat.Seq
}

func (r *rowReader) accounts() error {
	return accounts.Each(r.c, func(account *chat.Account) error { return r.visit(chat.Row{Account: account}) })
}

func (r *rowReader) rooms() error {
	return r.c.Each(`select r.room_id, `+roomColumns+`, r.last_message_seq, r.last_activity_at from rooms r where r.id is not null order by r.id`, nil,
		func(row pgx.CollectableRow) error {
			room, no := &chat.RoomRow{}, int64(0)
			if err := row.Scan(append(append([]any{&no}, roomInto(&room.Room)...), (*column.Seq)(&room.LastMessage), (*column.Time)(&room.LastActivityAt))...); err != nil {
				return err
			}
			r.logOf = append(r.logOf, loggedRoom{no, room.ID, room.Head})
			return r.visit(chat.Row{Room: room})
		})
}

func (r *rowReader) members() error {
	return r.c.Each(`select r.id, p.user_id, p.role, p.joined_at, p.muted_until, p.read_seq, p.unread_from, p.notify
		from rooms r join members p on p.room_id = r.room_id where r.id is not null order by r.id, p.user_id`, nil, func(row pgx.CollectableRow) error {
		m := &chat.Member{}
		if err := row.Scan(column.Into(&m.Room), column.Into(&m.User.ID), (*column.Role)(&m.Role), (*column.Time)(&m.JoinedAt), (*column.Time)(&m.MutedUntil),
			(*column.Seq)(&m.ReadSeq), (*column.Seq)(&m.UnreadFrom), (*string)(&m.Notify)); err != nil {
			return err
		}
		return r.visit(chat.Row{Member: m})
	})
}

func (r *rowReader) bans() error {
	return r.c.Each(`select r.id, b.user_id, b.reason, b.banned_by, b.banned_at from rooms r join bans b on b.room_id = r.room_id
		where r.id is not null order by r.id, b.user_id`, nil, func(row pgx.CollectableRow) error {
		b := &chat.Ban{}
		if err := row.Scan(column.Into(&b.Room), column.Into(&b.User.ID), (*column.Text)(&b.Reason), column.Into(&b.By), (*column.Time)(&b.At)); err != nil {
			return err
		}
		return r.visit(chat.Row{Ban: b})
	})
}

func (r *rowReader) invites() error {
	return r.c.Each(`select i.code, r.id, i.created_by, i.created_at, i.expires_at, i.max_uses, i.uses from rooms r join invites i on i.room_id = r.room_id
		where r.id is not null order by r.id, i.code`, nil, func(row pgx.CollectableRow) error {
		i := &chat.Invite{}
		if err := row.Scan((*column.Text)(&i.Code), column.Into(&i.Room), column.Into(&i.CreatedBy.ID), (*column.Time)(&i.CreatedAt), (*column.Time)(&i.ExpiresAt), &i.MaxUses, &i.Uses); err != nil {
			return err
		}
		return r.visit(chat.Row{Invite: i})
	})
}

func (r *rowReader) logs() error {
	for _, room := range r.logOf {
		// A sound room ends at its head; a damaged one may have more, which its verification has to see.
		last := room.head
		if err := r.c.Row(`select greatest($2::bigint, (select max(seq) from messages where room_id = $1), (select max(seq) from events where room_id = $1))`,
			[]any{room.no, column.Num(last)}, (*column.Seq)(&last)); err != nil {
			return err
		}
		for after := chat.Seq(0); after < last; after += rowsPage {
			if err := r.page(room, after, min(after+rowsPage, last)); err != nil {
				return fmt.Errorf("log of room %s after %d: %w", room.id, after, err)
			}
		}
	}
	return nil
}

func (r *rowReader) page(room loggedRoom, after, through chat.Seq) error {
	var messages []chat.Event
	var others []chat.LogRow
	var reads engine.Batch
	span := logRange{number: "$1", args: []any{room.no, column.Num(after), column.Num(through)}, room: room.id}
	reads.Each(span.messages(&messages))
	reads.Each(span.log(&others))
	if err := r.c.Send(&reads); err != nil {
		return err
	}
	for len(messages)+len(others) > 0 {
		row := chat.Row{}
		if len(others) == 0 || (len(messages) > 0 && messages[0].Seq <= others[0].Seq) {
			row.Log, messages = &chat.LogRow{Event: bare(messages[0])}, messages[1:]
		} else {
			row.Log, others = &others[0], others[1:]
		}
		if err := r.visit(row); err != nil {
			return err
		}
	}
	return nil
}

// log reads the numbers that are no messages as they stand, void ones too.
func (r logRange) log(rows *[]chat.LogRow) (query string, args []any, visit engine.Visit) {
	return `select ` + eventColumns + ` from events e
		where e.room_id = ` + r.number + ` and e.seq > $2 and e.seq <= $3 order by e.seq`, r.args, func(row pgx.CollectableRow) error {
			l := chat.LogRow{Event: chat.Event{Room: r.room}}
			err := readEvent(row, &l)
			*rows = append(*rows, l)
			return err
		}
}

// eventColumns are an event e as it stands.
const eventColumns = `e.seq, e.id, e.kind, e.at, e.actor, e.target_seq, e.subject, e.payload`

// readEvent reads eventColumns of an event whose room is known, or among what the row has before.
func readEvent(row pgx.CollectableRow, l *chat.LogRow, before ...any) error {
	var subject chat.Profile
	var payload []byte
	if err := row.Scan(append(before, (*column.Seq)(&l.Seq), column.Into(&l.RecordID), (*string)(&l.Kind), (*column.Time)(&l.At), column.Into(&l.Actor.ID),
		(*column.Seq)(&l.Target), column.Into(&subject.ID), &payload)...); err != nil {
		return err
	}
	if err := column.ReadPayload(&l.Event, payload, subject); err != nil {
		return fmt.Errorf("number %d: %w", l.Seq, err)
	}
	return nil
}

// bare leaves of people what is theirs in the log: the id.
func bare(event chat.Event) chat.Event {
	event.Actor = chat.Profile{ID: event.Actor.ID}
	event.Message.Sender = event.Actor
	return event
}

func (r *rowReader) outbox() error {
	return r.c.Each(`select id, room, payload from outbox order by position`, nil, func(row pgx.CollectableRow) error {
		entry := &chat.OutboxEntry{}
		if err := row.Scan(column.Into(&entry.ID), column.Into(&entry.Room), &entry.Payload); err != nil {
			return err
		}
		return r.visit(chat.Row{Outbox: entry})
	})
}
