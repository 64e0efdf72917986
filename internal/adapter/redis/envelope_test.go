package redis

import (
	"runtime"
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

// Promise: who keeps an envelope without its body, as gateways do for those who resume, keeps nothing of the message that brought
// it. What is measured is the memory of the whole process, so the messages are far larger than anything else here.
//
//nolint:paralleltest // see above
func TestEnvelopesLetGoOfTheMessage(t *testing.T) {
	heap := func() int64 {
		runtime.GC()
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return int64(stats.HeapAlloc)
	}
	const size, count = 1 << 20, 64
	kept := make([]chat.Envelope, count)
	before := heap()
	for i := range kept {
		message := string(appendEnvelope(nil, &chat.Envelope{Kind: chat.KindMember, Change: chat.MemberLeft, Body: make([]byte, size)}))
		var err error
		if kept[i], err = decodeEnvelope(message); err != nil {
			t.Fatal(err)
		}
		kept[i].Body = nil
	}
	if grown := heap() - before; grown > count*size/4 {
		t.Errorf("%d envelopes without their bodies keep %d KiB", count, grown>>10)
	}
	runtime.KeepAlive(kept)
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
