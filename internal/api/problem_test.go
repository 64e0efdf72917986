package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/blabber-hive/blabber-hive/internal/account"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Promise (PROTOCOL §4): every code of the contract is given for what it stands for, with its status, its Retry-After
// and its errors. A code that no row gives fails.
func TestCodes(t *testing.T) {
	t.Parallel()
	w := setup(t)
	people := w.cast()
	f := w.stage(t, people, chat.Public)
	member, room := people["member"], "/rooms/"+f.room.ID.String()
	limited := setup(t, func(config *account.Config, _ *Options) {
		config.LoginByAddress = account.Rate{PerSecond: 0.001, Burst: 1}
	})
	limited.nobody().do("POST", "/auth/login", object{"username": "bob", "password": password})
	down := setup(t)
	downRoom := down.person()
	downID := downRoom.must(201, "POST", "/rooms", object{"name": "Down", "visibility": "public"}).text("id")
	down.log.down.Store(true)
	broken := setup(t, func(_ *account.Config, options *Options) { options.Presence = nil }) // a handler that panics
	brokenPerson := broken.person()

	rows := map[chat.Code]func() answer{
		chat.BadRequest:      func() answer { return member.do("POST", "/rooms", "{") },
		chat.Unauthenticated: func() answer { return people["nobody"].do("GET", "/me", nil) },
		chat.Forbidden:       func() answer { return member.do("DELETE", room, nil) },
		chat.NotFound:        func() answer { return member.do("GET", "/rooms/"+chat.RoomID(w.newID()).String(), nil) },
		chat.NotMember:       func() answer { return people["outsider"].do("GET", room+"/messages", nil) },
		chat.Muted: func() answer {
			return people["muted"].do("POST", room+"/messages", object{"id": w.messageID(), "body": "x"})
		},
		chat.Banned:   func() answer { return people["banned"].do("POST", room+"/join", nil) },
		chat.Conflict: func() answer { return member.do("POST", room+"/messages", object{"id": f.message, "body": "another"}) },
		chat.UsernameTaken: func() answer {
			return w.nobody().do("POST", "/auth/signup", object{"username": member.name, "password": password})
		},
		chat.TooLarge:         func() answer { return member.do("POST", "/rooms", `{"name":"`+strings.Repeat("x", bodyBytesMax)+`"}`) },
		chat.UnsupportedMedia: func() answer { return member.with("Content-Type", "text/plain").do("POST", "/rooms", "{}") },
		chat.Invalid:          func() answer { return member.do("POST", "/rooms", object{"name": "x", "visibility": "secret"}) },
		chat.RateLimited: func() answer {
			return limited.nobody().do("POST", "/auth/login", object{"username": "bob", "password": password})
		},
		chat.Internal: func() answer { return brokenPerson.do("GET", "/users", nil) },
		chat.Unavailable: func() answer {
			return downRoom.do("POST", "/rooms/"+downID+"/messages", object{"id": down.messageID(), "body": "x"})
		},
	}
	for code := range statuses {
		if rows[code] == nil {
			t.Errorf("nothing here gives %s", code)
			continue
		}
		refused(t, rows[code](), code)
	}
	if logged := broken.logs.String(); strings.Count(logged, "a handler panicked") != 1 || !strings.Contains(logged, "nil pointer") {
		t.Errorf("a panic is not logged once: %s", logged)
	}
	if wait, err := strconv.Atoi(rows[chat.RateLimited]().header.Get("Retry-After")); err != nil || wait < 900 || wait > 1000 {
		t.Errorf("Retry-After = %d, %v; want the rest of 1,000 s", wait, err)
	}
}

