package account

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// People whom another service signs in have an account here as well, made when they are first seen. It has the service's
// id of the person, and in place of a password's hash it says which service that is. So an account is found by provider
// and subject and by nothing else: that a name or an e-mail address is the same means nothing.

// elsewhere begins what stands in place of a password's hash. No password matches it.
const elsewhere = "elsewhere:"

// Provided reports whether another service signs people in.
func (s *Service) Provided() bool { return s.Provider != nil }

func (s *Service) authenticateElsewhere(ctx context.Context, token string) (Identity, error) {
	claims, err := s.Provider.Verify(ctx, token)
	if err != nil {
		return Identity{}, fmt.Errorf("verify a token of %s: %w", s.Provider.Name(), err)
	}
	entry, err := s.living(claims.Session, func(now time.Time) (live, error) { return s.readElsewhere(ctx, claims, now) })
	if err != nil {
		return Identity{}, err
	}
	if entry.session.User != claims.User {
		return Identity{}, unauthenticated("this token is not good; sign in again")
	}
	return Identity{User: entry.user, Session: claims.Session, ExpiresAt: claims.ExpiresAt}, nil
}

// readElsewhere reads the account of a token's holder, or makes it.
func (s *Service) readElsewhere(ctx context.Context, claims chat.Claims, now time.Time) (live, error) {
	user, err := s.provided(ctx, claims.User)
	if errors.Is(err, chat.ErrNotFound) {
		user, err = s.provision(ctx, claims)
	}
	if err != nil {
		return live{}, err
	}
	if user.Disabled {
		return live{}, unauthenticated("this account is disabled")
	}
	return live{user: user, session: chat.Session{ID: claims.Session, User: user.ID}, at: now}, nil
}

// provided reads an account that this provider signs in; ErrNotFound where there is none.
func (s *Service) provided(ctx context.Context, id chat.UserID) (chat.User, error) {
	user, err := s.Users.User(ctx, id)
	if err != nil {
		return chat.User{}, fmt.Errorf("read user %s: %w", id, err)
	}
	user, hash, err := s.Users.Credentials(ctx, user.Username)
	if err != nil {
		return chat.User{}, fmt.Errorf("read the provider of user %s: %w", id, err)
	}
	if hash != s.providerMark() {
		return chat.User{}, unauthenticated("this account is not signed in to in this way")
	}
	return user, nil
}

func (s *Service) providerMark() string { return elsewhere + s.Provider.Name() }

// provision makes the account of somebody who is seen for the first time.
//
// Two requests of one person may come here at once, on one node or two. One of them makes the account; the other finds
// the id in use, or the name that the first has just taken, and then the account under its id.
func (s *Service) provision(ctx context.Context, claims chat.Claims) (chat.User, error) {
	if !s.config.SignupOpen {
		return chat.User{}, chat.Refuse(chat.Forbidden, "new people cannot join here; ask an administrator")
	}
	user := chat.User{Profile: chat.Profile{ID: claims.User}, CreatedAt: s.Clock().Truncate(time.Millisecond)}
	if checkEmail(claims.Email) == nil {
		user.Email = claims.Email
	}
	var refusal error
	for _, name := range usernamesFor(claims) {
		user.Username, user.DisplayName = name, displayNameFor(claims, name)
		err := s.Users.CreateUser(ctx, user, s.providerMark())
		if err == nil {
			s.Log.InfoContext(ctx, "somebody is here for the first time", "user_id", user.ID, "username", name, "provider", s.Provider.Name())
			return user, nil
		}
		if code := chat.CodeOf(err); code != chat.UsernameTaken && code != chat.Conflict {
			return chat.User{}, fmt.Errorf("create user %s: %w", user.ID, err)
		}
		refusal = err
		if found, err := s.provided(ctx, claims.User); !errors.Is(err, chat.ErrNotFound) {
			return found, err
		}
	}
	return chat.User{}, fmt.Errorf("find a username for user %s: %w", user.ID, refusal)
}

// usernamesFor lists the names to try, the nicest first. The last two are as good as free: they hold the person's own id.
func usernamesFor(claims chat.Claims) []string {
	wish := claims.Username
	if wish == "" {
		wish, _, _ = strings.Cut(claims.Email, "@")
	}
	base := usernameFrom(wish)
	id := hex.EncodeToString(claims.User[:])
	var names []string
	for _, suffix := range []string{"", "-" + id[:4], "-" + id[:12]} {
		head := base[:min(len(base), chat.UsernameRunesMax-len(suffix))]
		names = append(names, head+suffix)
	}
	return append(names, "u-"+id[:chat.UsernameRunesMax-2])
}

const usernameForNobody = "user"

// usernameFrom makes a username of a text. What cannot stand in one becomes a dash, and many of them one.
func usernameFrom(text string) string {
	var name strings.Builder
	for _, c := range strings.ToLower(text) {
		switch {
		case (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'), strings.ContainsRune("_.", c):
			name.WriteRune(c)
		case !strings.HasSuffix(name.String(), "-"):
			name.WriteByte('-')
		}
		if name.Len() == chat.UsernameRunesMax {
			break
		}
	}
	trimmed := strings.Trim(name.String(), "_.-")
	if checked, err := chat.CheckUsername(trimmed); err == nil {
		return checked
	}
	return usernameForNobody
}

// displayNameFor takes the name that the person has elsewhere, as far as it can be shown in a line.
func displayNameFor(claims chat.Claims, username string) string {
	text := strings.ToValidUTF8(claims.DisplayName, "")
	text = strings.Join(strings.FieldsFunc(text, func(c rune) bool { return unicode.IsSpace(c) || unicode.IsControl(c) }), " ")
	text = strings.TrimSpace(chat.Cut(text, chat.DisplayNameRunesMax))
	if chat.CheckDisplayName(text) != nil {
		return username
	}
	return text
}
