package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/column"
	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/engine"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

const (
	banColumns    = `bu.id, bu.username, bu.display_name, bu.avatar_url, b.reason, b.banned_by, b.banned_at`
	banSource     = `bans b join users bu on bu.id = b.user_id`
	inviteColumns = `i.code, iu.id, iu.username, iu.display_name, iu.avatar_url, i.created_at, i.expires_at, i.max_uses, i.uses`
	inviteSource  = `invites i join users iu on iu.id = i.created_by`
)

func banInto(b *chat.Ban) []any {
	return append(column.Profile(&b.User), (*column.Text)(&b.Reason), column.Into(&b.By), (*column.Time)(&b.At))
}

func inviteInto(i *chat.Invite) []any {
	return append(append([]any{(*column.Text)(&i.Code)}, column.Profile(&i.CreatedBy)...),
		(*column.Time)(&i.CreatedAt), (*column.Time)(&i.ExpiresAt), &i.MaxUses, &i.Uses)
}

// errCursor refuses a cursor that no page of this list has given.
func errCursor() error { return chat.InvalidField("cursor", "this is not a cursor of this list") }

// ofRoom reads rows of a room that must be there.
func (s *Store) ofRoom(ctx context.Context, room chat.RoomID, query string, args []any, visit engine.Visit) error {
	var reads engine.Batch
	reads.Row(`select room_id from rooms where id = $1`, []any{column.ID(room)}, new(int64))
	reads.Each(query, append([]any{column.ID(room)}, args...), visit)
	return s.db.Moment(ctx, &reads)
}

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
	// One more than asked: whether there is a next page.
	if err := s.ofRoom(ctx, room, `select `+memberColumns+` from `+memberSource+`
		where p.room_id = `+roomOf+` and (p.role, p.username) > ($2, $3) order by p.role, p.username limit $4`,
		[]any{rank, column.Escape(name), limit + 1}, func(row pgx.CollectableRow) error {
			members = append(members, chat.Member{Room: room})
			return row.Scan(memberInto(&members[len(members)-1])...)
		}); err != nil {
		return nil, "", fmt.Errorf("list members of room %s: %w", room, err)
	}
	if len(members) > limit {
		members = members[:limit]
		last := members[limit-1]
		next = chat.Cursor(strconv.Itoa(int(column.Rank(last.Role))) + "." + last.User.Username)
	}
	return members, next, nil
}

// Bans reads the newest bans of a room.
func (s *Store) Bans(ctx context.Context, room chat.RoomID) (bans []chat.Ban, err error) {
	if err := s.ofRoom(ctx, room, `select `+banColumns+` from `+banSource+` where b.room_id = `+roomOf+` order by b.banned_at desc, b.user_id limit $2`,
		[]any{chat.ChangesMax}, func(row pgx.CollectableRow) error {
			bans = append(bans, chat.Ban{Room: room})
			return row.Scan(banInto(&bans[len(bans)-1])...)
		}); err != nil {
		return nil, fmt.Errorf("list bans of room %s: %w", room, err)
	}
	return bans, nil
}

// Invites reads the newest invites of a room.
func (s *Store) Invites(ctx context.Context, room chat.RoomID, by chat.UserID) (invites []chat.Invite, err error) {
	if err := s.ofRoom(ctx, room, `select `+inviteColumns+` from `+inviteSource+`
		where i.room_id = `+roomOf+` and ($2::uuid is null or i.created_by = $2) order by i.created_at desc, i.code limit $3`,
		[]any{column.OrNull(by), chat.InvitesPerRoomMax}, func(row pgx.CollectableRow) error {
			invites = append(invites, chat.Invite{Room: room})
			return row.Scan(inviteInto(&invites[len(invites)-1])...)
		}); err != nil {
		return nil, fmt.Errorf("list invites of room %s: %w", room, err)
	}
	return invites, nil
}

// Invite reads an invite and its room.
func (s *Store) Invite(ctx context.Context, code string) (preview chat.InvitePreview, err error) {
	if err := s.db.Row(ctx, `select `+inviteColumns+`, `+roomColumns+` from `+inviteSource+` join rooms r on r.room_id = i.room_id where i.code = $1`,
		[]any{column.Escape(code)}, append(inviteInto(&preview.Invite), roomInto(&preview.Room)...)...); err != nil {
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
	// The first bound is what the index can use; the second cuts within one moment of activity.
	err = s.db.Each(ctx, `select `+roomColumns+`, p.user_id is not null, r.last_activity_at
		from rooms r left join members p on p.room_id = r.room_id and p.user_id = $1
		where r.visibility = 'public' and r.id is not null
			and r.last_activity_at <= $2 and (r.last_activity_at < $2 or r.id > $3)
			and (strpos(r.name_folded, $4) > 0 or strpos(r.topic_folded, $4) > 0)
		order by r.last_activity_at desc, r.id limit $5`,
		[]any{column.ID(viewer), before, column.ID(last), column.Escape(chat.Fold(query)), limit + 1}, func(row pgx.CollectableRow) error {
			rooms = append(rooms, chat.RoomListing{})
			room := &rooms[len(rooms)-1]
			return row.Scan(append(roomInto(&room.Room), &room.Joined, (*column.Time)(&room.LastActivityAt))...)
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

// activityMax is beyond every activity, and still a time that the server knows.
const activityMax = 1 << 47 // milliseconds: the year 6429

func activityCursor(after chat.Cursor) (before pgtype.Timestamptz, last chat.RoomID, err error) {
	if after == "" {
		return pgtype.Timestamptz{InfinityModifier: pgtype.Infinity, Valid: true}, last, nil
	}
	activity, room, _ := strings.Cut(string(after), ".")
	ms, err := strconv.ParseInt(activity, 10, 64)
	last, parsed := chat.ParseRoomID(room)
	if errors.Join(err, parsed) != nil {
		return before, last, errCursor()
	}
	return column.At(time.UnixMilli(min(max(ms, 0), activityMax))), last, nil
}

// MembersNamed finds members by their folded usernames.
func (s *Store) MembersNamed(ctx context.Context, room chat.RoomID, usernames []string) (users []chat.UserID, err error) {
	names := make([]string, len(usernames))
	for i, name := range usernames {
		names[i] = column.Escape(name)
	}
	if err := s.ofRoom(ctx, room, `select p.user_id from (select distinct unnest($2::text[]) collate "C" as username) n
		join users u on u.username = n.username join members p on p.user_id = u.id and p.room_id = `+roomOf+` limit $3`,
		[]any{names, chat.MentionsMax}, func(row pgx.CollectableRow) error {
			var user chat.UserID
			err := row.Scan(column.Into(&user))
			users = append(users, user)
			return err
		}); err != nil {
		return nil, fmt.Errorf("find members of room %s by name: %w", room, err)
	}
	return users, nil
}
