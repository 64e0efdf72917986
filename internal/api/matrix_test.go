package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// The columns of the matrix. An admin of the server is nothing special in a room.
var columns = []string{"nobody", "outsider", "banned", "muted", "member", "moderator", "owner", "admin"}

// matrix says for every route what each column gets: a status, or the code of a refusal; a dot is the same as the column
// before, and the last word stands for all columns that are left. Routes of a room have a row for a public room and one for a private one, which
// is public's where it says nothing. The message of the fixture is the member's, and so is the invite in the path of a
// route that revokes one. A route may have several rows with different bodies.
var matrix = map[string][]row{
	"GET /config":        {{public: "200"}},
	"POST /auth/signup":  {{body: object{"username": "{fresh}", "password": password}, public: "201"}},
	"POST /auth/login":   {{body: object{"username": "{self}", "password": password}, public: "unauthenticated 200"}},
	"POST /auth/refresh": {{public: "unauthenticated"}},
	"POST /auth/logout":  {{public: "204"}},
	"POST /auth/password": {
		{body: object{"current_password": password, "new_password": "another " + password}, public: "unauthenticated 200"},
		{body: object{"current_password": "not it, sorry", "new_password": "another " + password}, public: "unauthenticated invalid"},
	},

	"GET /me":                          {{public: "unauthenticated 200"}},
	"PATCH /me":                        {{body: object{"status": "out", "avatar_url": nil}, public: "unauthenticated 200"}},
	"GET /me/sessions":                 {{public: "unauthenticated 200"}},
	"DELETE /me/sessions":              {{public: "unauthenticated 204"}},
	"DELETE /me/sessions/{session_id}": {{public: "unauthenticated not_found"}}, // somebody else's
	"GET /me/rooms":                    {{public: "unauthenticated 200"}},
	"GET /users":                       {{public: "unauthenticated 200"}},
	"GET /rooms":                       {{public: "unauthenticated 200"}},
	"POST /rooms":                      {{body: object{"name": "New", "visibility": "private"}, public: "unauthenticated 201"}},
	"GET /rooms/{room_id}":             {{public: "unauthenticated 200", private: "unauthenticated not_found . 200 . . . not_found"}},
	"DELETE /rooms/{room_id}":          {{public: "unauthenticated not_member banned forbidden . . 204 not_member"}},
	"POST /rooms/{room_id}/join":       {{public: "unauthenticated 200 banned 200 . . . .", private: "unauthenticated not_found . 200 . . . not_found"}},
	"POST /rooms/{room_id}/leave":      {{public: "unauthenticated 204 . . . . conflict 204", private: "unauthenticated not_found . 204 . . conflict not_found"}},
	"GET /rooms/{room_id}/members":     {{public: "unauthenticated not_member banned 200 . . . not_member"}},
	"GET /rooms/{room_id}/messages":    {{public: "unauthenticated not_member banned 200 . . . not_member"}},
	"GET /rooms/{room_id}/changes":     {{public: "unauthenticated not_member banned 200 . . . not_member"}},
	"GET /rooms/{room_id}/mood":        {{public: "unauthenticated not_member banned 200 . . . not_member"}},
	"GET /rooms/{room_id}/bans":        {{public: "unauthenticated not_member banned forbidden . 200 . not_member"}},
	"GET /rooms/{room_id}/invites":     {{public: "unauthenticated not_member banned 200 . . . not_member"}},
	"PUT /rooms/{room_id}/notify":      {{body: object{"notify": "none"}, public: "unauthenticated not_member banned 204 . . . not_member"}},
	"POST /rooms/{room_id}/invites":    {{body: object{"max_uses": 3}, public: "unauthenticated not_member banned 201 . . . not_member"}},
	"GET /invites/{code}":              {{public: "200"}},
	"POST /invites/{code}/accept":      {{public: "unauthenticated 200 banned 200 . . . .", private: "unauthenticated 200 not_found 200 . . . ."}},
	"POST /rooms/{room_id}/messages":   {{body: object{"id": "{message}", "body": "hello"}, public: "unauthenticated not_member banned muted 201 . . not_member"}},
	"DELETE /rooms/{room_id}/bans/{user_id}": {
		{target: "banned", public: "unauthenticated not_member banned forbidden . 204 . not_member"},
		{target: "member", public: "unauthenticated not_member banned forbidden . not_found . not_member"},
	},
	"POST /rooms/{room_id}/bans": {
		{body: object{"user_id": "{member}"}, public: "unauthenticated not_member banned forbidden . 201 . not_member"},
		{body: object{"user_id": "{outsider}", "reason": "noise"}, public: "unauthenticated not_member banned forbidden . 201 . not_member"},
		{body: object{"user_id": "{owner}"}, public: "unauthenticated not_member banned forbidden . . . not_member"},
	},
	"PATCH /rooms/{room_id}": {
		{body: object{"name": "Renamed"}, public: "unauthenticated not_member banned forbidden . 200 . not_member"},
		{body: object{"mood_enabled": "{other mood}"}, public: "unauthenticated not_member banned forbidden . . 200 not_member"},
		{body: object{"visibility": "{other visibility}"}, public: "unauthenticated not_member banned forbidden . . 200 not_member"},
	},
	"PUT /rooms/{room_id}/members/{user_id}": {
		{target: "member", body: object{"role": "moderator"}, public: "unauthenticated not_member banned forbidden . . 200 not_member"},
		{target: "member", body: object{"muted_until": "2099-01-01T00:00:00Z"}, public: "unauthenticated not_member banned forbidden . invalid . not_member"},
		{target: "muted", body: object{"muted_until": nil}, public: "unauthenticated not_member banned forbidden . 200 . not_member"},
		{target: "owner", body: object{"muted_until": nil}, public: "unauthenticated not_member banned forbidden . . . not_member"},
		{target: "owner", body: object{"role": "member"}, public: "unauthenticated not_member banned forbidden . . conflict not_member"},
		{target: "outsider", body: object{"role": "member"}, public: "unauthenticated not_member banned forbidden . . not_found not_member"},
	},
	"DELETE /rooms/{room_id}/members/{user_id}": {
		{target: "member", public: "unauthenticated not_member banned forbidden . 204 . not_member"},
		{target: "moderator", public: "unauthenticated not_member banned forbidden . . 204 not_member"},
		{target: "owner", public: "unauthenticated not_member banned forbidden . . . not_member"},
		{target: "outsider", public: "unauthenticated not_member banned forbidden . not_found . not_member"},
	},
	"DELETE /rooms/{room_id}/invites/{code}": {{public: "unauthenticated not_member banned not_found 204 . . not_member"}},
	"PATCH /rooms/{room_id}/messages/{message_id}": {
		{body: object{"body": "better"}, public: "unauthenticated not_member banned muted 200 forbidden . not_member"},
	},
	"DELETE /rooms/{room_id}/messages/{message_id}":                   {{public: "unauthenticated not_member banned muted 204 . . not_member"}},
	"PUT /rooms/{room_id}/messages/{message_id}/reactions/{emoji}":    {{public: "unauthenticated not_member banned muted 204 . . not_member"}},
	"DELETE /rooms/{room_id}/messages/{message_id}/reactions/{emoji}": {{public: "unauthenticated not_member banned muted 204 . . not_member"}},
	"PUT /rooms/{room_id}/read": {
		{body: object{"seq": 1}, public: "unauthenticated not_member banned 200 . . . not_member"},
		{body: object{"unread_from": 1}, public: "unauthenticated not_member banned 200 . . . not_member"},
		{body: object{"unread_from": 100}, public: "unauthenticated not_member banned invalid . . . not_member"},
	},
}

