package accounts

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/column"
	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/engine"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Store keeps accounts. Its methods may be called concurrently.
type Store struct{ db *engine.Engine }

// New keeps accounts in a database.
func New(db *engine.Engine) *Store { return &Store{db} }

const userColumns = `u.id, u.username, u.display_name, u.avatar_url, u.status, u.email, u.admin, u.disabled, u.created_at`

func userInto(u *chat.User) []any {
	return append(column.Profile(&u.Profile), (*column.Text)(&u.Status), (*column.Text)(&u.Email), &u.Admin, &u.Disabled, (*column.Time)(&u.CreatedAt))
}

const insertUser = `insert into users (id, username, display_name, display_folded, avatar_url, status, email, admin, disabled, created_at, password_hash)
	values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`

// userValues are the values of insertUser.
func userValues(u *chat.User, passwordHash string) []any {
	return []any{
		column.ID(u.ID), column.Escape(chat.Fold(u.Username)), column.Escape(u.DisplayName), column.Escape(chat.Fold(u.DisplayName)),
		column.Escape(u.AvatarURL), column.Escape(u.Status), column.Escape(u.Email), u.Admin, u.Disabled, column.At(u.CreatedAt), passwordHash,
	}
}

// CreateUser adds an account.
func (s *Store) CreateUser(ctx context.Context, user chat.User, passwordHash string) error {
	added, err := s.db.Exec(ctx, insertUser+` on conflict (username) do nothing`, userValues(&user, passwordHash)...)
	if err == nil && added == 0 {
		err = chat.Refuse(chat.UsernameTaken, "this username is taken")
	}
	if err != nil {
		return fmt.Errorf("create user %s: %w", user.ID, err)
	}
	return nil
}

// User reads an account.
func (s *Store) User(ctx context.Context, id chat.UserID) (user chat.User, err error) {
	err = s.db.Row(ctx, `select `+userColumns+` from users u where u.id = $1`, []any{column.ID(id)}, userInto(&user)...)
	if err != nil {
		return chat.User{}, fmt.Errorf("read user %s: %w", id, err)
	}
	return user, nil
}

// Credentials reads an account and its password hash.
func (s *Store) Credentials(ctx context.Context, username string) (user chat.User, hash string, err error) {
	err = s.db.Row(ctx, `select `+userColumns+`, u.password_hash from users u where u.username = $1`,
		[]any{column.Escape(chat.Fold(username))}, append(userInto(&user), &hash)...)
	if err != nil {
		return chat.User{}, "", fmt.Errorf("read credentials: %w", err)
	}
	return user, hash, nil
}

// UpdateUser changes an account, whose row is locked from its reading to its writing.
func (s *Store) UpdateUser(ctx context.Context, id chat.UserID, change func(user *chat.User) error) (user chat.User, err error) {
	err = s.db.Change(ctx, func(c *engine.Conn) error {
		var before chat.User
		if err := c.Row(`select `+userColumns+` from users u where u.id = $1 for no key update`, []any{column.ID(id)}, userInto(&before)...); err != nil {
			return err
		}
		user = before
		if err := change(&user); err != nil {
			return err
		}
		user.ID, user.Username, user.CreatedAt = before.ID, before.Username, before.CreatedAt
		var b engine.Batch
		b.Exec(nil, `update users set display_name = $2, display_folded = $3, avatar_url = $4, status = $5, email = $6, admin = $7, disabled = $8
			where id = $1`, column.ID(id), column.Escape(user.DisplayName), column.Escape(chat.Fold(user.DisplayName)), column.Escape(user.AvatarURL),
			column.Escape(user.Status), column.Escape(user.Email), user.Admin, user.Disabled)
		return c.SendLast(&b)
	})
	if err != nil {
		return chat.User{}, fmt.Errorf("update user %s: %w", id, err)
	}
	return user, nil
}

// SetPassword replaces an account's password hash and ends what was signed in with the old one.
func (s *Store) SetPassword(ctx context.Context, id chat.UserID, passwordHash string, keep chat.SessionID) error {
	var found int64
	var b engine.Batch
	b.Exec(&found, `update users set password_hash = $2 where id = $1`, column.ID(id), passwordHash)
	b.Exec(nil, endSessions, column.ID(id), column.ID(keep))
	err := s.db.Send(ctx, &b)
	if err == nil && found == 0 {
		err = chat.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("set the password of user %s: %w", id, err)
	}
	return nil
}

// SearchUsers reads a page of accounts. A cursor is the username of the last one read. Whatever the text, this walks the
// usernames in order until the page is full: a text can begin anywhere in a name, so no index could find it.
func (s *Store) SearchUsers(ctx context.Context, query string, after chat.Cursor, limit int) (users []chat.User, next chat.Cursor, err error) {
	err = s.db.Each(ctx, `select `+userColumns+` from users u
		where u.username > $1 and not u.disabled and (strpos(u.username, $2) > 0 or strpos(u.display_folded, $2) > 0)
		order by u.username limit $3`, []any{column.Escape(string(after)), column.Escape(chat.Fold(query)), limit + 1}, func(row pgx.CollectableRow) error {
		users = append(users, chat.User{})
		return row.Scan(userInto(&users[len(users)-1])...)
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
	const read = `select value from keys where name = $1`
	err = s.db.Row(ctx, read, []any{column.Escape(name)}, &value)
	if errors.Is(err, chat.ErrNotFound) {
		var b engine.Batch
		b.Exec(nil, `insert into keys (name, value) values ($1, $2) on conflict do nothing`, column.Escape(name), fresh)
		b.Row(read, []any{column.Escape(name)}, &value) // whoever came first
		err = s.db.Send(ctx, &b)
	}
	if err != nil {
		return nil, fmt.Errorf("read key %s: %w", name, err)
	}
	return value, nil
}

// Each reads all accounts, for an archive.
func Each(c *engine.Conn, visit func(account *chat.Account) error) error {
	return c.Each(`select `+userColumns+`, u.password_hash from users u order by u.id`, nil, func(row pgx.CollectableRow) error {
		account := &chat.Account{}
		if err := row.Scan(append(userInto(&account.User), &account.PasswordHash)...); err != nil {
			return err
		}
		return visit(account)
	})
}

// Put adds an account of an archive unless it is there, with whatever else the batch holds.
func Put(b *engine.Batch, account *chat.Account) {
	b.Exec(nil, insertUser+` on conflict (id) do nothing`, userValues(&account.User, account.PasswordHash)...)
}

// Taken reports whether Put has failed because another account has the username.
func Taken(err error) bool { return engine.Violates(err, "users_username_unique") }
