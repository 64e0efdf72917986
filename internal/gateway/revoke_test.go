package gateway_test

import (
	"crypto/rand"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/blabber-hive/blabber-hive/internal/account"
	"github.com/blabber-hive/blabber-hive/internal/adapter/memory"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Promise (FIGURES §4, tests 2 and 3; PROTOCOL §3): signing out, a new password, a disabled account and a reused refresh
// token close the connections that they concern with 4401, at once and with no event after; the device that did it stays.
func TestRevocation(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		revoke func(t *testing.T, accounts *account.Service, here, there account.Grant)
		stays  bool // the device that did it
	}{
		"signing the other device out": {func(t *testing.T, accounts *account.Service, here, there account.Grant) {
			t.Helper()
			must(t, accounts.EndSession(t.Context(), identify(t, accounts, here), there.Session))
		}, true},
		"signing out everywhere else": {func(t *testing.T, accounts *account.Service, here, _ account.Grant) {
			t.Helper()
			must(t, accounts.EndOtherSessions(t.Context(), identify(t, accounts, here)))
		}, true},
		"signing out there": {func(t *testing.T, accounts *account.Service, _, there account.Grant) {
			t.Helper()
			must(t, accounts.LogOut(t.Context(), there.RefreshToken, there.AccessToken))
		}, true},
		"a new password": {func(t *testing.T, accounts *account.Service, here, _ account.Grant) {
			t.Helper()
			_, err := accounts.ChangePassword(t.Context(), identify(t, accounts, here), password, "another password")
			must(t, err)
		}, true},
		"a password reset by the operator": {func(t *testing.T, accounts *account.Service, _, _ account.Grant) {
			t.Helper()
			must(t, accounts.ResetPassword(t.Context(), "eve", "another password"))
		}, false},
		"a disabled account": {func(t *testing.T, accounts *account.Service, _, _ account.Grant) {
			t.Helper()
			_, err := accounts.SetDisabled(t.Context(), "eve", true)
			must(t, err)
		}, false},
		"a refresh token that is used twice": {func(t *testing.T, accounts *account.Service, _, there account.Grant) {
			t.Helper()
			next, _, err := accounts.Refresh(t.Context(), there.RefreshToken, account.Device{})
			must(t, err)
			_, _, err = accounts.Refresh(t.Context(), next.RefreshToken, account.Device{}) // so its answer was not lost
			must(t, err)
			<-time.After(15 * time.Second) // longer than two tabs race
			if _, _, err := accounts.Refresh(t.Context(), there.RefreshToken, account.Device{}); chat.CodeOf(err) != chat.Unauthenticated {
				t.Errorf("a spent token is answered with %v", err)
			}
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, w *world) {
				accounts := w.realAccounts(t)
				here, err := accounts.SignUp(t.Context(), account.NewUser{Username: "eve", Password: password}, account.Device{}, "")
				must(t, err)
				there, err := accounts.LogIn(t.Context(), "eve", password, account.Device{}, "")
				must(t, err)
				ann := w.someone(t, "ann")
				room := w.room(t, chat.Public, ann, person{User: here.User})
				one, two := w.sit(t, person{here.User, here.AccessToken}), w.sit(t, person{there.User, there.AccessToken})

				tc.revoke(t, accounts, here, there)
				began := time.Now()
				w.say(t, ann, room, "not for those who are out")
				wantClosed(t, two.closed(), 4401)
				if tc.stays {
					one.events(1)
					one.quiet()
				} else {
					wantClosed(t, one.closed(), 4401)
				}
				if took := time.Since(began); took > 0 {
					t.Errorf("closed after %v", took)
				}
				again := w.dial(t)
				again.auth(there.AccessToken)
				wantClosed(t, again.closed(), 4401)
			})
		})
	}
}

const password = "correct horse"

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func identify(t *testing.T, accounts *account.Service, grant account.Grant) account.Identity {
	t.Helper()
	identity, err := accounts.Authenticate(t.Context(), grant.AccessToken)
	must(t, err)
	return identity
}

// realAccounts makes the world's gateway ask the real account service, for those who are not made up.
func (w *world) realAccounts(t *testing.T) *account.Service {
	t.Helper()
	config := account.DefaultConfig()
	config.Hash = account.HashCost{MemoryKiB: 8, Passes: 1, Lanes: 1}
	accounts, err := account.New(config, account.World{
		Users: w.store, Sessions: w.store, Living: w.store, Keys: w.store, Signals: w.bus, Limiter: memory.NewLimiter(time.Now), Clock: time.Now,
		Rand: rand.Reader, NewID: func() [16]byte { return uuid.Must(uuid.NewV7()) }, Log: slog.New(slog.DiscardHandler),
	})
	must(t, err)
	w.accounts.real = accounts
	synctest.Wait()
	return accounts
}
