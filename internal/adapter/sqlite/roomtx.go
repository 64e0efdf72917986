package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/blabber-hive/blabber-hive/internal/adapter/sqlite/column"
	"github.com/blabber-hive/blabber-hive/internal/adapter/sqlite/engine"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Update runs a change of a room. There is one writer, so every change is alone with what it reads.
func (s *Store) Update(ctx context.Context, room chat.RoomID, change func(tx chat.RoomTx) error) error {
	var refusal error
	deleted := false
	err := s.db.Write(ctx, func(c *engine.Conn) error {
		tx := &roomTx{c: c, id: room}
		if err := c.Row(`select no from rooms where id = ?`, []any{room[:]}, &tx.no); err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		refusal = change(tx)
		if deleted = tx.deleted; deleted || tx.put {
			s.heads.forget(room)
		}
		return refusal
	})
	switch {
	case err == nil:
		if deleted {
			s.wakePurge()
		}
		return nil
	case errors.Is(err, refusal):
		return err // the caller's own words
	}
	return fmt.Errorf("update room %s: %w", room, err)
}

// roomTx is one change of one room. no is zero while the room is not there. Errors are translated here, because the
// change asks which they are.
type roomTx struct {
	c       *engine.Conn
	id      chat.RoomID
	no      int64
	put     bool // the room itself
	deleted bool
}

var _ chat.RoomTx = (*roomTx)(nil)

func (tx *roomTx) Room() (room chat.Room, err error) {
	err = tx.c.Row(`select `+roomColumns+` from rooms r where r.no = ?`, []any{tx.no}, roomInto(&room)...)
	return room, tx.wrap("read the room", err)
}

func (tx *roomTx) Member(user chat.UserID) (chat.Member, error) {
	member := chat.Member{Room: tx.id}
	err := tx.c.Row(`select `+memberColumns+` from `+memberSource+` where p.room = ? and p.user = ?`,
		[]any{tx.no, user[:]}, memberInto(&member)...)
	return member, tx.wrap("read member "+user.String(), err)
}

func (tx *roomTx) Owners() (count int, err error) {
	err = tx.c.Row(`select count(*) from members where room = ? and role = ?`, []any{tx.no, column.RankOwner}, &count)
	return count, tx.wrap("count owners", err)
}

func (tx *roomTx) Ban(user chat.UserID) (chat.Ban, error) {
	ban := chat.Ban{Room: tx.id}
	err := tx.c.Row(`select `+banColumns+` from `+banSource+` where b.room = ? and b.user = ?`, []any{tx.no, user[:]}, banInto(&ban)...)
	return ban, tx.wrap("read the ban of "+user.String(), err)
}

func (tx *roomTx) Invite(code string) (chat.Invite, error) {
	invite := chat.Invite{Room: tx.id}
	err := tx.c.Row(`select `+inviteColumns+` from `+inviteSource+` where i.code = ? and i.room = ?`, []any{code, tx.no}, inviteInto(&invite)...)
	return invite, tx.wrap("read an invite", err)
}

func (tx *roomTx) PutRoom(room chat.Room) error {
	tx.put = true
	if tx.no != 0 {
		_, err := tx.c.Exec(`update rooms set name = ?2, name_folded = ?3, topic = ?4, topic_folded = ?5, visibility = ?6, mood_enabled = ?7
			where no = ?1`, tx.no, room.Name, chat.Fold(room.Name), room.Topic, chat.Fold(room.Topic), string(room.Visibility), room.MoodEnabled)
		return tx.wrap("change the room", err)
	}
	err := tx.c.Row(insertRoom+` returning no`, roomValues(tx.id, &room), &tx.no)
	return tx.wrap("create the room", err)
}

const insertRoom = `insert into rooms (id, name, name_folded, topic, topic_folded, visibility, created_by, created_at, mood_enabled, last_activity_at)
	values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?8)`

// roomValues are the values of insertRoom.
func roomValues(id chat.RoomID, r *chat.Room) []any {
	return []any{
		id[:], r.Name, chat.Fold(r.Name), r.Topic, chat.Fold(r.Topic), string(r.Visibility), r.CreatedBy[:], r.CreatedAt.UnixMilli(), r.MoodEnabled,
	}
}

