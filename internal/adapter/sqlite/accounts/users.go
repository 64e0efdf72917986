package accounts

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/blabber-hive/blabber-hive/internal/adapter/sqlite/column"
	"github.com/blabber-hive/blabber-hive/internal/adapter/sqlite/engine"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Store keeps accounts. Its methods may be called concurrently.
type Store struct{ db *engine.Engine }

// New keeps accounts in a database.
func New(db *engine.Engine) *Store { return &Store{db} }

const userColumns = `u.id, u.username, u.display_name, u.avatar_url, u.status, u.email, u.admin, u.disabled, u.created_at`

func userInto(u *chat.User) []any {
	return append(column.Profile(&u.Profile), &u.Status, &u.Email, &u.Admin, &u.Disabled, (*column.Time)(&u.CreatedAt))
}

const insertUser = `insert into users (id, username, display_name, display_folded, avatar_url, status, email, admin, disabled, created_at, password_hash)
	values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

// userValues are the values of insertUser.
func userValues(u *chat.User, passwordHash string) []any {
	return []any{
		u.ID[:], chat.Fold(u.Username), u.DisplayName, chat.Fold(u.DisplayName), u.AvatarURL, u.Status, u.Email,
		u.Admin, u.Disabled, u.CreatedAt.UnixMilli(), passwordHash,
	}
}

// CreateUser adds an account.
func (s *Store) CreateUser(ctx context.Context, user chat.User, passwordHash string) error {
	err := s.db.Write(ctx, func(c *engine.Conn) error {
		added, err := c.Exec(insertUser+` on conflict (username) do nothing`, userValues(&user, passwordHash)...)
		if err == nil && added == 0 {
			return chat.Refuse(chat.UsernameTaken, "this username is taken")
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("create user %s: %w", user.ID, err)
	}
	return nil
}

// User reads an account.
func (s *Store) User(ctx context.Context, id chat.UserID) (user chat.User, err error) {
	err = s.db.Read(ctx, func(c *engine.Conn) error {
		return c.Row(`select `+userColumns+` from users u where u.id = ?`, []any{id[:]}, userInto(&user)...)
	})
	if err != nil {
		return chat.User{}, fmt.Errorf("read user %s: %w", id, err)
	}
	return user, nil
}

// Credentials reads an account and its password hash.
func (s *Store) Credentials(ctx context.Context, username string) (user chat.User, hash string, err error) {
	err = s.db.Read(ctx, func(c *engine.Conn) error {
		return c.Row(`select `+userColumns+`, u.password_hash from users u where u.username = ?`, []any{chat.Fold(username)},
			append(userInto(&user), &hash)...)
	})
	if err != nil {
		return chat.User{}, "", fmt.Errorf("read credentials: %w", err)
	}
	return user, hash, nil
}

// UpdateUser changes an account. There is one writer, so nothing comes between its reading and its writing.
func (s *Store) UpdateUser(ctx context.Context, id chat.UserID, change func(user *chat.User) error) (user chat.User, err error) {
	err = s.db.Write(ctx, func(c *engine.Conn) error {
		var before chat.User
		if err := c.Row(`select `+userColumns+` from users u where u.id = ?`, []any{id[:]}, userInto(&before)...); err != nil {
			return err
		}
		user = before
		if err := change(&user); err != nil {
			return err
		}
		user.ID, user.Username, user.CreatedAt = before.ID, before.Username, before.CreatedAt
		_, err := c.Exec(`update users set display_name = ?2, display_folded = ?3, avatar_url = ?4, status = ?5, email = ?6, admin = ?7, disabled = ?8
			where id = ?1`, id[:], user.DisplayName, chat.Fold(user.DisplayName), user.AvatarURL, user.Status, user.Email, user.Admin, user.Disabled)
		return err
	})
	if err != nil {
		return chat.User{}, fmt.Errorf("update user %s: %w", id, err)
	}
	return user, nil
}

// SetPassword replaces an account's password hash and ends what was signed in with the old one.
func (s *Store) SetPassword(ctx context.Context, id chat.UserID, passwordHash string, keep chat.SessionID) error {
	err := s.db.Write(ctx, func(c *engine.Conn) error {
		if err := c.One(`update users set password_hash = ?2 where id = ?1`, id[:], passwordHash); err != nil {
			return err
		}
		return endSessions(c, id, keep)
	})
	if err != nil {
		return fmt.Errorf("set the password of user %s: %w", id, err)
	}
	return nil
}

// SearchUsers reads a page of accounts. A cursor is the username of the last one read. Whatever the text, this walks the
// usernames in order until the page is full: a text can begin anywhere in a name, so no index could find it.
func (s *Store) SearchUsers(ctx context.Context, query string, after chat.Cursor, limit int) (users []chat.User, next chat.Cursor, err error) {
	err = s.db.Read(ctx, func(c *engine.Conn) error {
		return c.Each(`select `+userColumns+` from users u
			where u.username > ?1 and not u.disabled and (instr(u.username, ?2) or instr(u.display_folded, ?2))
			order by u.username limit ?3`, []any{string(after), chat.Fold(query), limit + 1}, func(rows *sql.Rows) error {
			users = append(users, chat.User{})
			return rows.Scan(userInto(&users[len(users)-1])...)
		})
	})
	if err != nil {
		return nil, "", fmt.Errorf("search users: %w", err)
	}
	if len(users) > limit {
		users = users[:limit]
		next = chat.Cursor(users[limit-1].Username)
	}
	return users, next, nil
}

// Key reads a secret of the server, or stores a fresh one.
func (s *Store) Key(ctx context.Context, name string, fresh []byte) (value []byte, err error) {
	read := func(c *engine.Conn) error { return c.Row(`select value from keys where name = ?`, []any{name}, &value) }
	err = s.db.Read(ctx, read)
	if errors.Is(err, chat.ErrNotFound) {
		err = s.db.Write(ctx, func(c *engine.Conn) error {
			if _, err := c.Exec(`insert into keys (name, value) values (?, ?) on conflict do nothing`, name, fresh); err != nil {
				return err
			}
			return read(c) // whoever came first
		})
	}
	if err != nil {
		return nil, fmt.Errorf("read key %s: %w", name, err)
	}
	return value, nil
}

// Each reads all accounts, for an archive.
func Each(c *engine.Conn, visit func(account *chat.Account) error) error {
	return c.Each(`select `+userColumns+`, u.password_hash from users u order by u.id`, nil, func(rows *sql.Rows) error {
		account := &chat.Account{}
		if err := rows.Scan(append(userInto(&account.User), &account.PasswordHash)...); err != nil {
			return err
		}
		return visit(account)
	})
}

// Put adds an account of an archive unless it is there.
func Put(c *engine.Conn, account *chat.Account) error {
	_, err := c.Exec(insertUser+` on conflict (id) do nothing`, userValues(&account.User, account.PasswordHash)...)
	if chat.CodeOf(engine.Translate(err)) == chat.Conflict {
		return chat.Refuse(chat.Invalid, "two accounts have the username %s", account.Username)
	}
	return err
}

// EnabledUsers answers those of the given people who have an account that is not disabled.
func (s *Store) EnabledUsers(ctx context.Context, users []chat.UserID) (enabled []chat.UserID, err error) {
	err = s.db.ReadMoment(ctx, func(c *engine.Conn) error {
		for i := range users {
			var there int
			if err := c.Row(`select count(*) from users where id = ? and not disabled`, []any{users[i][:]}, &there); err != nil {
				return err
			}
			if there == 1 {
				enabled = append(enabled, users[i])
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("tell which of %d accounts are enabled: %w", len(users), err)
	}
	return enabled, nil
}
