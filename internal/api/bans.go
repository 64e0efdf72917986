package api

import (
	"context"

	"github.com/blabber-hive/blabber-hive/internal/account"
	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/room"
	"github.com/blabber-hive/blabber-hive/internal/wire"
)

type ban struct {
	User     wire.User  `json:"user"`
	Reason   string     `json:"reason"`
	BannedAt wire.Time  `json:"banned_at"`
	By       *wire.User `json:"by"`
}

func banOf(view room.BanView) ban {
	b := ban{User: wire.UserOf(view.User), Reason: view.Reason, BannedAt: wire.Time{Time: view.At}}
	if view.Maker != nil {
		by := wire.UserOf(*view.Maker)
		b.By = &by
	}
	return b
}

type bansOutput struct {
	Body struct {
		Bans []ban `json:"bans"`
	}
}

func (s *Server) listBans(ctx context.Context, who account.Identity, in *RoomPath) (*bansOutput, error) {
	bans, err := s.Rooms.Bans(ctx, who.User.ID, in.RoomID)
	if err != nil {
		return nil, err
	}
	var out bansOutput
	out.Body.Bans = mapAll(bans, banOf)
	return &out, nil
}

type banInput struct {
	RoomPath
	Body struct {
		UserID chat.UserID `json:"user_id" format:"uuid"`
		Reason string      `json:"reason,omitempty" maxLength:"250"`
	}
}

type banOutput struct{ Body ban }

func (s *Server) ban(ctx context.Context, who account.Identity, in *banInput) (*banOutput, error) {
	view, err := s.Rooms.Ban(ctx, who.User.Profile, in.RoomID, in.Body.UserID, in.Body.Reason)
	if err != nil {
		return nil, err
	}
	return &banOutput{banOf(view)}, nil
}

func (s *Server) unban(ctx context.Context, who account.Identity, in *MemberPath) (*noOutput, error) {
	return &noOutput{}, s.Rooms.Unban(ctx, who.User.Profile, in.RoomID, in.UserID)
}