// DeleteRoom takes everything away that can be seen. The rows of its messages, which may be millions, go a few at a time
// afterwards, so that nobody waits for them.
func (tx *roomTx) DeleteRoom() error {
	if tx.no == 0 {
		return tx.wrap("delete the room", sql.ErrNoRows)
	}
	for _, statement := range []string{
		`delete from invites where room = ?`,
		`delete from bans where room = ?`,
		`delete from members where room = ?`,
		`update rooms set id = null, members = 0 where no = ?`,
	} {
		if _, err := tx.c.Exec(statement, tx.no); err != nil {
			return tx.wrap("delete the room", err)
		}
	}
	tx.no, tx.deleted = 0, true
	return nil
}

func (tx *roomTx) PutMember(member chat.Member) error {
	changed, err := tx.c.Exec(`update members set role = ?3, joined_at = ?4, muted_until = ?5 where room = ?1 and user = ?2`,
		tx.no, member.User.ID[:], column.Rank(member.Role), member.JoinedAt.UnixMilli(), column.MS(member.MutedUntil))
	if err == nil && changed == 0 {
		err = tx.addMember(member)
	}
	return tx.wrap("write member "+member.User.ID.String(), err)
}

func (tx *roomTx) addMember(member chat.Member) error {
	notify := member.Notify
	if notify == "" {
		notify = chat.NotifyAll
	}
	// Both the room and the account must be there; the name is the account's.
	err := tx.c.One(`insert into members (room, user, username, role, joined_at, muted_until, read_seq, unread_from, notify)
		select r.no, u.id, u.username, ?3, ?4, ?5, min(?6, r.head), ?7, ?8 from rooms r, users u where r.no = ?1 and u.id = ?2`,
		tx.no, member.User.ID[:], column.Rank(member.Role), member.JoinedAt.UnixMilli(), column.MS(member.MutedUntil),
		column.Num(member.ReadSeq), column.Num(member.UnreadFrom), string(notify))
	if err != nil {
		return err
	}
	_, err = tx.c.Exec(`update rooms set members = members + 1 where no = ?`, tx.no)
	return err
}

func (tx *roomTx) RemoveMember(user chat.UserID) error {
	err := tx.c.One(`delete from members where room = ? and user = ?`, tx.no, user[:])
	if err == nil {
		_, err = tx.c.Exec(`update rooms set members = members - 1 where no = ?`, tx.no)
	}
	return tx.wrap("remove member "+user.String(), err)
}

func (tx *roomTx) PutBan(ban chat.Ban) error {
	_, err := tx.c.Exec(`insert into bans (room, user, reason, by, at) values (?, ?, ?, ?, ?)
		on conflict (room, user) do update set reason = excluded.reason, by = excluded.by, at = excluded.at`,
		tx.no, ban.User.ID[:], ban.Reason, ban.By[:], ban.At.UnixMilli())
	return tx.wrap("ban "+ban.User.ID.String(), err)
}

func (tx *roomTx) RemoveBan(user chat.UserID) error {
	err := tx.c.One(`delete from bans where room = ? and user = ?`, tx.no, user[:])
	return tx.wrap("lift the ban of "+user.String(), err)
}

func (tx *roomTx) PutInvite(invite chat.Invite) error {
	// The code of another room's invite is not taken over: the condition leaves that row alone.
	written, err := tx.c.Exec(`insert into invites (code, room, created_by, created_at, expires_at, max_uses, uses) values (?, ?, ?, ?, ?, ?, ?)
		on conflict (code) do update set expires_at = excluded.expires_at, max_uses = excluded.max_uses, uses = excluded.uses
		where room = excluded.room`,
		invite.Code, tx.no, invite.CreatedBy.ID[:], invite.CreatedAt.UnixMilli(), column.MS(invite.ExpiresAt), invite.MaxUses, invite.Uses)
	if err == nil && written == 0 {
		return chat.Refuse(chat.Conflict, "this invite code belongs to another room")
	}
	return tx.wrap("write an invite", err)
}

func (tx *roomTx) RemoveInvite(code string) error {
	err := tx.c.One(`delete from invites where code = ? and room = ?`, code, tx.no)
	return tx.wrap("remove an invite", err)
}

func (tx *roomTx) Emit(entry chat.OutboxEntry) error {
	_, err := tx.c.Exec(`insert into outbox (id, room, payload) values (?, ?, ?)`, entry.ID[:], entry.Room[:], entry.Payload)
	return tx.wrap("leave record "+entry.ID.String()+" in the outbox", err)
}

// wrap names the act; nil stays nil.
func (tx *roomTx) wrap(act string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s of room %s: %w", act, tx.id, engine.Translate(err))
}
