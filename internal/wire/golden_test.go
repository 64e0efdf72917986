package wire_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/wire"
)

var (
	room    = chat.RoomID{15: 1}
	message = chat.MessageID{15: 2}
	other   = chat.MessageID{15: 3}
	at      = time.Date(2026, 11, 23, 13, 0, 0, 123456789, time.FixedZone("Seoul", 9*3600))
	ada     = chat.Profile{ID: chat.UserID{15: 7}, Username: "ada", DisplayName: "Ada <3", AvatarURL: "https://example.org/a.png"}
	bob     = chat.Profile{ID: chat.UserID{15: 8}, Username: "bob", DisplayName: "Bob"}
)

const (
	adaJSON  = `{"id":"00000000-0000-0000-0000-000000000007","username":"ada","display_name":"Ada <3","avatar_url":"https://example.org/a.png"}`
	bobJSON  = `{"id":"00000000-0000-0000-0000-000000000008","username":"bob","display_name":"Bob","avatar_url":null}`
	atJSON   = `"2026-11-23T04:00:00.123Z"`
	roomJSON = `"00000000-0000-0000-0000-000000000001"`
	idJSON   = `"00000000-0000-0000-0000-000000000002"`
	headJSON = `{"room_id":` + roomJSON + `,"seq":5,"at":` + atJSON + `,"actor":` + adaJSON
)

func written() *chat.Message {
	return &chat.Message{
		ID: message, Room: room, Seq: 4, Sender: ada, Body: "hi @bob", ReplyTo: other, Mentions: []chat.UserID{bob.ID}, CreatedAt: at,
		Reactions: []chat.Reaction{{Emoji: "👍", Users: []chat.UserID{bob.ID}}},
	}
}

const writtenJSON = `{"id":` + idJSON + `,"room_id":` + roomJSON + `,"seq":4,"changed_seq":%s,"sender":` + adaJSON + `,"body":"hi @bob",
	"reply_to":"00000000-0000-0000-0000-000000000003","mentions":["00000000-0000-0000-0000-000000000008"],"mentions_all":false,"created_at":` + atJSON + `,
	"edited_at":%s,"deleted_at":null,"reactions":[{"emoji":"👍","count":1%s,"user_ids":["00000000-0000-0000-0000-000000000008"]}],"attachments":[],"sentiment":null}`

func fill(format string, values ...string) string {
	for _, value := range values {
		format = string(bytes.Replace([]byte(format), []byte("%s"), []byte(value), 1))
	}
	return format
}

func wantJSON(t *testing.T, got []byte, want string) {
	t.Helper()
	var g, w any
	if err := json.Unmarshal(got, &g); err != nil {
		t.Fatalf("%s is not JSON: %v", got, err)
	}
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatalf("the expectation %s is not JSON: %v", want, err)
	}
	gotJSON, errGot := json.MarshalIndent(g, "", " ")
	wantJSON, errWant := json.MarshalIndent(w, "", " ")
	if err := errors.Join(errGot, errWant); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(gotJSON, wantJSON) {
		t.Errorf("got\n%s\nwant\n%s", gotJSON, wantJSON)
	}
}

