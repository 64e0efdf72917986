package accounts

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/column"
	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/engine"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

const sessionColumns = `s.id, s.user_id, s.created_at, s.last_used_at, s.expires_at, s.user_agent`

// sessionsListed bounds what SessionsOf reads.
const sessionsListed = 1000

// endSessions ends the sessions of the person $1 but $2. Rows are locked in one order, whoever else ends them as well.
const endSessions = `delete from sessions where id in (select id from sessions where user_id = $1 and id <> $2 order by id for update)`

func sessionInto(s *chat.Session) []any {
	return []any{
		column.Into(&s.ID), column.Into(&s.User), (*column.Time)(&s.CreatedAt), (*column.Time)(&s.LastUsedAt), (*column.Time)(&s.ExpiresAt),
		(*column.Text)(&s.UserAgent),
	}
}

// CreateSession adds a session. That person's expired ones go with the same commit, so they never pile up.
func (s *Store) CreateSession(ctx context.Context, session chat.Session, refreshHash [32]byte) error {
	var b engine.Batch
	b.Exec(nil, `delete from sessions where id in (select id from sessions where user_id = $1 and expires_at <= $2 order by id for update)`,
		column.ID(session.User), column.At(session.CreatedAt))
	b.Exec(nil, `insert into sessions (id, user_id, created_at, last_used_at, expires_at, user_agent, refresh_hash) values ($1, $2, $3, $4, $5, $6, $7)`,
		column.ID(session.ID), column.ID(session.User), column.At(session.CreatedAt), column.At(session.LastUsedAt), column.At(session.ExpiresAt),
		column.Escape(session.UserAgent), refreshHash[:])
	if err := s.db.Send(ctx, &b); err != nil {
		return fmt.Errorf("create session %s: %w", session.ID, err)
	}
	return nil
}

// RotateRefresh spends a refresh token.
func (s *Store) RotateRefresh(ctx context.Context, spent, next [32]byte, now, expires time.Time, grace chat.RefreshGrace) (session chat.Session, outcome chat.RefreshOutcome, err error) {
	err = s.db.Change(ctx, func(c *engine.Conn) (err error) {
		session, outcome, err = rotate(c, spent, next, now, expires, grace)
		return err
	})
	if err != nil {
		return chat.Session{}, chat.RefreshUnknown, fmt.Errorf("rotate a refresh token: %w", err)
	}
	return session, outcome, nil
}

// rotate holds the session's row from its reading on. Of two with the same token the second waits here, finds the row to
// have another token, and then the token among those that were spent.
func rotate(c *engine.Conn, spent, next [32]byte, now, expires time.Time, grace chat.RefreshGrace) (session chat.Session, outcome chat.RefreshOutcome, err error) {
	err = c.Row(`select `+sessionColumns+` from sessions s where s.refresh_hash = $1 for update`, []any{spent[:]}, sessionInto(&session)...)
	if errors.Is(err, pgx.ErrNoRows) {
		return rotatedBefore(c, spent, next, now, expires, grace)
	}
	if err != nil {
		return session, chat.RefreshUnknown, err
	}
	var b engine.Batch
	if !now.Before(session.ExpiresAt) {
		b.Exec(nil, `delete from sessions where id = $1`, column.ID(session.ID))
		return chat.Session{}, chat.RefreshUnknown, c.SendLast(&b)
	}
	b.Exec(nil, `delete from spent_refresh where session_id = $1 and expires_at <= $2`, column.ID(session.ID), column.At(now))
	b.Exec(nil, `insert into spent_refresh (hash, session_id, spent_at, expires_at) values ($1, $2, $3, $4)`,
		spent[:], column.ID(session.ID), column.At(now), column.At(session.ExpiresAt))
	return renewed(c, &b, session, next, now, expires)
}

func renewed(c *engine.Conn, b *engine.Batch, session chat.Session, next [32]byte, now, expires time.Time) (chat.Session, chat.RefreshOutcome, error) {
	session.LastUsedAt, session.ExpiresAt = now, expires
	b.Exec(nil, `update sessions set refresh_hash = $2, last_used_at = $3, expires_at = $4 where id = $1`,
		column.ID(session.ID), next[:], column.At(now), column.At(expires))
	return session, chat.RefreshRotated, c.SendLast(b)
}

