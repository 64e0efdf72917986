package api

import (
	"context"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blabber-hive/blabber-hive/internal/account"
	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/room"
	"github.com/blabber-hive/blabber-hive/internal/wire"
)

type browseInput struct {
	Query string `query:"query" maxLength:"100" doc:"Part of a name or topic; empty is every public room"`
	PageInput
}

type listing struct {
	wire.Room
	Joined         bool       `json:"joined"`
	LastActivityAt *wire.Time `json:"last_activity_at"`
}

type browseOutput struct {
	Body struct {
		Rooms      []listing `json:"rooms"`
		NextCursor *string   `json:"next_cursor"`
	}
}

func (s *Server) browseRooms(ctx context.Context, who account.Identity, in *browseInput) (*browseOutput, error) {
	rooms, next, err := s.Rooms.Browse(ctx, who.User.ID, in.Query, chat.Cursor(in.Cursor), in.Limit)
	if err != nil {
		return nil, err
	}
	var out browseOutput
	out.Body.Rooms = mapAll(rooms, func(r chat.RoomListing) listing {
		return listing{Room: wire.RoomOf(r.Room), Joined: r.Joined, LastActivityAt: wire.At(r.LastActivityAt)}
	})
	out.Body.NextCursor = cursorOrNull(next)
	return &out, nil
}

// memberRoomOutput is a room for somebody who is in it.
type memberRoomOutput struct{ Body wire.MemberRoom }

func asMember(view room.View, err error) (*memberRoomOutput, error) {
	if err != nil {
		return nil, err
	}
	return &memberRoomOutput{wire.MemberRoomOf(*view.Member)}, nil
}

type createRoomInput struct {
	Body struct {
		Name       string          `json:"name" minLength:"1" maxLength:"80"`
		Topic      string          `json:"topic,omitempty" maxLength:"250"`
		Visibility chat.Visibility `json:"visibility" enum:"public,private"`
	}
}

func (s *Server) createRoom(ctx context.Context, who account.Identity, in *createRoomInput) (*memberRoomOutput, error) {
	return asMember(s.Rooms.Create(ctx, who.User.Profile, room.NewRoom{
		Name: in.Body.Name, Topic: in.Body.Topic, Visibility: in.Body.Visibility,
	}))
}

// roomOutput is a room: a wire.MemberRoom for a member, a wire.Room for everybody else.
type roomOutput struct{ Body any }

func describeRoom(op *huma.Operation, schemas huma.Registry) {
	either := &huma.Schema{AnyOf: []*huma.Schema{
		schemas.Schema(reflect.TypeFor[wire.MemberRoom](), true, ""), schemas.Schema(reflect.TypeFor[wire.Room](), true, ""),
	}}
	op.Responses = map[string]*huma.Response{"200": {
		Description: "As its member sees it, or as everybody does",
		Content:     map[string]*huma.MediaType{"application/json": {Schema: either}},
	}}
}

func (s *Server) getRoom(ctx context.Context, who account.Identity, in *RoomPath) (*roomOutput, error) {
	view, err := s.Rooms.See(ctx, who.User.ID, in.RoomID)
	if err != nil {
		return nil, err
	}
	if view.Member != nil {
		return &roomOutput{wire.MemberRoomOf(*view.Member)}, nil
	}
	return &roomOutput{wire.RoomOf(view.Room)}, nil
}

type changeRoomInput struct {
	RoomPath
	Body struct {
		Name       *string          `json:"name,omitempty" minLength:"1" maxLength:"80"`
		Topic      *string          `json:"topic,omitempty" maxLength:"250"`
		Visibility *chat.Visibility `json:"visibility,omitempty" enum:"public,private" doc:"For owners"`
		Mood       *bool            `json:"mood_enabled,omitempty" doc:"For owners: whether the mood of messages is read"`
	}
}

func (s *Server) changeRoom(ctx context.Context, who account.Identity, in *changeRoomInput) (*memberRoomOutput, error) {
	return asMember(s.Rooms.Change(ctx, who.User.Profile, in.RoomID, room.Change{
		Name: in.Body.Name, Topic: in.Body.Topic, Visibility: in.Body.Visibility, Mood: in.Body.Mood,
	}))
}

func (s *Server) deleteRoom(ctx context.Context, who account.Identity, in *RoomPath) (*noOutput, error) {
	return &noOutput{}, s.Rooms.Delete(ctx, who.User.Profile, in.RoomID)
}

func (s *Server) joinRoom(ctx context.Context, who account.Identity, in *RoomPath) (*memberRoomOutput, error) {
	return asMember(s.Rooms.Join(ctx, who.User.Profile, in.RoomID))
}

func (s *Server) leaveRoom(ctx context.Context, who account.Identity, in *RoomPath) (*noOutput, error) {
	return &noOutput{}, s.Rooms.Leave(ctx, who.User.Profile, in.RoomID)
}
