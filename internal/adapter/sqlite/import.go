package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/blabber-hive/blabber-hive/internal/adapter/sqlite/accounts"
	"github.com/blabber-hive/blabber-hive/internal/adapter/sqlite/column"
	"github.com/blabber-hive/blabber-hive/internal/adapter/sqlite/engine"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// BeginImport marks the store as taking an archive.
func (s *Store) BeginImport(ctx context.Context, archive string) (done bool, err error) {
	err = s.db.Write(ctx, func(c *engine.Conn) error {
		err := c.Row(`select done from imports where archive = ?`, []any{archive}, &done)
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		var people, rooms, others int
		if err := c.Row(`select (select count(*) from users), (select count(*) from rooms where id is not null), (select count(*) from imports)`, nil,
			&people, &rooms, &others); err != nil {
			return err
		}
		if people+rooms+others > 0 {
			return chat.Refuse(chat.Conflict, "this instance already holds %d people and %d rooms that are not of this archive: import into an empty data directory", people, rooms)
		}
		_, err = c.Exec(`insert into imports (archive, done) values (?, 0)`, archive)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("begin the import of %s: %w", archive, err)
	}
	return done, nil
}

// EndImport marks the import as whole.
func (s *Store) EndImport(ctx context.Context, archive string) error {
	if err := s.db.Write(ctx, func(c *engine.Conn) error { return c.One(`update imports set done = 1 where archive = ?`, archive) }); err != nil {
		return fmt.Errorf("end the import of %s: %w", archive, err)
	}
	return nil
}

// HalfImported names an archive of which the store holds only a part; empty where there is none. Such an instance must
// not be served: rooms whose logs end early would go on with numbers that the archive has too.
func (s *Store) HalfImported(ctx context.Context) (archive string, err error) {
	err = s.db.Read(ctx, func(c *engine.Conn) error {
		err := c.Row(`select archive from imports where done = 0`, nil, &archive)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	if err != nil {
		return "", fmt.Errorf("look for unfinished imports: %w", err)
	}
	return archive, nil
}

// Put adds rows of an archive.
func (s *Store) Put(ctx context.Context, rows []chat.Row) error {
	err := s.db.Write(ctx, func(c *engine.Conn) error {
		p := rowWriter{newBatchWriter(c, &s.heads)}
		for i := range rows {
			if err := p.put(rows[i]); err != nil {
				return err
			}
		}
		return p.storeHeads()
	})
	if err != nil {
		return fmt.Errorf("put %d rows: %w", len(rows), err)
	}
	return nil
}

// rowWriter adds rows that are not there yet; logs it writes as batches are written.
type rowWriter struct{ batchWriter }

func (p *rowWriter) put(row chat.Row) error {
	switch {
	case row.Account != nil:
		return accounts.Put(p.c, row.Account)
	case row.Room != nil:
		return p.room(row.Room)
	case row.Member != nil:
		return p.member(row.Member)
	case row.Ban != nil:
		b := row.Ban
		return p.refer("a ban in room "+b.Room.String(), `insert into bans (room, user, reason, by, at) select no, ?2, ?3, ?4, ?5 from rooms where id = ?1
			on conflict (room, user) do nothing`, b.Room, b.User.ID[:], b.Reason, b.By[:], b.At.UnixMilli())
	case row.Invite != nil:
		i := row.Invite
		return p.refer("an invite to room "+i.Room.String(), `insert into invites (room, code, created_by, created_at, expires_at, max_uses, uses)
			select no, ?2, ?3, ?4, ?5, ?6, ?7 from rooms where id = ?1 on conflict (code) do nothing`,
			i.Room, i.Code, i.CreatedBy.ID[:], i.CreatedAt.UnixMilli(), column.MS(i.ExpiresAt), i.MaxUses, i.Uses)
	case row.Log != nil:
		return p.log(row.Log)
	case row.Outbox != nil:
		_, err := p.c.Exec(`insert into outbox (id, room, payload) select ?1, ?2, ?3 where not exists (select 1 from outbox where id = ?1)`,
			row.Outbox.ID[:], row.Outbox.Room[:], row.Outbox.Payload)
		return err
	}
	return errors.New("a row that is nothing")
}

func (p *rowWriter) room(r *chat.RoomRow) error {
	// Its counts follow from what comes after it.
	_, err := p.c.Exec(insertRoom+` on conflict (id) do nothing`, roomValues(r.ID, &r.Room)...)
	return err
}

func (p *rowWriter) member(m *chat.Member) error {
	added, err := p.c.Exec(`insert into members (room, user, username, role, joined_at, muted_until, read_seq, unread_from, notify)
		select r.no, u.id, u.username, ?3, ?4, ?5, ?6, ?7, ?8 from rooms r, users u where r.id = ?1 and u.id = ?2 on conflict (room, user) do nothing`,
		m.Room[:], m.User.ID[:], column.Rank(m.Role), m.JoinedAt.UnixMilli(), column.MS(m.MutedUntil), column.Num(m.ReadSeq), column.Num(m.UnreadFrom), string(m.Notify))
	if err != nil {
		return err
	}
	if added > 0 {
		_, err = p.c.Exec(`update rooms set members = members + 1 where id = ?`, m.Room[:])
		return err
	}
	err = p.c.Row(`select 1 from rooms r join members p on p.room = r.no where r.id = ? and p.user = ?`, []any{m.Room[:], m.User.ID[:]}, new(int))
	if errors.Is(err, sql.ErrNoRows) {
		return chat.Refuse(chat.Invalid, "a membership refers to room %s and person %s, one of whom is not there", m.Room, m.User.ID)
	}
	return err
}

// refer adds a row of a room; who it refers to must be there.
func (p *rowWriter) refer(what, insert string, room chat.RoomID, values ...any) error {
	_, err := p.c.Exec(insert, append([]any{room[:]}, values...)...)
	if err == nil {
		_, err = roomNo(p.c, room)
	}
	if err != nil && chat.CodeOf(engine.Translate(err)) == chat.NotFound {
		return chat.Refuse(chat.Invalid, "%s refers to what is not there", what)
	}
	return err
}

// log adds a number as it stands: a message is in its newest state already, so changes after it only take their numbers.
func (p *rowWriter) log(l *chat.LogRow) error {
	r, err := p.head(l.Room)
	switch {
	case err != nil:
		return err
	case r.no == 0:
		return chat.Refuse(chat.Invalid, "number %d is of room %s, which is not there", l.Seq, l.Room)
	case l.Seq <= r.head:
		return nil // there already
	case l.Seq != r.head+1:
		return chat.Refuse(chat.Invalid, "number %d of room %s does not follow %d", l.Seq, l.Room, r.head)
	}
	r.head = l.Seq
	switch l.Kind {
	case chat.KindMessage:
		err = p.storeMessage(r, &l.Event)
	case chat.KindEdit, chat.KindDelete, chat.KindReaction, chat.KindMood, chat.KindMember, chat.KindRoom:
		err = p.storeEvent(r, &l.Event, l.Target)
	case chat.KindVoid:
		err = p.storeVoid(r, &l.Event, chat.Known{Seq: l.Target})
	default:
		return chat.Refuse(chat.Invalid, "number %d of room %s is of the unknown kind %q", l.Seq, l.Room, l.Kind)
	}
	if err != nil {
		return fmt.Errorf("number %d of room %s: %w", l.Seq, l.Room, err)
	}
	if len(p.voids) > 0 {
		return chat.Refuse(chat.Invalid, "record %s of room %s stands under two numbers, %d and %d", l.RecordID, l.Room, p.voids[0].First.Seq, l.Seq)
	}
	return nil
}
