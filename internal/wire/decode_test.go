package wire_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/wire"
)

// Promise (PROTOCOL §3): what is not a frame is refused with bad_request, and the id that it named is in the answer.
func TestDecodeFrame(t *testing.T) {
	t.Parallel()
	manyPositions := make([]string, 0, chat.PositionsMax+1)
	for n := range chat.PositionsMax + 1 {
		manyPositions = append(manyPositions, fmt.Sprintf(`"00000000-0000-0000-0000-%012x":1`, n))
	}
	for name, tc := range map[string]struct {
		data string
		ok   bool
		id   bool
	}{
		"a message":                      {`{"type":"send","room_id":` + roomJSON + `,"id":` + idJSON + `,"body":"hi"}`, true, true},
		"fields of a later version":      {`{"type":"ping","mood":{"a":[1]}}`, true, false},
		"as many positions as allowed":   {`{"type":"auth","positions":{` + strings.Join(manyPositions[1:], ",") + `}}`, true, false},
		"one position more":              {`{"type":"auth","id":` + idJSON + `,"positions":{` + strings.Join(manyPositions, ",") + `}}`, false, true},
		"a body that is no text":         {`{"type":"send","id":` + idJSON + `,"body":5}`, false, true},
		"a body that is no text, first":  {`{"type":"send","body":5,"id":` + idJSON + `}`, false, true},
		"a room that is no id":           {`{"room_id":"general","id":` + idJSON + `}`, false, true},
		"a position that is no room":     {`{"positions":{"general":1},"id":` + idJSON + `}`, false, true},
		"a negative position":            {`{"positions":{` + roomJSON + `:-1},"id":` + idJSON + `}`, false, true},
		"an id that is none":             {`{"type":"send","id":"1"}`, false, false},
		"nothing":                        {``, false, false},
		"a list":                         {`[]`, false, false},
		"a list of frames":               {`[{"type":"ping"}]`, false, false},
		"null":                           {`null`, false, false},
		"a word":                         {`"ping"`, false, false},
		"half a frame":                   {`{"type":"send","id":` + idJSON, false, false},
		"two frames":                     {`{"type":"ping"}{"type":"ping"}`, false, false},
		"not UTF-8":                      {"{\"type\":\"send\",\"body\":\"\xff\"}", false, false},
		"ten thousand brackets":          {strings.Repeat("[", 10_001), false, false},
		"ten thousand brackets in field": {`{"x":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}`, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			frame, err := wire.DecodeFrame([]byte(tc.data))
			if (err == nil) != tc.ok || (err != nil && chat.CodeOf(err) != chat.BadRequest) {
				t.Errorf("got %v", err)
			}
			if (frame.ID == message) != tc.id {
				t.Errorf("the id is %s", frame.ID)
			}
		})
	}
}

// drawRecord draws a record of any kind with any text.
func drawRecord(t *rapid.T) *chat.Record {
	text := func(what string) string { return rapid.String().Draw(t, what) }
	record := &chat.Record{
		ID: chat.MessageID{1, rapid.Byte().Draw(t, "id")}, Room: room, At: time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(t, "at")).UTC(),
		Actor: chat.Profile{ID: ada.ID, Username: text("username"), DisplayName: text("name"), AvatarURL: text("avatar")},
		Kind:  rapid.SampledFrom([]chat.Kind{chat.KindMessage, chat.KindEdit, chat.KindDelete, chat.KindReaction, chat.KindMember, chat.KindRoom}).Draw(t, "kind"),
	}
	switch record.Kind {
	case chat.KindMessage:
		record.Body, record.MentionsAll = text("body"), rapid.Bool().Draw(t, "all")
		record.Fingerprint = chat.FingerprintOf(ada.ID, record.Body, record.ReplyTo)
		if rapid.Bool().Draw(t, "answers") {
			record.ReplyTo, record.Mentions = other, []chat.UserID{ada.ID, bob.ID}
		}
	case chat.KindMember:
		record.Member = &chat.MemberDetail{User: bob, Role: chat.Owner, JoinedAt: at.UTC(), Change: chat.MemberJoined}
	case chat.KindRoom:
		record.Info = &chat.RoomDetail{Room: chat.Room{ID: room, Name: text("room"), CreatedAt: at.UTC()}, Change: chat.RoomCreated}
	default:
		record.Target, record.Body, record.Emoji = message, text("edited"), text("emoji")
		record.Added, record.Moderation = rapid.Bool().Draw(t, "added"), rapid.Bool().Draw(t, "moderation")
	}
	return record
}

