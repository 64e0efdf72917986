package wire

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Promise: a record that is read by hand is what encoding/json makes of it, whatever stands in it and whatever of it is
// broken, and those that are plain messages are read by hand.
func TestReadIsUnmarshalled(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := drawNewMessage(t).Message
		record := chat.Record{ID: m.ID, Room: m.Room, Kind: chat.KindMessage, At: m.CreatedAt.UTC(), Actor: m.Sender, Body: m.Body, Resend: m.MentionsAll}
		plainOne := plain(m.Body) && m.Body != "" && plain(m.Sender.Username) && plain(m.Sender.DisplayName) && plain(m.Sender.AvatarURL)
		if rapid.Bool().Draw(t, "fingerprint") {
			record.Fingerprint = chat.FingerprintOf(m.Sender.ID, m.Body, chat.MessageID{})
		}
		if rapid.Bool().Draw(t, "more") {
			record.ReplyTo, record.Mentions, record.MentionsAll = m.ReplyTo, m.Mentions, m.MentionsAll
			plainOne = plainOne && m.ReplyTo.IsZero() && len(m.Mentions) == 0 && !m.MentionsAll
		}
		data, err := EncodeRecord(&record)
		if err != nil {
			t.Fatal(err)
		}
		if rapid.Bool().Draw(t, "broken") {
			at := rapid.IntRange(0, len(data)-1).Draw(t, "at")
			with := rapid.SliceOfN(rapid.SampledFrom([]byte("\"\\,:{}[]0123456789eE.-+ \n\x00\xffaZ")), 0, 2).Draw(t, "with")
			data = slices.Concat(data[:at], with, data[at+rapid.IntRange(0, 1).Draw(t, "instead"):])
			plainOne = false
		}
		var got, want chat.Record
		byHand := readMessage(data, &got)
		if plainOne && !byHand {
			t.Fatalf("it is not read by hand: %s", data)
		}
		if !byHand {
			return
		}
		if err := json.Unmarshal(data, &want); err != nil {
			t.Fatalf("it is read by hand, and encoding/json says %v: %s", err, data)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("%s\n%s", data, d)
		}
	})
}

// Promise: numbers of a fingerprint that encoding/json refuses, or reads as others, are not read by hand either.
func TestReadRefusesNumbers(t *testing.T) {
	t.Parallel()
	const before, after = `{"id":"00000000-0000-0000-0000-000000000001","room_id":"00000000-0000-0000-0000-000000000002","kind":"message",` +
		`"at":"2026-01-02T03:04:05Z","actor":{"id":"00000000-0000-0000-0000-000000000003","username":"a","display_name":"A"},"body":"b","fingerprint":[`, `]}`
	for numbers, read := range map[string]bool{
		"0,1,2,3,4,5,6,7,8,9,10,20,99,100,200,255": true,
		"0,1,2,3,4,5,6,7,8,9,10,20,99,100,200,256": false,
		"0,1,2,3,4,5,6,7,8,9,10,20,99,100,200,025": false,
		"0,1,2,3,4,5,6,7,8,9,10,20,99,100,200,-25": false,
		"0,1,2,3,4,5,6,7,8,9,10,20,99,100,200":     false,
		"0,1,2,3,4,5,6,7,8,9,10,20,99,100,200,":    false,
		"0,1,2,3,4,5,6,7,8,9,10,20,99,100,200,5,6": false,
	} {
		var record chat.Record
		if got := readMessage([]byte(before+numbers+after), &record); got != read || (read && record.Fingerprint[15] != 255) {
			t.Errorf("[%s] is read: %t, as %v", numbers, got, record.Fingerprint)
		}
	}
}

// Nanoseconds to decode a record of the log; unmarshalled is what encoding/json takes.
func BenchmarkRecord(b *testing.B) {
	const said = "A message of the length that people write most often, which is about a hundred and twenty bytes, sometimes with 한글 in it."
	record := &chat.Record{
		ID: chat.MessageID{2}, Room: chat.RoomID{3}, Kind: chat.KindMessage, At: time.UnixMilli(1_790_000_000_000).UTC(), Body: said,
		Actor: chat.Profile{ID: chat.UserID{1}, Username: "ada", DisplayName: "Ada Lovelace"}, Fingerprint: chat.FingerprintOf(chat.UserID{1}, said, chat.MessageID{}),
	}
	data, err := EncodeRecord(record)
	if err != nil {
		b.Fatal(err)
	}
	for name, decode := range map[string]func() error{
		"read":         func() error { _, err := DecodeRecord(data); return err },
		"unmarshalled": func() error { return json.Unmarshal(data, new(chat.Record)) },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := decode(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
