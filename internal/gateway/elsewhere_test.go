package gateway_test

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/blabber-hive/blabber-hive/internal/account"
	"github.com/blabber-hive/blabber-hive/internal/adapter/memory"
	"github.com/blabber-hive/blabber-hive/internal/adapter/supabase"
	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/porttest/issuertest"
)

const minaElsewhere = "3f1c8f6e-9a52-4a7e-8f57-0b8f2c1d4e5f"

// elsewhere runs a test in a bubble where a sign-in service signs people in; nobody has an account before they are seen.
func elsewhere(t *testing.T, open bool, test func(t *testing.T, w *world, issuer *issuertest.Service)) {
	t.Helper()
	bubble(t, func(t *testing.T, w *world) {
		issuer := issuertest.New(t, time.Now)
		issuer.NewES256("key")
		discard := slog.New(slog.DiscardHandler)
		verifier := supabase.New(supabase.Options{
			URL: issuertest.URL, AnonKey: "anon", Audience: issuertest.Audience, Issuer: issuertest.Issuer, Transport: issuer, Clock: time.Now, Log: discard,
		})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		w.handlers.Go(func() { _ = verifier.Run(ctx) })
		config := account.DefaultConfig()
		config.Hash, config.SignupOpen = account.HashCost{MemoryKiB: 8, Passes: 1, Lanes: 1}, open
		accounts, err := account.New(config, account.World{
			Users: w.store, Sessions: w.store, Living: w.store, Keys: w.store, Signals: w.bus, Limiter: memory.NewLimiter(time.Now), Provider: verifier,
			Clock: time.Now, Rand: rand.Reader, NewID: func() [16]byte { return uuid.Must(uuid.NewV7()) }, Log: discard,
		})
		if err != nil {
			t.Fatal(err)
		}
		w.accounts.real = accounts
		test(t, w, issuer)
	})
}

func nowhere(w http.ResponseWriter, _ *http.Request) { http.Error(w, "away", http.StatusBadGateway) }

// lasting is a token that ends after life.
func lasting(issuer *issuertest.Service, subject string, life time.Duration) string {
	claims := issuer.Claims(subject)
	claims["exp"] = time.Now().Add(life).Unix()
	return issuer.Sign("key", claims)
}

// Promise (PROTOCOL §3, FIGURES §4, 3): a connection that a sign-in service's token opened lives on with the next token, and
// outlives its last one by at most 60 s; a bad one, or somebody else's, ends it.
func TestTokensFromElsewhere(t *testing.T) {
	t.Parallel()
	elsewhere(t, true, func(t *testing.T, w *world, issuer *issuertest.Service) {
		began := time.Now()
		c := w.dial(t)
		c.auth(lasting(issuer, minaElsewhere, 10*time.Minute))
		if ready := c.expect("ready"); ready.User.ID != minaElsewhere || ready.User.DisplayName != "mina" {
			t.Errorf("ready for %+v", ready.User)
		}
		keepAlive(c, 9*time.Minute)
		c.auth(lasting(issuer, minaElsewhere, 10*time.Minute)) // ends 19 minutes after the beginning
		keepAlive(c, 10*time.Minute+30*time.Second)
		wantClosed(t, c.closed(), 4401)
		if lived := time.Since(began); lived > 21*time.Minute {
			t.Errorf("lived %v, which is over a minute beyond the token", lived)
		}

		for name, token := range map[string]string{
			"expired":        lasting(issuer, minaElsewhere, -time.Minute),
			"somebody else":  lasting(issuer, "00000000-0000-4000-8000-000000000001", time.Hour),
			"not the key's":  lasting(issuer, minaElsewhere, time.Hour) + "x",
			"nothing at all": "",
		} {
			c := w.dial(t)
			c.auth(lasting(issuer, minaElsewhere, time.Hour))
			c.expect("ready")
			c.auth(token)
			if got := c.closed(); got != 4401 {
				t.Errorf("%s: closed with %d, want 4401", name, got)
			}
		}
	})
}

// Promise: a connection outlives its sign-in service's token by at most 60 s to the second, and no event comes after.
func TestLastTokenFromElsewhere(t *testing.T) {
	t.Parallel()
	elsewhere(t, true, func(t *testing.T, w *world, issuer *issuertest.Service) {
		c := w.dial(t)
		c.auth(lasting(issuer, minaElsewhere, 30*time.Second))
		c.expect("ready")
		<-time.After(45 * time.Second)
		c.quiet() // within the grace
		began := time.Now()
		wantClosed(t, c.closed(), 4401)
		if over := 15*time.Second + time.Since(began); over > 60*time.Second || over < 50*time.Second {
			t.Errorf("closed %v after the end of the token", over)
		}
	})
}

// Promise: an account that is disabled has its connections closed at once, and is let in no more.
func TestDisabledFromElsewhere(t *testing.T) {
	t.Parallel()
	elsewhere(t, true, func(t *testing.T, w *world, issuer *issuertest.Service) {
		token := lasting(issuer, minaElsewhere, time.Hour)
		c := w.dial(t)
		c.auth(token)
		c.expect("ready")
		if _, err := w.accounts.real.SetDisabled(t.Context(), "mina", true); err != nil {
			t.Fatal(err)
		}
		wantClosed(t, c.closed(), 4401)
		again := w.dial(t)
		again.auth(token)
		wantClosed(t, again.closed(), 4401)
	})
}

// Promise: while the service is away a new key's token neither signs in nor ends what is signed in; known keys go on.
func TestElsewhereIsAway(t *testing.T) {
	t.Parallel()
	elsewhere(t, true, func(t *testing.T, w *world, issuer *issuertest.Service) {
		c := w.dial(t)
		c.auth(lasting(issuer, minaElsewhere, time.Hour))
		c.expect("ready")
		issuer.Answer(nowhere)
		issuer.NewES256("next")
		keepAlive(c, time.Minute)
		unknown := issuer.Sign("next", issuer.Claims(minaElsewhere))
		c.auth(unknown)
		if refusal := c.expect("error"); refusal.Code != string(chat.Unavailable) || refusal.RetryAfterMS == 0 {
			t.Errorf("refused with %s", refusal)
		}
		c.auth(lasting(issuer, minaElsewhere, time.Hour))
		c.quiet()
		stranger := w.dial(t)
		stranger.auth(unknown)
		stranger.expect("error")
		wantClosed(t, stranger.closed(), 1013)
	})
}

// Promise: who may not come in is told so, and not to come back at once.
func TestNewWhereSignupIsClosed(t *testing.T) {
	t.Parallel()
	elsewhere(t, false, func(t *testing.T, w *world, issuer *issuertest.Service) {
		c := w.dial(t)
		c.auth(lasting(issuer, minaElsewhere, time.Hour))
		if refusal := c.expect("error"); refusal.Code != string(chat.Forbidden) {
			t.Errorf("refused with %s", refusal)
		}
		wantClosed(t, c.closed(), 4401)
	})
}
