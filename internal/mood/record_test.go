package mood

import (
	"testing"

	"github.com/google/uuid"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Promise: a text's record has the same id however often it is read, another text's another one, and both begin with the time
// of what was said.
func TestRecordID(t *testing.T) {
	t.Parallel()
	text := chat.MoodText{Room: chat.RoomID{1}, Message: chat.MessageID(uuid.Must(uuid.NewV7())), Record: chat.MessageID(uuid.Must(uuid.NewV7())), Body: "good"}
	id := recordID(text)
	if again := recordID(text); again != id {
		t.Errorf("read again it is %s and was %s", again, id)
	}
	if u := uuid.UUID(id); u.Version() != 7 || u.Variant() != uuid.RFC4122 {
		t.Errorf("%s is of version %d", u, u.Version())
	}
	if want, _ := text.Record.UnixMilli(); want == 0 {
		t.Fatal("the record has no time")
	} else if got, _ := id.UnixMilli(); got != want {
		t.Errorf("its time is %d, that of what was said %d", got, want)
	}
	for name, other := range map[string]chat.MoodText{
		"another record":                {Room: text.Room, Message: text.Message, Record: text.Message, Body: text.Body},
		"the same record in other room": {Room: chat.RoomID{2}, Message: text.Message, Record: text.Record, Body: text.Body},
	} {
		if recordID(other) == id {
			t.Errorf("%s has the same id", name)
		}
	}
}
