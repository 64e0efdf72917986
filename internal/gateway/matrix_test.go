package gateway_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/room"
)

// everyRole is who may stand before a room, from nobody to its owner.
func everyRole() []string {
	return []string{"nobody", "outsider", "banned", "muted", "member", "moderator", "owner"}
}

// answers says for a frame what each role gets, in the order of everyRole: the code of an error frame, the type of an
// answer, "closed" with its code, or "" for silence.
type answers [7]string

// expectation is what a frame is answered with about a public, a private and a missing room.
type expectation struct {
	frame                    func(room chat.RoomID) map[string]any
	public, private, missing answers
}

func expectations() map[string]expectation {
	about := func(kind string, more ...any) func(chat.RoomID) map[string]any {
		return func(id chat.RoomID) map[string]any {
			frame := map[string]any{"type": kind, "room_id": id}
			for i := 0; i < len(more); i += 2 {
				frame[fmt.Sprint(more[i])] = more[i+1]
			}
			return frame
		}
	}
	lost := answers{"closed 4401", "not_found", "not_found", "not_found", "not_found", "not_found", "not_found"}
	pong := answers{"closed 4401", "pong", "pong", "pong", "pong", "pong", "pong"}
	bad := answers{"closed 4401", "closed 4401", "closed 4401", "closed 4401", "closed 4401", "closed 4401", "closed 4401"}
	unknown := answers{"closed 4401", "bad_request", "bad_request", "bad_request", "bad_request", "bad_request", "bad_request"}
	return map[string]expectation{
		"send": {
			func(id chat.RoomID) map[string]any {
				return map[string]any{"type": "send", "room_id": id, "id": messageID(), "body": "hello"}
			},
			answers{"closed 4401", "not_member", "banned", "muted", "ack", "ack", "ack"},
			answers{"closed 4401", "not_found", "not_found", "muted", "ack", "ack", "ack"},
			lost,
		},
		"typing": {
			about("typing"),
			answers{"closed 4401", "not_member", "banned", "muted", "", "", ""},
			answers{"closed 4401", "not_found", "not_found", "muted", "", "", ""},
			lost,
		},
		"read": {
			about("read", "seq", 1),
			answers{"closed 4401", "not_member", "banned", "", "", "", ""},
			answers{"closed 4401", "not_found", "not_found", "", "", "", ""},
			lost,
		},
		"ping":    {about("ping"), pong, pong, pong},
		"auth":    {about("auth", "token", "made up"), bad, bad, bad},
		"unknown": {about("there is no such frame"), unknown, unknown, unknown},
	}
}

// Promise: every frame that a client may send has an expected answer for everyone who may send it, and gets that answer;
// a private room answers whoever is not in it byte for byte like one that never was.
func TestMatrix(t *testing.T) {
	t.Parallel()
	expected := expectations()
	for _, kind := range frameTypes(t) {
		if _, ok := expected[kind]; !ok {
			t.Errorf("frames of type %q have no expected answers", kind)
		}
	}
	for kind, want := range expected {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			anywhere(t, func(t *testing.T, w *world) {
				people := w.cast(t)
				public, private := w.stage(t, chat.Public, people), w.stage(t, chat.Private, people)
				missing := chat.RoomID(uuid.Must(uuid.NewV7()))
				for i, role := range everyRole() {
					answer := func(id chat.RoomID) frame {
						c := w.dial(t)
						if role != "nobody" {
							c.auth(people[role].token)
							c.expect("ready")
						}
						c.say(want.frame(id))
						return w.answer(c, kind)
					}
					ofPublic, ofPrivate, ofMissing := answer(public), answer(private), answer(missing)
					got := [3]string{ofPublic.summary(), ofPrivate.summary(), ofMissing.summary()}
					if want := [3]string{want.public[i], want.private[i], want.missing[i]}; got != want {
						t.Errorf("%s: %s gets %q of a public, a private and a missing room, want %q", kind, role, got, want)
					}
					if member := slices.Index(everyRole(), role) > 2; !member && ofPrivate.anonymous() != ofMissing.anonymous() {
						t.Errorf("%s: %s can tell a private room %s from none %s", kind, role, ofPrivate, ofMissing)
					}
				}
			})
		})
	}
}

// frameTypes are the constants of the wire package that name what clients send.
func frameTypes(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../wire/frame.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for node := range ast.Preorder(file) {
		spec, ok := node.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 || !strings.HasPrefix(spec.Names[0].Name, "Frame") {
			continue
		}
		if literal, ok := spec.Values[0].(*ast.BasicLit); ok && literal.Kind == token.STRING {
			kind, _ := strconv.Unquote(literal.Value) // the parser has seen that it can be
			kinds = append(kinds, kind)
		}
	}
	if len(kinds) < 5 {
		t.Fatalf("found only the types %q", kinds)
	}
	return kinds
}

// cast makes a person for every role but nobody.
func (w *world) cast(t *testing.T) map[string]person {
	t.Helper()
	people := make(map[string]person)
	for _, role := range everyRole()[1:] {
		people[role] = w.someone(t, role)
	}
	return people
}

// stage makes a room in which everyone has their role.
func (w *world) stage(t *testing.T, visibility chat.Visibility, people map[string]person) chat.RoomID {
	t.Helper()
	owner := people["owner"]
	members := []person{owner, people["moderator"], people["member"], people["muted"], people["banned"]}
	if w.far != nil {
		id := w.far.room(t, members...)
		w.far.parts(t, id, people)
		w.far.show(t, id, visibility)
		return id
	}
	id := w.room(t, visibility, members...)
	moderator, until := chat.Moderator, time.Now().Add(24*time.Hour)
	_, promoted := w.rooms.ChangeMember(t.Context(), owner.Profile, id, people["moderator"].ID, room.MemberChange{Role: &moderator})
	_, muted := w.rooms.ChangeMember(t.Context(), owner.Profile, id, people["muted"].ID, room.MemberChange{MutedUntil: &until})
	_, banned := w.rooms.Ban(t.Context(), owner.Profile, id, people["banned"].ID, "")
	for _, err := range []error{promoted, muted, banned} {
		if err != nil {
			t.Fatal(err)
		}
	}
	w.settle()
	return id
}

// answer reads what a frame of that type was answered with. Silence is a pong to a ping of our own.
func (w *world) answer(c *client, kind string) frame {
	c.t.Helper()
	w.settle() // an ack comes when the message is stored, which is after the answer to a ping
	sent := kind == "send" && w.far != nil
	if kind != "ping" && !sent { // a send is never answered with silence
		c.text(`{"type":"ping"}`)
	}
	for {
		read, err := c.read()
		if err != nil {
			c.t.Fatalf("no answer: %v", err)
		}
		if read.Header.OpCode.IsControl() {
			return frame{Type: "closed " + strconv.Itoa(int(read.Payload[0])<<8|int(read.Payload[1]))}
		}
		f := parse(c.t, read.Payload)
		switch f.Type {
		case "event", "presence":
		case "pong":
			if kind != "ping" {
				return frame{}
			}
			return f
		default:
			f.raw = string(read.Payload)
			return f
		}
	}
}

// summary is the word of an expectation.
func (f frame) summary() string {
	if f.Type == "error" {
		return f.Code
	}
	return f.Type
}

// anonymous is the frame as it was written, without the id that the client gave.
func (f frame) anonymous() string { return strings.ReplaceAll(f.raw, f.ID, "") }
