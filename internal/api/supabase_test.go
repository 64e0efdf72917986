package api

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/account"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

const project = "https://abc.supabase.co"

func withProject(_ *account.Config, options *Options) {
	options.Supabase = &Supabase{URL: project, AnonKey: "public"}
}

// provider is a sign-in service that knows two tokens and is away for a third.
type provider struct{ expires time.Time }

func (provider) Name() string { return "supabase" }

func (p provider) Verify(_ context.Context, token string) (chat.Claims, error) {
	switch token {
	case "mina's":
		return chat.Claims{User: chat.UserID{1}, Session: chat.SessionID{1}, ExpiresAt: p.expires, Email: "mina@example.com"}, nil
	case "of a new key":
		return chat.Claims{}, chat.Away("the sign-in service", nil)
	}
	return chat.Claims{}, chat.Refuse(chat.Unauthenticated, "no")
}

// Promise (PROTOCOL §2): where a project signs people in, clients are told which, with its public key; passwords and
// sessions are not this server's, so their routes are not there; everything else takes the project's tokens.
func TestSupabase(t *testing.T) {
	t.Parallel()
	w := setup(t, withClient, withProject)
	w.accounts.Provider = provider{w.clock.now().Add(time.Hour)}
	stranger := w.nobody()
	config := stranger.must(http.StatusOK, "GET", "/config", nil)
	if config.text("auth", "provider") != "supabase" || config.text("auth", "supabase_url") != project || config.text("auth", "supabase_anon_key") != "public" {
		t.Errorf("config: %s", config)
	}
	mina := w.nobody()
	mina.token = "mina's"
	if me := mina.must(http.StatusOK, "GET", "/me", nil); me.text("username") != "mina" || me.text("email") != "mina@example.com" {
		t.Errorf("me: %s", me)
	}
	mina.must(http.StatusCreated, "POST", "/rooms", object{"name": "Tea", "visibility": "public"})
	for _, route := range []string{
		"POST /auth/signup", "POST /auth/login", "POST /auth/refresh", "POST /auth/logout", "POST /auth/password",
		"GET /me/sessions", "DELETE /me/sessions", "DELETE /me/sessions/0190163d-8694-739b-aea5-966c26f8ad91",
	} {
		method, path, _ := strings.Cut(route, " ")
		for _, caller := range []*caller{stranger, mina} {
			refused(t, caller.do(method, path, nil), chat.NotFound)
		}
	}
	other := w.nobody()
	other.token = "of a new key"
	refused(t, other.do("GET", "/me", nil), chat.Unavailable)
	other.token = "made up"
	refused(t, other.do("GET", "/me", nil), chat.Unauthenticated)
	if described := string(w.server.OpenAPI()); strings.Contains(described, "/auth/") || strings.Contains(described, "/me/sessions") {
		t.Error("the description names routes that are not there")
	}
}

// Promise: pages may connect to the project where there is one, and to nobody else.
func TestSupabaseInContentPolicy(t *testing.T) {
	t.Parallel()
	sources := func(w *world) string {
		_, rest, _ := strings.Cut(w.nobody().do("GET", "//", nil).header.Get("Content-Security-Policy"), "connect-src ")
		list, _, _ := strings.Cut(rest, ";")
		return list
	}
	if got := sources(setup(t, withClient)); got != "'self' ws: wss:" {
		t.Errorf("without a project: %q", got)
	}
	if got := sources(setup(t, withClient, withProject)); got != "'self' ws: wss: "+project {
		t.Errorf("with a project: %q", got)
	}
	if got := setup(t, withProject).nobody().do("GET", "/config", nil).header.Get("Content-Security-Policy"); got != dataPolicy {
		t.Errorf("data: %q", got)
	}
}

// Promise: without a project nothing of one is told.
func TestConfigWithoutSupabase(t *testing.T) {
	t.Parallel()
	got := setup(t).nobody().do("GET", "/config", nil)
	if got.text("auth", "provider") != "local" || strings.Contains(got.String(), "supabase") {
		t.Errorf("config: %s", got)
	}
}
