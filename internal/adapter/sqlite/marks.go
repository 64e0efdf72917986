package sqlite

import (
	"context"
	"fmt"

	"github.com/blabber-hive/blabber-hive/internal/adapter/sqlite/column"
	"github.com/blabber-hive/blabber-hive/internal/adapter/sqlite/engine"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// How many messages one count looks at. It is reached only by who has that many own or deleted messages between the
// unread ones; the count then covers what lies within.
const unreadScanMax = 10_000

// place is what counting needs of a member.
type place struct {
	room       int64
	user       chat.UserID
	readSeq    chat.Seq
	unreadFrom chat.Seq
	lastOther  chat.Seq // no message of others comes after it
}

type unreadCounts struct{ Unread, Mentions int }

// countUnread counts others' messages from the read line on, and those that mention the person. Nothing is looked at
// where the line is past the last of them, which is so for most rooms of most people.
func countUnread(c *engine.Conn, p place) (counts unreadCounts, err error) {
	from := p.readSeq + 1
	if p.unreadFrom != 0 {
		from = p.unreadFrom
	}
	if from > p.lastOther {
		return counts, nil
	}
	if err := c.Row(`select count(*) from (
		select 1 from (select sender, deleted_at from messages where room = ?1 and seq between ?3 and ?4 order by seq limit ?6)
		where sender <> ?2 and deleted_at is null limit ?5)`,
		[]any{p.room, p.user[:], column.Num(from), column.Num(p.lastOther), chat.UnreadCap, unreadScanMax}, &counts.Unread); err != nil {
		return counts, fmt.Errorf("count unread: %w", err)
	}
	if counts.Unread == 0 {
		return counts, nil
	}
	// A message that mentions both the person and everybody counts once: union.
	err = c.Row(`select count(*) from (
		select 1 from (
			select seq from (select seq from mentions where user = ?2 and room = ?1 and seq between ?3 and ?4 order by seq limit ?6)
			union
			select seq from (select seq from mentions where user = zeroblob(16) and room = ?1 and seq between ?3 and ?4 order by seq limit ?6)
		) n cross join messages m on m.room = ?1 and m.seq = n.seq
		where m.sender <> ?2 and m.deleted_at is null limit ?5)`,
		[]any{p.room, p.user[:], column.Num(from), column.Num(p.lastOther), chat.UnreadCap, unreadScanMax}, &counts.Mentions)
	if err != nil {
		return counts, fmt.Errorf("count mentions: %w", err)
	}
	return counts, nil
}

// readState reads where a member stands; sql.ErrNoRows for outsiders.
func readState(c *engine.Conn, room chat.RoomID, user chat.UserID) (state chat.ReadState, head chat.Seq, err error) {
	p := place{user: user}
	if err := c.Row(`select r.no, r.head, p.read_seq, p.unread_from, iif(r.last_sender is p.user, r.last_other_seq, r.last_message_seq)
		from rooms r join members p on p.room = r.no
		where r.id = ? and p.user = ?`, []any{room[:], user[:]},
		&p.room, (*column.Seq)(&head), (*column.Seq)(&p.readSeq), (*column.Seq)(&p.unreadFrom), (*column.Seq)(&p.lastOther)); err != nil {
		return state, 0, err
	}
	counts, err := countUnread(c, p)
	return chat.ReadState{ReadSeq: p.readSeq, UnreadFrom: p.unreadFrom, Unread: counts.Unread, Mentions: counts.Mentions}, head, err
}

func (s *Store) readState(ctx context.Context, room chat.RoomID, user chat.UserID) (state chat.ReadState, head chat.Seq, err error) {
	err = s.db.ReadMoment(ctx, func(c *engine.Conn) (err error) {
		state, head, err = readState(c, room, user)
		return err
	})
	return state, head, err
}

// MarkRead moves the read line forward. People mark what is read already all the time, from several devices: where
// nothing would move nothing is written.
func (s *Store) MarkRead(ctx context.Context, room chat.RoomID, user chat.UserID, seq chat.Seq) (chat.ReadState, error) {
	state, head, err := s.readState(ctx, room, user)
	if err == nil && (state.UnreadFrom != 0 || state.ReadSeq < min(seq, head)) {
		state, err = s.mark(ctx, room, user, `update members set unread_from = 0,
			read_seq = max(read_seq, min(?3, (select head from rooms where no = members.room)))
			where room = (select no from rooms where id = ?1) and user = ?2`, column.Num(seq))
	}
	if err != nil {
		return chat.ReadState{}, fmt.Errorf("mark room %s read by %s up to %d: %w", room, user, seq, err)
	}
	return state, nil
}

// MarkUnread sets from where a member wants the room to count as unread.
func (s *Store) MarkUnread(ctx context.Context, room chat.RoomID, user chat.UserID, from chat.Seq) (chat.ReadState, error) {
	state, err := s.mark(ctx, room, user, `update members set unread_from = ?3
		where room = (select no from rooms where id = ?1) and user = ?2`, column.Num(from))
	if err != nil {
		return chat.ReadState{}, fmt.Errorf("mark room %s unread by %s from %d: %w", room, user, from, err)
	}
	return state, nil
}

// SetNotify sets a member's notification level.
func (s *Store) SetNotify(ctx context.Context, room chat.RoomID, user chat.UserID, level chat.Notify) error {
	err := s.updateMember(ctx, room, user, `update members set notify = ?3
		where room = (select no from rooms where id = ?1) and user = ?2`, string(level))
	if err != nil {
		return fmt.Errorf("set notification of %s in room %s: %w", user, room, err)
	}
	return nil
}

// mark writes a mark and then reads where the member stands; counting is not the writer's work.
func (s *Store) mark(ctx context.Context, room chat.RoomID, user chat.UserID, update string, seq int64) (chat.ReadState, error) {
	if err := s.updateMember(ctx, room, user, update, seq); err != nil {
		return chat.ReadState{}, err
	}
	state, _, err := s.readState(ctx, room, user)
	return state, err
}

func (s *Store) updateMember(ctx context.Context, room chat.RoomID, user chat.UserID, update string, value any) error {
	return s.db.Write(ctx, func(c *engine.Conn) error { return c.One(update, room[:], user[:], value) })
}
