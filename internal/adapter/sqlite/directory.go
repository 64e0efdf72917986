package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/blabber-hive/blabber-hive/internal/adapter/sqlite/column"
	"github.com/blabber-hive/blabber-hive/internal/adapter/sqlite/engine"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

const (
	banColumns    = `bu.id, bu.username, bu.display_name, bu.avatar_url, b.reason, b.by, b.at`
	banSource     = `bans b join users bu on bu.id = b.user`
	inviteColumns = `i.code, iu.id, iu.username, iu.display_name, iu.avatar_url, i.created_at, i.expires_at, i.max_uses, i.uses`
	inviteSource  = `invites i join users iu on iu.id = i.created_by`
)

func banInto(b *chat.Ban) []any {
	return append(column.Profile(&b.User), &b.Reason, column.Into(&b.By), (*column.Time)(&b.At))
}

func inviteInto(i *chat.Invite) []any {
	return append(append([]any{&i.Code}, column.Profile(&i.CreatedBy)...), (*column.Time)(&i.CreatedAt), (*column.Time)(&i.ExpiresAt), &i.MaxUses, &i.Uses)
}

// roomNo finds the number of a room.
func roomNo(c *engine.Conn, room chat.RoomID) (no int64, err error) {
	return no, c.Row(`select no from rooms where id = ?`, []any{room[:]}, &no)
}

// errCursor refuses a cursor that no page of this list has given.
func errCursor() error { return chat.InvalidField("cursor", "this is not a cursor of this list") }

// Members reads a page of a room's members. A cursor is the rank and the name of the last one read.
func (s *Store) Members(ctx context.Context, room chat.RoomID, after chat.Cursor, limit int) (members []chat.Member, next chat.Cursor, err error) {
	rank, name := int64(0), ""
	if after != "" {
		first, rest, found := strings.Cut(string(after), ".")
		if rank, err = strconv.ParseInt(first, 10, 8); err != nil || !found {
			return nil, "", errCursor()
		}
		name = rest
	}
	err = s.db.ReadMoment(ctx, func(c *engine.Conn) error {
		no, err := roomNo(c, room)
		if err != nil {
			return err
		}
		// One more than asked: whether there is a next page.
		return c.Each(`select `+memberColumns+` from `+memberSource+`
			where p.room = ? and (p.role, p.username) > (?, ?) order by p.role, p.username limit ?`,
			[]any{no, rank, name, limit + 1}, func(rows *sql.Rows) error {
				members = append(members, chat.Member{Room: room})
				return rows.Scan(memberInto(&members[len(members)-1])...)
			})
	})
	if err != nil {
		return nil, "", fmt.Errorf("list members of room %s: %w", room, err)
	}
	if len(members) > limit {
		members = members[:limit]
		last := members[limit-1]
		next = chat.Cursor(strconv.FormatInt(column.Rank(last.Role), 10) + "." + last.User.Username)
	}
	return members, next, nil
}

// Bans reads the newest bans of a room.
func (s *Store) Bans(ctx context.Context, room chat.RoomID) (bans []chat.Ban, err error) {
	err = s.db.ReadMoment(ctx, func(c *engine.Conn) error {
		no, err := roomNo(c, room)
		if err != nil {
			return err
		}
		return c.Each(`select `+banColumns+` from `+banSource+` where b.room = ? order by b.at desc, b.user limit ?`,
			[]any{no, chat.ChangesMax}, func(rows *sql.Rows) error {
				bans = append(bans, chat.Ban{Room: room})
				return rows.Scan(banInto(&bans[len(bans)-1])...)
			})
	})
	if err != nil {
		return nil, fmt.Errorf("list bans of room %s: %w", room, err)
	}
	return bans, nil
}

// Invites reads the newest invites of a room.
func (s *Store) Invites(ctx context.Context, room chat.RoomID, by chat.UserID) (invites []chat.Invite, err error) {
	err = s.db.ReadMoment(ctx, func(c *engine.Conn) error {
		no, err := roomNo(c, room)
		if err != nil {
			return err
		}
		return c.Each(`select `+inviteColumns+` from `+inviteSource+`
			where i.room = ?1 and (?2 is null or i.created_by = ?2) order by i.created_at desc, i.code limit ?3`,
			[]any{no, column.OrNull(by), chat.InvitesPerRoomMax}, func(rows *sql.Rows) error {
				invites = append(invites, chat.Invite{Room: room})
				return rows.Scan(inviteInto(&invites[len(invites)-1])...)
			})
	})
	if err != nil {
		return nil, fmt.Errorf("list invites of room %s: %w", room, err)
	}
	return invites, nil
}