// Promise: an error that is no refusal is shown to nobody and logged once, with its request; a refusal is not logged as an error.
func TestInternalErrors(t *testing.T) {
	t.Parallel()
	w := setup(t)
	p := w.server.problemOf(context.WithValue(t.Context(), requestKey{}, &request{id: "abc", route: "/r"}), errors.New("secret cause"))
	if p.Code != chat.Internal || p.Status != 500 || strings.Contains(p.Detail, "secret") {
		t.Errorf("problem = %+v", p.Problem)
	}
	logged := w.logs.String()
	if strings.Count(logged, "secret cause") != 1 || !strings.Contains(logged, `"request_id":"abc"`) {
		t.Errorf("logged %s, want the cause once, with its request", logged)
	}
	p = w.server.problemOf(t.Context(), fmt.Errorf("read room: %w", chat.InvalidField("name", "too long")))
	if p.Code != chat.Invalid || strings.Contains(p.Detail, "read room") || w.logs.String() != logged {
		t.Errorf("a wrapped refusal = %+v, logged %s", p.Problem, w.logs.String())
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	p = w.server.problemOf(gone, fmt.Errorf("read room: %w", gone.Err()))
	if p.Code != chat.Unavailable || w.logs.String() != logged {
		t.Errorf("a client that has gone = %+v, logged %s", p.Problem, w.logs.String())
	}
}

// Promise: addresses that are nothing, and methods that an address does not know, are refused in the contract's words.
func TestUnknownRoutes(t *testing.T) {
	t.Parallel()
	w := setup(t, func(_ *account.Config, options *Options) {
		options.Web = fstest.MapFS{"index.html": {Data: []byte("<!doctype html>app")}}
	})
	c := w.person()
	for _, path := range []string{
		"/", "/nowhere", "/rooms/", "/rooms//messages", "/ROOMS", "/me/", "/dms", "/search?q=x", "/uploads", "/matches", "/config/x",
		"/blocks/" + c.id.String(), "/../../etc/passwd", "/rooms/%2e%2e/%2e%2e", "//api", "//api/", "//api/v2/me",
		"/rooms/x", "/rooms/" + strings.Repeat("0", 36), "/rooms/{room_id}", "/rooms/%00", "/rooms/%ff", "/me/sessions/1",
	} {
		method := "GET"
		if path == "/dms" || path == "/matches" || path == "/me/sessions/1" {
			method = map[bool]string{true: "DELETE", false: "POST"}[path == "/me/sessions/1"]
		}
		refused(t, c.do(method, path, nil), chat.NotFound)
	}
	for _, tc := range []struct{ method, path, allow string }{
		{"POST", "/config", "GET"},
		{"PUT", "/rooms", "GET, POST"},
		{"DELETE", "/auth/login", "POST"},
		{"TRACE", "/me", "GET, PATCH"},
		{"HEAD", "/me", "GET, PATCH"},
		{"OPTIONS", "/me", "GET, PATCH"},
		{"BREW", "/rooms", "GET, POST"},
		{"POST", "//", "GET, HEAD"},
	} {
		got := c.do(tc.method, tc.path, nil)
		if got.status != http.StatusMethodNotAllowed || got.code() != chat.BadRequest {
			t.Errorf("%s %s = %s, want 405", tc.method, tc.path, got)
		}
		isProblem(t, got)
		for method := range strings.SplitSeq(tc.allow, ", ") {
			if !strings.Contains(got.header.Get("Allow"), method) {
				t.Errorf("%s %s: Allow = %q, want %s", tc.method, tc.path, got.header.Get("Allow"), tc.allow)
			}
		}
	}
	for name, on := range c.must(200, "GET", "/config", nil).at("features").(map[string]any) {
		if on != (name == "mood") {
			t.Errorf("/config says of %s: %v", name, on)
		}
	}
}

// Promise (PROTOCOL §2): 202 with the id where a message has no number within two seconds, and the same message after.
func TestSlowSend(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.person()
	path := "/rooms/" + c.must(201, "POST", "/rooms", object{"name": "Slow", "visibility": "public"}).text("id") + "/messages"
	w.log.set(true)
	send := object{"id": w.messageID(), "body": "late"}
	start := time.Now()
	got := c.must(http.StatusAccepted, "POST", path, send)
	if took := time.Since(start); got.text("id") != send["id"] || took < sendPatience || took > 2*sendPatience {
		t.Errorf("slow send = %s after %v, want the id after 2 s", got, took)
	}
	w.log.set(false)
	send["resend"] = true
	for {
		got := c.do("POST", path, send)
		if got.status == http.StatusOK {
			break // it was stored before it was sent again
		}
		if got.status != http.StatusCreated {
			t.Fatalf("sent again = %s, want 200, or 201 where this attempt was first", got)
		}
	}
	if messages := c.must(200, "GET", path, nil).list("messages"); len(messages) != 1 {
		t.Errorf("messages = %v, want one", messages)
	}
}

// Promise (DESIGN): without the log, rooms still change; their answers come after a bounded wait, and the records follow.
func TestChangesWithoutLog(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.person()
	w.log.down.Store(true)
	made := c.must(201, "POST", "/rooms", object{"name": "Quiet", "visibility": "public"})
	if made.number("head") != 0 {
		t.Errorf("made = %s, want head 0 while nothing is numbered", made)
	}
	w.log.down.Store(false)
	changed := c.must(200, "PATCH", "/rooms/"+made.text("id"), object{"name": "Loud"})
	if changed.number("head") != 3 {
		t.Errorf("changed = %s, want the two records of before and this one", changed)
	}
}

// Promise (FIGURES §4 test 15): nothing secret is logged: no password, token, cookie, code, query, name or text.
func TestLogsAreSilent(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.person()
	c.must(200, "POST", "/auth/refresh", nil)
	path := "/rooms/" + c.must(201, "POST", "/rooms", object{"name": "Hushed room", "visibility": "private"}).text("id")
	code := c.must(201, "POST", path+"/invites", nil).text("code")
	w.person().must(200, "POST", "/invites/"+code+"/accept", nil)
	c.must(200, "GET", "/users?query=needle", nil)
	c.must(201, "POST", path+"/messages", object{"id": w.messageID(), "body": "a whispered text"})
	c.do("POST", "/auth/login", object{"username": c.name, "password": "wrong " + password})
	c.do("POST", "/auth/login", `{"password":"half a password`)
	c.do("GET", "/invites/"+code+"x", nil)
	logged := w.logs.String()
	for _, secret := range []string{password, "half a password", c.token, c.cookie, code, "needle", "whispered", "Hushed", c.name} {
		if strings.Contains(logged, secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
	if !strings.Contains(logged, "/api/v1/invites/:code/accept") || !strings.Contains(logged, c.id.String()) {
		t.Error("the log lacks routes and ids")
	}
	if strings.Contains(logged, chat.UserID{}.String()) {
		t.Error("the log names somebody where nobody is signed in")
	}
}

// Promise: the metrics know routes, not paths, so strangers cannot make series.
func TestMetrics(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.person()
	for i := range 20 {
		c.do("GET", fmt.Sprintf("/rooms/%d", i), nil)
		c.do("GET", fmt.Sprintf("/nowhere%d", i), nil)
		c.do(fmt.Sprintf("METHOD%d", i), "/rooms", nil)
	}
	families, err := w.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() != "blabber_http_requests_total" {
			continue
		}
		for _, metric := range family.GetMetric() {
			for _, label := range metric.GetLabel() {
				if strings.ContainsAny(label.GetValue(), "0123456789") && label.GetName() != "status" && !strings.HasPrefix(label.GetValue(), basePath) {
					t.Errorf("label %s = %q", label.GetName(), label.GetValue())
				}
			}
		}
		if n := len(family.GetMetric()); n > 8 {
			t.Errorf("%d series, want a few", n)
		}
		return
	}
	t.Error("no requests were counted")
}

// Promise: an answer that breaks in the middle is cut off, and never looks whole.
func TestPanicAfterTheAnswerBegan(t *testing.T) {
	t.Parallel()
	w := setup(t)
	recorder := httptest.NewRecorder()
	defer func() {
		if err, ok := recover().(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
			t.Errorf("recovered %v, want http.ErrAbortHandler for the server to cut the connection", err)
		}
	}()
	w.server.engine.GET("/breaks", func(c *gin.Context) {
		_, _ = c.Writer.WriteString("half")
		panic("broken")
	})
	w.server.ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), "GET", "/breaks", http.NoBody))
	t.Error("the handler's panic went nowhere")
}
