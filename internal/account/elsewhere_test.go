package account

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// provider is a sign-in service whose tokens are the names of the claims that it has given out.
type provider struct {
	mu     sync.Mutex
	tokens map[string]chat.Claims
	away   error
}

func (p *provider) Name() string { return "supabase" }

func (p *provider) Verify(_ context.Context, token string) (chat.Claims, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.away != nil {
		return chat.Claims{}, p.away
	}
	claims, ok := p.tokens[token]
	if !ok {
		return chat.Claims{}, unauthenticated("no")
	}
	return claims, nil
}

// setupElsewhere is a service whose people another one signs in.
func setupElsewhere(t *testing.T) (*bundle, *provider) {
	t.Helper()
	b := setup(t)
	p := &provider{tokens: make(map[string]chat.Claims)}
	b.Provider = p
	return b, p
}

// issue gives out a token of somebody new.
func (p *provider) issue(token, email string, now time.Time) chat.Claims {
	p.mu.Lock()
	defer p.mu.Unlock()
	claims := chat.Claims{User: newID(), Session: newID(), ExpiresAt: now.Add(time.Hour), Email: email}
	p.tokens[token] = claims
	return claims
}

// Promise: who is seen for the first time has an account from then on, under the provider's own id; what they change here
// stays, whatever later tokens say.
func TestFirstSight(t *testing.T) {
	t.Parallel()
	b, p := setupElsewhere(t)
	claims := p.issue("mina", "Mina.Kim+chat@example.com", b.now)
	claims.DisplayName = " Mina\tKim "
	p.tokens["mina"] = claims
	who, err := b.Authenticate(t.Context(), "mina")
	if err != nil {
		t.Fatal(err)
	}
	want := chat.User{
		Profile: chat.Profile{ID: claims.User, Username: "mina.kim-chat", DisplayName: "Mina Kim"},
		Email:   "Mina.Kim+chat@example.com", CreatedAt: b.now,
	}
	if who.User != want || who.Session != claims.Session || !who.ExpiresAt.Equal(claims.ExpiresAt) {
		t.Errorf("first seen as %+v, want %+v", who, want)
	}
	name := "M."
	if _, err := b.ChangeProfile(t.Context(), who, ProfileChange{DisplayName: &name}); err != nil {
		t.Fatal(err)
	}
	claims.Session, claims.Email, claims.Username, claims.DisplayName = newID(), "new@example.com", "new", "New"
	p.tokens["again"] = claims
	again, err := b.Authenticate(t.Context(), "again")
	if err != nil || again.User.Username != want.Username || again.User.DisplayName != name || again.User.Email != want.Email {
		t.Errorf("seen again as %+v, %v; want what was changed here", again.User, err)
	}
	if _, err := b.Authenticate(t.Context(), "nobody's"); chat.CodeOf(err) != chat.Unauthenticated {
		t.Errorf("no token: %v", err)
	}
	p.away = chat.Away("the sign-in service", nil)
	if _, err := b.Authenticate(t.Context(), "mina"); chat.CodeOf(err) != chat.Unavailable {
		t.Errorf("without the service: %v, want unavailable", err)
	}
}

// Promise: however many requests of one person come first, they make one account.
func TestRacingFirstSights(t *testing.T) {
	t.Parallel()
	b, p := setupElsewhere(t)
	claims := p.issue("token 0", "mina@example.com", b.now)
	const devices = 20
	tokens := []string{"token 0"}
	for i := 1; i < devices; i++ {
		claims.Session = newID()
		tokens = append(tokens, "token "+strings.Repeat("+", i))
		p.tokens[tokens[i]] = claims
	}
	var all sync.WaitGroup
	for _, token := range tokens {
		all.Go(func() {
			who, err := b.Authenticate(t.Context(), token)
			if err != nil || who.User.ID != claims.User || who.User.Username != "mina" {
				t.Errorf("%s: %+v, %v", token, who.User, err)
			}
		})
	}
	all.Wait()
	users, _, err := b.Search(t.Context(), "", "", 100)
	if err != nil || len(users) != 1 {
		t.Errorf("there are %d accounts, %v; want one", len(users), err)
	}
}

