package api

import (
	"crypto/rand"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/run"
)

// The variables that name a server elsewhere, like a cluster: its address, http://host:port, and the binary whose commands
// work on its data, in the environment that it needs for that.
const (
	addressVariable = "BLABBER_HIVE_URL"
	binaryVariable  = "BLABBER_HIVE_BINARY"
)

// answerPatience is how long a server elsewhere may take to answer.
const answerPatience = time.Minute

// anywhere is setup for tests that need no more than to be clients, and what an operator can do. Where the variables name a
// server elsewhere, that is the one they are clients of.
func anywhere(t testing.TB) *world {
	t.Helper()
	address := os.Getenv(addressVariable)
	if address == "" {
		return setup(t)
	}
	w := build(t)
	random := make([]byte, 5)
	_, _ = rand.Read(random)
	w.elsewhere, w.tag = address, "-"+hex.EncodeToString(random)+"-"
	w.browser = &http.Client{
		Transport: &http.Transport{MaxIdleConnsPerHost: 8}, Timeout: answerPatience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	t.Cleanup(w.browser.CloseIdleConnections)
	return w
}

// here reports whether the server is this world's own, into which a test can look.
func (w *world) here() bool { return w.elsewhere == "" }

// pass lets time pass, where a test can make it.
func (w *world) pass(d time.Duration) {
	w.t.Helper()
	if !w.here() {
		w.t.Skip("nobody can let time pass elsewhere")
	}
	w.clock.pass(d)
}

// ask has the server answer a request.
func (w *world) ask(r *http.Request) answer {
	w.t.Helper()
	if w.here() {
		recorder := httptest.NewRecorder()
		w.server.ServeHTTP(recorder, r)
		return answer{recorder.Code, recorder.Result().Header, recorder.Body.Bytes()}
	}
	address, err := url.Parse(w.elsewhere)
	if err != nil {
		w.t.Fatal(err)
	}
	r.URL.Scheme, r.URL.Host, r.Host, r.RequestURI = address.Scheme, address.Host, "", ""
	response, err := w.browser.Do(r)
	if err != nil {
		w.t.Errorf("%s %s: %v", r.Method, r.URL.Path, err)
		return answer{}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Errorf("%s %s: %v", r.Method, r.URL.Path, err)
	}
	return answer{response.StatusCode, response.Header, body}
}

// endsWithin is how long news of an end may take to every node of a cluster.
const endsWithin = 5 * time.Second

// soon calls until the answer is as it should be: here at once, elsewhere when every node has heard.
func (w *world) soon(call func() answer, ok func(answer) bool) answer {
	w.t.Helper()
	for began := time.Now(); ; {
		got := call()
		if ok(got) || w.here() || time.Since(began) > endsWithin || run.Pause(w.t.Context(), 10*time.Millisecond) != nil {
			return got
		}
	}
}

// soonRefused checks that a call is refused with that code, soon.
func (w *world) soonRefused(t *testing.T, code chat.Code, call func() answer) {
	t.Helper()
	refused(t, w.soon(call, func(got answer) bool { return got.code() == code }), code)
}

// operate carries out what an operator orders about an account.
func (w *world) operate(order, username string) {
	w.t.Helper()
	var err error
	ctx := w.t.Context()
	switch {
	case !w.here():
		command := exec.CommandContext(ctx, os.Getenv(binaryVariable), "user", order, username)
		if order == "reset-password" {
			command.Args = append(command.Args, "--password-stdin")
			command.Stdin = strings.NewReader("reset " + password + "\n")
		}
		var out []byte
		if out, err = command.CombinedOutput(); err != nil {
			w.t.Log(string(out))
		}
	case order == "make-admin":
		_, err = w.accounts.SetAdmin(ctx, username, true)
	case order == "reset-password":
		err = w.accounts.ResetPassword(ctx, username, "reset "+password)
	default:
		_, err = w.accounts.SetDisabled(ctx, username, order == "disable")
	}
	if err != nil {
		w.t.Errorf("%s %s: %v", order, username, err)
	}
}

// stageElsewhere is stage by the contract's own means.
func (w *world) stageElsewhere(t *testing.T, people map[string]*caller, visibility chat.Visibility) *fixture {
	t.Helper()
	owner, member := people["owner"], people["member"]
	made := owner.must(http.StatusCreated, "POST", "/rooms", object{"name": "Stage", "visibility": "public"})
	id, err := chat.ParseRoomID(made.text("id"))
	if err != nil {
		t.Fatal(err)
	}
	room := "/rooms/" + id.String()
	for _, name := range []string{"moderator", "member", "muted", "banned"} {
		people[name].must(http.StatusOK, "POST", room+"/join", nil)
	}
	owner.must(http.StatusOK, "PUT", room+"/members/"+people["moderator"].id.String(), object{"role": "moderator"})
	until := time.Now().Add(chat.MuteMax / 2).UTC().Format(time.RFC3339)
	owner.must(http.StatusOK, "PUT", room+"/members/"+people["muted"].id.String(), object{"muted_until": until})
	owner.must(http.StatusCreated, "POST", room+"/bans", object{"user_id": people["banned"].id})
	f := &fixture{w: w, people: people, room: chat.Room{ID: id, Visibility: visibility}, message: w.messageID()}
	f.code = owner.must(http.StatusCreated, "POST", room+"/invites", object{}).text("code")
	f.own = member.must(http.StatusCreated, "POST", room+"/invites", object{}).text("code")
	if visibility == chat.Private {
		owner.must(http.StatusOK, "PATCH", room, object{"visibility": "private"})
	}
	member.must(http.StatusCreated, "POST", room+"/messages", object{"id": f.message, "body": "the first"})
	return f
}
