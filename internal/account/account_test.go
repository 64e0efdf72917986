package account

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Promise (DESIGN, What happens when something dies): without the store whoever was seen here goes on until the token
// runs out, and nobody else gets in; a session that is known to have ended has ended all the same.
func TestAuthenticateWithoutStore(t *testing.T) {
	t.Parallel()
	b := setup(t)
	seen, unseen, ended := b.signUp(t, "seen"), b.signUp(t, "unseen"), b.signUp(t, "ended")
	for _, grant := range []Grant{seen, ended} {
		if _, err := b.Authenticate(t.Context(), grant.AccessToken); err != nil {
			t.Fatal(err)
		}
	}
	b.Heard(chat.Signal{Kind: chat.SignalSessionEnded, User: ended.User.ID, Session: ended.Session})
	b.store.set(true)
	b.now = b.now.Add(10 * time.Minute)
	if who, err := b.Authenticate(t.Context(), seen.AccessToken); err != nil || who.User.Username != "seen" || who.Session != seen.Session {
		t.Errorf("seen before = %+v, %v; want to go on", who, err)
	}
	for name, token := range map[string]string{"unseen": unseen.AccessToken, "ended": ended.AccessToken} {
		if _, err := b.Authenticate(t.Context(), token); chat.CodeOf(err) != chat.Unavailable {
			t.Errorf("%s = %v, want unavailable", name, err)
		}
	}
	b.now = b.now.Add(6 * time.Minute)
	if _, err := b.Authenticate(t.Context(), seen.AccessToken); chat.CodeOf(err) != chat.Unauthenticated {
		t.Errorf("expired = %v, want unauthenticated", err)
	}
}

// Promise: a process may start without its store; the key is asked for when it is needed, and then kept.
func TestKeyComesLate(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.store.set(true)
	if _, err := b.Authenticate(t.Context(), "x.y.z"); chat.CodeOf(err) != chat.Unavailable {
		t.Errorf("without a key = %v, want unavailable", err)
	}
	b.store.set(false)
	if _, err := b.Authenticate(t.Context(), "x.y.z"); chat.CodeOf(err) != chat.Unauthenticated {
		t.Errorf("with a key = %v, want unauthenticated", err)
	}
}

// Promise: a live session costs the store one reading in LiveFor, and its end without a word is noticed after that.
func TestSessionsAreRemembered(t *testing.T) {
	t.Parallel()
	b := setup(t)
	grant := b.signUp(t, "ada")
	for range 100 {
		if _, err := b.Authenticate(t.Context(), grant.AccessToken); err != nil {
			t.Fatal(err)
		}
	}
	if b.store.reads > 3 { // the key, the session and its user
		t.Errorf("the store was read %d times for 100 requests, want 3", b.store.reads)
	}
	if err := b.store.DeleteSession(t.Context(), grant.User.ID, grant.Session); err != nil { // by another node whose signal was lost
		t.Fatal(err)
	}
	if err := b.Alive(t.Context(), grant.User.ID, grant.Session); err != nil {
		t.Errorf("within LiveFor = %v", err)
	}
	b.now = b.now.Add(LiveFor)
	if err := b.Alive(t.Context(), grant.User.ID, grant.Session); chat.CodeOf(err) != chat.Unauthenticated {
		t.Errorf("after LiveFor = %v, want unauthenticated", err)
	}
}

// Promise: asked about many sign-ins, the service names those that are over, whatever it remembers, and forgets them.
func TestEnded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ada, bob, eve := b.signUp(t, "ada"), b.signUp(t, "bob"), b.signUp(t, "eve")
	login := func(grant Grant) chat.Login { return chat.Login{User: grant.User.ID, Session: grant.Session} }
	for _, grant := range []Grant{ada, bob, eve} { // remembered as living
		if err := b.Alive(t.Context(), grant.User.ID, grant.Session); err != nil {
			t.Fatal(err)
		}
	}
	// By another node, whose signals were lost.
	if err := b.store.DeleteSession(t.Context(), ada.User.ID, ada.Session); err != nil {
		t.Fatal(err)
	}
	if _, err := b.store.UpdateUser(t.Context(), eve.User.ID, func(user *chat.User) error { user.Disabled = true; return nil }); err != nil {
		t.Fatal(err)
	}
	ended, err := b.Ended(t.Context(), []chat.Login{login(ada), login(bob), login(eve)})
	if err != nil || !slices.Equal(ended, []chat.Login{login(ada), login(eve)}) {
		t.Errorf("Ended = %v, %v, want ada and eve", ended, err)
	}
	for _, grant := range []Grant{ada, eve} {
		if err := b.Alive(t.Context(), grant.User.ID, grant.Session); chat.CodeOf(err) != chat.Unauthenticated {
			t.Errorf("and then it is believed to live: %v", err)
		}
	}
	if ended, err := b.Ended(t.Context(), nil); err != nil || len(ended) != 0 {
		t.Errorf("Ended(nobody) = %v, %v", ended, err)
	}
}

