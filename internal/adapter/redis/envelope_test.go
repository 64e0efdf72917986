package redis

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Promise: an envelope arrives as it was sent, but for the whole event.
func TestEnvelopesRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		sent := chat.Envelope{
			Room: chat.RoomID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "room")), Seq: chat.Seq(rapid.Uint64().Draw(t, "seq")),
			Kind: rapid.SampledFrom([]chat.Kind{"", chat.KindMessage, chat.KindMember, "of a later version"}).Draw(t, "kind"),
			Body: rapid.SliceOf(rapid.Byte()).Draw(t, "body"),
		}
		if sent.Kind == chat.KindMember {
			sent.Change, sent.Subject = chat.MemberBanned, chat.UserID{rapid.Byte().Draw(t, "subject")}
		}
		got, err := decodeEnvelope(string(appendEnvelope(nil, &sent)))
		if d := cmp.Diff(sent, got, cmpopts.EquateEmpty()); err != nil || d != "" {
			t.Fatalf("%v: %s", err, d)
		}
	})
}

// Promise: no bytes on a channel make a node panic, and what is read is what would be written.
func FuzzDecodeEnvelope(f *testing.F) {
	f.Add(string(appendEnvelope(nil, &chat.Envelope{Seq: 7, Kind: chat.KindMember, Change: chat.MemberLeft, Body: []byte("{}")})))
	f.Add("")
	f.Add("\x02")
	f.Fuzz(func(t *testing.T, data string) {
		envelope, err := decodeEnvelope(data)
		if err == nil && string(appendEnvelope(nil, &envelope)) != data {
			t.Errorf("%q is read as %+v", data, envelope)
		}
	})
}
