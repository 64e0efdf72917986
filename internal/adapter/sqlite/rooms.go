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

// roomColumns read a room r, memberColumns a member p (a place in a room) with that person's account pu.
const (
	roomColumns   = `r.id, r.name, r.topic, r.visibility, r.created_by, r.created_at, r.head, r.members, r.mood_enabled`
	memberColumns = `pu.id, pu.username, pu.display_name, pu.avatar_url, p.role, p.joined_at, p.muted_until, p.read_seq, p.unread_from, p.notify`
	memberSource  = `members p join users pu on pu.id = p.user`
)

func roomInto(r *chat.Room) []any {
	return []any{
		column.Into(&r.ID), &r.Name, &r.Topic, (*string)(&r.Visibility), column.Into(&r.CreatedBy), (*column.Time)(&r.CreatedAt),
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
	err = s.db.Read(ctx, func(c *engine.Conn) error {
		return c.Row(`select `+roomColumns+`, `+memberColumns+`, b.user is not null
			from rooms r
			left join members p on p.room = r.no and p.user = ?2
			left join users pu on pu.id = p.user
			left join bans b on b.room = r.no and b.user = ?2
			where r.id = ?1`, []any{room[:], user[:]},
			append(append(roomInto(&access.Room), memberInto(&member)...), &access.Banned)...)
	})
	if err != nil {
		return chat.Access{}, fmt.Errorf("read access of %s to room %s: %w", user, room, err)
	}
	if member.Role != "" {
		member.Room = room
		access.Member = &member
	}
	return access, nil
}

// memberRoom is a room as its member sees it, with what counting needs.
type memberRoom struct {
	chat.MemberRoom
	no        int64
	lastOther chat.Seq // newest message that may be somebody else's
	message   chat.Message
}

const memberRoomColumns = roomColumns + `, ` + memberColumns + `, r.no, iif(r.last_sender is p.user, r.last_other_seq, r.last_message_seq), ` + messageColumns

const memberRoomSource = memberSource + ` join rooms r on r.no = p.room
	left join messages m on m.room = r.no and m.seq = r.last_message_seq
	left join users u on u.id = m.sender`

func (r *memberRoom) into() []any {
	dest := append(roomInto(&r.Room), memberInto(&r.Member)...)
	return append(append(dest, &r.no, (*column.Seq)(&r.lastOther)), messageInto(&r.message)...)
}

// finish counts, and puts together what the columns gave.
func (r *memberRoom) finish(c *engine.Conn) (chat.MemberRoom, error) {
	r.Member.Room = r.ID
	if r.message.Seq != 0 {
		message := r.message
		message.Room = r.ID
		r.LastMessage = &message
	}
	counts, err := countUnread(c, place{
		room: r.no, user: r.Member.User.ID, readSeq: r.Member.ReadSeq, unreadFrom: r.Member.UnreadFrom, lastOther: r.lastOther,
	})
	r.Unread, r.Mentions = counts.Unread, counts.Mentions
	return r.MemberRoom, err
}

// RoomsOf reads all rooms of a person: one statement for the rooms, and two counts for each that has something unread.
func (s *Store) RoomsOf(ctx context.Context, user chat.UserID) (rooms []chat.MemberRoom, err error) {
	err = s.db.ReadMoment(ctx, func(c *engine.Conn) error {
		var found []*memberRoom
		err := c.Each(`select `+memberRoomColumns+` from `+memberRoomSource+`
			where p.user = ? order by r.last_activity_at desc, r.id limit ?`, []any{user[:], chat.RoomsPerUserMax}, func(rows *sql.Rows) error {
			r := &memberRoom{}
			found = append(found, r)
			return rows.Scan(r.into()...)
		})
		if err != nil {
			return err
		}
		rooms = make([]chat.MemberRoom, len(found))
		for i, r := range found {
			if rooms[i], err = r.finish(c); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read rooms of %s: %w", user, err)
	}
	return rooms, nil
}

// RoomIDs reads the ids of every room of a person.
func (s *Store) RoomIDs(ctx context.Context, user chat.UserID) (rooms []chat.RoomID, err error) {
	err = s.db.Read(ctx, func(c *engine.Conn) error {
		return eachRoomID(c, user, func(room chat.RoomID) { rooms = append(rooms, room) })
	})
	if err != nil {
		return nil, fmt.Errorf("read the ids of rooms of %s: %w", user, err)
	}
	return rooms, nil
}

// RoomIDsOf reads the ids of every room of many people, of one moment.
func (s *Store) RoomIDsOf(ctx context.Context, users []chat.UserID) (rooms map[chat.UserID][]chat.RoomID, err error) {
	rooms = make(map[chat.UserID][]chat.RoomID, len(users))
	err = s.db.ReadMoment(ctx, func(c *engine.Conn) error {
		for _, user := range users {
			rooms[user] = nil
			if err := eachRoomID(c, user, func(room chat.RoomID) { rooms[user] = append(rooms[user], room) }); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the ids of rooms of %d people: %w", len(users), err)
	}
	return rooms, nil
}

func eachRoomID(c *engine.Conn, user chat.UserID, visit func(chat.RoomID)) error {
	return c.Each(`select r.id from members p join rooms r on r.no = p.room where p.user = ?`, []any{user[:]}, func(rows *sql.Rows) error {
		var room chat.RoomID
		if err := rows.Scan(column.Into(&room)); err != nil {
			return err
		}
		visit(room)
		return nil
	})
}

// Heads reads the heads of rooms, of one moment; rooms that are gone are left out.
func (s *Store) Heads(ctx context.Context, rooms []chat.RoomID) (heads map[chat.RoomID]chat.Seq, err error) {
	heads = make(map[chat.RoomID]chat.Seq, len(rooms))
	err = s.db.ReadMoment(ctx, func(c *engine.Conn) error {
		for _, room := range rooms {
			var head chat.Seq
			switch err := c.Row(`select head from rooms where id = ?`, []any{room[:]}, (*column.Seq)(&head)); {
			case errors.Is(err, sql.ErrNoRows):
			case err != nil:
				return err
			default:
				heads[room] = head
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the heads of %d rooms: %w", len(rooms), err)
	}
	return heads, nil
}

// RoomOf reads one room as its member sees it.
func (s *Store) RoomOf(ctx context.Context, room chat.RoomID, user chat.UserID) (found chat.MemberRoom, err error) {
	err = s.db.ReadMoment(ctx, func(c *engine.Conn) (err error) {
		var r memberRoom
		if err = c.Row(`select `+memberRoomColumns+` from `+memberRoomSource+`
			where r.id = ? and p.user = ?`, []any{room[:], user[:]}, r.into()...); err != nil {
			return err
		}
		found, err = r.finish(c)
		return err
	})
	if err != nil {
		return chat.MemberRoom{}, fmt.Errorf("read room %s of %s: %w", room, user, err)
	}
	return found, nil
}

// RoomCount is how many rooms a person is in.
func (s *Store) RoomCount(ctx context.Context, user chat.UserID) (count int, err error) {
	err = s.db.Read(ctx, func(c *engine.Conn) error {
		return c.Row(`select count(*) from members where user = ?`, []any{user[:]}, &count)
	})
	if err != nil {
		return 0, fmt.Errorf("count rooms of %s: %w", user, err)
	}
	return count, nil
}