// Promise (PROTOCOL §1): each kind of event has its shape, the same bytes for all readers.
func TestEventShapes(t *testing.T) {
	t.Parallel()
	base := func(kind chat.Kind) chat.Event {
		return chat.Event{Room: room, Seq: 5, Kind: kind, At: at, Actor: ada, RecordID: message}
	}
	with := func(kind chat.Kind, more func(*chat.Event)) chat.Event { e := base(kind); more(&e); return e }
	changed := func() *chat.Message { m := written(); m.ChangedSeq = 5; return m }
	edited := changed()
	edited.EditedAt = at
	deleted := &chat.Message{ID: message, Room: room, Seq: 4, ChangedSeq: 5, Sender: ada, CreatedAt: at, DeletedAt: at}
	for name, tc := range map[string]struct {
		event   chat.Event
		want    string
		subject chat.UserID
	}{
		"message": {with(chat.KindMessage, func(e *chat.Event) { e.Message = written() }), headJSON + `,"kind":"message","message":` + fill(writtenJSON, "null", "null", "") + `}`, chat.UserID{}},
		"edit":    {with(chat.KindEdit, func(e *chat.Event) { e.Message = edited }), headJSON + `,"kind":"edit","message":` + fill(writtenJSON, "5", atJSON, "") + `}`, chat.UserID{}},
		"reaction": {with(chat.KindReaction, func(e *chat.Event) {
			e.Message, e.Reaction = changed(), &chat.ReactionDetail{Emoji: "👍", Added: true}
		}), headJSON + `,"kind":"reaction","reaction":{"emoji":"👍","added":true},"message":` + fill(writtenJSON, "5", "null", "") + `}`, chat.UserID{}},
		"delete": {with(chat.KindDelete, func(e *chat.Event) { e.Message = deleted }), headJSON + `,"kind":"delete","message":{"id":` + idJSON + `,"room_id":` + roomJSON + `,
			"seq":4,"changed_seq":5,"sender":` + adaJSON + `,"body":"","reply_to":null,"mentions":[],"mentions_all":false,"created_at":` + atJSON + `,"edited_at":null,
			"deleted_at":` + atJSON + `,"reactions":[],"attachments":[],"sentiment":null}}`, chat.UserID{}},
		"member": {with(chat.KindMember, func(e *chat.Event) {
			e.Member = &chat.MemberDetail{User: bob, Role: chat.Plain, JoinedAt: at, MutedUntil: at, Change: chat.MemberMuted}
		}), headJSON + `,"kind":"member","member":{"user":` + bobJSON + `,"role":"member","joined_at":` + atJSON + `,"muted_until":` + atJSON + `,"change":"muted"}}`, bob.ID},
		"room": {with(chat.KindRoom, func(e *chat.Event) {
			e.Info = &chat.RoomDetail{Room: chat.Room{ID: room, Name: "Bees & co", Visibility: chat.Private, CreatedBy: ada.ID, CreatedAt: at, Members: 2}, Change: chat.RoomChanged}
		}), headJSON + `,"kind":"room","change":"changed","room":{"id":` + roomJSON + `,"name":"Bees & co","topic":"","visibility":"private",
			"created_by":"00000000-0000-0000-0000-000000000007","created_at":` + atJSON + `,"head":5,"members":2,"mood_enabled":false}}`, chat.UserID{}},
		"without an actor": {chat.Event{Room: room, Seq: 5, Kind: chat.KindMember, At: at}, `{"room_id":` + roomJSON + `,"seq":5,"at":` + atJSON + `,"actor":null,"kind":"member"}`, chat.UserID{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			envelope, err := wire.Envelope(&tc.event)
			if err != nil {
				t.Fatal(err)
			}
			wantJSON(t, envelope.Body, tc.want)
			wantJSON(t, wire.EventFrame(envelope.Body), `{"type":"event","event":`+tc.want+`}`)
			if envelope.Room != room || envelope.Seq != 5 || envelope.Kind != tc.event.Kind || envelope.Subject != tc.subject {
				t.Errorf("the envelope says %+v", envelope)
			}
		})
	}
}

// Promise (PROTOCOL §1): over HTTP a reader learns what is their own.
func TestReactionsTellTheReader(t *testing.T) {
	t.Parallel()
	for reader, me := range map[chat.UserID]string{ada.ID: `,"me":false`, bob.ID: `,"me":true`} {
		data, err := json.Marshal(wire.MessageFor(written(), reader))
		if err != nil {
			t.Fatal(err)
		}
		wantJSON(t, data, fill(writtenJSON, "null", "null", me))
	}
	crowd := written()
	for n := range 200 {
		crowd.Reactions[0].Users = append(crowd.Reactions[0].Users, chat.UserID{14: 1, 15: byte(n)})
	}
	if r := wire.MessageFor(crowd, bob.ID).Reactions[0]; r.Count != 201 || len(r.UserIDs) != wire.ReactorsShown {
		t.Errorf("a crowd of 201 shows %d of %d", len(r.UserIDs), r.Count)
	}
}

