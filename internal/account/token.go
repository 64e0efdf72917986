package account

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

const (
	signingKeyName    = "access-token-hs256"
	signingKeyBytes   = 32
	refreshBytes      = 32
	accessBytesMax    = 2048 // a token of ours has some 350 bytes; more is not worth reading
	refreshTextLength = 43   // refreshBytes in base64url without padding
)

// Identity is whom a token speaks for. It says nothing about rooms: who may do what there is decided there.
type Identity struct {
	User      chat.User
	Session   chat.SessionID
	ExpiresAt time.Time // of the token
}

type claims struct {
	jwt.RegisteredClaims
	Session string `json:"sid"`
}

// verifiedToken is what a token with a good signature says.
type verifiedToken struct {
	user    chat.UserID
	session chat.SessionID
	expires time.Time
}

func newParser(issuer string, clock func() time.Time) *jwt.Parser {
	return jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), // never what the token itself says
		jwt.WithIssuer(issuer),
		jwt.WithAudience(issuer),
		jwt.WithExpirationRequired(),
		jwt.WithTimeFunc(clock),
		jwt.WithStrictDecoding(),
	)
}

func unauthenticated(detail string) error {
	return &chat.Error{Code: chat.Unauthenticated, Detail: detail}
}

// Authenticate tells whose access token this is. It refuses with chat.Unauthenticated what is not a token of ours, what
// has expired, and what belongs to a session that has ended or an account that is disabled.
func (s *Service) Authenticate(ctx context.Context, token string) (Identity, error) {
	if s.Provided() {
		return s.authenticateElsewhere(ctx, token)
	}
	user, session, expires, err := s.read(ctx, token)
	if err != nil {
		return Identity{}, err
	}
	found, err := s.alive(ctx, user, session)
	if err != nil {
		return Identity{}, err
	}
	return Identity{User: found, Session: session, ExpiresAt: expires}, nil
}

// Alive refuses with chat.Unauthenticated once the session has ended or the account is disabled, at the latest LiveFor
// after it did. It is for connections that outlive the request which authenticated them.
func (s *Service) Alive(ctx context.Context, user chat.UserID, session chat.SessionID) error {
	_, err := s.alive(ctx, user, session)
	return err
}

// Ended answers those of the given sign-ins whose session has ended or whose account is disabled. It asks the store once
// and believes nothing that is remembered: it is for who cannot hear of such ends any more. Of sessions that another
// service keeps nobody here knows the end.
func (s *Service) Ended(ctx context.Context, logins []chat.Login) ([]chat.Login, error) {
	if len(logins) == 0 {
		return nil, nil
	}
	lives, err := s.stillIn(ctx, logins)
	if err != nil {
		return nil, fmt.Errorf("ask which of %d sign-ins are over: %w", len(logins), err)
	}
	var ended []chat.Login
	for _, login := range logins {
		if !lives(login) {
			s.live.forget(login.Session)
			ended = append(ended, login)
		}
	}
	return ended, nil
}

// stillIn gives what tells sign-ins that go on from those that are over.
func (s *Service) stillIn(ctx context.Context, logins []chat.Login) (func(chat.Login) bool, error) {
	if s.Provided() {
		users := make([]chat.UserID, len(logins))
		for i, login := range logins {
			users[i] = login.User
		}
		enabled, err := s.Living.EnabledUsers(ctx, users)
		in := setOf(enabled)
		return func(login chat.Login) bool { _, ok := in[login.User]; return ok }, err
	}
	sessions := make([]chat.SessionID, len(logins))
	for i, login := range logins {
		sessions[i] = login.Session
	}
	living, err := s.Living.LivingSessions(ctx, sessions, s.Clock())
	in := setOf(living)
	return func(login chat.Login) bool { _, ok := in[login.Session]; return ok }, err
}

func setOf[K comparable](list []K) map[K]struct{} {
	set := make(map[K]struct{}, len(list))
	for _, key := range list {
		set[key] = struct{}{}
	}
	return set
}

func (s *Service) alive(ctx context.Context, user chat.UserID, session chat.SessionID) (chat.User, error) {
	entry, err := s.living(session, func(now time.Time) (live, error) { return s.readLive(ctx, session, now) })
	if err != nil {
		return chat.User{}, err
	}
	if entry.session.User != user {
		return chat.User{}, unauthenticated("this token is not good; sign in again")
	}
	if !s.Clock().Before(entry.session.ExpiresAt) {
		return chat.User{}, unauthenticated("this session has expired; sign in again")
	}
	return entry.user, nil
}

// living gives a session as it was at most LiveFor ago, and reads it where it is not remembered.
func (s *Service) living(session chat.SessionID, read func(now time.Time) (live, error)) (live, error) {
	now := s.Clock()
	entry, known, fresh, epoch := s.live.find(session, now)
	if fresh {
		return entry, nil
	}
	again, err := read(now)
	switch {
	case err == nil:
		s.live.remember(again, epoch)
		return again, nil
	case known && chat.CodeOf(err) == chat.Unavailable:
		// Without the store nobody can be signed out either: what was last known holds until the token runs out.
		return entry, nil
	}
	return live{}, err
}

