package gateway_test

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// addressVariable names a server elsewhere, like a cluster: http://host:port.
const addressVariable = "BLABBER_HIVE_URL"

// far is a server elsewhere, of which a test can see no more than its clients do.
type far struct {
	address string
	tag     string // makes names new there
	client  *http.Client
	people  atomic.Int64
	owners  map[chat.RoomID]person
}

// anywhere is bubble for tests that need no more than to be clients. Where the variable names a server elsewhere, that is
// the one they are clients of, in real time.
func anywhere(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	address := os.Getenv(addressVariable)
	if address == "" {
		bubble(t, test)
		return
	}
	random := make([]byte, 5)
	_, _ = rand.Read(random)
	w := &world{far: &far{
		address: address, tag: "-" + hex.EncodeToString(random) + "-", owners: make(map[chat.RoomID]person),
		client: &http.Client{Transport: &http.Transport{}, Timeout: patience},
	}}
	t.Cleanup(w.far.client.CloseIdleConnections)
	t.Cleanup(w.handlers.Wait)
	test(t, w)
}

// insideOnly skips a test of what only a server of its own can show.
func insideOnly(t *testing.T) {
	t.Helper()
	if os.Getenv(addressVariable) != "" {
		t.Skip("this test is about the inside of a server")
	}
}

// settle waits until everything that was begun is done, where a test can know that.
func (w *world) settle() {
	if w.far == nil {
		synctest.Wait()
	}
}

// call calls the API as somebody, who may be nobody yet, and reads the answer into out.
func (f *far) call(t *testing.T, who person, method, path string, in, out any) {
	t.Helper()
	var body io.Reader = http.NoBody
	if in != nil {
		encoded, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		body = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, f.address+"/api/v1"+path, body)
	if err != nil {
		t.Fatal(err)
	}
	if in != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if who.token != "" {
		request.Header.Set("Authorization", "Bearer "+who.token)
	}
	response, err := f.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode >= http.StatusBadRequest {
		t.Fatalf("%s %s: %d %s, %v", method, path, response.StatusCode, answer, err)
	}
	if out != nil {
		if err := json.Unmarshal(answer, out); err != nil {
			t.Fatalf("%s %s: %v", method, path, err)
		}
	}
}

func (f *far) someone(t *testing.T, username string) person {
	t.Helper()
	var grant struct {
		User  struct{ ID chat.UserID } `json:"user"`
		Token string                   `json:"access_token"`
	}
	username += f.tag + string(rune('a'+f.people.Add(1)))
	f.call(t, person{}, http.MethodPost, "/auth/signup", map[string]string{"username": username, "password": password}, &grant)
	return person{chat.User{Profile: chat.Profile{ID: grant.User.ID, Username: username}}, grant.Token}
}

// room makes a public room of its members; the first owns it.
func (f *far) room(t *testing.T, members ...person) chat.RoomID {
	t.Helper()
	var made struct{ ID chat.RoomID }
	f.call(t, members[0], http.MethodPost, "/rooms", map[string]string{"name": "Far", "visibility": string(chat.Public)}, &made)
	f.owners[made.ID] = members[0]
	for _, member := range members[1:] {
		f.call(t, member, http.MethodPost, "/rooms/"+made.ID.String()+"/join", nil, nil)
	}
	return made.ID
}

func (f *far) show(t *testing.T, id chat.RoomID, visibility chat.Visibility) {
	t.Helper()
	f.call(t, f.owners[id], http.MethodPatch, "/rooms/"+id.String(), map[string]string{"visibility": string(visibility)}, nil)
}

// parts gives everybody of the cast their part in a room.
func (f *far) parts(t *testing.T, id chat.RoomID, people map[string]person) {
	t.Helper()
	owner, room := people["owner"], "/rooms/"+id.String()
	member := func(name string) string { return room + "/members/" + people[name].ID.String() }
	f.call(t, owner, http.MethodPut, member("moderator"), map[string]string{"role": string(chat.Moderator)}, nil)
	until := time.Now().Add(24 * time.Hour).UTC().Format(time.RFC3339)
	f.call(t, owner, http.MethodPut, member("muted"), map[string]string{"muted_until": until}, nil)
	f.call(t, owner, http.MethodPost, room+"/bans", map[string]string{"user_id": people["banned"].ID.String()}, nil)
}

func (f *far) head(t *testing.T, id chat.RoomID) chat.Seq {
	t.Helper()
	var room struct{ Head chat.Seq }
	f.call(t, f.owners[id], http.MethodGet, "/rooms/"+id.String(), nil, &room)
	return room.Head
}

func (f *far) say(t *testing.T, who person, id chat.RoomID, body string) chat.Seq {
	t.Helper()
	var sent struct{ Seq chat.Seq }
	f.call(t, who, http.MethodPost, "/rooms/"+id.String()+"/messages", map[string]string{"id": messageID().String(), "body": body}, &sent)
	return sent.Seq
}

func (f *far) host() string { return strings.TrimPrefix(f.address, "http://") }
