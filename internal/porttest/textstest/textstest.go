// Package textstest is what every source of texts to be read must do: one suite, run by each adapter against the real thing.
package textstest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/mood"
)

// World is a source of texts and what they are made from.
type World interface {
	// Say makes a message durable in a room whose texts are read, and gives its text.
	Say(t *testing.T, body string) chat.MoodText
	// Edit makes an edit of a message durable, and gives its text.
	Edit(t *testing.T, of chat.MoodText, body string) chat.MoodText
	// Stir makes something durable in the same room that is no text.
	Stir(t *testing.T, of chat.MoodText)
	// Open opens the texts, as a process does that has just started; one that was opened before is closed, or has died.
	Open(t *testing.T, died bool) mood.Texts
}

// patience is how long anything may take: a new member of a group waits for its turn.
const patience = 60 * time.Second

// Run tests a source.
func Run(t *testing.T, fresh func(t *testing.T) World) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, World){
		"messages and edits are given, oldest first": inOrder,
		"what is done is not given again":            doneIsDone,
		"what is not done is given again":            givenAgain,
		"whoever waits is woken":                     woken,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, fresh(t))
		})
	}
}

// take polls until it has so many texts, without saying that they are done unless told to.
func take(t *testing.T, texts mood.Texts, count int, done bool) (got []chat.MoodText) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for len(got) < count {
		some, err := texts.Poll(ctx, mood.PollMax)
		if err != nil {
			t.Fatalf("Poll after %d of %d texts: %v", len(got), count, err)
		}
		got = append(got, some...)
		if !done && len(got) == count {
			break
		}
		if err := texts.Done(ctx); err != nil {
			t.Fatalf("Done: %v", err)
		}
	}
	return got
}

func same(t *testing.T, want, got []chat.MoodText) {
	t.Helper()
	at := cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) })
	if d := cmp.Diff(want, got, at); d != "" {
		t.Errorf("texts (-want +got)\n%s", d)
	}
}

func inOrder(t *testing.T, w World) {
	var want []chat.MoodText
	for n := range 600 {
		text := w.Say(t, fmt.Sprintf("text %d 안녕", n))
		want = append(want, text)
		if n%100 == 0 {
			w.Stir(t, text)
		}
	}
	texts := w.Open(t, false)
	same(t, want, take(t, texts, len(want), true))
	edit := w.Edit(t, want[0], "another text")
	same(t, []chat.MoodText{edit}, take(t, texts, 1, true))
}

func doneIsDone(t *testing.T, w World) {
	w.Say(t, "first")
	take(t, w.Open(t, false), 1, true)
	second := w.Say(t, "second")
	same(t, []chat.MoodText{second}, take(t, w.Open(t, false), 1, true))
}

func givenAgain(t *testing.T, w World) {
	want := []chat.MoodText{w.Say(t, "first"), w.Say(t, "second")}
	texts := w.Open(t, false)
	same(t, want, take(t, texts, 2, false))
	again, err := texts.Poll(t.Context(), mood.PollMax)
	if err != nil || len(again) == 0 || again[len(again)-1].Record != want[1].Record {
		t.Errorf("asked again it gives %d texts, %v", len(again), err)
	}
	got := take(t, w.Open(t, true), 1, true)
	if !slices.ContainsFunc(got, func(text chat.MoodText) bool { return text.Record == want[0].Record }) {
		t.Errorf("after a death it gives %+v, want %+v among it", got, want[0])
	}
}

func woken(t *testing.T, w World) {
	texts := w.Open(t, false)
	// Nothing is left: the ctx ends the wait.
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if some, err := texts.Poll(ctx, mood.PollMax); err == nil && len(some) > 0 {
		t.Errorf("of nothing it gives %+v", some)
	}
	text := w.Say(t, "now")
	same(t, []chat.MoodText{text}, take(t, texts, 1, true))
	if behind, err := texts.Behind(t.Context()); err != nil || behind < 0 {
		t.Errorf("Behind() = %d, %v", behind, err)
	}
}
