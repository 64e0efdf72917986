package account

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Grant is what a device gets when it signs in or refreshes. RefreshToken is shown this once and stored nowhere.
type Grant struct {
	User             chat.User
	Session          chat.SessionID
	AccessToken      string
	ExpiresAt        time.Time
	RefreshToken     string
	RefreshExpiresAt time.Time
}

func (s *Service) startSession(ctx context.Context, user chat.User, device Device) (Grant, error) {
	refresh, hash, err := s.newRefreshToken()
	if err != nil {
		return Grant{}, err
	}
	now := s.Clock().Truncate(time.Millisecond)
	session := chat.Session{
		ID: s.NewID(), User: user.ID, CreatedAt: now, LastUsedAt: now, ExpiresAt: now.Add(s.config.SessionLife),
		UserAgent: cutUserAgent(device.UserAgent),
	}
	if err := s.Sessions.CreateSession(ctx, session, hash); err != nil {
		return Grant{}, fmt.Errorf("create a session of user %s: %w", user.ID, err)
	}
	if err := s.endSurplus(ctx, user.ID, now); err != nil {
		return Grant{}, err
	}
	return s.grant(ctx, user, session, refresh)
}

func (s *Service) grant(ctx context.Context, user chat.User, session chat.Session, refresh string) (Grant, error) {
	access, expires, err := s.accessToken(ctx, user.ID, session.ID)
	if err != nil {
		return Grant{}, err
	}
	return Grant{
		User: user, Session: session.ID, AccessToken: access, ExpiresAt: expires,
		RefreshToken: refresh, RefreshExpiresAt: session.ExpiresAt,
	}, nil
}

func cutUserAgent(name string) string {
	if len(name) > userAgentBytesMax {
		name = name[:userAgentBytesMax]
	}
	return strings.ToValidUTF8(name, "")
}

// endSurplus keeps the devices of one person bounded: a script that signs in and never out must not fill the store.
func (s *Service) endSurplus(ctx context.Context, user chat.UserID, now time.Time) error {
	sessions, err := s.Sessions.SessionsOf(ctx, user, now)
	if err != nil {
		return fmt.Errorf("read sessions of user %s: %w", user, err)
	}
	for len(sessions) > sessionsPerUser {
		oldest := sessions[len(sessions)-1]
		sessions = sessions[:len(sessions)-1]
		if err := s.end(ctx, user, oldest.ID); err != nil {
			return err
		}
	}
	return nil
}

// Refresh trades a refresh token for a new pair, once. A token that was just traded by another tab is refused and
// nothing else happens. One whose successor nobody has used is traded again for a while, since the answer may have been
// lost. Any other that was traded before has been stolen, from or by whoever holds it now, so its session ends. All refusals are Unauthenticated; spoilt tells that the token is worth nothing any more and may be dropped.
func (s *Service) Refresh(ctx context.Context, token string, device Device) (grant Grant, spoilt bool, err error) {
	if err := s.allow(ctx, "refresh-address", device.Address, s.config.RefreshByAddress); err != nil {
		return Grant{}, false, err
	}
	spent, ok := hashRefresh(token)
	if !ok {
		return Grant{}, true, unauthenticated("sign in first")
	}
	next, nextHash, err := s.newRefreshToken()
	if err != nil {
		return Grant{}, false, err
	}
	now := s.Clock()
	session, outcome, err := s.Sessions.RotateRefresh(ctx, spent, nextHash, now, now.Add(s.config.SessionLife), s.config.Grace)
	if err != nil {
		return Grant{}, false, fmt.Errorf("rotate a refresh token: %w", err)
	}
	switch outcome {
	case chat.RefreshRotated:
	case chat.RefreshRaced:
		return Grant{}, false, unauthenticated("this refresh token was just used; use its successor")
	case chat.RefreshReused:
		if err := s.end(ctx, session.User, session.ID); err != nil {
			return Grant{}, true, err
		}
		s.Log.WarnContext(ctx, "a spent refresh token was used again; its session was ended", "user_id", session.User, "session_id", session.ID)
		return Grant{}, true, unauthenticated("this refresh token was used before; the session has been ended, sign in again")
	default:
		return Grant{}, true, unauthenticated("this session has ended; sign in again")
	}
	user, err := s.Users.User(ctx, session.User)
	if err != nil {
		return Grant{}, false, orUnauthenticated(err, "this session has ended; sign in again", "read user of session", session.ID)
	}
	if user.Disabled {
		return Grant{}, true, unauthenticated("this account is disabled")
	}
	grant, err = s.grant(ctx, user, session, next)
	return grant, false, err
}

