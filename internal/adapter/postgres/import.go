package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/accounts"
	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/column"
	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/engine"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Put adds rows of an archive. It has the time of a batch, because it is as large as one.
func (s *Store) Put(ctx context.Context, rows []chat.Row) error {
	err := s.db.Commit(ctx, func(c *engine.Conn) error {
		p := &rowWriter{c: c}
		for i := range rows {
			if err := p.put(&rows[i]); err != nil {
				return err
			}
		}
		if err := p.send(); err != nil {
			return err
		}
		return p.logs(s.insert)
	})
	if err != nil {
		return fmt.Errorf("put %d rows: %w", len(rows), err)
	}
	return nil
}

// rowWriter adds rows that are not there yet. What a row refers to comes before it, in this transaction or in an earlier one;
// all statements travel together, and afterwards it is looked at which of them found nothing to refer to.
type rowWriter struct {
	c     *engine.Conn
	batch engine.Batch
	after []func() error // what the statements of the batch must have found
	log   []*chat.LogRow
}

func (p *rowWriter) put(row *chat.Row) error {
	switch {
	case row.Account != nil:
		accounts.Put(&p.batch, row.Account)
	case row.Room != nil: // its counts follow from what comes after it
		p.batch.Exec(nil, insertRoom+` on conflict (id) do nothing`, roomValues(row.Room.ID, &row.Room.Room)...)
	case row.Member != nil:
		p.member(row.Member)
	case row.Ban != nil:
		b := row.Ban
		p.refer("a ban in room "+b.Room.String(), b.Room, b.User.ID, `insert into bans (room_id, user_id, reason, banned_by, banned_at)
			select r.room_id, u.id, $3, $4, $5 from rooms r, users u where r.id = $1 and u.id = $2 on conflict (room_id, user_id) do nothing`,
			column.Escape(b.Reason), column.ID(b.By), column.At(b.At))
	case row.Invite != nil:
		i := row.Invite
		p.refer("an invite to room "+i.Room.String(), i.Room, i.CreatedBy.ID, `insert into invites (room_id, created_by, code, created_at, expires_at, max_uses, uses)
			select r.room_id, u.id, $3, $4, $5, $6, $7 from rooms r, users u where r.id = $1 and u.id = $2 on conflict (code) do nothing`,
			column.Escape(i.Code), column.At(i.CreatedAt), column.AtOrNull(i.ExpiresAt), i.MaxUses, i.Uses)
	case row.Log != nil:
		p.log = append(p.log, row.Log)
	case row.Outbox != nil:
		p.batch.Exec(nil, `insert into outbox (id, room, payload) select $1, $2, $3 where not exists (select from outbox where id = $1)`,
			column.ID(row.Outbox.ID), column.ID(row.Outbox.Room), append([]byte{}, row.Outbox.Payload...))
	default:
		return errors.New("a row that is nothing")
	}
	return nil
}

// member adds a membership and counts it.
func (p *rowWriter) member(m *chat.Member) {
	p.refer("a membership in room "+m.Room.String(), m.Room, m.User.ID, `with added as (
			insert into members (room_id, user_id, username, role, joined_at, muted_until, read_seq, unread_from, notify)
			select r.room_id, u.id, u.username, $3, $4, $5, $6, $7, $8 from rooms r, users u where r.id = $1 and u.id = $2
			on conflict (room_id, user_id) do nothing returning room_id)
		update rooms r set members = r.members + 1 from added a where r.room_id = a.room_id`,
		column.Rank(m.Role), column.At(m.JoinedAt), column.AtOrNull(m.MutedUntil), column.Num(m.ReadSeq), column.Num(m.UnreadFrom), string(m.Notify))
}

// refer adds a row that refers to a room ($1) and a person ($2); both must be there.
func (p *rowWriter) refer(what string, room chat.RoomID, user chat.UserID, insert string, values ...any) {
	var both bool
	p.batch.Exec(nil, insert, append([]any{column.ID(room), column.ID(user)}, values...)...)
	p.batch.Row(`select exists (select from rooms where id = $1) and exists (select from users where id = $2)`, []any{column.ID(room), column.ID(user)}, &both)
	p.after = append(p.after, func() error {
		if !both {
			return chat.Refuse(chat.Invalid, "%s of %s refers to what is not there", what, user)
		}
		return nil
	})
}

func (p *rowWriter) send() error {
	if err := p.c.Send(&p.batch); err != nil {
		if accounts.Taken(err) {
			return chat.Refuse(chat.Invalid, "two accounts have one username")
		}
		return err
	}
	for _, check := range p.after {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// logs adds numbers as they stand: a message is in its newest state already, so changes after it only take their numbers.
func (p *rowWriter) logs(insert func(*engine.Conn, *engine.Batch, []*messageRow) error) error {
	if len(p.log) == 0 {
		return nil
	}
	events := make([]chat.Event, len(p.log))
	for i, l := range p.log {
		events[i] = l.Event
	}
	w := newBatchWriter()
	var reads, writes engine.Batch
	w.look(&reads, events)
	if err := p.c.Send(&reads); err != nil {
		return err
	}
	for _, l := range p.log {
		if err := w.put(l); err != nil {
			return err
		}
	}
	if err := insert(p.c, &writes, w.messages); err != nil {
		return err
	}
	if err := w.write(&writes); err != nil {
		return err
	}
	return p.c.SendLast(&writes)
}

// put takes the next number of an archive; those that are there already stay as they are.
func (w *batchWriter) put(l *chat.LogRow) error {
	r := w.rooms[l.Room]
	switch {
	case r == nil:
		return chat.Refuse(chat.Invalid, "number %d is of room %s, which is not there", l.Seq, l.Room)
	case l.Seq <= r.head:
		return nil
	case l.Seq != r.head+1:
		return chat.Refuse(chat.Invalid, "number %d of room %s does not follow %d", l.Seq, l.Room, r.head)
	}
	r.head, r.moved = l.Seq, true
	var err error
	switch l.Kind {
	case chat.KindMessage:
		err = w.storeMessage(r, &l.Event)
	case chat.KindEdit, chat.KindDelete, chat.KindReaction, chat.KindMood, chat.KindMember, chat.KindRoom:
		w.storeEvent(r, &l.Event, l.Target)
	case chat.KindVoid:
		w.storeVoid(r, &l.Event, l.Target)
	default:
		return chat.Refuse(chat.Invalid, "number %d of room %s is of the unknown kind %q", l.Seq, l.Room, l.Kind)
	}
	if err != nil {
		return fmt.Errorf("number %d of room %s: %w", l.Seq, l.Room, err)
	}
	if len(w.voids) > 0 {
		return chat.Refuse(chat.Invalid, "record %s of room %s stands under two numbers, %d and %d", l.RecordID, l.Room, w.voids[0].First.Seq, l.Seq)
	}
	return nil
}