func (s *Service) readLive(ctx context.Context, id chat.SessionID, now time.Time) (live, error) {
	const ended = "this session has ended; sign in again"
	session, err := s.Sessions.Session(ctx, id)
	if err != nil {
		return live{}, orUnauthenticated(err, ended, "read session", id)
	}
	user, err := s.Users.User(ctx, session.User)
	if err != nil {
		return live{}, orUnauthenticated(err, ended, "read user of session", id)
	}
	if user.Disabled {
		return live{}, unauthenticated(ended)
	}
	return live{user: user, session: session, at: now}, nil
}

func orUnauthenticated(err error, detail, act string, id fmt.Stringer) error {
	if errors.Is(err, chat.ErrNotFound) {
		return unauthenticated(detail)
	}
	return fmt.Errorf("%s %s: %w", act, id, err)
}

// read tells what a token says, once it is known to be ours. Checking a signature and decoding costs several times what
// all else about a token does, and a token is shown hundreds of times, so what was found good is remembered by its hash.
func (s *Service) read(ctx context.Context, token string) (user chat.UserID, session chat.SessionID, expires time.Time, err error) {
	if token == "" || len(token) > accessBytesMax {
		return user, session, expires, unauthenticated("sign in first")
	}
	hash := sha256.Sum256([]byte(token))
	if known, ok := s.verified.get(hash); ok && s.Clock().Before(known.expires) {
		return known.user, known.session, known.expires, nil
	}
	user, session, expires, err = s.verify(ctx, token)
	if err == nil {
		s.verified.put(hash, verifiedToken{user, session, expires})
	}
	return user, session, expires, err
}

func (s *Service) verify(ctx context.Context, token string) (user chat.UserID, session chat.SessionID, expires time.Time, err error) {
	const bad = "this token is not good; sign in again"
	key, err := s.signingKey(ctx)
	if err != nil {
		return user, session, expires, err
	}
	var c claims
	_, err = s.parser.ParseWithClaims(token, &c, func(*jwt.Token) (any, error) { return key, nil })
	if err != nil {
		if errors.Is(err, jwt.ErrTokenExpired) {
			return user, session, expires, unauthenticated("this token has expired; refresh it or sign in again")
		}
		return user, session, expires, unauthenticated(bad)
	}
	user, errUser := chat.ParseUserID(c.Subject)
	session, errSession := chat.ParseSessionID(c.Session)
	if errUser != nil || errSession != nil {
		return user, session, expires, unauthenticated(bad)
	}
	return user, session, c.ExpiresAt.Time, nil
}

func (s *Service) accessToken(ctx context.Context, user chat.UserID, session chat.SessionID) (string, time.Time, error) {
	key, err := s.signingKey(ctx)
	if err != nil {
		return "", time.Time{}, err
	}
	now := s.Clock()
	expires := now.Add(s.config.AccessLife).Truncate(time.Second) // as the token has it
	token := jwt.NewWithClaims(jwt.SigningMethodHS256, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: s.config.Issuer, Audience: jwt.ClaimStrings{s.config.Issuer}, Subject: user.String(),
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(expires),
		},
		Session: session.String(),
	})
	signed, err := token.SignedString(key)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("sign a token for user %s: %w", user, err)
	}
	return signed, expires, nil
}

// signingKey asks the store once; all nodes get the same key.
func (s *Service) signingKey(ctx context.Context) ([]byte, error) {
	s.mu.Lock()
	key := s.key
	s.mu.Unlock()
	if key != nil {
		return key, nil
	}
	fresh := make([]byte, signingKeyBytes)
	if _, err := io.ReadFull(s.Rand, fresh); err != nil {
		return nil, fmt.Errorf("draw a signing key: %w", err)
	}
	key, err := s.Keys.Key(ctx, signingKeyName, fresh)
	if err != nil {
		return nil, fmt.Errorf("read the signing key: %w", err)
	}
	if len(key) < signingKeyBytes {
		return nil, fmt.Errorf("the stored signing key has %d bytes, %d are needed", len(key), signingKeyBytes)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.key = key
	return key, nil
}

// newRefreshToken draws a refresh token: the text is for the client alone, the hash for the store.
func (s *Service) newRefreshToken() (text string, hash [32]byte, err error) {
	random := make([]byte, refreshBytes)
	if _, err := io.ReadFull(s.Rand, random); err != nil {
		return "", hash, fmt.Errorf("draw a refresh token: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(random), sha256.Sum256(random), nil
}

// hashRefresh gives the hash under which a refresh token is stored; ok is false for what is not one.
func hashRefresh(text string) (hash [32]byte, ok bool) {
	if len(text) != refreshTextLength {
		return hash, false
	}
	random, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(random) != refreshBytes {
		return hash, false
	}
	return sha256.Sum256(random), true
}