type row struct {
	target  string // whom a user_id in the path names
	body    object
	public  string
	private string
}

// want is what a column gets.
func (r row) want(column int, visibility chat.Visibility) string {
	words := strings.Fields(r.public)
	if visibility == chat.Private && r.private != "" {
		words = strings.Fields(r.private)
	}
	column = min(column, len(words)-1)
	for words[column] == "." {
		column--
	}
	word := words[column]
	if visibility == chat.Private && r.private == "" && (word == "not_member" || word == "banned") {
		return "not_found" // who is not in a private room finds nothing
	}
	return word
}

// fixture is a room with somebody in every part.
type fixture struct {
	w       *world
	people  map[string]*caller
	room    chat.Room
	message string
	code    string // of an invite by the owner
	own     string // of an invite by the member
}

// cast is the people of all fixtures of one world.
func (w *world) cast() map[string]*caller {
	w.t.Helper()
	people := map[string]*caller{"nobody": w.nobody()}
	for _, column := range columns[1:] {
		people[column] = w.person()
	}
	w.operate("make-admin", people["admin"].name)
	return people
}

func (w *world) profile(c *caller) chat.Profile {
	return chat.Profile{ID: c.id, Username: c.name, DisplayName: c.name}
}

// stage makes a room with the cast in it.
func (w *world) stage(t *testing.T, people map[string]*caller, visibility chat.Visibility) *fixture {
	t.Helper()
	if !w.here() {
		return w.stageElsewhere(t, people, visibility)
	}
	now := w.clock.now()
	f := &fixture{w: w, people: people, room: chat.Room{
		ID: w.newID(), Name: "Stage", Visibility: visibility, CreatedBy: people["owner"].id, CreatedAt: now,
	}}
	invite := func(tx chat.RoomTx, by string) (string, error) {
		code := strings.ReplaceAll(chat.RoomID(w.newID()).String(), "-", "")[:22]
		return code, tx.PutInvite(chat.Invite{Code: code, Room: f.room.ID, CreatedBy: w.profile(people[by]), CreatedAt: now})
	}
	err := w.store.Store.Update(t.Context(), f.room.ID, func(tx chat.RoomTx) (err error) {
		if err := tx.PutRoom(f.room); err != nil {
			return err
		}
		for name, role := range map[string]chat.Role{
			"owner": chat.Owner, "moderator": chat.Moderator, "member": chat.Plain, "muted": chat.Plain,
		} {
			member := chat.Member{Room: f.room.ID, User: w.profile(people[name]), Role: role, JoinedAt: now, Notify: chat.NotifyAll}
			if name == "muted" {
				member.MutedUntil = now.Add(chat.MuteMax / 2)
			}
			if err := tx.PutMember(member); err != nil {
				return err
			}
		}
		ban := chat.Ban{Room: f.room.ID, User: w.profile(people["banned"]), By: people["owner"].id, At: now}
		if err := tx.PutBan(ban); err != nil {
			return err
		}
		if f.code, err = invite(tx, "owner"); err != nil {
			return err
		}
		f.own, err = invite(tx, "member")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	f.message = w.messageID()
	people["member"].must(http.StatusCreated, "POST", "/rooms/"+f.room.ID.String()+"/messages", object{"id": f.message, "body": "the first"})
	return f
}

// path fills the parameters of a route's path in.
func (f *fixture) path(route, target string) string {
	code := f.code
	if strings.Contains(route, "/invites/{code}") && strings.HasPrefix(route, "/rooms/") {
		code = f.own
	}
	if target == "" {
		target = "member"
	}
	return strings.NewReplacer(
		"{room_id}", f.room.ID.String(), "{user_id}", f.people[target].id.String(), "{message_id}", f.message, "{code}", code,
		"{emoji}", "%F0%9F%8E%89", "{session_id}", chat.SessionID(f.w.newID()).String(),
	).Replace(route)
}

// body fills the words in braces of a row's body in.
func (f *fixture) body(body object, self *caller) any {
	if body == nil {
		return nil
	}
	other := map[chat.Visibility]string{chat.Public: "private", chat.Private: "public"}[f.room.Visibility]
	filled := object{}
	for name, value := range body {
		if value == "{other mood}" { // rooms that are made by a call are public at first, and begin with it
			value = f.w.here()
		}
		if text, ok := value.(string); ok {
			value = strings.NewReplacer(
				"{member}", f.people["member"].id.String(), "{outsider}", f.people["outsider"].id.String(),
				"{owner}", f.people["owner"].id.String(), "{message}", f.w.messageID(), "{self}", self.name,
				"{fresh}", f.w.fresh("fresh"), "{other visibility}", other,
			).Replace(text)
		}
		filled[name] = value
	}
	return filled
}

// isOfRoom reports whether a route is about the fixture's room.
func isOfRoom(path string) bool {
	return strings.Contains(path, "{room_id}") || strings.Contains(path, "{code}")
}

// Promise (PROTOCOL §2, FIGURES §4 test 5): every route gives everybody what their part allows, and nothing else. A route
// without a row fails.
func TestMatrix(t *testing.T) {
	t.Parallel()
	w := anywhere(t)
	people := w.cast()
	for _, route := range routes() {
		name := route.operation.Method + " " + route.operation.Path
		rows := matrix[name]
		if len(rows) == 0 {
			t.Errorf("%s has no row in the matrix: say what everybody gets", name)
		}
		visibilities := []chat.Visibility{chat.Public}
		if isOfRoom(route.operation.Path) {
			visibilities = append(visibilities, chat.Private)
		}
		for i, row := range rows {
			for _, visibility := range visibilities {
				t.Run(name+" "+strconv.Itoa(i)+" "+string(visibility), func(t *testing.T) {
					t.Parallel()
					var f *fixture
					for column, who := range columns {
						f = w.checkCell(t, f, people, route, row, column, who, visibility)
					}
				})
			}
		}
	}
	for name := range matrix {
		if !isRoute(name) {
			t.Errorf("%s is in the matrix and is no route", name)
		}
	}
}

func isRoute(name string) bool {
	for _, route := range routes() {
		if name == route.operation.Method+" "+route.operation.Path {
			return true
		}
	}
	return false
}

// checkCell checks a cell on the given stage, where there is one, and answers the stage if it can be used again: what is
// refused changes nothing.
func (w *world) checkCell(t *testing.T, f *fixture, people map[string]*caller, route route, row row, column int, who string, visibility chat.Visibility) *fixture {
	t.Helper()
	self := people[who]
	if !isOfRoom(route.operation.Path) && who != "nobody" {
		self = w.person() // what is done to an account is not done to the cast
	}
	switch {
	case !isOfRoom(route.operation.Path):
		f = &fixture{w: w, people: people}
	case f == nil:
		f = w.stage(t, people, visibility)
	}
	copied := *self
	if who == "nobody" {
		copied.name = "no-such-person"
	}
	if route.operation.Path != "/auth/logout" {
		copied.cookie = ""
	}
	got := copied.do(route.operation.Method, f.path(route.operation.Path, row.target), f.body(row.body, &copied))
	want := row.want(column, visibility)
	if status, err := strconv.Atoi(want); err == nil {
		if got.status != status {
			t.Errorf("%s: %s, want %d", who, got, status)
		}
		w.isAsDescribed(t, route, got)
		return nil
	}
	if got.code() != chat.Code(want) {
		t.Errorf("%s: %s, want %s", who, got, want)
		return nil
	}
	isProblem(t, got)
	return f
}

// isAsDescribed checks that an answer is what /openapi.json says of its route.
func (w *world) isAsDescribed(t *testing.T, route route, got answer) {
	t.Helper()
	item := w.server.routes.Paths[route.operation.Path]
	op := map[string]*huma.Operation{"GET": item.Get, "POST": item.Post, "PUT": item.Put, "PATCH": item.Patch, "DELETE": item.Delete}[route.operation.Method]
	response := op.Responses[strconv.Itoa(got.status)]
	if response == nil {
		t.Errorf("%d is not described", got.status)
		return
	}
	media := response.Content["application/json"]
	if media == nil {
		if len(got.body) != 0 {
			t.Errorf("%s has a body, which is not described", got)
		}
		return
	}
	var value any
	if err := json.Unmarshal(got.body, &value); err != nil {
		t.Errorf("%s: %v", got, err)
	}
	result := huma.ValidateResult{}
	huma.Validate(w.server.routes.Components.Schemas, media.Schema, huma.NewPathBuffer(nil, 0), huma.ModeReadFromServer, value, &result)
	for _, err := range result.Errors {
		t.Errorf("%s is not as described: %v", got, err)
	}
}

// Promise (FIGURES §4 test 5): to whoever is not in it, a private room is like no room at all: the same bytes by the same
// number of questions to the store, on every route.
func TestPrivateIsMissing(t *testing.T) {
	t.Parallel()
	w := anywhere(t)
	people := w.cast()
	for _, route := range routes() {
		if !strings.Contains(route.operation.Path, "{room_id}") {
			continue
		}
		for i, row := range matrix[route.operation.Method+" "+route.operation.Path] {
			t.Run(route.operation.OperationID+" "+strconv.Itoa(i), func(t *testing.T) {
				t.Parallel()
				private, missing := w.stage(t, people, chat.Private), w.stage(t, people, chat.Private)
				missing.room.ID = w.newID()
				for _, who := range []string{"outsider", "banned", "admin"} {
					stranger := w.person() // a counter of one's own
					if who == "banned" {
						w.banFrom(t, private, stranger)
					}
					for attempt := range 2 {
						before := w.store.of(stranger.id)
						a := stranger.do(route.operation.Method, private.path(route.operation.Path, row.target), private.body(row.body, stranger))
						between := w.store.of(stranger.id)
						b := stranger.do(route.operation.Method, missing.path(route.operation.Path, row.target), missing.body(row.body, stranger))
						after := w.store.of(stranger.id)
						if a.status != http.StatusNotFound || a.String() != b.String() {
							t.Errorf("%s: private %s, missing %s, want the same 404", who, a, b)
						}
						for name := range a.header {
							if name != "X-Request-Id" && name != "Date" && a.header.Get(name) != b.header.Get(name) {
								t.Errorf("%s: header %s is %q for a private room and %q for none", who, name, a.header.Get(name), b.header.Get(name))
							}
						}
						if w.here() && (between-before != after-between || (attempt == 0 && between == before)) { // later attempts may be remembered
							t.Errorf("%s, attempt %d: %d questions for a private room, %d for none", who, attempt, between-before, after-between)
						}
					}
				}
			})
		}
	}
}

func (w *world) banFrom(t *testing.T, f *fixture, who *caller) {
	t.Helper()
	if !w.here() {
		f.people["owner"].must(http.StatusCreated, "POST", "/rooms/"+f.room.ID.String()+"/bans", object{"user_id": who.id})
		return
	}
	err := w.store.Store.Update(context.WithoutCancel(t.Context()), f.room.ID, func(tx chat.RoomTx) error {
		return tx.PutBan(chat.Ban{Room: f.room.ID, User: w.profile(who), By: f.people["owner"].id, At: w.clock.now()})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Promise: the tokens of a person whose part changes change with it, at once: a member who is removed reads nothing more.
func TestPartsEndAtOnce(t *testing.T) {
	t.Parallel()
	w := anywhere(t)
	people := w.cast()
	for name, end := range map[string]func(f *fixture) answer{
		"kicked": func(f *fixture) answer {
			return people["owner"].do("DELETE", f.path("/rooms/{room_id}/members/{user_id}", "member"), nil)
		},
		"banned": func(f *fixture) answer {
			return people["owner"].do("POST", f.path("/rooms/{room_id}/bans", ""), object{"user_id": people["member"].id})
		},
		"gone": func(f *fixture) answer { return people["member"].do("POST", f.path("/rooms/{room_id}/leave", ""), nil) },
		"room deleted": func(f *fixture) answer {
			return people["owner"].do("DELETE", f.path("/rooms/{room_id}", ""), nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := w.stage(t, people, chat.Private)
			member := people["member"]
			send := f.path("/rooms/{room_id}/messages", "")
			member.must(http.StatusCreated, "POST", send, object{"id": w.messageID(), "body": "still here"})
			if got := end(f); got.status >= 300 {
				t.Fatal(got)
			}
			w.soonRefused(t, chat.NotFound, func() answer {
				return member.do("POST", send, object{"id": w.messageID(), "body": "and now?"})
			})
			for _, route := range routes() {
				if strings.HasPrefix(route.operation.Path, "/rooms/{room_id}") {
					row := matrix[route.operation.Method+" "+route.operation.Path][0]
					w.soonRefused(t, chat.NotFound, func() answer {
						return member.do(route.operation.Method, f.path(route.operation.Path, row.target), f.body(row.body, member))
					})
				}
			}
			for _, room := range member.must(200, "GET", "/me/rooms", nil).list("rooms") {
				if room.(map[string]any)["id"] == f.room.ID.String() {
					t.Errorf("the room is still among the rooms of somebody who is %s", name)
				}
			}
		})
	}
}
