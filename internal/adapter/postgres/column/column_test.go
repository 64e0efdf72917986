package column

import (
	"reflect"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgtype"
	"pgregory.net/rapid"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Promise: any text, also one that PostgreSQL would refuse, is read as it was written; what is written is never refused, and
// two texts are never written as one.
func TestTextsRoundTrip(t *testing.T) {
	t.Parallel()
	check := func(t interface {
		Fatalf(format string, args ...any)
	}, want string,
	) {
		written := Escape(want)
		var got Text
		if err := got.ScanText(pgtype.Text{String: written, Valid: true}); err != nil || string(got) != want {
			t.Fatalf("%q, written as %q, is read as %q, %v", want, written, got, err)
		}
		if !utf8.ValidString(written) {
			t.Fatalf("%q is written as %q, which is not UTF-8", want, written)
		}
		for _, r := range written {
			if r == 0 {
				t.Fatalf("%q is written as %q, with a zero", want, written)
			}
		}
	}
	for _, text := range []string{"", "plain", "한국어", "\x00", "a\x00b", "\xff\xfe", "\uFFFE", "\uFFFE00", "\uFFFE\x00\uFFFE", "\uFFFD", "\xEF\xBF"} {
		check(t, text)
	}
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOf(rapid.SampledFrom([]string{"\uFFFE", "\x00", "\xEF", "\xBF\xBE", "00", "a", "\uFFFD", "é"})).Draw(t, "parts")
		text := ""
		for _, part := range parts {
			text += part
		}
		check(t, text)
		check(t, rapid.String().Draw(t, "text"))
	})
}

// Promise: what somebody else wrote into a column is read without harm.
func TestForeignTexts(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"\uFFFE", "\uFFFEzz", "\uFFFE0", "x\uFFFE"} {
		var got Text
		if err := got.ScanText(pgtype.Text{String: text, Valid: true}); err != nil || string(got) != text {
			t.Errorf("%q is read as %q, %v", text, got, err)
		}
	}
}

// Promise: what was written is read.
func TestReactionsRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var want []chat.Reaction
		for range rapid.IntRange(0, 5).Draw(t, "emojis") {
			reaction := chat.Reaction{Emoji: rapid.String().Draw(t, "emoji"), Users: []chat.UserID{}}
			for n := range rapid.IntRange(0, 300).Draw(t, "people") {
				reaction.Users = append(reaction.Users, chat.UserID{byte(n), byte(n >> 8), 1})
			}
			want = append(want, reaction)
		}
		var got []chat.Reaction
		text, err := ReactionsJSON(want)
		if err != nil {
			t.Fatal(err)
		}
		if err := (*Reactions)(&got).ScanBytes(text); err != nil || !reflect.DeepEqual(want, got) {
			t.Fatalf("%v read as %v, %v", want, got, err)
		}
	})
	var got Reactions
	if err := got.ScanBytes([]byte(`{"a":`)); err == nil {
		t.Error("damaged reactions were read")
	}
}

// Promise: null is the zero value, and a value that the store never writes is an error.
func TestValues(t *testing.T) {
	t.Parallel()
	at := time.UnixMilli(1_700_000_000_123).UTC()
	seq, text, role, id := chat.Seq(9), "text", chat.Owner, chat.UserID{1}
	m := chat.Message{MentionsAll: true, Mentions: []chat.UserID{{1}}}
	for name, err := range map[string]error{
		"time": (*Time)(&at).ScanTimestamptz(pgtype.Timestamptz{}), "seq": (*Seq)(&seq).ScanInt64(pgtype.Int8{}), "text": (*Text)(&text).ScanText(pgtype.Text{}),
		"role": (*Role)(&role).ScanInt64(pgtype.Int8{}), "id": Into(&id).ScanUUID(pgtype.UUID{}), "mentions": (*Mentions)(&m).ScanBytes(nil),
	} {
		if err != nil {
			t.Errorf("%s of null: %v", name, err)
		}
	}
	if !at.IsZero() || seq != 0 || text != "" || role != "" || !id.IsZero() || m.MentionsAll || m.Mentions != nil {
		t.Errorf("null was read as %v, %d, %q, %q, %s, %v", at, seq, text, role, id, m)
	}
	for name, err := range map[string]error{
		"a time without end":  (*Time)(&at).ScanTimestamptz(pgtype.Timestamptz{InfinityModifier: pgtype.Infinity, Valid: true}),
		"a negative number":   (*Seq)(&seq).ScanInt64(pgtype.Int8{Int64: -1, Valid: true}),
		"an unknown role":     (*Role)(&role).ScanInt64(pgtype.Int8{Int64: 4, Valid: true}),
		"half of a mention":   (*Mentions)(&m).ScanBytes(make([]byte, 8)),
		"mentions and a half": (*Mentions)(&m).ScanBytes(make([]byte, 24)),
	} {
		if err == nil {
			t.Errorf("%s was read", name)
		}
	}
	for _, want := range []chat.Role{chat.Owner, chat.Moderator, chat.Plain} {
		if err := (*Role)(&role).ScanInt64(pgtype.Int8{Int64: int64(Rank(want)), Valid: true}); err != nil || role != want {
			t.Errorf("%s was read as %s, %v", want, role, err)
		}
	}
	if got := At(time.UnixMicro(1_700_000_000_123_999)).Time; !got.Equal(time.UnixMilli(1_700_000_000_123)) {
		t.Errorf("a time is written as %v, want whole milliseconds", got)
	}
}
