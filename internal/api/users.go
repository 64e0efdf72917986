package api

import (
	"context"

	"github.com/blabber-hive/blabber-hive/internal/account"
	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/wire"
)

type searchUsersInput struct {
	Query string `query:"query" maxLength:"100" doc:"Part of a username or display name; empty is everybody"`
	PageInput
}

type foundUser struct {
	wire.User
	Status string `json:"status"`
	Online bool   `json:"online"`
}

type searchUsersOutput struct {
	Body struct {
		Users      []foundUser `json:"users"`
		NextCursor *string     `json:"next_cursor"`
	}
}

func (s *Server) searchUsers(ctx context.Context, _ account.Identity, in *searchUsersInput) (*searchUsersOutput, error) {
	users, next, err := s.Accounts.Search(ctx, in.Query, chat.Cursor(in.Cursor), in.Limit)
	if err != nil {
		return nil, err
	}
	online := s.online(ctx, mapAll(users, func(u chat.User) chat.UserID { return u.ID }))
	var out searchUsersOutput
	out.Body.Users = mapAll(users, func(u chat.User) foundUser {
		return foundUser{User: wire.UserOf(u.Profile), Status: u.Status, Online: online[u.ID]}
	})
	out.Body.NextCursor = cursorOrNull(next)
	return &out, nil
}

// online tells who is here. Where that cannot be found out everybody is shown as away: a list of people is worth having
// without it.
func (s *Server) online(ctx context.Context, users []chat.UserID) map[chat.UserID]bool {
	here, err := s.Presence.Online(ctx, users)
	if err != nil {
		s.Log.WarnContext(ctx, "people are shown as offline", "request_id", requestOf(ctx).id, "error", err)
		return nil
	}
	online := make(map[chat.UserID]bool, len(users))
	for i, user := range users {
		online[user] = here[i]
	}
	return online
}
