package account

import (
	"context"
	"fmt"
	"strings"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// The methods in this file are for whoever runs the server. They take usernames, as people type them, and answer NotFound
// where there is no such account. What they end in another process's sessions that process notices within LiveFor.

// Find reads an account by its username.
func (s *Service) Find(ctx context.Context, username string) (chat.User, error) {
	folded, err := chat.CheckUsername(username)
	if err != nil {
		return chat.User{}, err
	}
	user, _, err := s.Users.Credentials(ctx, folded)
	if err != nil {
		return chat.User{}, fmt.Errorf("read user %s: %w", folded, err)
	}
	return user, nil
}

// SetDisabled disables an account and ends its sessions, or enables it again.
func (s *Service) SetDisabled(ctx context.Context, username string, disabled bool) (chat.User, error) {
	user, err := s.update(ctx, username, func(user *chat.User) { user.Disabled = disabled })
	if err != nil || !disabled {
		return user, err
	}
	return user, s.endAll(ctx, user.ID, chat.SessionID{})
}

// SetAdmin makes an account an administrator's, or an ordinary one.
func (s *Service) SetAdmin(ctx context.Context, username string, admin bool) (chat.User, error) {
	return s.update(ctx, username, func(user *chat.User) { user.Admin = admin })
}

func (s *Service) update(ctx context.Context, username string, change func(user *chat.User)) (chat.User, error) {
	found, err := s.Find(ctx, username)
	if err != nil {
		return chat.User{}, err
	}
	user, err := s.Users.UpdateUser(ctx, found.ID, func(user *chat.User) error {
		change(user)
		return nil
	})
	if err != nil {
		return chat.User{}, fmt.Errorf("update user %s: %w", username, err)
	}
	s.Heard(chat.Signal{Kind: chat.SignalProfileChanged, User: user.ID})
	return user, nil
}

// ResetPassword gives an account a new password and ends all its sessions. Conflict: it is signed in to elsewhere.
func (s *Service) ResetPassword(ctx context.Context, username, password string) error {
	if err := chat.CheckPassword("password", password); err != nil {
		return err
	}
	user, err := s.Find(ctx, username)
	if err != nil {
		return err
	}
	_, hash, err := s.Users.Credentials(ctx, user.Username)
	if err != nil {
		return fmt.Errorf("read credentials of %s: %w", user.Username, err)
	}
	if provider, is := strings.CutPrefix(hash, elsewhere); is {
		return chat.Refuse(chat.Conflict, "%s signs in through %s; change the password there", user.Username, provider)
	}
	return s.setPassword(ctx, user, password, chat.SessionID{})
}
