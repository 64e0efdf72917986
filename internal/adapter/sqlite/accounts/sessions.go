package accounts

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/adapter/sqlite/column"
	"github.com/blabber-hive/blabber-hive/internal/adapter/sqlite/engine"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

const sessionColumns = `s.id, s.user, s.created_at, s.last_used_at, s.expires_at, s.user_agent`

// sessionsListed bounds what SessionsOf reads.
const sessionsListed = 1000

func sessionInto(s *chat.Session) []any {
	return []any{column.Into(&s.ID), column.Into(&s.User), (*column.Time)(&s.CreatedAt), (*column.Time)(&s.LastUsedAt), (*column.Time)(&s.ExpiresAt), &s.UserAgent}
}

// CreateSession adds a session. That person's expired ones go with the same commit, so they never pile up.
func (s *Store) CreateSession(ctx context.Context, session chat.Session, refreshHash [32]byte) error {
	err := s.db.Write(ctx, func(c *engine.Conn) error {
		if _, err := c.Exec(`delete from sessions where user = ? and expires_at <= ?`, session.User[:], session.CreatedAt.UnixMilli()); err != nil {
			return err
		}
		_, err := c.Exec(`insert into sessions (id, user, created_at, last_used_at, expires_at, user_agent, refresh_hash) values (?, ?, ?, ?, ?, ?, ?)`,
			session.ID[:], session.User[:], session.CreatedAt.UnixMilli(), session.LastUsedAt.UnixMilli(), session.ExpiresAt.UnixMilli(),
			session.UserAgent, refreshHash[:])
		return err
	})
	if err != nil {
		return fmt.Errorf("create session %s: %w", session.ID, err)
	}
	return nil
}

// RotateRefresh spends a refresh token.
func (s *Store) RotateRefresh(ctx context.Context, spent, next [32]byte, now, expires time.Time, grace chat.RefreshGrace) (session chat.Session, outcome chat.RefreshOutcome, err error) {
	err = s.db.Write(ctx, func(c *engine.Conn) (err error) {
		session, outcome, err = rotate(c, spent, next, now, expires, grace)
		return err
	})
	if err != nil {
		return chat.Session{}, chat.RefreshUnknown, fmt.Errorf("rotate a refresh token: %w", err)
	}
	return session, outcome, nil
}

func rotate(c *engine.Conn, spent, next [32]byte, now, expires time.Time, grace chat.RefreshGrace) (session chat.Session, outcome chat.RefreshOutcome, err error) {
	err = c.Row(`select `+sessionColumns+` from sessions s where s.refresh_hash = ?`, []any{spent[:]}, sessionInto(&session)...)
	if errors.Is(err, sql.ErrNoRows) {
		return rotatedBefore(c, spent, next, now, expires, grace)
	}
	if err != nil {
		return session, chat.RefreshUnknown, err
	}
	if !now.Before(session.ExpiresAt) {
		_, err = c.Exec(`delete from sessions where id = ?`, session.ID[:])
		return chat.Session{}, chat.RefreshUnknown, err
	}
	if _, err = c.Exec(`delete from spent_refresh where session = ? and expires_at <= ?`, session.ID[:], now.UnixMilli()); err != nil {
		return session, chat.RefreshUnknown, err
	}
	if _, err = c.Exec(`insert into spent_refresh (hash, session, spent_at, expires_at) values (?, ?, ?, ?)`,
		spent[:], session.ID[:], now.UnixMilli(), session.ExpiresAt.UnixMilli()); err != nil {
		return session, chat.RefreshUnknown, err
	}
	return renewed(c, session, next, now, expires)
}

func renewed(c *engine.Conn, session chat.Session, next [32]byte, now, expires time.Time) (chat.Session, chat.RefreshOutcome, error) {
	session.LastUsedAt, session.ExpiresAt = now, expires
	_, err := c.Exec(`update sessions set refresh_hash = ?2, last_used_at = ?3, expires_at = ?4 where id = ?1`,
		session.ID[:], next[:], now.UnixMilli(), expires.UnixMilli())
	return session, chat.RefreshRotated, err
}