// Promise (FIGURES §4, 10): the same e-mail address or name, of another provider or of another person, leads to no account
// of anybody else; nor does a local account's id.
func TestNoTakeover(t *testing.T) {
	t.Parallel()
	b, p := setupElsewhere(t)
	b.Provider = nil
	local, err := b.SignUp(t.Context(), NewUser{Username: "mina", Password: password, Email: "mina@example.com"}, Device{}, "")
	if err != nil {
		t.Fatal(err)
	}
	b.Provider = p
	first, second := p.issue("first", "mina@example.com", b.now), p.issue("second", "mina@example.com", b.now)
	seen := map[string]bool{local.User.Username: true}
	for token, claims := range map[string]chat.Claims{"first": first, "second": second} {
		who, err := b.Authenticate(t.Context(), token)
		if err != nil || who.User.ID != claims.User || who.User.ID == local.User.ID || seen[who.User.Username] ||
			!strings.HasPrefix(who.User.Username, "mina-") {
			t.Errorf("%s is %+v, %v; want an account of its own", token, who.User, err)
		}
		seen[who.User.Username] = true
	}
	thief := first
	thief.User, thief.Session = local.User.ID, newID()
	p.tokens["thief"] = thief
	if who, err := b.Authenticate(t.Context(), "thief"); chat.CodeOf(err) != chat.Unauthenticated {
		t.Errorf("a token with a local account's id is %+v, %v; want unauthenticated", who.User, err)
	}
	if who, err := b.Authenticate(t.Context(), local.AccessToken); chat.CodeOf(err) != chat.Unauthenticated {
		t.Errorf("a local token is %+v, %v; want unauthenticated", who.User, err)
	}
	thief = first
	thief.User = second.User // the first's session, said to be the second's
	p.tokens["thief"] = thief
	if who, err := b.Authenticate(t.Context(), "thief"); chat.CodeOf(err) != chat.Unauthenticated {
		t.Errorf("a session of somebody else is %+v, %v; want unauthenticated", who.User, err)
	}
}

