package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/column"
	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/engine"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Update runs a change of a room, whose row is locked from the beginning to the end: every other change of it, and every
// commit to it, comes before or after. Where two create one room, the second runs again once the first has done so.
func (s *Store) Update(ctx context.Context, room chat.RoomID, change func(tx chat.RoomTx) error) error {
	var refusal error
	deleted := false
	err := s.db.Change(ctx, func(c *engine.Conn) error {
		tx := &roomTx{c: c, id: room}
		refusal, deleted = nil, false
		err := c.Row(`select room_id from rooms where id = $1 for no key update`, []any{column.ID(room)}, &tx.no)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		refusal = change(tx)
		if tx.raced {
			return engine.ErrAgain
		}
		deleted = tx.deleted
		return refusal
	})
	switch {
	case err == nil:
		if deleted {
			s.wakePurge()
		}
		return nil
	case refusal != nil && errors.Is(err, refusal):
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
	deleted bool
	raced   bool // somebody else has created the room
}

var _ chat.RoomTx = (*roomTx)(nil)

func (tx *roomTx) Room() (room chat.Room, err error) {
	err = tx.c.Row(`select `+roomColumns+` from rooms r where r.room_id = $1`, []any{tx.no}, roomInto(&room)...)
	return room, tx.wrap("read the room", err)
}

func (tx *roomTx) Member(user chat.UserID) (chat.Member, error) {
	member := chat.Member{Room: tx.id}
	err := tx.c.Row(`select `+memberColumns+` from `+memberSource+` where p.room_id = $1 and p.user_id = $2`,
		[]any{tx.no, column.ID(user)}, memberInto(&member)...)
	return member, tx.wrap("read member "+user.String(), err)
}

func (tx *roomTx) Owners() (count int, err error) {
	err = tx.c.Row(`select count(*) from members where room_id = $1 and role = $2`, []any{tx.no, column.Rank(chat.Owner)}, &count)
	return count, tx.wrap("count owners", err)
}

func (tx *roomTx) Ban(user chat.UserID) (chat.Ban, error) {
	ban := chat.Ban{Room: tx.id}
	err := tx.c.Row(`select `+banColumns+` from `+banSource+` where b.room_id = $1 and b.user_id = $2`, []any{tx.no, column.ID(user)}, banInto(&ban)...)
	return ban, tx.wrap("read the ban of "+user.String(), err)
}

func (tx *roomTx) Invite(code string) (chat.Invite, error) {
	invite := chat.Invite{Room: tx.id}
	err := tx.c.Row(`select `+inviteColumns+` from `+inviteSource+` where i.code = $1 and i.room_id = $2`, []any{column.Escape(code), tx.no}, inviteInto(&invite)...)
	return invite, tx.wrap("read an invite", err)
}

func (tx *roomTx) PutRoom(room chat.Room) error {
	if tx.no != 0 {
		_, err := tx.c.Exec(`update rooms set name = $2, name_folded = $3, topic = $4, topic_folded = $5, visibility = $6, mood_enabled = $7,
				mood_since = case when $7 and not mood_enabled then now() when $7 then mood_since end
			where room_id = $1`, tx.no, column.Escape(room.Name), column.Escape(chat.Fold(room.Name)), column.Escape(room.Topic), column.Escape(chat.Fold(room.Topic)),
			string(room.Visibility), room.MoodEnabled)
		return tx.wrap("change the room", err)
	}
	err := tx.c.Row(insertRoom+` returning room_id`, roomValues(tx.id, &room), &tx.no)
	tx.raced = tx.raced || engine.Violates(err, "rooms_id_unique")
	return tx.wrap("create the room", err)
}

const insertRoom = `insert into rooms (id, name, name_folded, topic, topic_folded, visibility, created_by, created_at, mood_enabled, mood_since, last_activity_at)
	values ($1, $2, $3, $4, $5, $6, $7, $8, $9, case when $9 then now() end, $8)`

// roomValues are the values of insertRoom.
func roomValues(id chat.RoomID, r *chat.Room) []any {
	return []any{
		column.ID(id), column.Escape(r.Name), column.Escape(chat.Fold(r.Name)), column.Escape(r.Topic), column.Escape(chat.Fold(r.Topic)),
		string(r.Visibility), column.ID(r.CreatedBy), column.At(r.CreatedAt), r.MoodEnabled,
	}
}

// DeleteRoom takes everything away that can be seen. The rows of its messages, which may be millions, go a few at a time
// afterwards, so that nobody waits for them.
func (tx *roomTx) DeleteRoom() error {
	if tx.no == 0 {
		return tx.wrap("delete the room", pgx.ErrNoRows)
	}
	var b engine.Batch
	for _, statement := range []string{
		`delete from invites where room_id = $1`,
		`delete from bans where room_id = $1`,
		`delete from members where room_id = $1`,
		`update rooms set id = null, members = 0 where room_id = $1`,
	} {
		b.Exec(nil, statement, tx.no)
	}
	if err := tx.c.Send(&b); err != nil {
		return tx.wrap("delete the room", err)
	}
	tx.no, tx.deleted = 0, true
	return nil
}

func (tx *roomTx) PutMember(member chat.Member) error {
	changed, err := tx.c.Exec(`update members set role = $3, joined_at = $4, muted_until = $5 where room_id = $1 and user_id = $2`,
		tx.no, column.ID(member.User.ID), column.Rank(member.Role), column.At(member.JoinedAt), column.AtOrNull(member.MutedUntil))
	if err == nil && changed == 0 {
		err = tx.addMember(member)
	}
	return tx.wrap("write member "+member.User.ID.String(), err)
}

// addMember adds a member and counts it: one statement, so that there is no member who is not counted.
func (tx *roomTx) addMember(member chat.Member) error {
	notify := member.Notify
	if notify == "" {
		notify = chat.NotifyAll
	}
	// Both the room and the account must be there; the name is the account's.
	return tx.c.One(`with added as (
			insert into members (room_id, user_id, username, role, joined_at, muted_until, read_seq, unread_from, notify)
			select r.room_id, u.id, u.username, $3, $4, $5, least($6, r.head), $7, $8 from rooms r, users u where r.room_id = $1 and u.id = $2
			returning room_id)
		update rooms r set members = r.members + 1 from added a where r.room_id = a.room_id`,
		tx.no, column.ID(member.User.ID), column.Rank(member.Role), column.At(member.JoinedAt), column.AtOrNull(member.MutedUntil),
		column.Num(member.ReadSeq), column.Num(member.UnreadFrom), string(notify))
}

func (tx *roomTx) RemoveMember(user chat.UserID) error {
	err := tx.c.One(`with removed as (delete from members where room_id = $1 and user_id = $2 returning room_id)
		update rooms r set members = r.members - 1 from removed m where r.room_id = m.room_id`, tx.no, column.ID(user))
	return tx.wrap("remove member "+user.String(), err)
}

func (tx *roomTx) PutBan(ban chat.Ban) error {
	_, err := tx.c.Exec(`insert into bans (room_id, user_id, reason, banned_by, banned_at) values ($1, $2, $3, $4, $5)
		on conflict (room_id, user_id) do update set reason = excluded.reason, banned_by = excluded.banned_by, banned_at = excluded.banned_at`,
		tx.no, column.ID(ban.User.ID), column.Escape(ban.Reason), column.ID(ban.By), column.At(ban.At))
	return tx.wrap("ban "+ban.User.ID.String(), err)
}

func (tx *roomTx) RemoveBan(user chat.UserID) error {
	err := tx.c.One(`delete from bans where room_id = $1 and user_id = $2`, tx.no, column.ID(user))
	return tx.wrap("lift the ban of "+user.String(), err)
}

func (tx *roomTx) PutInvite(invite chat.Invite) error {
	// The code of another room's invite is not taken over: the condition leaves that row alone.
	written, err := tx.c.Exec(`insert into invites (code, room_id, created_by, created_at, expires_at, max_uses, uses) values ($1, $2, $3, $4, $5, $6, $7)
		on conflict (code) do update set expires_at = excluded.expires_at, max_uses = excluded.max_uses, uses = excluded.uses
		where invites.room_id = excluded.room_id`,
		column.Escape(invite.Code), tx.no, column.ID(invite.CreatedBy.ID), column.At(invite.CreatedAt), column.AtOrNull(invite.ExpiresAt), invite.MaxUses, invite.Uses)
	if err == nil && written == 0 {
		return chat.Refuse(chat.Conflict, "this invite code belongs to another room")
	}
	return tx.wrap("write an invite", err)
}

func (tx *roomTx) RemoveInvite(code string) error {
	err := tx.c.One(`delete from invites where code = $1 and room_id = $2`, column.Escape(code), tx.no)
	return tx.wrap("remove an invite", err)
}

func (tx *roomTx) Emit(entry chat.OutboxEntry) error {
	payload := entry.Payload
	if payload == nil {
		payload = []byte{} // nil would be null
	}
	_, err := tx.c.Exec(`insert into outbox (id, room, payload) values ($1, $2, $3)`, column.ID(entry.ID), column.ID(entry.Room), payload)
	return tx.wrap("leave record "+entry.ID.String()+" in the outbox", err)
}

// wrap names the act; nil stays nil.
func (tx *roomTx) wrap(act string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s of room %s: %w", act, tx.id, tx.c.Translate(err))
}
