package message_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/message"
)

// Promise: a person's place in a room is read once in 5 s, so that a send costs no query, and those who are known to be
// in a room go on sending while the store is away.
func TestPlaceIsRemembered(t *testing.T) {
	t.Parallel()
	w := setup(t)
	room := chat.RoomID(uuid.New())
	who := w.member(room, chat.Plain)
	say := func() error {
		_, err := w.send(t, who, message.Request{Room: room, ID: w.id(), Body: "hello"})
		return err
	}
	for range 10 {
		if err := say(); err != nil {
			t.Fatal(err)
		}
	}
	if w.asked != 1 {
		t.Errorf("the store was asked %d times", w.asked)
	}
	w.away = errGone
	w.pass(4 * time.Second)
	if err := say(); err != nil {
		t.Errorf("within 5 s: %v", err)
	}
	for range 3 {
		w.pass(6 * time.Second)
		if err := say(); err != nil {
			t.Errorf("after more than 5 s: %v", err)
		}
	}
	if err := w.Typing(t.Context(), chat.RoomID(uuid.New()), who.ID); chat.CodeOf(err) != chat.Unavailable {
		t.Errorf("in a room that is not remembered: %v", err)
	}
	w.Heard(chat.Signal{Kind: chat.SignalLeft, Room: room, User: who.ID})
	if err := say(); chat.CodeOf(err) != chat.Unavailable {
		t.Errorf("after a signal that the place has changed: %v", err)
	}
	w.away = nil
	if err := say(); err != nil || w.asked != 7 {
		t.Errorf("when it is back: %v, asked %d times", err, w.asked)
	}
}

// Promise: what a signal says of a person's place is known to the next send; other signals forget nothing.
func TestSignalsForget(t *testing.T) {
	t.Parallel()
	for kind, forgets := range map[chat.SignalKind]bool{
		chat.SignalJoined: true, chat.SignalLeft: true, chat.SignalMember: true, chat.SignalRoomDeleted: true,
		chat.SignalTyping: false, chat.SignalPresence: false, chat.SignalRead: false, chat.SignalProfileChanged: false,
		chat.SignalSessionEnded: false,
	} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			room, other := chat.RoomID(uuid.New()), chat.RoomID(uuid.New())
			who := w.member(room, chat.Plain)
			for _, id := range []chat.RoomID{room, other} {
				if err := w.Typing(t.Context(), id, who.ID); err != nil {
					t.Fatal(err)
				}
			}
			w.Heard(chat.Signal{Kind: kind, Room: room, User: who.ID})
			for _, id := range []chat.RoomID{room, other} {
				if err := w.Typing(t.Context(), id, who.ID); err != nil {
					t.Fatal(err)
				}
			}
			if forgot := w.asked - 2; forgets && forgot != 1 || !forgets && forgot != 0 {
				t.Errorf("%d places were forgotten", forgot)
			}
		})
	}
}

// Promise: a place that was read before a change and answered after its signal is good for that one call alone: the next
// one reads again and sees the change.
func TestPlaceReadDuringAChange(t *testing.T) {
	t.Parallel()
	w := setup(t)
	room := chat.RoomID(uuid.New())
	who := w.member(room, chat.Plain)
	w.reading = func() { // the store has answered; now the person is put out, and the signal comes first
		w.mu.Lock()
		access := w.access[who.ID]
		access.Member = nil
		w.access[who.ID] = access
		w.reading = nil
		w.mu.Unlock()
		w.Heard(chat.Signal{Kind: chat.SignalLeft, Room: room, User: who.ID})
	}
	if err := w.Typing(t.Context(), room, who.ID); err != nil {
		t.Errorf("the call that began before the change: %v", err)
	}
	if err := w.Typing(t.Context(), room, who.ID); chat.CodeOf(err) != chat.NotMember {
		t.Errorf("the next call: %v", err)
	}
}

// Promise: a mute that runs out lets its member write at that moment, though the place is remembered.
func TestMuteRunsOut(t *testing.T) {
	t.Parallel()
	w := setup(t)
	room := chat.RoomID(uuid.New())
	who := w.member(room, chat.Plain)
	place(func(a *chat.Access) { a.Member.MutedUntil = w.clock().Add(2 * time.Second) })(w, &who, nil)
	if err := w.Typing(t.Context(), room, who.ID); chat.CodeOf(err) != chat.Muted {
		t.Errorf("while muted: %v", err)
	}
	w.pass(2 * time.Second)
	if err := w.Typing(t.Context(), room, who.ID); err != nil || w.asked != 1 {
		t.Errorf("afterwards: %v, asked %d times", err, w.asked)
	}
}