// Promise: what is read of a session while it ends is not believed afterwards. The reader asks, the session ends, and
// only then the reader comes to remember.
func TestSessionEndsWhileRead(t *testing.T) {
	t.Parallel()
	cache := newLiveSessions(10, LiveFor)
	now := time.Now()
	user, session := chat.User{Profile: chat.Profile{ID: newID()}}, chat.Session{ID: newID()}
	for name, end := range map[string]func(){
		"this session": func() { cache.forget(session.ID) },
		"all of them":  func() { cache.forgetUser(user.ID, chat.SessionID{}) },
	} {
		_, _, _, epoch := cache.find(session.ID, now)
		end()
		cache.remember(live{user, session, now}, epoch)
		if _, known, _, _ := cache.find(session.ID, now); known {
			t.Errorf("%s: it is remembered", name)
		}
	}
	_, _, _, epoch := cache.find(session.ID, now)
	cache.remember(live{user, session, now}, epoch)
	if _, _, fresh, _ := cache.find(session.ID, now); !fresh {
		t.Error("nothing ended and it is not remembered")
	}
	cache.forgetUser(user.ID, session.ID)
	if _, known, _, _ := cache.find(session.ID, now); !known {
		t.Error("the one that stays was forgotten")
	}
}

// Promise: however many sessions there are, a bounded number is remembered, and those in use are kept.
func TestRememberedSessionsAreBounded(t *testing.T) {
	t.Parallel()
	const most = 100
	cache := newLiveSessions(most, LiveFor)
	now := time.Now()
	used := chat.Session{ID: newID()}
	cache.remember(live{session: used, at: now}, 0)
	for range 10 * most {
		cache.remember(live{session: chat.Session{ID: newID()}, at: now}, 0)
		if _, known, _, _ := cache.find(used.ID, now); !known {
			t.Fatal("a session in use was forgotten")
		}
		if n := len(cache.young) + len(cache.old); n > most {
			t.Fatalf("%d sessions are remembered, want at most %d", n, most)
		}
	}
}

// Promise: a password that is changed while somebody signs in with the old one lets nobody in.
func TestPasswordChangesWhileSigningIn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	grant := b.signUp(t, "ada")
	hash, err := b.hasher.hash(t.Context(), "another password")
	if err != nil {
		t.Fatal(err)
	}
	changed := false
	b.store.before = func() { // between the reading of the old hash and the new session
		if !changed {
			changed = true
			if err := b.store.SetPassword(t.Context(), grant.User.ID, hash, chat.SessionID{}); err != nil {
				t.Error(err)
			}
		}
	}
	if _, err := b.LogIn(t.Context(), "ada", password, Device{}, ""); chat.CodeOf(err) != chat.Unauthenticated {
		t.Errorf("LogIn = %v, want unauthenticated", err)
	}
	sessions, err := b.store.SessionsOf(t.Context(), grant.User.ID, b.now)
	if err != nil || len(sessions) != 0 {
		t.Errorf("sessions = %v, %v; want none", sessions, err)
	}
}

// Promise: a script that signs in and never out does not fill the store: the longest unused device goes.
func TestSessionsAreBounded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first := b.signUp(t, "script")
	for range sessionsPerUser {
		b.now = b.now.Add(time.Minute)
		if _, err := b.LogIn(t.Context(), "script", password, Device{UserAgent: strings.Repeat("x", 300) + "\xff"}, ""); err != nil {
			t.Fatal(err)
		}
	}
	sessions, err := b.store.SessionsOf(t.Context(), first.User.ID, b.now)
	if err != nil || len(sessions) != sessionsPerUser {
		t.Errorf("%d sessions, %v; want %d", len(sessions), err, sessionsPerUser)
	}
	if len(sessions[0].UserAgent) != userAgentBytesMax {
		t.Errorf("user agent of %d bytes, want %d", len(sessions[0].UserAgent), userAgentBytesMax)
	}
	if _, err := b.store.Session(t.Context(), first.Session); chat.CodeOf(err) != chat.NotFound {
		t.Errorf("the oldest = %v, want it gone", err)
	}
}

