package account

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

const (
	queryRunesMax  = 100
	cursorBytesMax = 200
)

// ProfileChange is what somebody changes about themselves; nil leaves a thing as it is. An empty avatar is none.
type ProfileChange struct {
	DisplayName *string
	AvatarURL   *string
	Status      *string
}

func (c ProfileChange) check() error {
	if c.DisplayName != nil {
		if err := chat.CheckDisplayName(*c.DisplayName); err != nil {
			return err
		}
	}
	if c.Status != nil {
		if err := chat.CheckLine("status", *c.Status, chat.StatusRunesMax); err != nil {
			return err
		}
	}
	if c.AvatarURL != nil {
		return checkAvatar(*c.AvatarURL)
	}
	return nil
}

// checkAvatar takes pictures from the web and from this server, and nothing that a browser would run.
func checkAvatar(address string) error {
	if address == "" {
		return nil
	}
	if err := chat.CheckLine("avatar_url", address, chat.URLRunesMax); err != nil {
		return err
	}
	parsed, err := url.Parse(address)
	if err != nil {
		return chat.InvalidField("avatar_url", "this is not a URL")
	}
	web := (parsed.Scheme == "https" || parsed.Scheme == "http") && parsed.Host != "" && parsed.User == nil
	here := parsed.Scheme == "" && parsed.Host == "" && strings.HasPrefix(address, "/") && !strings.ContainsAny(address, `\`)
	if !web && !here {
		return chat.InvalidField("avatar_url", "a picture's address begins with https:// or is a path of this server")
	}
	return nil
}

// ChangeProfile changes one's own profile and answers the whole account.
func (s *Service) ChangeProfile(ctx context.Context, who Identity, change ProfileChange) (chat.User, error) {
	if err := change.check(); err != nil {
		return chat.User{}, err
	}
	user, err := s.Users.UpdateUser(ctx, who.User.ID, func(user *chat.User) error {
		set(&user.DisplayName, change.DisplayName)
		set(&user.AvatarURL, change.AvatarURL)
		set(&user.Status, change.Status)
		return nil
	})
	if err != nil {
		return chat.User{}, fmt.Errorf("change the profile of user %s: %w", who.User.ID, err)
	}
	s.tell(ctx, chat.Signal{Kind: chat.SignalProfileChanged, User: user.ID, Profile: &user.Profile})
	return user, nil
}

func set(field, value *string) {
	if value != nil {
		*field = *value
	}
}

// Me reads one's own account as it is now.
func (s *Service) Me(ctx context.Context, who Identity) (chat.User, error) {
	user, err := s.Users.User(ctx, who.User.ID)
	if err != nil {
		return chat.User{}, fmt.Errorf("read user %s: %w", who.User.ID, err)
	}
	return user, nil
}

// Search lists accounts whose names contain query, by username, and where the next page begins.
func (s *Service) Search(ctx context.Context, query string, after chat.Cursor, limit int) ([]chat.User, chat.Cursor, error) {
	if err := chat.CheckLine("query", query, queryRunesMax); err != nil {
		return nil, "", err
	}
	if err := chat.CheckLine("cursor", string(after), cursorBytesMax); err != nil {
		return nil, "", err
	}
	users, next, err := s.Users.SearchUsers(ctx, strings.TrimSpace(query), after, min(max(limit, 1), chat.PageMax))
	if err != nil {
		return nil, "", fmt.Errorf("search users: %w", err)
	}
	return users, next, nil
}
