package sqlite

import (
	"testing"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/mood"
	"github.com/blabber-hive/blabber-hive/internal/porttest/storetest"
	"github.com/blabber-hive/blabber-hive/internal/porttest/textstest"
)

// moodWorld is a room whose texts are read.
type moodWorld struct {
	*storetest.Instance
	store *Store
	mina  chat.User
	room  *storetest.Room
	said  map[chat.MessageID]*chat.Message
}

func newMoodWorld(t *testing.T) *moodWorld {
	t.Helper()
	w := &moodWorld{store: setup(t, Options{}), said: make(map[chat.MessageID]*chat.Message)}
	w.Instance = storetest.NewInstance(t, func() storetest.Store { return w.store }, partition)
	w.mina = w.AddUser(t, "mina")
	w.room = w.AddRoom(t, chat.Public, w.mina)
	w.turn(t, true)
	return w
}

const partition = 0

func (w *moodWorld) turn(t *testing.T, on bool) {
	t.Helper()
	w.room.MoodEnabled = on
	if err := w.store.Update(t.Context(), w.room.ID, func(tx chat.RoomTx) error { return tx.PutRoom(w.room.Room) }); err != nil {
		t.Fatal(err)
	}
}

func (w *moodWorld) Say(t *testing.T, body string) chat.MoodText {
	t.Helper()
	event := w.Instance.Say(w.room, w.mina, body)
	w.Commit(t, event)
	w.said[event.RecordID] = event.Message
	return chat.MoodText{Room: w.room.ID, Message: event.RecordID, Record: event.RecordID, At: event.At, Body: body}
}

func (w *moodWorld) Edit(t *testing.T, of chat.MoodText, body string) chat.MoodText {
	t.Helper()
	event := w.Instance.Edit(w.room, w.said[of.Message], body)
	w.Commit(t, event)
	return chat.MoodText{Room: w.room.ID, Message: of.Message, Record: event.RecordID, At: event.At, Body: body}
}

func (w *moodWorld) Stir(t *testing.T, of chat.MoodText) {
	t.Helper()
	w.Commit(t, w.React(w.room, w.said[of.Message], chat.Reaction{Emoji: "👍", Users: []chat.UserID{w.mina.ID}}),
		w.Feel(w.room, w.said[of.Message], chat.Positive, 1))
}

func (w *moodWorld) Open(*testing.T, bool) mood.Texts { return w.store.Texts() }

// Promise: this store's texts are what their port says.
func TestTexts(t *testing.T) {
	t.Parallel()
	textstest.Run(t, func(t *testing.T) textstest.World { return newMoodWorld(t) })
}

// Promise: a text is given as it is now, or not at all if its message or its room is gone, and nothing of a room is left to be
// read that was said while its mood was off.
func TestTextsThatAreGone(t *testing.T) {
	t.Parallel()
	w := newMoodWorld(t)
	deleted, edited := w.Say(t, "deleted"), w.Say(t, "edited")
	w.turn(t, false)
	w.Say(t, "in private")
	w.turn(t, true)
	edit := w.Edit(t, edited, "as it is now")
	w.Commit(t, w.Delete(w.room, w.said[deleted.Message]))
	elsewhere := w.AddRoom(t, chat.Public, w.mina)
	elsewhere.MoodEnabled = true
	if err := w.store.Update(t.Context(), elsewhere.ID, func(tx chat.RoomTx) error { return tx.PutRoom(elsewhere.Room) }); err != nil {
		t.Fatal(err)
	}
	w.Commit(t, w.Instance.Say(elsewhere, w.mina, "gone with the room"))
	w.DeleteRoom(t, elsewhere)

	texts := w.store.Texts()
	behind, err := texts.Behind(t.Context())
	if err != nil || behind != 4 {
		t.Errorf("%d texts are to be read, %v; want 4", behind, err)
	}
	got, err := texts.Poll(t.Context(), 10)
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, text := range got {
		said = append(said, text.Body)
	}
	if len(said) != 2 || said[0] != "as it is now" || said[1] != "as it is now" || got[1].Record != edit.Record {
		t.Errorf("it gives %q", said)
	}
	if err := texts.Done(t.Context()); err != nil {
		t.Fatal(err)
	}
	if behind, err = texts.Behind(t.Context()); err != nil || behind != 0 {
		t.Errorf("%d texts are to be read afterwards, %v", behind, err)
	}
}