// rotatedBefore judges a token that was spent before.
func rotatedBefore(c *engine.Conn, spent, next [32]byte, now, expires time.Time, grace chat.RefreshGrace) (session chat.Session, outcome chat.RefreshOutcome, err error) {
	var spentAt, expiresAt time.Time
	var newest bool
	err = c.Row(`select `+sessionColumns+`, x.spent_at, x.expires_at,
			not exists (select 1 from spent_refresh y where y.session = x.session and y.spent_at >= x.spent_at and y.hash <> x.hash)
		from spent_refresh x join sessions s on s.id = x.session where x.hash = ?`,
		[]any{spent[:]}, append(sessionInto(&session), (*column.Time)(&spentAt), (*column.Time)(&expiresAt), &newest)...)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return chat.Session{}, chat.RefreshUnknown, nil
	case err != nil:
		return chat.Session{}, chat.RefreshUnknown, err
	case !now.Before(session.ExpiresAt), !now.Before(expiresAt): // it would be worth nothing by now even if it had never been spent
		return chat.Session{}, chat.RefreshUnknown, nil
	}
	if outcome = grace.Judge(now.Sub(spentAt), newest); outcome != chat.RefreshRotated {
		return session, outcome, nil
	}
	if _, err = c.Exec(`insert into spent_refresh (hash, session, spent_at, expires_at) select refresh_hash, id, ?2, expires_at from sessions where id = ?1`,
		session.ID[:], spentAt.UnixMilli()); err != nil {
		return session, chat.RefreshUnknown, err
	}
	if _, err = c.Exec(`update spent_refresh set spent_at = ?2 where hash = ?1`, spent[:], now.UnixMilli()); err != nil {
		return session, chat.RefreshUnknown, err
	}
	return renewed(c, session, next, now, expires)
}

// Session reads a session.
func (s *Store) Session(ctx context.Context, id chat.SessionID) (session chat.Session, err error) {
	err = s.db.Read(ctx, func(c *engine.Conn) error {
		return c.Row(`select `+sessionColumns+` from sessions s where s.id = ?`, []any{id[:]}, sessionInto(&session)...)
	})
	if err != nil {
		return chat.Session{}, fmt.Errorf("read session %s: %w", id, err)
	}
	return session, nil
}

// LivingSessions answers those of the given sessions that have not ended. Asking one by one costs a microsecond each and
// needs one statement, whatever the number.
func (s *Store) LivingSessions(ctx context.Context, sessions []chat.SessionID, now time.Time) (living []chat.SessionID, err error) {
	err = s.db.ReadMoment(ctx, func(c *engine.Conn) error {
		for i := range sessions {
			var alive int
			if err := c.Row(`select count(*) from sessions s join users u on u.id = s.user
				where s.id = ? and s.expires_at > ? and not u.disabled`, []any{sessions[i][:], now.UnixMilli()}, &alive); err != nil {
				return err
			}
			if alive == 1 {
				living = append(living, sessions[i])
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("tell which of %d sessions live: %w", len(sessions), err)
	}
	return living, nil
}

// SessionsOf reads a person's sessions.
func (s *Store) SessionsOf(ctx context.Context, user chat.UserID, now time.Time) (sessions []chat.Session, err error) {
	err = s.db.Read(ctx, func(c *engine.Conn) error {
		return c.Each(`select `+sessionColumns+` from sessions s where s.user = ? and s.expires_at > ? order by s.last_used_at desc, s.id limit ?`,
			[]any{user[:], now.UnixMilli(), sessionsListed}, func(rows *sql.Rows) error {
				sessions = append(sessions, chat.Session{})
				return rows.Scan(sessionInto(&sessions[len(sessions)-1])...)
			})
	})
	if err != nil {
		return nil, fmt.Errorf("list sessions of user %s: %w", user, err)
	}
	return sessions, nil
}

// DeleteSession ends one session of a person.
func (s *Store) DeleteSession(ctx context.Context, user chat.UserID, id chat.SessionID) error {
	err := s.db.Write(ctx, func(c *engine.Conn) error {
		return c.One(`delete from sessions where id = ? and user = ?`, id[:], user[:])
	})
	if err != nil {
		return fmt.Errorf("end session %s: %w", id, err)
	}
	return nil
}

// DeleteSessions ends all sessions of a person but one.
func (s *Store) DeleteSessions(ctx context.Context, user chat.UserID, except chat.SessionID) error {
	if err := s.db.Write(ctx, func(c *engine.Conn) error { return endSessions(c, user, except) }); err != nil {
		return fmt.Errorf("end sessions of user %s: %w", user, err)
	}
	return nil
}

func endSessions(c *engine.Conn, user chat.UserID, except chat.SessionID) error {
	_, err := c.Exec(`delete from sessions where user = ? and id <> ?`, user[:], except[:])
	return err
}