// LogOut ends the session of a refresh token, and that of an access token, whichever are given and good. That neither is
// good is no error: the caller is signed out either way.
func (s *Service) LogOut(ctx context.Context, refresh, access string) error {
	if err := s.endPrevious(ctx, refresh); err != nil {
		return err
	}
	if access == "" {
		return nil
	}
	user, session, _, err := s.read(ctx, access)
	if err != nil {
		if chat.CodeOf(err) == chat.Unauthenticated {
			return nil
		}
		return err
	}
	return s.end(ctx, user, session)
}

// endPrevious ends the session that a refresh token belongs to, if it is one.
func (s *Service) endPrevious(ctx context.Context, refresh string) error {
	spent, ok := hashRefresh(refresh)
	if !ok {
		return nil
	}
	_, next, err := s.newRefreshToken()
	if err != nil {
		return err
	}
	now := s.Clock()
	session, outcome, err := s.Sessions.RotateRefresh(ctx, spent, next, now, now.Add(s.config.SessionLife), s.config.Grace)
	if err != nil {
		return fmt.Errorf("find the session of a refresh token: %w", err)
	}
	if outcome == chat.RefreshUnknown {
		return nil
	}
	return s.end(ctx, session.User, session.ID)
}

// end ends one session; that it has ended already is no error.
func (s *Service) end(ctx context.Context, user chat.UserID, session chat.SessionID) error {
	if err := s.Sessions.DeleteSession(ctx, user, session); err != nil && !errors.Is(err, chat.ErrNotFound) {
		return fmt.Errorf("end session %s of user %s: %w", session, user, err)
	}
	s.tell(ctx, chat.Signal{Kind: chat.SignalSessionEnded, User: user, Session: session})
	return nil
}

// ListSessions reads one's signed-in devices, last used first.
func (s *Service) ListSessions(ctx context.Context, who Identity) ([]chat.Session, error) {
	sessions, err := s.Sessions.SessionsOf(ctx, who.User.ID, s.Clock())
	if err != nil {
		return nil, fmt.Errorf("read sessions of user %s: %w", who.User.ID, err)
	}
	return sessions, nil
}

// EndSession signs one of one's devices out; NotFound where it is not one's own.
func (s *Service) EndSession(ctx context.Context, who Identity, session chat.SessionID) error {
	if err := s.Sessions.DeleteSession(ctx, who.User.ID, session); err != nil {
		return fmt.Errorf("end session %s of user %s: %w", session, who.User.ID, err)
	}
	s.tell(ctx, chat.Signal{Kind: chat.SignalSessionEnded, User: who.User.ID, Session: session})
	return nil
}

// EndOtherSessions signs all of one's devices out but this one.
func (s *Service) EndOtherSessions(ctx context.Context, who Identity) error {
	return s.endAll(ctx, who.User.ID, who.Session)
}

func (s *Service) endAll(ctx context.Context, user chat.UserID, except chat.SessionID) error {
	if err := s.Sessions.DeleteSessions(ctx, user, except); err != nil {
		return fmt.Errorf("end the sessions of user %s: %w", user, err)
	}
	s.tell(ctx, chat.Signal{Kind: chat.SignalSessionEnded, User: user, Except: except})
	return nil
}
