package account

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Device is where a request comes from. Address is what attempts are counted by; it is not kept.
type Device struct {
	Address   string
	UserAgent string
}

// NewUser is what somebody tells of themselves to get an account. An empty display name is the username.
type NewUser struct {
	Username, Password, DisplayName, Email string
}

// SignUp makes an account and signs its device in. Refusals: Forbidden while sign-up is closed, Invalid, UsernameTaken,
// RateLimited, and Unavailable.
func (s *Service) SignUp(ctx context.Context, wanted NewUser, device Device, previous string) (Grant, error) {
	if !s.config.SignupOpen {
		return Grant{}, chat.Refuse(chat.Forbidden, "sign-up is closed here; ask an administrator for an account")
	}
	if err := s.allow(ctx, "signup-address", device.Address, s.config.SignupByAddress); err != nil {
		return Grant{}, err
	}
	user, err := s.Create(ctx, wanted)
	if err != nil {
		return Grant{}, err
	}
	if err := s.endPrevious(ctx, previous); err != nil {
		return Grant{}, err
	}
	return s.startSession(ctx, user, device)
}

// Create makes an account whether sign-up is open or not: it is for whoever runs the server. The account has no session.
// Conflict: people are signed in elsewhere, and so have their accounts made.
func (s *Service) Create(ctx context.Context, wanted NewUser) (chat.User, error) {
	if s.Provided() {
		return chat.User{}, chat.Refuse(chat.Conflict, "people sign in through %s here; make the account there", s.Provider.Name())
	}
	user, err := s.checkNew(wanted)
	if err != nil {
		return chat.User{}, err
	}
	hash, err := s.hasher.hash(ctx, wanted.Password)
	if err != nil {
		return chat.User{}, fmt.Errorf("hash the password of %s: %w", user.Username, err)
	}
	user.ID, user.CreatedAt = s.NewID(), s.Clock().Truncate(time.Millisecond)
	if err := s.Users.CreateUser(ctx, user, hash); err != nil {
		return chat.User{}, fmt.Errorf("create user %s: %w", user.Username, err)
	}
	return user, nil
}

func (s *Service) checkNew(wanted NewUser) (chat.User, error) {
	username, err := chat.CheckUsername(wanted.Username)
	if err != nil {
		return chat.User{}, err
	}
	user := chat.User{Profile: chat.Profile{Username: username, DisplayName: wanted.DisplayName}, Email: wanted.Email}
	if user.DisplayName == "" {
		user.DisplayName = username
	}
	for _, err := range []error{
		chat.CheckPassword("password", wanted.Password),
		chat.CheckDisplayName(user.DisplayName),
		checkEmail(wanted.Email),
	} {
		if err != nil {
			return chat.User{}, err
		}
	}
	return user, nil
}

func checkEmail(email string) error {
	if email == "" {
		return nil
	}
	if err := chat.CheckLine("email", email, chat.EmailRunesMax); err != nil {
		return err
	}
	name, host, found := strings.Cut(email, "@")
	if !found || name == "" || host == "" || strings.ContainsAny(email, " <>,;") || strings.Contains(host, "@") {
		return chat.InvalidField("email", "this is not an e-mail address")
	}
	return nil
}

// LogIn signs a device in. Unknown names and wrong passwords are refused alike, in words and in time; a disabled account
// is only told so with the right password. previous is the refresh token that the device holds already, if any: its
// session ends, so that no session known before signing in lives on after it.
func (s *Service) LogIn(ctx context.Context, username, password string, device Device, previous string) (Grant, error) {
	if err := s.allow(ctx, "login-address", device.Address, s.config.LoginByAddress); err != nil {
		return Grant{}, err
	}
	user, hash, err := s.checkPassword(ctx, username, password)
	if err != nil {
		return Grant{}, err
	}
	if user.Disabled {
		return Grant{}, chat.Refuse(chat.Forbidden, "this account is disabled")
	}
	if err := s.endPrevious(ctx, previous); err != nil {
		return Grant{}, err
	}
	grant, err := s.startSession(ctx, user, device)
	if err != nil {
		return Grant{}, err
	}
	// A password change ends all sessions that exist at that moment. Where it came between the check above and the new
	// session, that session rests on a password that is no longer one, so look again now that the session exists.
	again, hashNow, err := s.Users.Credentials(ctx, user.Username)
	if err != nil {
		return Grant{}, fmt.Errorf("read credentials of %s again: %w", user.Username, err)
	}
	if hashNow != hash || again.Disabled {
		if err := s.end(ctx, user.ID, grant.Session); err != nil {
			return Grant{}, err
		}
		return Grant{}, wrongPassword()
	}
	return grant, nil
}

func wrongPassword() error { return unauthenticated("the username or the password is wrong") }

func (s *Service) checkPassword(ctx context.Context, username, password string) (chat.User, string, error) {
	folded, errName := chat.CheckUsername(username)
	if errName == nil {
		if err := s.allow(ctx, "login-name", folded, s.config.LoginByName); err != nil {
			return chat.User{}, "", err
		}
	}
	var user chat.User
	var hash string
	if errName == nil && utf8.RuneCountInString(password) <= chat.PasswordRunesMax {
		var err error
		user, hash, err = s.Users.Credentials(ctx, folded)
		if err != nil && !errors.Is(err, chat.ErrNotFound) {
			return chat.User{}, "", fmt.Errorf("read credentials of %s: %w", folded, err)
		}
	} else {
		password = "" // no such account can exist: spend the time, but not on a password of any length
	}
	ok, err := s.hasher.matches(ctx, hash, password)
	if err != nil {
		return chat.User{}, "", fmt.Errorf("check the password of %s: %w", folded, err)
	}
	if !ok {
		return chat.User{}, "", wrongPassword()
	}
	return user, hash, nil
}

// ChangePassword replaces one's own password and ends all of one's other sessions; this one gets a new access token and
// keeps its refresh token. Refusals: Invalid with the field current_password where that is wrong, and with new_password.
func (s *Service) ChangePassword(ctx context.Context, who Identity, current, next string) (Grant, error) {
	if err := chat.CheckPassword("new_password", next); err != nil {
		return Grant{}, err
	}
	if _, _, err := s.checkPassword(ctx, who.User.Username, current); err != nil {
		if chat.CodeOf(err) == chat.Unauthenticated {
			return Grant{}, chat.InvalidField("current_password", "this is not your password")
		}
		return Grant{}, err
	}
	if err := s.setPassword(ctx, who.User, next, who.Session); err != nil {
		return Grant{}, err
	}
	access, expires, err := s.accessToken(ctx, who.User.ID, who.Session)
	if err != nil {
		return Grant{}, err
	}
	return Grant{User: who.User, Session: who.Session, AccessToken: access, ExpiresAt: expires}, nil
}

func (s *Service) setPassword(ctx context.Context, user chat.User, password string, keep chat.SessionID) error {
	hash, err := s.hasher.hash(ctx, password)
	if err != nil {
		return fmt.Errorf("hash the new password of %s: %w", user.Username, err)
	}
	if err := s.Users.SetPassword(ctx, user.ID, hash, keep); err != nil {
		return fmt.Errorf("set the password of user %s: %w", user.ID, err)
	}
	s.tell(ctx, chat.Signal{Kind: chat.SignalSessionEnded, User: user.ID, Except: keep})
	return nil
}
