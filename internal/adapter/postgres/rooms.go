package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/column"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// roomColumns read a room r, memberColumns a member p (a place in a room) with that person's account pu.
const (
	roomColumns   = `r.id, r.name, r.topic, r.visibility, r.created_by, r.created_at, r.head, r.members, r.mood_enabled`
	memberColumns = `pu.id, pu.username, pu.display_name, pu.avatar_url, p.role, p.joined_at, p.muted_until, p.read_seq, p.unread_from, p.notify`
	memberSource  = `members p join users pu on pu.id = p.user_id`
)

func roomInto(r *chat.Room) []any {
	return []any{
		column.Into(&r.ID), (*column.Text)(&r.Name), (*column.Text)(&r.Topic), (*string)(&r.Visibility), column.Into(&r.CreatedBy), (*column.Time)(&r.CreatedAt),
		(*column.Seq)(&r.Head), &r.Members, &r.MoodEnabled,
	}
}

func memberInto(m *chat.Member) []any {
	return append(column.Profile(&m.User), (*column.Role)(&m.Role), (*column.Time)(&m.JoinedAt), (*column.Time)(&m.MutedUntil),
		(*column.Seq)(&m.ReadSeq), (*column.Seq)(&m.UnreadFrom), (*column.Text)(&m.Notify))
}

// Access reads a room and one person's place in it.
func (s *Store) Access(ctx context.Context, room chat.RoomID, user chat.UserID) (access chat.Access, err error) {
	var member chat.Member
	err = s.db.Row(ctx, `select `+roomColumns+`, `+memberColumns+`, b.user_id is not null
		from rooms r
		left join members p on p.room_id = r.room_id and p.user_id = $2
		left join users pu on pu.id = p.user_id
		left join bans b on b.room_id = r.room_id and b.user_id = $2
		where r.id = $1`, []any{column.ID(room), column.ID(user)},
		append(append(roomInto(&access.Room), memberInto(&member)...), &access.Banned)...)
	if err != nil {
		return chat.Access{}, fmt.Errorf("read access of %s to room %s: %w", user, room, err)
	}
	if member.Role != "" {
		member.Room = room
		access.Member = &member
	}
	return access, nil
}

// memberRoomColumns read a room as its member sees it.
const memberRoomColumns = roomColumns + `, ` + memberColumns + `, n.unread, k.mentions, ` + messageColumns

const memberRoomSource = memberSource + ` join rooms r on r.room_id = p.room_id
	left join lateral (select * from messages m where m.room_id = r.room_id and m.seq = r.last_message_seq limit 1) m on true
	left join users u on u.id = m.sender` + countsSource

func memberRoomInto(r *chat.MemberRoom, last *chat.Message) []any {
	dest := append(roomInto(&r.Room), memberInto(&r.Member)...)
	return append(append(dest, &r.Unread, &r.Mentions), messageInto(last)...)
}

func scanMemberRoom(row pgx.CollectableRow) (room chat.MemberRoom, err error) {
	last := &chat.Message{}
	err = row.Scan(memberRoomInto(&room, last)...)
	finishMemberRoom(&room, last)
	return room, err
}

// finishMemberRoom puts together what the columns gave.
func finishMemberRoom(room *chat.MemberRoom, last *chat.Message) {
	room.Member.Room = room.ID
	if last.Seq != 0 {
		last.Room = room.ID
		room.LastMessage = last
	}
}

// RoomsOf reads all rooms of a person, in one statement.
func (s *Store) RoomsOf(ctx context.Context, user chat.UserID) (rooms []chat.MemberRoom, err error) {
	err = s.db.Each(ctx, `select `+memberRoomColumns+` from `+memberRoomSource+`
		where p.user_id = $1 order by r.last_activity_at desc, r.id limit $2`, []any{column.ID(user), chat.RoomsPerUserMax}, func(row pgx.CollectableRow) error {
		room, err := scanMemberRoom(row)
		rooms = append(rooms, room)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read rooms of %s: %w", user, err)
	}
	return rooms, nil
}

// RoomIDs reads the ids of every room of a person.
func (s *Store) RoomIDs(ctx context.Context, user chat.UserID) (rooms []chat.RoomID, err error) {
	err = s.db.Each(ctx, `select r.id from members p join rooms r on r.room_id = p.room_id where p.user_id = $1`, []any{column.ID(user)}, func(row pgx.CollectableRow) error {
		var room chat.RoomID
		err := row.Scan(column.Into(&room))
		rooms = append(rooms, room)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the ids of rooms of %s: %w", user, err)
	}
	return rooms, nil
}

// RoomIDsOf reads the ids of every room of many people, of one moment.
func (s *Store) RoomIDsOf(ctx context.Context, users []chat.UserID) (rooms map[chat.UserID][]chat.RoomID, err error) {
	rooms = make(map[chat.UserID][]chat.RoomID, len(users))
	for _, user := range users {
		rooms[user] = nil
	}
	err = s.db.Each(ctx, `select p.user_id, r.id from members p
		cross join lateral (select id from rooms where room_id = p.room_id limit 1) r where p.user_id = any($1::uuid[]) and r.id is not null`,
		[]any{column.IDs(users)}, func(row pgx.CollectableRow) error {
			var user chat.UserID
			var room chat.RoomID
			err := row.Scan(column.Into(&user), column.Into(&room))
			rooms[user] = append(rooms[user], room)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("read the ids of rooms of %d people: %w", len(users), err)
	}
	return rooms, nil
}

// Heads reads the heads of rooms, of one moment; rooms that are gone are left out.
func (s *Store) Heads(ctx context.Context, rooms []chat.RoomID) (heads map[chat.RoomID]chat.Seq, err error) {
	heads = make(map[chat.RoomID]chat.Seq, len(rooms))
	err = s.db.Each(ctx, `select id, head from rooms where id = any($1::uuid[])`, []any{column.IDs(rooms)}, func(row pgx.CollectableRow) error {
		var room chat.RoomID
		var head chat.Seq
		err := row.Scan(column.Into(&room), (*column.Seq)(&head))
		heads[room] = head
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the heads of %d rooms: %w", len(rooms), err)
	}
	return heads, nil
}

// RoomOf reads one room as its member sees it.
func (s *Store) RoomOf(ctx context.Context, room chat.RoomID, user chat.UserID) (found chat.MemberRoom, err error) {
	last := &chat.Message{}
	if err := s.db.Row(ctx, `select `+memberRoomColumns+` from `+memberRoomSource+` where p.room_id = `+roomOf+` and p.user_id = $2`,
		[]any{column.ID(room), column.ID(user)}, memberRoomInto(&found, last)...); err != nil {
		return chat.MemberRoom{}, fmt.Errorf("read room %s of %s: %w", room, user, err)
	}
	finishMemberRoom(&found, last)
	return found, nil
}

// RoomCount is how many rooms a person is in.
func (s *Store) RoomCount(ctx context.Context, user chat.UserID) (count int, err error) {
	if err := s.db.Row(ctx, `select count(*) from members where user_id = $1`, []any{column.ID(user)}, &count); err != nil {
		return 0, fmt.Errorf("count rooms of %s: %w", user, err)
	}
	return count, nil
}
