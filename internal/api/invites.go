package api

import (
	"context"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/account"
	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/room"
	"github.com/blabber-hive/blabber-hive/internal/wire"
)

type invite struct {
	Code      string     `json:"code"`
	URL       string     `json:"url"`
	MaxUses   *int       `json:"max_uses" doc:"null is no limit"`
	Uses      int        `json:"uses"`
	ExpiresAt *wire.Time `json:"expires_at" doc:"null is never"`
	CreatedBy wire.User  `json:"created_by"`
	CreatedAt wire.Time  `json:"created_at"`
}

func (s *Server) inviteOf(ctx context.Context, i chat.Invite) invite {
	out := invite{
		Code: i.Code, URL: s.publicOrigin(requestOf(ctx)) + "/invite/" + i.Code, Uses: i.Uses, ExpiresAt: wire.At(i.ExpiresAt),
		CreatedBy: wire.UserOf(i.CreatedBy), CreatedAt: wire.Time{Time: i.CreatedAt},
	}
	if i.MaxUses > 0 {
		out.MaxUses = &i.MaxUses
	}
	return out
}

type invitesOutput struct {
	Body struct {
		Invites []invite `json:"invites"`
	}
}

func (s *Server) listInvites(ctx context.Context, who account.Identity, in *RoomPath) (*invitesOutput, error) {
	invites, err := s.Rooms.Invites(ctx, who.User.ID, in.RoomID)
	if err != nil {
		return nil, err
	}
	var out invitesOutput
	out.Body.Invites = mapAll(invites, func(i chat.Invite) invite { return s.inviteOf(ctx, i) })
	return &out, nil
}

type inviteBody struct {
	MaxUses          *int `json:"max_uses,omitempty" nullable:"true" minimum:"0" maximum:"100000" doc:"0, null or nothing is no limit"`
	ExpiresInSeconds *int `json:"expires_in_seconds,omitempty" nullable:"true" minimum:"0" maximum:"31622400" doc:"0, null or nothing is never"`
}

type createInviteInput struct {
	RoomPath
	Body *inviteBody
}

type inviteOutput struct{ Body invite }

func (s *Server) createInvite(ctx context.Context, who account.Identity, in *createInviteInput) (*inviteOutput, error) {
	var wanted room.NewInvite
	if in.Body != nil && in.Body.MaxUses != nil {
		wanted.MaxUses = *in.Body.MaxUses
	}
	if in.Body != nil && in.Body.ExpiresInSeconds != nil {
		wanted.ExpiresIn = time.Duration(*in.Body.ExpiresInSeconds) * time.Second
	}
	made, err := s.Rooms.Invite(ctx, who.User.Profile, in.RoomID, wanted)
	if err != nil {
		return nil, err
	}
	return &inviteOutput{s.inviteOf(ctx, made)}, nil
}

// CodePath names an invite.
type CodePath struct {
	Code string `path:"code"`
}

type revokeInviteInput struct {
	RoomPath
	CodePath
}

func (s *Server) revokeInvite(ctx context.Context, who account.Identity, in *revokeInviteInput) (*noOutput, error) {
	return &noOutput{}, s.Rooms.Revoke(ctx, who.User.Profile, in.RoomID, in.Code)
}

type previewOutput struct {
	Body struct {
		Code string `json:"code"`
		Room struct {
			ID      chat.RoomID `json:"id" format:"uuid"`
			Name    string      `json:"name"`
			Topic   string      `json:"topic"`
			Members int         `json:"members"`
		} `json:"room"`
		Inviter wire.User `json:"inviter"`
	}
}

func (s *Server) previewInvite(ctx context.Context, in *CodePath) (*previewOutput, error) {
	preview, err := s.Rooms.Preview(ctx, in.Code)
	if err != nil {
		return nil, err
	}
	var out previewOutput
	out.Body.Code, out.Body.Inviter = preview.Invite.Code, wire.UserOf(preview.Invite.CreatedBy)
	out.Body.Room.ID, out.Body.Room.Name = preview.Room.ID, preview.Room.Name
	out.Body.Room.Topic, out.Body.Room.Members = preview.Room.Topic, preview.Room.Members
	return &out, nil
}

func (s *Server) acceptInvite(ctx context.Context, who account.Identity, in *CodePath) (*memberRoomOutput, error) {
	return asMember(s.Rooms.Accept(ctx, who.User.Profile, in.Code))
}
