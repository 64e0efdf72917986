package api

import (
	"context"

	"github.com/blabber-hive/blabber-hive/internal/account"
	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/wire"
)

type markReadInput struct {
	RoomPath
	Body struct {
		Seq        *chat.Seq `json:"seq,omitempty" maximum:"9007199254740991" doc:"Read up to here"`
		UnreadFrom *chat.Seq `json:"unread_from,omitempty" minimum:"1" maximum:"9007199254740991" doc:"Unread from here"`
	}
}

type readStateOutput struct{ Body wire.ReadState }

func (s *Server) markRead(ctx context.Context, who account.Identity, in *markReadInput) (*readStateOutput, error) {
	if (in.Body.Seq == nil) == (in.Body.UnreadFrom == nil) {
		return nil, chat.InvalidField("seq", "give seq or unread_from, and not both")
	}
	var state chat.ReadState
	var err error
	if in.Body.Seq != nil {
		state, err = s.History.MarkRead(ctx, who.User.ID, in.RoomID, *in.Body.Seq, "")
	} else {
		state, err = s.History.MarkUnread(ctx, who.User.ID, in.RoomID, *in.Body.UnreadFrom, "")
	}
	if err != nil {
		return nil, err
	}
	return &readStateOutput{wire.ReadStateOf(state)}, nil
}

type notifyInput struct {
	RoomPath
	Body struct {
		Notify chat.Notify `json:"notify" enum:"all,mentions,none"`
	}
}

func (s *Server) setNotify(ctx context.Context, who account.Identity, in *notifyInput) (*noOutput, error) {
	return &noOutput{}, s.History.SetNotify(ctx, who.User.ID, in.RoomID, in.Body.Notify)
}