// Promise: a record reads back from the log as it was appended.
func TestRecordsRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		record := drawRecord(t)
		data, err := wire.EncodeRecord(record)
		if err != nil {
			t.Fatal(err)
		}
		back, err := wire.DecodeRecord(data)
		if err != nil || !cmp.Equal(back, record) {
			t.Fatalf("%s reads back differently: %v\n%s", data, err, cmp.Diff(record, back))
		}
	})
}

// Promise (DESIGN, numbering 7): what cannot be applied is told from what can, so that it never gets as far as the store.
func TestDecodeRecordRefuses(t *testing.T) {
	t.Parallel()
	const ids = `{"id":` + idJSON + `,"room_id":` + roomJSON
	for name, data := range map[string]string{
		"nothing": ``, "null": `null`, "a list": `[]`, "no id": `{"room_id":` + roomJSON + `,"kind":"message"}`, "no room": `{"id":` + idJSON + `,"kind":"message"}`,
		"no kind": ids + `}`, "a kind of a later version": ids + `,"kind":"poll"}`, "a void": ids + `,"kind":"void"}`, "an edit of nothing": ids + `,"kind":"edit"}`,
		"a reaction to nothing": ids + `,"kind":"reaction","emoji":"👍"}`, "a change of no member": ids + `,"kind":"member"}`, "a change of no room": ids + `,"kind":"room"}`,
		"bytes": "\x00\x01",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if record, err := wire.DecodeRecord([]byte(data)); err == nil {
				t.Errorf("%s is read as %+v", data, record)
			}
		})
	}
}

// Promise (PROTOCOL): times are 24 characters of UTC, and read back from any zone to the millisecond.
func TestTimesRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		zone := time.FixedZone("", 900*rapid.IntRange(-48, 56).Draw(t, "zone"))
		when := time.Unix(0, rapid.Int64Range(0, 1<<62).Draw(t, "ns")).In(zone)
		data, err := json.Marshal(wire.Time{Time: when})
		if err != nil || len(data) != 26 {
			t.Fatalf("%v is %s, %v", when, data, err)
		}
		var back wire.Time
		if err := json.Unmarshal(data, &back); err != nil || !back.Equal(when.Truncate(time.Millisecond)) {
			t.Fatalf("%s reads back as %v, %v", data, back, err)
		}
	})
}

// Promise: no frame makes the server panic, each refusal is bad_request, and what is read is text.
func FuzzDecodeFrame(f *testing.F) {
	for _, seed := range []string{
		`{"type":"send","room_id":` + roomJSON + `,"id":` + idJSON + `,"body":"hi","resend":true}`, `{"type":"auth","token":"x","positions":{` + roomJSON + `:41}}`,
		`{"type":"read","seq":18446744073709551615}`, `{"id":` + idJSON + `,"body":5}`, `null`, `[]`, `{`, "\xff",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		frame, err := wire.DecodeFrame(data)
		if err != nil && chat.CodeOf(err) != chat.BadRequest {
			t.Errorf("%q is refused with %v", data, err)
		}
		if err == nil && (!utf8.ValidString(frame.Body) || len(frame.Positions) > chat.PositionsMax) {
			t.Errorf("%q is read as %+v", data, frame)
		}
		var named struct {
			ID chat.MessageID `json:"id"`
		}
		if json.Unmarshal(data, &named) == nil && utf8.Valid(data) && frame.ID != named.ID {
			t.Errorf("%q names %s and is answered about %s", data, named.ID, frame.ID)
		}
	})
}

// Promise: no bytes in the log make the sequencer panic, and what is read can be written again.
func FuzzDecodeRecord(f *testing.F) {
	for _, kind := range []string{"message", "edit", "delete", "reaction", "member", "room", "void", "poll"} {
		f.Add([]byte(`{"id":` + idJSON + `,"room_id":` + roomJSON + `,"kind":"` + kind + `","target":` + idJSON + `,"member":{},"room":{}}`))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		record, err := wire.DecodeRecord(data)
		if err != nil {
			return
		}
		again, err := wire.EncodeRecord(record)
		if err != nil {
			t.Fatalf("%q is read as %+v and cannot be written: %v", data, record, err)
		}
		if back, err := wire.DecodeRecord(again); err != nil || back.ID != record.ID || back.Kind != record.Kind || back.Body != record.Body {
			t.Errorf("%q is written as %s and that is read as %+v, %v", data, again, back, err)
		}
	})
}

func BenchmarkEnvelope(b *testing.B) {
	event := chat.Event{Room: room, Seq: 5, Kind: chat.KindMessage, At: at, Actor: ada, RecordID: message, Message: written()}
	b.ReportAllocs()
	for b.Loop() {
		envelope, err := wire.Envelope(&event)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(envelope.Body)))
	}
}
