package gateway_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Promise (PROTOCOL §1, FIGURES §4 test 7): one id is one message however often, how much later and over whichever
// connection it is sent; with another body or by another sender it is refused with conflict; in another room it is
// another message. Before and behind the window of recent ids, marked as sent again or not.
func TestSameID(t *testing.T) {
	t.Parallel()
	for _, between := range []int{0, 10, chat.WindowSize + 10} {
		for _, later := range []time.Duration{0, time.Hour} {
			for _, marked := range []bool{false, true} {
				t.Run(fmt.Sprintf("after %d messages and %v, marked %v", between, later, marked), func(t *testing.T) {
					t.Parallel()
					bubble(t, func(t *testing.T, w *world) { sameID(t, w, between, later, marked) })
				})
			}
		}
	}
}

func sameID(t *testing.T, w *world, between int, later time.Duration, marked bool) {
	t.Helper()
	ann, bob := w.someone(t, "ann"), w.someone(t, "bob")
	here, there := w.room(t, chat.Public, ann, bob), w.room(t, chat.Public, ann, bob)
	id := messageID().String()
	first := w.sit(t, ann)
	first.say(map[string]any{"type": "send", "room_id": here, "id": id, "body": "mine"})
	seq := first.both().Event.Seq
	first.hangUp()
	w.fill(t, bob, here, between)
	<-time.After(later)
	ann.token, bob.token = w.accounts.issue(ann.User), w.accounts.issue(bob.User) // the old ones may have expired

	try := func(who person, room chat.RoomID, body string) frame {
		c := w.sit(t, who)
		defer c.hangUp()
		c.say(map[string]any{"type": "send", "room_id": room, "id": id, "body": body, "resend": marked})
		for {
			if f := c.next(); f.Type == "ack" || f.Type == "error" {
				return f
			}
		}
	}
	if f := try(ann, here, "mine"); f.Type != "ack" || f.ID != id || f.Seq != seq {
		t.Errorf("the same message again is answered with %s, want an ack with %d", f, seq)
	}
	if f := try(ann, here, "something else"); f.Code != "conflict" || f.ID != id {
		t.Errorf("another body is answered with %s", f)
	}
	if f := try(bob, here, "mine"); f.Code != "conflict" || f.ID != id {
		t.Errorf("another sender is answered with %s", f)
	}
	if f := try(bob, there, "not mine"); f.Type != "ack" || f.RoomID != there.String() {
		t.Errorf("another room is answered with %s", f)
	}
	message, err := w.store.Message(t.Context(), here, chat.MessageID(uuid.MustParse(id)))
	if err != nil || message.Body != "mine" || message.Sender.ID != ann.ID || uint64(message.Seq) != seq {
		t.Errorf("stored is %+v, %v", message, err)
	}
}

// Promise (FIGURES §4, test 6): a send that names what belongs elsewhere, or is not well formed, is refused with its own
// id and writes nothing; the connection stays.
func TestRefusedSends(t *testing.T) {
	t.Parallel()
	anywhere(t, func(t *testing.T, w *world) {
		ann := w.someone(t, "ann")
		here, there := w.room(t, chat.Public, ann), w.room(t, chat.Public, ann)
		c := w.sit(t, ann)
		elsewhere := c.send(there, "a message of another room")
		c.both()
		head := w.head(t, here)
		for name, tc := range map[string]struct {
			change map[string]any
			want   string
		}{
			"a reply to a message of another room": {map[string]any{"reply_to": elsewhere}, "invalid"},
			"a reply to nothing":                   {map[string]any{"reply_to": messageID()}, "invalid"},
			"an attachment":                        {map[string]any{"attachment_ids": []string{"x"}}, "invalid"},
			"an empty body":                        {map[string]any{"body": ""}, "invalid"},
			"a body of spaces":                     {map[string]any{"body": " \n\t "}, "invalid"},
			"a body with NUL":                      {map[string]any{"body": "a\x00b"}, "invalid"},
			"a body that is too long":              {map[string]any{"body": string(make([]rune, chat.MessageRunesMax+1))}, "invalid"},
			"an id that is no UUIDv7":              {map[string]any{"id": uuid.NewString()}, "invalid"},
			"an id of all zeros":                   {map[string]any{"id": uuid.Nil}, "invalid"},
			"an id that is no id":                  {map[string]any{"id": "hello"}, "bad_request"},
			"an id that is a number":               {map[string]any{"id": 1}, "bad_request"},
			"a room that is no id":                 {map[string]any{"room_id": "hello"}, "bad_request"},
			"no room":                              {map[string]any{"room_id": uuid.Nil}, "not_found"},
			"a body that is no text":               {map[string]any{"body": map[string]any{"deep": 1}}, "bad_request"},
		} {
			id := messageID().String()
			shape := map[string]any{"type": "send", "room_id": here, "id": id, "body": "hello"}
			maps.Copy(shape, tc.change)
			c.say(shape)
			refusal := c.expect("error")
			if refusal.Code != tc.want {
				t.Errorf("%s is refused with %s, want %s", name, refusal, tc.want)
			}
			if _, otherID := tc.change["id"]; !otherID && refusal.ID != id {
				t.Errorf("%s is refused with id %q, want %q", name, refusal.ID, id)
			}
		}
		if now := w.head(t, here); now != head {
			t.Errorf("the head went from %d to %d", head, now)
		}
		c.send(here, "a good one")
		c.both()
	})
}

// Promise: whatever a text frame holds, a signed-in client gets an error frame or an answer, never a dropped connection.
func TestBadFrames(t *testing.T) {
	t.Parallel()
	anywhere(t, func(t *testing.T, w *world) {
		c := w.sit(t, w.someone(t, "ann"))
		for name, payload := range map[string]string{
			"nothing":              "",
			"no JSON":              "hello",
			"half of JSON":         `{"type":"ping"`,
			"two objects":          `{"type":"ping"}{"type":"ping"}`,
			"null":                 "null",
			"a list":               "[]",
			"a number":             "1",
			"a huge number":        `{"type":"read","seq":1e400}`,
			"a number over 64 bit": `{"type":"read","seq":18446744073709551616}`,
			"a negative number":    `{"type":"read","seq":-1}`,
			"no type":              `{}`,
			"a type of null":       `{"type":null}`,
			"a type that is long":  `{"type":"` + strings.Repeat("x", 60000) + `"}`,
			"bad UTF-8":            "{\"type\":\"send\",\"body\":\"\xff\xfe\"}",
			"a surrogate alone":    `{"type":"nothing","body":"\ud800"}`,
			"deep JSON":            `{"type":` + strings.Repeat("[", 30000) + strings.Repeat("]", 30000) + `}`,
			"deep and unfinished":  strings.Repeat(`{"type":`, 7000),
			"NUL":                  "\x00",
			"the same key twice":   `{"type":"nothing","type":"nothing"}`,
		} {
			c.text(payload)
			if f := c.expect("error"); f.Code != "bad_request" || len(f.raw) > 400 {
				t.Errorf("%s is answered with %s", name, f)
			}
		}
		c.quiet()
	})
}