// Invite reads an invite and its room.
func (s *Store) Invite(ctx context.Context, code string) (preview chat.InvitePreview, err error) {
	err = s.db.Read(ctx, func(c *engine.Conn) error {
		return c.Row(`select `+inviteColumns+`, `+roomColumns+` from `+inviteSource+` join rooms r on r.no = i.room where i.code = ?`,
			[]any{code}, append(inviteInto(&preview.Invite), roomInto(&preview.Room)...)...)
	})
	if err != nil {
		return chat.InvitePreview{}, fmt.Errorf("read an invite: %w", err)
	}
	preview.Invite.Room = preview.Room.ID
	return preview, nil
}

// PublicRooms reads a page of the directory. A cursor is the activity and the id of the last room read.
func (s *Store) PublicRooms(ctx context.Context, viewer chat.UserID, query string, after chat.Cursor, limit int) (rooms []chat.RoomListing, next chat.Cursor, err error) {
	before, last, err := activityCursor(after)
	if err != nil {
		return nil, "", err
	}
	err = s.db.Read(ctx, func(c *engine.Conn) error {
		// The first bound is what the index can use; the second cuts within one moment of activity.
		return c.Each(`select `+roomColumns+`, p.user is not null, r.last_activity_at
			from rooms r left join members p on p.room = r.no and p.user = ?1
			where r.visibility = 'public' and r.id is not null
				and r.last_activity_at <= ?2 and (r.last_activity_at < ?2 or r.id > ?3)
				and (instr(r.name_folded, ?4) or instr(r.topic_folded, ?4))
			order by r.last_activity_at desc, r.id limit ?5`,
			[]any{viewer[:], before, last[:], chat.Fold(query), limit + 1}, func(rows *sql.Rows) error {
				rooms = append(rooms, chat.RoomListing{})
				room := &rooms[len(rooms)-1]
				return rows.Scan(append(roomInto(&room.Room), &room.Joined, (*column.Time)(&room.LastActivityAt))...)
			})
	})
	if err != nil {
		return nil, "", fmt.Errorf("list public rooms: %w", err)
	}
	if len(rooms) > limit {
		rooms = rooms[:limit]
		end := rooms[limit-1]
		next = chat.Cursor(strconv.FormatInt(end.LastActivityAt.UnixMilli(), 10) + "." + end.ID.String())
	}
	return rooms, next, nil
}

func activityCursor(after chat.Cursor) (before int64, last chat.RoomID, err error) {
	if after == "" {
		return 1<<63 - 1, last, nil
	}
	activity, room, _ := strings.Cut(string(after), ".")
	before, err = strconv.ParseInt(activity, 10, 64)
	last, parsed := chat.ParseRoomID(room)
	if errors.Join(err, parsed) != nil {
		return 0, last, errCursor()
	}
	return before, last, nil
}

// MembersNamed finds members by their folded usernames.
func (s *Store) MembersNamed(ctx context.Context, room chat.RoomID, usernames []string) (users []chat.UserID, err error) {
	err = s.db.ReadMoment(ctx, func(c *engine.Conn) error {
		no, err := roomNo(c, room)
		if err != nil {
			return err
		}
		seen := make(map[string]bool, len(usernames))
		for _, name := range usernames {
			if seen[name] || len(users) == chat.MentionsMax {
				continue
			}
			seen[name] = true
			var user chat.UserID
			err := c.Row(`select p.user from users u join members p on p.user = u.id where u.username = ? and p.room = ?`, []any{name, no}, column.Into(&user))
			if errors.Is(err, sql.ErrNoRows) {
				continue
			}
			if err != nil {
				return err
			}
			users = append(users, user)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("find members of room %s by name: %w", room, err)
	}
	return users, nil
}
