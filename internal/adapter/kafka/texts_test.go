package kafka_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/blabber-hive/blabber-hive/internal/adapter/kafka"
	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/mood"
	"github.com/blabber-hive/blabber-hive/internal/porttest/textstest"
)

// moodWorld is a room in the log.
type moodWorld struct {
	options kafka.Options
	log     *kafka.Log
	room    chat.RoomID
	texts   *kafka.Texts // opened last
}

func (w *moodWorld) append(t *testing.T, record *chat.Record) *chat.Record {
	t.Helper()
	record.Room, record.At = w.room, time.Now().UTC().Truncate(time.Millisecond)
	if record.ID.IsZero() {
		record.ID = chat.MessageID(uuid.Must(uuid.NewV7()))
	}
	settled := make(chan error, 1)
	if err := w.log.Append(t.Context(), record, func(_ chat.Receipt, err error) { settled <- err }); err != nil {
		t.Fatal(err)
	}
	if err := <-settled; err != nil {
		t.Fatal(err)
	}
	return record
}

func (w *moodWorld) Say(t *testing.T, body string) chat.MoodText {
	t.Helper()
	r := w.append(t, &chat.Record{Kind: chat.KindMessage, Body: body})
	return chat.MoodText{Room: w.room, Message: r.ID, Record: r.ID, At: r.At, Body: body}
}

func (w *moodWorld) Edit(t *testing.T, of chat.MoodText, body string) chat.MoodText {
	t.Helper()
	r := w.append(t, &chat.Record{Kind: chat.KindEdit, Target: of.Message, Body: body})
	return chat.MoodText{Room: w.room, Message: of.Message, Record: r.ID, At: r.At, Body: body}
}

func (w *moodWorld) Stir(t *testing.T, of chat.MoodText) {
	t.Helper()
	w.append(t, &chat.Record{Kind: chat.KindReaction, Target: of.Message, Emoji: "👍", Added: true})
	w.append(t, &chat.Record{Kind: chat.KindMood, Target: of.Message, Mood: chat.Mood{Label: chat.Neutral}})
}

// Open leaves the group as the one who opened before, who has noted what was done and nothing else: that is also all that is
// left of one who died.
func (w *moodWorld) Open(t *testing.T, _ bool) mood.Texts {
	t.Helper()
	w.close(t)
	var err error
	if w.texts, err = kafka.OpenTexts(w.options); err != nil {
		t.Fatal(err)
	}
	return w.texts
}

func (w *moodWorld) close(t *testing.T) {
	t.Helper()
	if w.texts == nil {
		return
	}
	if err := w.texts.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Errorf("Close: %v", err)
	}
}

// Promise: a log's texts are what their port says, on a real broker.
func TestTexts(t *testing.T) {
	t.Parallel()
	textstest.Run(t, func(t *testing.T) textstest.World {
		w := &moodWorld{options: options(t, 1), room: chat.RoomID{7}}
		w.log = open(t, w.options)
		t.Cleanup(func() { w.close(t) })
		return w
	})
}

// Promise: of two who read, each is given what the other is not, and how much is unread is the same for both.
func TestTextsAreShared(t *testing.T) {
	t.Parallel()
	w := &moodWorld{options: options(t, 8), room: chat.RoomID{7}}
	w.log = open(t, w.options)
	w.options.Logger = slog.New(slog.DiscardHandler) // members go on for a moment after the test
	others := w.options
	one, err := kafka.OpenTexts(w.options)
	if err != nil {
		t.Fatal(err)
	}
	two, err := kafka.OpenTexts(others)
	if err != nil {
		t.Fatal(err)
	}
	readers := map[string]*kafka.Texts{"one": one, "two": two}
	seen := make(map[string]map[chat.MessageID]bool)
	for name := range readers {
		seen[name] = make(map[chat.MessageID]bool)
	}
	// Messages are said until both have been given some: the group has settled then.
	said := 0
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for len(seen["one"]) == 0 || len(seen["two"]) == 0 || len(seen["one"])+len(seen["two"]) < said {
		if len(seen["one"]) == 0 || len(seen["two"]) == 0 {
			for n := range 16 {
				w.room = chat.RoomID{byte(n + 1)}
				w.Say(t, "hello")
				said++
			}
		}
		for name, texts := range readers {
			polling, stop := context.WithTimeout(ctx, 200*time.Millisecond)
			got, err := texts.Poll(polling, mood.PollMax)
			stop()
			if ctx.Err() != nil {
				t.Fatalf("of %d messages one was given %d and the other %d", said, len(seen["one"]), len(seen["two"]))
			}
			if err != nil {
				continue // nothing yet
			}
			for _, text := range got {
				seen[name][text.Record] = true
			}
			if err := texts.Done(ctx); err != nil {
				t.Fatal(err)
			}
		}
	}
	for record := range seen["one"] {
		if seen["two"][record] {
			t.Logf("record %s was given to both, when the group changed", record)
		}
	}
	for name, texts := range readers {
		if err := texts.Close(ctx); err != nil {
			t.Errorf("Close of %s: %v", name, err)
		}
	}
	watcher, err := kafka.OpenTexts(w.options)
	if err != nil {
		t.Fatal(err)
	}
	if behind, err := watcher.Behind(t.Context()); err != nil || behind != 0 {
		t.Errorf("%d records are unread, %v", behind, err)
	}
	if err := watcher.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
