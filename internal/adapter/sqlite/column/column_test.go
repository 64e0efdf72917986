package column_test

import (
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/blabber-hive/blabber-hive/internal/adapter/sqlite/column"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

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
		var value any
		if blob := column.ReactionsBlob(want); blob != nil {
			value = blob
		}
		if err := (*column.Reactions)(&got).Scan(value); err != nil || !reflect.DeepEqual(want, got) {
			t.Fatalf("%v read as %v, %v", want, got, err)
		}
	})
}

// Promise: whatever stands in a column, reading it ends, with a value or an error.
func FuzzScan(f *testing.F) {
	f.Add([]byte{1, 'x', 1})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01})
	f.Add(make([]byte, 32))
	f.Fuzz(func(t *testing.T, blob []byte) {
		var reactions []chat.Reaction
		if err := (*column.Reactions)(&reactions).Scan(blob); err == nil {
			var again []chat.Reaction
			if err := (*column.Reactions)(&again).Scan(column.ReactionsBlob(reactions)); err != nil || len(again) != len(reactions) {
				t.Errorf("%x is read as %v and that as %v, %v", blob, reactions, again, err)
			}
		}
		var m chat.Message
		if err := (*column.Mentions)(&m).Scan(blob); (err == nil) != (len(blob)%16 == 0) {
			t.Errorf("%d bytes of mentions: %v", len(blob), err)
		}
		var id chat.UserID
		if err := column.Into(&id).Scan(blob); (err == nil) != (len(blob) == 16) {
			t.Errorf("%d bytes of an id: %v", len(blob), err)
		}
	})
}

// Promise: null is the zero value, and a value of another kind is an error.
func TestKinds(t *testing.T) {
	t.Parallel()
	at := time.UnixMilli(1_700_000_000_123).UTC()
	seq, text, role, id := chat.Seq(9), "text", chat.Owner, chat.UserID{1}
	for name, scan := range map[string]func(any) error{
		"time": (*column.Time)(&at).Scan, "seq": (*column.Seq)(&seq).Scan, "text": (*column.Text)(&text).Scan,
		"role": (*column.Role)(&role).Scan, "id": column.Into(&id).Scan,
	} {
		if err := scan(3.14); err == nil {
			t.Errorf("%s read a fraction", name)
		}
		if err := scan(nil); err != nil {
			t.Errorf("%s of null: %v", name, err)
		}
	}
	if !at.IsZero() || seq != 0 || text != "" || role != "" || !id.IsZero() {
		t.Errorf("null was read as %v, %d, %q, %q, %s", at, seq, text, role, id)
	}
	if err := (*column.Role)(&role).Scan(int64(4)); err == nil {
		t.Error("4 was read as a role")
	}
	for _, want := range []chat.Role{chat.Owner, chat.Moderator, chat.Plain} {
		if err := (*column.Role)(&role).Scan(column.Rank(want)); err != nil || role != want {
			t.Errorf("%s was read as %s, %v", want, role, err)
		}
	}
}
