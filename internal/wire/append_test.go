package wire

import (
	"bytes"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Promise: the event of a new message has the bytes that encoding/json gives it, whatever is in it.
func TestAppendedIsMarshalled(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		e := drawNewMessage(t)
		if !isNewMessage(e) {
			t.Fatalf("%+v is not taken for a new message", e)
		}
		want, err := marshalEvent(e)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Envelope(e); err != nil || !bytes.Equal(got.Body, want) {
			t.Fatalf("got\n%s, %v, want\n%s", got.Body, err, want)
		}
	})
}

// Promise: the event of a new message is kept with the bytes that encoding/json gives it.
func TestKeptIsMarshalled(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		e := drawNewMessage(t)
		if rapid.Bool().Draw(t, "fingerprint") {
			e.Message.Fingerprint = chat.FingerprintOf(e.Message.Sender.ID, e.Message.Body, e.Message.ReplyTo)
		}
		if rapid.Bool().Draw(t, "elsewhere") {
			e.At = e.At.In(time.FixedZone("", 60*rapid.IntRange(-1600, 1600).Draw(t, "minutes")))
		}
		want, errWant := marshalStored(e)
		got, err := EncodeEvent(e)
		if !bytes.Equal(got, want) || (err == nil) != (errWant == nil) {
			t.Fatalf("got\n%s, %v, want\n%s, %v", got, err, want, errWant)
		}
	})
}

func drawNewMessage(t *rapid.T) *chat.Event {
	raw := rapid.SliceOfN(rapid.Byte(), 16, 16)
	text := rapid.OneOf(
		rapid.String(),
		rapid.SampledFrom([]string{"", "plain", "한글", "<&>", "a\"b\\c", "\u2028\u2029", "\x00\x1f\x7f\n", "\xff\xfe", "\ufffd", "👍🏽"}),
		rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }),
	)
	at := rapid.Custom(func(t *rapid.T) time.Time {
		if rapid.Bool().Draw(t, "never") {
			return time.Time{}
		}
		return time.UnixMicro(rapid.Int64Range(0, 4e15).Draw(t, "micros"))
	})
	profile := func() chat.Profile {
		return chat.Profile{
			ID: chat.UserID(raw.Draw(t, "user")), Username: text.Draw(t, "username"),
			DisplayName: text.Draw(t, "display name"), AvatarURL: text.Draw(t, "avatar"),
		}
	}
	m := &chat.Message{
		ID: chat.MessageID(raw.Draw(t, "id")), Room: chat.RoomID(raw.Draw(t, "room")), Seq: chat.Seq(rapid.Uint64().Draw(t, "seq")),
		ChangedSeq: chat.Seq(rapid.SampledFrom([]uint64{0, 1, 1 << 62}).Draw(t, "changed")), Sender: profile(), Body: text.Draw(t, "body"),
		MentionsAll: rapid.Bool().Draw(t, "all"), CreatedAt: at.Draw(t, "created"), EditedAt: at.Draw(t, "edited"), DeletedAt: at.Draw(t, "deleted"),
	}
	if rapid.Bool().Draw(t, "reply") {
		m.ReplyTo = chat.MessageID(raw.Draw(t, "reply to"))
	}
	for range rapid.IntRange(0, 3).Draw(t, "mentions") {
		m.Mentions = append(m.Mentions, chat.UserID(raw.Draw(t, "mentioned")))
	}
	e := &chat.Event{Room: m.Room, Seq: m.Seq, Kind: chat.KindMessage, At: at.Draw(t, "at"), RecordID: m.ID, Message: m}
	if rapid.Bool().Draw(t, "actor") {
		e.Actor = m.Sender
	}
	return e
}

// Nanoseconds to encode a message for everybody; marshalled is what encoding/json takes.
func BenchmarkNewMessage(b *testing.B) {
	ada := chat.Profile{ID: chat.UserID{1}, Username: "ada", DisplayName: "Ada Lovelace"}
	m := &chat.Message{
		ID: chat.MessageID{2}, Room: chat.RoomID{3}, Seq: 4711, Sender: ada, CreatedAt: time.UnixMilli(1_790_000_000_000),
		Body: "A message of the length that people write most often, which is about a hundred and twenty bytes, sometimes with 한글 in it.",
	}
	e := &chat.Event{Room: m.Room, Seq: m.Seq, Kind: chat.KindMessage, At: m.CreatedAt, Actor: ada, RecordID: m.ID, Message: m}
	for name, encode := range map[string]func() error{
		"appended":        func() error { _, err := Envelope(e); return err },
		"marshalled":      func() error { _, err := marshalEvent(e); return err },
		"kept/appended":   func() error { _, err := EncodeEvent(e); return err },
		"kept/marshalled": func() error { _, err := marshalStored(e); return err },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := encode(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
