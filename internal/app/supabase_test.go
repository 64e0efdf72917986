package app_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/blabber-hive/blabber-hive/internal/app"
	"github.com/blabber-hive/blabber-hive/internal/obs"
	"github.com/blabber-hive/blabber-hive/internal/porttest/issuertest"
)

// Promise: a server that is told of a Supabase project signs people in by its tokens, with each algorithm, on one machine
// and with nothing else configured; operators manage the accounts as ever.
func TestServeWithSupabase(t *testing.T) {
	t.Parallel()
	const secret = "a secret of the project, forty bytes long"
	issuer := issuertest.New(t, time.Now)
	issuer.NewES256("es")
	issuer.NewRS256("rs")
	auth := httptest.NewServer(issuer)
	defer auth.Close()
	dir := t.TempDir()
	server := start(t, func(c *app.Config) {
		c.DataDir = dir
		c.Supabase = app.Supabase{
			URL: auth.URL + "/", AnonKey: "public", JWTSecret: obs.NewSecret(secret), Audience: "authenticated", Issuer: issuertest.Issuer,
		}
	})
	claims := func(subject, email string) jwt.MapClaims {
		all := issuer.Claims(subject)
		all["email"], all["session_id"] = email, subject
		return all
	}
	mina := issuer.Sign("es", claims("00000000-0000-4000-8000-000000000001", "mina@example.com"))
	for name, token := range map[string]string{
		"mina": mina,
		"jun":  issuer.Sign("rs", claims("00000000-0000-4000-8000-000000000002", "jun@example.com")),
		"bo":   issuertest.SignWith(t, jwt.SigningMethodHS256, []byte(secret), nil, claims("00000000-0000-4000-8000-000000000003", "bo@example.com")),
	} {
		status, body := call(t, http.MethodGet, server.Addr(), "/api/v1/me", token, "")
		if status != http.StatusOK || !strings.Contains(body, `"username":"`+name+`"`) {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
	if status, body := call(t, http.MethodGet, server.Addr(), "/api/v1/config", "", ""); status != http.StatusOK || !strings.Contains(body, `"supabase_url":"`+auth.URL+`"`) {
		t.Errorf("config: %d %s", status, body)
	}
	for name, token := range map[string]string{
		"nobody": "", "a made up one": "a.b.c",
		"another issuer": issuer.Sign("es", jwt.MapClaims{"iss": auth.URL + "/auth/v1", "aud": "authenticated", "exp": time.Now().Add(time.Hour).Unix(), "sub": "00000000-0000-4000-8000-000000000001"}),
	} {
		if status, body := call(t, http.MethodGet, server.Addr(), "/api/v1/me", token, ""); status != http.StatusUnauthorized {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
	for _, args := range [][]string{{"user", "create", "eve", "--generate"}, {"user", "reset-password", "mina", "--generate"}} {
		if code, out, errs := blabberHive(t, "", append(args, "--data-dir", dir)...); code != app.ExitFailed || !strings.Contains(errs, "supabase") {
			t.Errorf("%v: code %d, %q, %q; want it refused", args, code, out, errs)
		}
	}
	if code, _, errs := blabberHive(t, "", "user", "disable", "mina", "--data-dir", dir); code != app.ExitDone {
		t.Errorf("disable: code %d, %q", code, errs)
	}
	if status, body := call(t, http.MethodGet, server.Addr(), "/api/v1/me", mina, ""); status != http.StatusUnauthorized {
		t.Errorf("disabled: %d %s", status, body)
	}
}
