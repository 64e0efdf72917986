package wire_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/wire"
)

// Promise: when an event was taken is read from its frame, whatever people have written into it.
func TestEventAt(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 12, 0, 0, 7e6, time.UTC)
	evil := `","at":"1999-01-01T00:00:00Z`
	who := chat.Profile{ID: chat.UserID(uuid.New()), Username: "somebody", DisplayName: evil}
	for name, event := range map[string]*chat.Event{
		"a message": {Kind: chat.KindMessage, Actor: who, Message: &chat.Message{Body: evil, Sender: who, CreatedAt: at.Add(time.Hour)}},
		"a member":  {Kind: chat.KindMember, Actor: who, Member: &chat.MemberDetail{User: who}},
		"a room":    {Kind: chat.KindRoom, Actor: who, Info: &chat.RoomDetail{Room: chat.Room{Name: evil}}},
	} {
		event.Room, event.Seq, event.At = chat.RoomID(uuid.New()), 3, at
		envelope, err := wire.Envelope(event)
		if err != nil {
			t.Fatal(err)
		}
		if got, found := wire.EventAt(wire.EventFrame(envelope.Body)); !found || !got.Equal(at) {
			t.Errorf("%s was taken at %v (%v), want %v", name, got, found, at)
		}
	}
	for _, frame := range []string{"", `{"type":"pong"}`, `{"at":"noon"}`, `{"at":"2026-03-01T12:00:00Z`} {
		if at, found := wire.EventAt([]byte(frame)); found {
			t.Errorf("%s was taken at %v", frame, at)
		}
	}
}