// Promise: what an operator does to an account is done at once.
func TestOperator(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	if _, err := b.Create(ctx, NewUser{Username: "Op", Password: password}); err != nil {
		t.Fatal(err)
	}
	if user, err := b.SetAdmin(ctx, "OP", true); err != nil || !user.Admin || user.Username != "op" {
		t.Errorf("SetAdmin = %+v, %v", user, err)
	}
	grant, err := b.LogIn(ctx, "op", password, Device{}, "")
	if err != nil {
		t.Fatal(err)
	}
	if user, err := b.SetDisabled(ctx, "op", true); err != nil || !user.Disabled || !user.Admin {
		t.Errorf("SetDisabled = %+v, %v", user, err)
	}
	if _, err := b.Authenticate(ctx, grant.AccessToken); chat.CodeOf(err) != chat.Unauthenticated {
		t.Errorf("a disabled account's token = %v", err)
	}
	if _, err := b.SetDisabled(ctx, "op", false); err != nil {
		t.Error(err)
	}
	if err := b.ResetPassword(ctx, "op", "short"); chat.CodeOf(err) != chat.Invalid {
		t.Errorf("ResetPassword to a short one = %v", err)
	}
	if err := b.ResetPassword(ctx, "op", "another password"); err != nil {
		t.Error(err)
	}
	if _, err := b.LogIn(ctx, "op", "another password", Device{}, ""); err != nil {
		t.Errorf("LogIn with the new password = %v", err)
	}
	for name, act := range map[string]func(name string) error{
		"Find":          func(name string) error { _, err := b.Find(ctx, name); return err },
		"SetAdmin":      func(name string) error { _, err := b.SetAdmin(ctx, name, true); return err },
		"SetDisabled":   func(name string) error { _, err := b.SetDisabled(ctx, name, true); return err },
		"ResetPassword": func(name string) error { return b.ResetPassword(ctx, name, password) },
	} {
		if err := act("nobody"); chat.CodeOf(err) != chat.NotFound {
			t.Errorf("%s of nobody = %v, want not_found", name, err)
		}
		if err := act("no body"); chat.CodeOf(err) != chat.Invalid {
			t.Errorf("%s of no name = %v, want invalid", name, err)
		}
	}
}

// Promise: a setting that cannot work is refused at the start, in a sentence.
func TestConfig(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*Config){
		"no issuer":              func(c *Config) { c.Issuer = "" },
		"no access life":         func(c *Config) { c.AccessLife = 0 },
		"session dies first":     func(c *Config) { c.SessionLife = c.AccessLife },
		"no hashing":             func(c *Config) { c.HashesAtOnce = 0 },
		"no passes":              func(c *Config) { c.Hash.Passes = 0 },
		"no memory":              func(c *Config) { c.Hash.MemoryKiB = 0 },
		"all the memory":         func(c *Config) { c.Hash.MemoryKiB = 1 << 30 },
		"less memory than lanes": func(c *Config) { c.Hash.Lanes = 255 },
	} {
		config := DefaultConfig()
		config.Hash.MemoryKiB = 64
		spoil(&config)
		if err := config.check(); err == nil || !strings.Contains(err.Error(), " ") {
			t.Errorf("%s = %v, want a sentence", name, err)
		}
	}
	if err := DefaultConfig().check(); err != nil {
		t.Error(err)
	}
}

// Promise: a signal is sent although the client has gone.
func TestSignalOutlivesTheRequest(t *testing.T) {
	t.Parallel()
	b := setup(t)
	grant := b.signUp(t, "ada")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b.tell(ctx, chat.Signal{Kind: chat.SignalSessionEnded, User: grant.User.ID})
	if len(b.signals.sent) != 1 {
		t.Errorf("signals = %+v, want one", b.signals.sent)
	}
}

// Promise: addresses of mail and of pictures are what they look like.
func TestFields(t *testing.T) {
	t.Parallel()
	for email, good := range map[string]bool{
		"": true, "a@b": true, "first.last+tag@example.co.kr": true, "@b": false, "a@": false, "a": false, "a@b@c": false, "a b@c": false, "<a@b>": false, "a@b,c@d": false,
	} {
		if err := checkEmail(email); (err == nil) != good {
			t.Errorf("checkEmail(%q) = %v, want good: %t", email, err, good)
		}
	}
	for address, good := range map[string]bool{
		"": true, "https://example.com/a.png": true, "http://example.com/": true, "/api/v1/uploads/1": true,
		"//evil.example/x": false, `/\evil.example`: false, "javascript:alert(1)": false, "https:///x": false, "data:,x": false, "x": false, "https://a:b@c/": false, "http://[": false,
	} {
		if err := checkAvatar(address); (err == nil) != good {
			t.Errorf("checkAvatar(%q) = %v, want good: %t", address, err, good)
		}
	}
}