// Promise (PROTOCOL §3): each frame from the server has its shape.
func TestFrameShapes(t *testing.T) {
	t.Parallel()
	inside := chat.MemberRoom{
		Room:   chat.Room{ID: room, Name: "Bees", Visibility: chat.Public, CreatedBy: ada.ID, CreatedAt: at, Head: 9, Members: 2},
		Member: chat.Member{User: bob, Role: chat.Owner, JoinedAt: at, ReadSeq: 3, UnreadFrom: 2, Notify: chat.NotifyAll}, Unread: 4, Mentions: 1, LastMessage: written(),
	}
	insideJSON := `{"id":` + roomJSON + `,"name":"Bees","topic":"","visibility":"public","created_by":"00000000-0000-0000-0000-000000000007","created_at":` + atJSON + `,
		"head":9,"members":2,"mood_enabled":false,"role":"owner","joined_at":` + atJSON + `,"muted_until":null,"read_seq":3,"unread_from":2,"unread":4,"mentions":1,
		"notify":"all","last_message":` + fill(writtenJSON, "null", "null", `,"me":true`) + `}`
	user := chat.User{Profile: bob, Status: "away", CreatedAt: at}
	userJSON := bobJSON[:len(bobJSON)-1] + `,"status":"away","email":null,"admin":false,"created_at":` + atJSON + `}`
	limited := &chat.Error{Code: chat.RateLimited, Detail: "slower", RetryAfter: 1500 * time.Millisecond}
	for name, tc := range map[string]struct {
		frame []byte
		want  string
	}{
		"ready":                    {wire.ReadyFrame(user, []chat.MemberRoom{inside}, nil, 25, "c1"), `{"type":"ready","user":` + userJSON + `,"rooms":[` + insideJSON + `],"users_online":[],"heartbeat_seconds":25,"connection_id":"c1"}`},
		"ack":                      {wire.AckFrame(room, message, 4), `{"type":"ack","id":` + idJSON + `,"room_id":` + roomJSON + `,"seq":4}`},
		"ack without a number":     {wire.AckFrame(room, message, 0), `{"type":"ack","id":` + idJSON + `,"room_id":` + roomJSON + `}`},
		"error":                    {wire.ErrorFrame(message, limited), `{"type":"error","id":` + idJSON + `,"code":"rate_limited","detail":"slower","retry_after_ms":1500}`},
		"error without an id":      {wire.ErrorFrame(chat.MessageID{}, chat.Refuse(chat.Muted, "hush")), `{"type":"error","code":"muted","detail":"hush"}`},
		"error of a field":         {wire.ErrorFrame(message, chat.InvalidField("body", "too long")), `{"type":"error","id":` + idJSON + `,"code":"invalid","detail":"body: too long","errors":[{"field":"body","message":"too long"}]}`},
		"error of ours":            {wire.ErrorFrame(message, errors.New("password of the database is 123")), `{"type":"error","id":` + idJSON + `,"code":"internal","detail":"something went wrong on the server; it was logged"}`},
		"reset":                    {wire.ResetFrame(room, 5000), `{"type":"reset","room_id":` + roomJSON + `,"head":5000}`},
		"joined":                   {wire.JoinedFrame(inside), `{"type":"joined","room":` + insideJSON + `}`},
		"left":                     {wire.LeftFrame(room, "banned"), `{"type":"left","room_id":` + roomJSON + `,"reason":"banned"}`},
		"typing":                   {wire.TypingFrame(room, bob), `{"type":"typing","room_id":` + roomJSON + `,"user":` + bobJSON + `}`},
		"presence":                 {wire.PresenceFrame(bob.ID, true), `{"type":"presence","user_id":"00000000-0000-0000-0000-000000000008","online":true}`},
		"read":                     {wire.ReadFrame(room, chat.ReadState{ReadSeq: 3, Unread: 2, Mentions: 1}), `{"type":"read","room_id":` + roomJSON + `,"read_seq":3,"unread_from":null,"unread":2,"mentions":1}`},
		"pong":                     {wire.PongFrame(), `{"type":"pong"}`},
		"draining":                 {wire.DrainingFrame(1200), `{"type":"draining","reconnect_in_ms":1200}`},
		"ready of a lonely person": {wire.ReadyFrame(user, nil, nil, 25, "c1"), `{"type":"ready","user":` + userJSON + `,"rooms":[],"users_online":[],"heartbeat_seconds":25,"connection_id":"c1"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantJSON(t, tc.frame, tc.want)
		})
	}
}

// Promise (PROTOCOL §4): each code has its HTTP status, and a problem says no word of its cause.
func TestProblems(t *testing.T) {
	t.Parallel()
	for code, status := range map[chat.Code]int{
		chat.BadRequest: 400, chat.Unauthenticated: 401, chat.Forbidden: 403, chat.NotFound: 404, chat.NotMember: 403, chat.Muted: 403,
		chat.Banned: 403, chat.Conflict: 409, chat.UsernameTaken: 409, chat.TooLarge: 413, chat.UnsupportedMedia: 415, chat.Invalid: 422,
		chat.RateLimited: 429, chat.Internal: 500, chat.Unavailable: 503, "new": 500,
	} {
		problem := wire.ProblemOf(&chat.Error{Code: code, Detail: "words", Err: errors.New("secret")})
		data, err := json.Marshal(problem)
		if err != nil || problem.Status != status || problem.Title == "" || problem.Code != code || bytes.Contains(data, []byte("secret")) {
			t.Errorf("%s: %s, %v; want status %d", code, data, err, status)
		}
	}
}
