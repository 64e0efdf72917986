package account

import (
	"context"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Users keeps accounts. What is not there is chat.ErrNotFound.
type Users interface {
	// CreateUser adds an account; chat.UsernameTaken where the (folded) username is in use, chat.Conflict where the id is,
	// and either where both are.
	CreateUser(ctx context.Context, user chat.User, passwordHash string) error
	// User reads an account.
	User(ctx context.Context, id chat.UserID) (chat.User, error)
	// Credentials reads an account and its password hash by folded username.
	Credentials(ctx context.Context, username string) (chat.User, string, error)
	// UpdateUser reads an account, lets change alter it, and writes everything but the id, the username and the creation
	// time, all in one transaction: two changes at once never undo each other. It answers what was written. Where change
	// answers an error nothing is written and that error comes back. change may run again and must have no other effect.
	UpdateUser(ctx context.Context, id chat.UserID, change func(user *chat.User) error) (chat.User, error)
	// SetPassword replaces the password hash and ends every session of that person but keep (none stays if keep is zero),
	// in one transaction.
	SetPassword(ctx context.Context, id chat.UserID, passwordHash string, keep chat.SessionID) error
	// SearchUsers reads accounts, disabled ones left out, whose username or display name contains query (any if empty,
	// case folded), by username, at most limit.
	SearchUsers(ctx context.Context, query string, after chat.Cursor, limit int) ([]chat.User, chat.Cursor, error)
}

// Sessions keeps signed-in devices and the hashes of their refresh tokens. What is not there is chat.ErrNotFound.
type Sessions interface {
	// CreateSession adds a session with its first refresh token's hash, and forgets that person's sessions that expired
	// before session.CreatedAt.
	CreateSession(ctx context.Context, session chat.Session, refreshHash [32]byte) error
	// RotateRefresh replaces the refresh token spent by next, once: of two callers with the same spent hash one gets
	// RefreshRotated. A hash that was replaced before is judged by grace; whatever comes of it, the session that it belonged
	// to is returned. It moves LastUsedAt to now and ExpiresAt to expires. A hash
	// whose session was deleted, or has expired at now, is RefreshUnknown, and so is a spent one that would have expired at
	// now had it never been spent: a store need not remember it any longer.
	RotateRefresh(ctx context.Context, spent, next [32]byte, now, expires time.Time, grace chat.RefreshGrace) (chat.Session, chat.RefreshOutcome, error)
	// Session reads a session.
	Session(ctx context.Context, id chat.SessionID) (chat.Session, error)
	// SessionsOf reads a person's sessions that have not expired at now, last used first.
	SessionsOf(ctx context.Context, user chat.UserID, now time.Time) ([]chat.Session, error)
	// DeleteSession ends one session; ErrNotFound where it is not that person's.
	DeleteSession(ctx context.Context, user chat.UserID, id chat.SessionID) error
	// DeleteSessions ends all sessions of a person but one (none stays if except is zero).
	DeleteSessions(ctx context.Context, user chat.UserID, except chat.SessionID) error
}

// Living tells of many sessions or people at once who is still let in.
type Living interface {
	// LivingSessions answers those of the given sessions that are there, have not expired at now and belong to an account
	// that is not disabled, in any order.
	LivingSessions(ctx context.Context, sessions []chat.SessionID, now time.Time) ([]chat.SessionID, error)
	// EnabledUsers answers those of the given people who have an account that is not disabled, in any order.
	EnabledUsers(ctx context.Context, users []chat.UserID) ([]chat.UserID, error)
}

// Keys keeps the server's own secrets.
type Keys interface {
	// Key reads the secret of that name; where there is none it stores fresh and answers that. All callers get the same.
	Key(ctx context.Context, name string, fresh []byte) ([]byte, error)
}

// Provider is another service that signs people in, and whose tokens are believed.
type Provider interface {
	// Name tells its accounts from all others; it never changes.
	Name() string
	// Verify answers what a good token says. chat.Unauthenticated: it is not one; chat.Unavailable: that cannot be told now.
	Verify(ctx context.Context, token string) (chat.Claims, error)
}

// Signals tells every node that sessions ended or a profile changed. It may lose what it is told.
type Signals interface {
	Signal(ctx context.Context, signal chat.Signal) error
}

// Limiter bounds attempts; see message.Limiter, of which this is the same.
type Limiter interface {
	Allow(ctx context.Context, key string, perSecond float64, burst int) (retryAfter time.Duration, ok bool)
}
