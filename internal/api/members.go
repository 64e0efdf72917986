package api

import (
	"context"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/account"
	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/room"
	"github.com/blabber-hive/blabber-hive/internal/wire"
)

type member struct {
	User       wire.User  `json:"user"`
	Role       chat.Role  `json:"role" enum:"owner,moderator,member"`
	JoinedAt   wire.Time  `json:"joined_at"`
	MutedUntil *wire.Time `json:"muted_until"`
	Online     bool       `json:"online"`
}

func memberOf(m chat.Member, online bool) member {
	return member{
		User: wire.UserOf(m.User), Role: m.Role, JoinedAt: wire.Time{Time: m.JoinedAt}, MutedUntil: wire.At(m.MutedUntil), Online: online,
	}
}

type membersInput struct {
	RoomPath
	PageInput
}

type membersOutput struct {
	Body struct {
		Members    []member `json:"members"`
		NextCursor *string  `json:"next_cursor"`
	}
}

func (s *Server) listMembers(ctx context.Context, who account.Identity, in *membersInput) (*membersOutput, error) {
	members, next, err := s.Rooms.Members(ctx, who.User.ID, in.RoomID, chat.Cursor(in.Cursor), in.Limit)
	if err != nil {
		return nil, err
	}
	online := s.online(ctx, mapAll(members, func(m chat.Member) chat.UserID { return m.User.ID }))
	var out membersOutput
	out.Body.Members = mapAll(members, func(m chat.Member) member { return memberOf(m, online[m.User.ID]) })
	out.Body.NextCursor = cursorOrNull(next)
	return &out, nil
}

type changeMemberInput struct {
	MemberPath
	Body struct {
		Role       *chat.Role          `json:"role,omitempty" enum:"owner,moderator,member" doc:"For owners"`
		MutedUntil optional[time.Time] `json:"muted_until,omitzero" doc:"null, or a time that is over, unmutes"`
	}
}

type memberOutput struct{ Body member }

func (s *Server) changeMember(ctx context.Context, who account.Identity, in *changeMemberInput) (*memberOutput, error) {
	change := room.MemberChange{Role: in.Body.Role, MutedUntil: in.Body.MutedUntil.or(time.Time{})}
	if change.MutedUntil != nil {
		*change.MutedUntil = change.MutedUntil.UTC().Truncate(time.Millisecond) // as times are written here
	}
	changed, err := s.Rooms.ChangeMember(ctx, who.User.Profile, in.RoomID, in.UserID, change)
	if err != nil {
		return nil, err
	}
	return &memberOutput{memberOf(changed, s.online(ctx, []chat.UserID{in.UserID})[in.UserID])}, nil
}

func (s *Server) removeMember(ctx context.Context, who account.Identity, in *MemberPath) (*noOutput, error) {
	return &noOutput{}, s.Rooms.Kick(ctx, who.User.Profile, in.RoomID, in.UserID)
}