// Promise: a disabled account is refused whatever its token says, and every node is told at once.
func TestDisabledElsewhere(t *testing.T) {
	t.Parallel()
	b, p := setupElsewhere(t)
	claims := p.issue("mina", "mina@example.com", b.now)
	if _, err := b.Authenticate(t.Context(), "mina"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.SetDisabled(t.Context(), "mina", true); err != nil {
		t.Fatal(err)
	}
	last := b.signals.sent[len(b.signals.sent)-1]
	if last.Kind != chat.SignalSessionEnded || last.User != claims.User || !last.Session.IsZero() || !last.Except.IsZero() {
		t.Errorf("told %+v, want the end of every session", last)
	}
	claims.Session = newID()
	p.tokens["another device"] = claims
	for _, token := range []string{"mina", "another device"} {
		if _, err := b.Authenticate(t.Context(), token); chat.CodeOf(err) != chat.Unauthenticated {
			t.Errorf("%s: %v, want unauthenticated", token, err)
		}
	}
	if _, err := b.SetDisabled(t.Context(), "mina", false); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Authenticate(t.Context(), "mina"); err != nil {
		t.Errorf("enabled again: %v", err)
	}
}

// Promise: while sign-up is closed nobody new gets in, and everybody known does.
func TestSignupClosedElsewhere(t *testing.T) {
	t.Parallel()
	b, p := setupElsewhere(t)
	p.issue("known", "known@example.com", b.now)
	if _, err := b.Authenticate(t.Context(), "known"); err != nil {
		t.Fatal(err)
	}
	b.config.SignupOpen = false
	b.now = b.now.Add(LiveFor)
	p.issue("new", "new@example.com", b.now)
	if _, err := b.Authenticate(t.Context(), "known"); err != nil {
		t.Errorf("known: %v", err)
	}
	if _, err := b.Authenticate(t.Context(), "new"); chat.CodeOf(err) != chat.Forbidden {
		t.Errorf("new: %v, want forbidden", err)
	}
}

// Promise: an account that is signed in to elsewhere has no password here, now or after the provider is gone, and no
// operator gives it one by mistake.
func TestNoPasswordElsewhere(t *testing.T) {
	t.Parallel()
	b, p := setupElsewhere(t)
	p.issue("mina", "mina@example.com", b.now)
	if _, err := b.Authenticate(t.Context(), "mina"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Create(t.Context(), NewUser{Username: "jun", Password: password}); chat.CodeOf(err) != chat.Conflict {
		t.Errorf("Create = %v, want conflict", err)
	}
	for range 2 {
		if err := b.ResetPassword(t.Context(), "mina", password); chat.CodeOf(err) != chat.Conflict || !strings.Contains(err.Error(), "supabase") {
			t.Errorf("ResetPassword = %v, want conflict and where", err)
		}
		for _, guess := range []string{"", password, elsewhere, elsewhere + "supabase"} {
			if _, err := b.LogIn(t.Context(), "mina", guess, Device{}, ""); chat.CodeOf(err) != chat.Unauthenticated {
				t.Errorf("LogIn with %q = %v, want unauthenticated", guess, err)
			}
		}
		b.Provider = nil
	}
}

// Promise: without the store whoever was seen here goes on, and nobody is made twice or refused for good.
func TestElsewhereWithoutStore(t *testing.T) {
	t.Parallel()
	b, p := setupElsewhere(t)
	p.issue("seen", "seen@example.com", b.now)
	p.issue("new", "new@example.com", b.now)
	if _, err := b.Authenticate(t.Context(), "seen"); err != nil {
		t.Fatal(err)
	}
	b.store.set(true)
	b.now = b.now.Add(LiveFor)
	if who, err := b.Authenticate(t.Context(), "seen"); err != nil || who.User.Username != "seen" {
		t.Errorf("seen: %+v, %v; want to go on", who.User, err)
	}
	if _, err := b.Authenticate(t.Context(), "new"); chat.CodeOf(err) != chat.Unavailable {
		t.Errorf("new: %v, want unavailable", err)
	}
}

// Promise: whatever a provider says of people, they get a name that is one, short enough and nobody else's.
func TestNamesFromElsewhere(t *testing.T) {
	t.Parallel()
	id := chat.UserID{0xab, 0xcd, 0xef}
	for name, tc := range map[string]struct {
		claims  chat.Claims
		user    string
		display string
	}{
		"a wish":               {chat.Claims{Username: "Mina", Email: "x@y", DisplayName: "Mina Kim"}, "mina", "Mina Kim"},
		"an address":           {chat.Claims{Email: "jun.lee@example.com"}, "jun.lee", "jun.lee"},
		"nothing":              {chat.Claims{}, "user", "user"},
		"another script":       {chat.Claims{Username: "미나", DisplayName: "미나"}, "user", "미나"},
		"half another script":  {chat.Claims{Username: "미나 kim!!"}, "kim", "kim"},
		"signs in front":       {chat.Claims{Username: "._-mina-_."}, "mina", "mina"},
		"a path":               {chat.Claims{Username: "../../etc/passwd"}, "etc-passwd", "etc-passwd"},
		"one letter":           {chat.Claims{Username: "m"}, "user", "user"},
		"far too long":         {chat.Claims{Username: strings.Repeat("ab", 500), DisplayName: strings.Repeat("나", 500)}, strings.Repeat("ab", 16), strings.Repeat("나", 64)},
		"control characters":   {chat.Claims{Username: "a\x00b", DisplayName: "a\x00b\u2028c\xff"}, "a-b", "a b c"},
		"a name of spaces":     {chat.Claims{Username: "mina", DisplayName: " \t "}, "mina", "mina"},
		"long, then cut at it": {chat.Claims{Username: strings.Repeat("a", 26) + "-" + strings.Repeat("b", 9)}, strings.Repeat("a", 26) + "-" + "bbbbb", strings.Repeat("a", 26) + "-" + "bbbbb"},
	} {
		tc.claims.User = id
		names := usernamesFor(tc.claims)
		if names[0] != tc.user {
			t.Errorf("%s: first %q, want %q", name, names[0], tc.user)
		}
		if display := displayNameFor(tc.claims, names[0]); display != tc.display || chat.CheckDisplayName(display) != nil {
			t.Errorf("%s: shown as %q, want %q", name, display, tc.display)
		}
		for _, candidate := range names {
			if checked, err := chat.CheckUsername(candidate); err != nil || checked != candidate {
				t.Errorf("%s: %q is no username: %v", name, candidate, err)
			}
		}
		if len(slices.Compact(slices.Sorted(slices.Values(names)))) != len(names) {
			t.Errorf("%s: %q has a name twice", name, names)
		}
	}
}

// Promise: of people whom another service signs in those are out whose account is disabled, and nobody else.
func TestEndedElsewhere(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ada, bob := b.signUp(t, "ada"), b.signUp(t, "bob")
	b.Provider = &provider{}
	if _, err := b.store.UpdateUser(t.Context(), bob.User.ID, func(user *chat.User) error { user.Disabled = true; return nil }); err != nil {
		t.Fatal(err)
	}
	theirs := []chat.Login{{User: ada.User.ID, Session: newID()}, {User: bob.User.ID, Session: newID()}}
	if ended, err := b.Ended(t.Context(), theirs); err != nil || len(ended) != 1 || ended[0] != theirs[1] {
		t.Errorf("Ended = %v, %v, want bob", ended, err)
	}
}
