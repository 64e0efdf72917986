package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/app"
)

// start starts a server on free ports, and stops it with the test.
func start(t *testing.T, change func(c *app.Config)) *app.Server {
	t.Helper()
	config := defaults()
	config.Addr, config.AdminAddr = "127.0.0.1:0", "127.0.0.1:0"
	config.DataDir = filepath.Join(t.TempDir(), "data")
	config.DrainSpread = 0
	if change != nil {
		change(&config)
	}
	if err := config.Check(); err != nil {
		t.Fatal(err)
	}
	server, err := app.Start(t.Context(), config, "test", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(context.Background()); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	return server
}

func call(t *testing.T, method string, addr net.Addr, path, token, body string) (status int, answer string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, "http://"+addr.String()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func signUp(t *testing.T, server *app.Server, username string) (token string) {
	t.Helper()
	status, body := call(t, http.MethodPost, server.Addr(), "/api/v1/auth/signup", "",
		fmt.Sprintf(`{"username":%q,"password":"a long password"}`, username))
	if status != http.StatusCreated {
		t.Fatalf("sign up: %d %s", status, body)
	}
	return tokenIn(t, body)
}

func tokenIn(t *testing.T, body string) string {
	t.Helper()
	var grant struct {
		Token string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(body), &grant); err != nil {
		t.Fatal(err)
	}
	return grant.Token
}

func idIn(t *testing.T, body string) string {
	t.Helper()
	var thing struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal([]byte(body), &thing); err != nil {
		t.Fatal(err)
	}
	return thing.ID
}

// Promise: what is assembled is a chat: somebody signs up, makes a room, says something and reads it, and after a restart
// it is still there.
func TestServerServes(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	here := func(c *app.Config) { c.DataDir = dir }
	server := start(t, here)
	token := signUp(t, server, "ada")
	status, body := call(t, http.MethodPost, server.Addr(), "/api/v1/rooms", token, `{"name":"Tea","visibility":"public"}`)
	if status != http.StatusCreated {
		t.Fatalf("make a room: %d %s", status, body)
	}
	room := idIn(t, body)
	status, body = call(t, http.MethodPost, server.Addr(), "/api/v1/rooms/"+room+"/messages", token,
		`{"id":"01920000-0000-7000-8000-000000000001","body":"hello"}`)
	if status != http.StatusCreated || !strings.Contains(body, `"seq":3`) {
		t.Errorf("send: %d %s", status, body)
	}
	if status, body := call(t, http.MethodGet, server.Addr(), "/", "", ""); status != http.StatusOK || !strings.Contains(body, "<html") {
		t.Errorf("the page: %d %s", status, body)
	}
	if err := server.Stop(t.Context()); err != nil {
		t.Errorf("stop: %v", err)
	}

	server = start(t, here)
	status, body = call(t, http.MethodGet, server.Addr(), "/api/v1/rooms/"+room+"/messages", token, "")
	if status != http.StatusOK || !strings.Contains(body, `"hello"`) {
		t.Errorf("read after a restart: %d %s", status, body)
	}
}

// Promise: a server is ready when it serves and not any more once it was told to stop, while it still answers who asks;
// metrics of every part are there.
func TestAdmin(t *testing.T) {
	t.Parallel()
	server := start(t, nil)
	for _, path := range []string{"/readyz", "/healthz"} {
		if status, body := call(t, http.MethodGet, server.AdminAddr(), path, "", ""); status != http.StatusOK {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	if code, out, errs := blabberHive(t, "", "healthcheck", "--admin-addr", server.AdminAddr().String()); code != app.ExitDone || out != "ready\n" {
		t.Errorf("healthcheck: code %d, %q, %q", code, out, errs)
	}
	_, metrics := call(t, http.MethodGet, server.AdminAddr(), "/metrics", "", "")
	for _, name := range []string{
		"blabber_hive_build_info", "blabber_gateway_connections", "blabber_sequencer_batch_events", "blabber_store_commit_changes",
		"blabber_store_waiting", "blabber_bus_dropped_total", "go_goroutines",
	} {
		if !strings.Contains(metrics, name) {
			t.Errorf("/metrics does not have %s", name)
		}
	}
	if err := server.Stop(t.Context()); err != nil {
		t.Errorf("stop: %v", err)
	}
	if code, _, errs := blabberHive(t, "", "healthcheck", "--admin-addr", server.AdminAddr().String()); code != app.ExitFailed || errs == "" {
		t.Errorf("healthcheck of a server that has stopped: code %d, %q", code, errs)
	}
}

// Promise: a start that fails says what to change and leaves nothing behind.
func TestStartFails(t *testing.T) {
	t.Parallel()
	server := start(t, nil)
	taken := server.Addr().String()
	dir := filepath.Join(t.TempDir(), "data")
	first := start(t, func(c *app.Config) { c.DataDir = dir })
	for name, tc := range map[string]struct {
		args []string
		want []string
	}{
		"the port is taken":       {[]string{"--addr", taken, "--data-dir", filepath.Join(t.TempDir(), "data")}, []string{"another program listens on", "--addr (ADDR)"}},
		"the admin port is taken": {[]string{"--addr", "127.0.0.1:0", "--admin-addr", taken, "--data-dir", filepath.Join(t.TempDir(), "data")}, []string{"--admin-addr (ADMIN_ADDR)"}},
		"the data is in use":      {[]string{"--addr", "127.0.0.1:0", "--data-dir", dir}, []string{"another blabber-hive is running on", "stop it first"}},
		"the data is no folder":   {[]string{"--addr", "127.0.0.1:0", "--data-dir", "/dev/null/data"}, []string{"/dev/null/data"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, _, errs := blabberHive(t, "", append([]string{"serve", "--admin-addr", "off"}, tc.args...)...)
			if code != app.ExitFailed {
				t.Errorf("code %d, want %d", code, app.ExitFailed)
			}
			for _, want := range tc.want {
				if !strings.Contains(errs, want) {
					t.Errorf("it says %q, want %q in it", errs, want)
				}
			}
		})
	}
	_ = first // it runs on: refusing a second server does not end the first
}

// Promise: orders given while a server runs are carried out by it, at once: who is disabled is signed out.
func TestUserCommandsWhileServing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	server := start(t, func(c *app.Config) { c.DataDir, c.Signup = dir, "open" })
	token := signUp(t, server, "ada")
	if status, body := call(t, http.MethodGet, server.Addr(), "/api/v1/me", token, ""); status != http.StatusOK {
		t.Fatalf("before: %d %s", status, body)
	}
	if code, out, errs := blabberHive(t, "", "user", "disable", "ada", "--data-dir", dir); code != app.ExitDone {
		t.Fatalf("disable: code %d, %q, %q", code, out, errs)
	}
	if status, body := call(t, http.MethodGet, server.Addr(), "/api/v1/me", token, ""); status != http.StatusUnauthorized {
		t.Errorf("after: %d %s, want it unauthenticated at once", status, body)
	}
	if code, _, errs := blabberHive(t, "", "user", "make-admin", "eve", "--data-dir", dir); code != app.ExitFailed || !strings.Contains(errs, `no account "eve"`) {
		t.Errorf("make-admin of nobody: code %d, %q", code, errs)
	}
	if code, _, errs := blabberHive(t, "", "migrate", "--data-dir", dir); code != app.ExitFailed || !strings.Contains(errs, "stop it first") {
		t.Errorf("migrate while a server runs: code %d, %q", code, errs)
	}
}

// Promise: strangers cannot make accounts where sign-up is closed, and operators can.
func TestSignupClosed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	server := start(t, func(c *app.Config) { c.DataDir, c.Signup = dir, "closed" })
	status, body := call(t, http.MethodPost, server.Addr(), "/api/v1/auth/signup", "", `{"username":"eve","password":"a long password"}`)
	if status != http.StatusForbidden {
		t.Errorf("sign up: %d %s", status, body)
	}
	if code, _, errs := blabberHive(t, "a long password\n", "user", "create", "ada", "--password-stdin", "--data-dir", dir); code != app.ExitDone {
		t.Errorf("user create: code %d, %q", code, errs)
	}
	status, body = call(t, http.MethodPost, server.Addr(), "/api/v1/auth/login", "", `{"username":"ada","password":"a long password"}`)
	if status != http.StatusOK {
		t.Errorf("log in: %d %s", status, body)
	}
}

// Promise: what a server logs about its configuration, and about itself, holds no secret.
func TestStartIsLogged(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	config := defaults()
	slog.New(slog.NewTextHandler(&log, nil)).Info("serving", "config", config)
	for _, want := range []string{"config.addr=localhost:8080", "config.rate_limits=on"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log has %q, want %q in it", log.String(), want)
		}
	}
}

// Promise: stopping takes no longer than it is given, even if requests hang.
func TestStopIsBounded(t *testing.T) {
	t.Parallel()
	server := start(t, nil)
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", server.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	began := time.Now()
	if err := server.Stop(ctx); err != nil {
		t.Errorf("stop: %v", err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("stopping took %v", took)
	}
}

// Promise: a server that is no gateway has no address to tell, and starts all the same.
func TestServersWithoutPeopleHaveNoURL(t *testing.T) {
	t.Parallel()
	if got := app.URLOf(nil); got != "" {
		t.Errorf("it is said to be at %q", got)
	}
	if got := app.URLOf(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80}); got != "http://127.0.0.1:80" {
		t.Errorf("it is said to be at %q", got)
	}
}
