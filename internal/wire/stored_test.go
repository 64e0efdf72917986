package wire_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/wire"
)

// drawEvent draws an event of any kind with any text.
func drawEvent(t *rapid.T) chat.Event {
	text := func(what string) string { return rapid.String().Draw(t, what) }
	when := func(what string) time.Time { return time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(t, what)).UTC() }
	maybe := func(what string) time.Time {
		if rapid.Bool().Draw(t, what) {
			return when(what + " at")
		}
		return time.Time{}
	}
	profile := func(what string) chat.Profile {
		return chat.Profile{ID: chat.UserID{rapid.Byte().Draw(t, what)}, Username: text("username"), DisplayName: text("name"), AvatarURL: text("avatar")}
	}
	event := chat.Event{
		Room: room, Seq: chat.Seq(rapid.Uint64Min(1).Draw(t, "seq")), At: when("at"), Actor: profile("actor"),
		RecordID: chat.MessageID{1, rapid.Byte().Draw(t, "record")},
		Kind: rapid.SampledFrom([]chat.Kind{
			chat.KindMessage, chat.KindEdit, chat.KindDelete, chat.KindReaction, chat.KindMember, chat.KindRoom, chat.KindVoid,
		}).Draw(t, "kind"),
	}
	switch event.Kind {
	case chat.KindMember:
		event.Member = &chat.MemberDetail{
			User: profile("member"), Role: chat.Moderator, JoinedAt: when("joined"), MutedUntil: maybe("muted"), Change: chat.MemberMuted,
		}
	case chat.KindRoom:
		event.Info = &chat.RoomDetail{Room: chat.Room{
			ID: room, Name: text("room"), Topic: text("topic"), Visibility: chat.Private, CreatedBy: ada.ID, CreatedAt: when("created"),
			Head: 3, Members: rapid.Int().Draw(t, "members"), MoodEnabled: rapid.Bool().Draw(t, "mood"),
		}, Change: chat.RoomChanged}
	case chat.KindVoid:
	default:
		m := &chat.Message{
			ID: chat.MessageID{2, rapid.Byte().Draw(t, "id")}, Room: room, Seq: chat.Seq(rapid.Uint64().Draw(t, "own seq")),
			ChangedSeq: chat.Seq(rapid.Uint64().Draw(t, "changed")), Sender: profile("sender"), Body: text("body"),
			MentionsAll: rapid.Bool().Draw(t, "all"), CreatedAt: when("made"), EditedAt: maybe("edited"), DeletedAt: maybe("deleted"),
		}
		m.Fingerprint = chat.FingerprintOf(m.Sender.ID, m.Body, other)
		if rapid.Bool().Draw(t, "answers") {
			m.ReplyTo, m.Mentions = other, []chat.UserID{ada.ID, bob.ID}
			m.Reactions = []chat.Reaction{{Emoji: text("emoji"), Users: []chat.UserID{ada.ID}}, {Emoji: "👍", Users: []chat.UserID{ada.ID, bob.ID}}}
		}
		event.Message = m
		if event.Kind == chat.KindReaction {
			event.Reaction = &chat.ReactionDetail{Emoji: text("given"), Added: rapid.Bool().Draw(t, "added")}
		}
	}
	return event
}

// Promise: an event that a bus keeps reads back as it was, all that clients are never shown included.
func TestEventsRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		event := drawEvent(t)
		data, err := wire.EncodeEvent(&event)
		if err != nil {
			t.Fatal(err)
		}
		back, err := wire.DecodeEvent(data)
		if err != nil || !cmp.Equal(event, back) {
			t.Fatalf("%s reads back differently: %v\n%s", data, err, cmp.Diff(event, back))
		}
	})
}

// Promise: what is kept is refused where it is not an event, so that a reader asks the store instead.
func TestDecodeEventRefuses(t *testing.T) {
	t.Parallel()
	for name, data := range map[string]string{
		"nothing":              ``,
		"half an event":        `{"room_id":` + roomJSON,
		"an event of no room":  `{"seq":1,"kind":"message"}`,
		"an event of no seq":   `{"room_id":` + roomJSON + `,"kind":"message"}`,
		"an event of no kind":  `{"room_id":` + roomJSON + `,"seq":1}`,
		"a short fingerprint":  `{"room_id":` + roomJSON + `,"seq":1,"kind":"message","message":{"fingerprint":"AAAA"}}`,
		"a seq that is not it": `{"room_id":` + roomJSON + `,"seq":-1,"kind":"message"}`,
	} {
		if event, err := wire.DecodeEvent([]byte(data)); err == nil {
			t.Errorf("%s is read as %+v", name, event)
		}
	}
}

// Promise: no bytes on the bus make a reader panic, and what is read can be written again.
func FuzzDecodeEvent(f *testing.F) {
	for _, message := range []string{`null`, `{}`, `{"id":` + idJSON + `,"fingerprint":"AAAAAAAAAAAAAAAAAAAAAA==","reactions":[{"emoji":"x","users":[` + idJSON + `]}]}`} {
		f.Add([]byte(`{"room_id":` + roomJSON + `,"seq":5,"kind":"edit","at":"2026-11-23T13:00:00Z","message":` + message + `,"member":{},"room":{}}`))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		event, err := wire.DecodeEvent(data)
		if err != nil {
			return
		}
		again, err := wire.EncodeEvent(&event)
		if err != nil {
			return // a year that JSON cannot have
		}
		if back, err := wire.DecodeEvent(again); err != nil || back.Seq != event.Seq || back.Kind != event.Kind || (back.Message == nil) != (event.Message == nil) {
			t.Errorf("%q is written as %s and that is read as %+v, %v", data, again, back, err)
		}
	})
}

func BenchmarkStoredEvent(b *testing.B) {
	event := chat.Event{Room: room, Seq: 5, Kind: chat.KindMessage, At: at, Actor: ada, RecordID: message, Message: written()}
	data, err := wire.EncodeEvent(&event)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = wire.EncodeEvent(&event)
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			_, _ = wire.DecodeEvent(data)
		}
	})
}
