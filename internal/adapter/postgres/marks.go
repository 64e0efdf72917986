package postgres

import (
	"context"
	"fmt"

	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/column"
	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/engine"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// countsSource adds two rows of one number to a member p and a room r: n.unread, others' messages from the read line on, and
// k.mentions, those of them that mention the person or everybody (once where both: union). A range is empty where the line
// is past the last message that may be somebody else's, which is so for most rooms of most people.
//
// Both stop at chat.UnreadCap (100). One count looks at 10,000 messages at most: that is reached only by who has so many own
// or deleted messages between the unread ones, and the count then covers what lies within. "limit 1" keeps the lookup of a
// mention's message a lookup, whatever the server believes of their number.
const countsSource = `
	cross join lateral (select
		case when p.unread_from <> 0 then p.unread_from else p.read_seq + 1 end as first,
		case when r.last_sender = p.user_id then r.last_other_seq else r.last_message_seq end as last) w
	cross join lateral (select count(*) as unread from (
		select from (
			select x.sender, x.deleted_at from messages x
			where x.room_id = p.room_id and x.seq between w.first and w.last order by x.seq limit 10000) x
		where x.sender <> p.user_id and x.deleted_at is null limit 100) x) n
	cross join lateral (select count(*) as mentions from (
		select from (
			(select y.seq from mentions y where y.user_id = p.user_id and y.room_id = p.room_id and y.seq between w.first and w.last
				order by y.seq limit 10000)
			union
			(select y.seq from mentions y where y.user_id = '00000000-0000-0000-0000-000000000000' and y.room_id = p.room_id and y.seq between w.first and w.last
				order by y.seq limit 10000)) y
		cross join lateral (select x.sender, x.deleted_at from messages x where x.room_id = p.room_id and x.seq = y.seq limit 1) x
		where x.sender <> p.user_id and x.deleted_at is null limit 100) y) k`

// readState reads where a member stands.
const readState = `select p.read_seq, p.unread_from, n.unread, k.mentions from members p join rooms r on r.room_id = p.room_id` + countsSource + `
	where p.room_id = ` + roomOf + ` and p.user_id = $2`

// MarkRead moves the read line forward. People mark what is read already all the time, from several devices: where nothing
// would move nothing is written.
func (s *Store) MarkRead(ctx context.Context, room chat.RoomID, user chat.UserID, seq chat.Seq) (chat.ReadState, error) {
	state, err := s.mark(ctx, room, user, `update members p set unread_from = 0, read_seq = greatest(p.read_seq, least($3, r.head))
		from rooms r where r.id = $1 and p.room_id = r.room_id and p.user_id = $2 and (p.unread_from <> 0 or p.read_seq < least($3, r.head))`, column.Num(seq))
	if err != nil {
		return chat.ReadState{}, fmt.Errorf("mark room %s read by %s up to %d: %w", room, user, seq, err)
	}
	return state, nil
}

// MarkUnread sets from where a member wants the room to count as unread.
func (s *Store) MarkUnread(ctx context.Context, room chat.RoomID, user chat.UserID, from chat.Seq) (chat.ReadState, error) {
	state, err := s.mark(ctx, room, user, `update members set unread_from = $3 where room_id = `+roomOf+` and user_id = $2`, column.Num(from))
	if err != nil {
		return chat.ReadState{}, fmt.Errorf("mark room %s unread by %s from %d: %w", room, user, from, err)
	}
	return state, nil
}

// SetNotify sets a member's notification level.
func (s *Store) SetNotify(ctx context.Context, room chat.RoomID, user chat.UserID, level chat.Notify) error {
	err := s.db.One(ctx, `update members set notify = $3 where room_id = `+roomOf+` and user_id = $2`, column.ID(room), column.ID(user), string(level))
	if err != nil {
		return fmt.Errorf("set notification of %s in room %s: %w", user, room, err)
	}
	return nil
}

// mark writes a mark and reads where the member then stands, in one round trip.
func (s *Store) mark(ctx context.Context, room chat.RoomID, user chat.UserID, update string, seq int64) (state chat.ReadState, err error) {
	var b engine.Batch
	b.Exec(nil, update, column.ID(room), column.ID(user), seq)
	b.Row(readState, []any{column.ID(room), column.ID(user)}, (*column.Seq)(&state.ReadSeq), (*column.Seq)(&state.UnreadFrom), &state.Unread, &state.Mentions)
	return state, s.db.Send(ctx, &b)
}
