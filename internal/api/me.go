package api

import (
	"context"

	"github.com/blabber-hive/blabber-hive/internal/account"
	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/wire"
)

type meOutput struct{ Body wire.Me }

func (s *Server) getMe(ctx context.Context, who account.Identity, _ *noInput) (*meOutput, error) {
	user, err := s.Accounts.Me(ctx, who)
	if err != nil {
		return nil, err
	}
	return &meOutput{wire.MeOf(user)}, nil
}

type changeMeInput struct {
	Body struct {
		DisplayName *string          `json:"display_name,omitempty" minLength:"1" maxLength:"64"`
		AvatarURL   optional[string] `json:"avatar_url,omitzero" maxLength:"500" doc:"null is none"`
		Status      *string          `json:"status,omitempty" maxLength:"100"`
	}
}

func (s *Server) changeMe(ctx context.Context, who account.Identity, in *changeMeInput) (*meOutput, error) {
	user, err := s.Accounts.ChangeProfile(ctx, who, account.ProfileChange{
		DisplayName: in.Body.DisplayName, AvatarURL: in.Body.AvatarURL.or(""), Status: in.Body.Status,
	})
	if err != nil {
		return nil, err
	}
	return &meOutput{wire.MeOf(user)}, nil
}

type session struct {
	ID         chat.SessionID `json:"id" format:"uuid"`
	CreatedAt  wire.Time      `json:"created_at"`
	LastUsedAt wire.Time      `json:"last_used_at"`
	UserAgent  string         `json:"user_agent"`
	Current    bool           `json:"current" doc:"Whether it is the one that asks"`
}

type sessionsOutput struct {
	Body struct {
		Sessions []session `json:"sessions"`
	}
}

func (s *Server) listSessions(ctx context.Context, who account.Identity, _ *noInput) (*sessionsOutput, error) {
	sessions, err := s.Accounts.ListSessions(ctx, who)
	if err != nil {
		return nil, err
	}
	var out sessionsOutput
	out.Body.Sessions = mapAll(sessions, func(device chat.Session) session {
		return session{
			ID: device.ID, CreatedAt: wire.Time{Time: device.CreatedAt}, LastUsedAt: wire.Time{Time: device.LastUsedAt},
			UserAgent: device.UserAgent, Current: device.ID == who.Session,
		}
	})
	return &out, nil
}

type noOutput struct{}

func (s *Server) endOtherSessions(ctx context.Context, who account.Identity, _ *noInput) (*noOutput, error) {
	return &noOutput{}, s.Accounts.EndOtherSessions(ctx, who)
}

// SessionPath names a session.
type SessionPath struct {
	SessionID chat.SessionID `path:"session_id" format:"uuid"`
}

func (s *Server) endSession(ctx context.Context, who account.Identity, in *SessionPath) (*noOutput, error) {
	return &noOutput{}, s.Accounts.EndSession(ctx, who, in.SessionID)
}

type myRoomsOutput struct {
	Body struct {
		Rooms []wire.MemberRoom `json:"rooms"`
	}
}

func (s *Server) listMyRooms(ctx context.Context, who account.Identity, _ *noInput) (*myRoomsOutput, error) {
	rooms, err := s.History.Rooms(ctx, who.User.ID)
	if err != nil {
		return nil, err
	}
	var out myRoomsOutput
	out.Body.Rooms = mapAll(rooms, wire.MemberRoomOf)
	return &out, nil
}