// rotatedBefore judges a token that was spent before. It holds both rows: of two with the same token the second is judged
// by what the first made of them.
func rotatedBefore(c *engine.Conn, spent, next [32]byte, now, expires time.Time, grace chat.RefreshGrace) (session chat.Session, outcome chat.RefreshOutcome, err error) {
	var spentAt, expiresAt time.Time
	var newest bool
	err = c.Row(`select `+sessionColumns+`, x.spent_at, x.expires_at,
			not exists (select from spent_refresh y where y.session_id = x.session_id and y.spent_at >= x.spent_at and y.hash <> x.hash)
		from spent_refresh x join sessions s on s.id = x.session_id where x.hash = $1 for update`,
		[]any{spent[:]}, append(sessionInto(&session), (*column.Time)(&spentAt), (*column.Time)(&expiresAt), &newest)...)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return chat.Session{}, chat.RefreshUnknown, nil
	case err != nil:
		return chat.Session{}, chat.RefreshUnknown, err
	case !now.Before(session.ExpiresAt), !now.Before(expiresAt): // it would be worth nothing by now even if it had never been spent
		return chat.Session{}, chat.RefreshUnknown, nil
	}
	if outcome = grace.Judge(now.Sub(spentAt), newest); outcome != chat.RefreshRotated {
		return session, outcome, nil
	}
	var b engine.Batch
	b.Exec(nil, `insert into spent_refresh (hash, session_id, spent_at, expires_at) select refresh_hash, id, $2, expires_at from sessions where id = $1`,
		column.ID(session.ID), column.At(spentAt))
	b.Exec(nil, `update spent_refresh set spent_at = $2 where hash = $1`, spent[:], column.At(now))
	return renewed(c, &b, session, next, now, expires)
}

// Session reads a session.
func (s *Store) Session(ctx context.Context, id chat.SessionID) (session chat.Session, err error) {
	err = s.db.Row(ctx, `select `+sessionColumns+` from sessions s where s.id = $1`, []any{column.ID(id)}, sessionInto(&session)...)
	if err != nil {
		return chat.Session{}, fmt.Errorf("read session %s: %w", id, err)
	}
	return session, nil
}

// LivingSessions answers those of the given sessions that have not ended.
func (s *Store) LivingSessions(ctx context.Context, sessions []chat.SessionID, now time.Time) (living []chat.SessionID, err error) {
	err = s.db.Each(ctx, `select s.id from sessions s join users u on u.id = s.user_id
		where s.id = any($1::uuid[]) and s.expires_at > $2 and not u.disabled`, []any{column.IDs(sessions), column.At(now)}, func(row pgx.CollectableRow) error {
		var session chat.SessionID
		err := row.Scan(column.Into(&session))
		living = append(living, session)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("tell which of %d sessions live: %w", len(sessions), err)
	}
	return living, nil
}

// EnabledUsers answers those of the given people who have an account that is not disabled.
func (s *Store) EnabledUsers(ctx context.Context, users []chat.UserID) (enabled []chat.UserID, err error) {
	err = s.db.Each(ctx, `select id from users where id = any($1::uuid[]) and not disabled`, []any{column.IDs(users)}, func(row pgx.CollectableRow) error {
		var user chat.UserID
		err := row.Scan(column.Into(&user))
		enabled = append(enabled, user)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("tell which of %d accounts are enabled: %w", len(users), err)
	}
	return enabled, nil
}

// SessionsOf reads a person's sessions.
func (s *Store) SessionsOf(ctx context.Context, user chat.UserID, now time.Time) (sessions []chat.Session, err error) {
	err = s.db.Each(ctx, `select `+sessionColumns+` from sessions s where s.user_id = $1 and s.expires_at > $2 order by s.last_used_at desc, s.id limit $3`,
		[]any{column.ID(user), column.At(now), sessionsListed}, func(row pgx.CollectableRow) error {
			sessions = append(sessions, chat.Session{})
			return row.Scan(sessionInto(&sessions[len(sessions)-1])...)
		})
	if err != nil {
		return nil, fmt.Errorf("list sessions of user %s: %w", user, err)
	}
	return sessions, nil
}

// DeleteSession ends one session of a person.
func (s *Store) DeleteSession(ctx context.Context, user chat.UserID, id chat.SessionID) error {
	if err := s.db.One(ctx, `delete from sessions where id = $1 and user_id = $2`, column.ID(id), column.ID(user)); err != nil {
		return fmt.Errorf("end session %s: %w", id, err)
	}
	return nil
}

// DeleteSessions ends all sessions of a person but one.
func (s *Store) DeleteSessions(ctx context.Context, user chat.UserID, except chat.SessionID) error {
	if _, err := s.db.Exec(ctx, endSessions, column.ID(user), column.ID(except)); err != nil {
		return fmt.Errorf("end sessions of user %s: %w", user, err)
	}
	return nil
}
