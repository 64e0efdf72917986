package vader

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Promise: what people write in a chat is read as they mean it, where VADER knows the words; anything else is neutral.
func TestRead(t *testing.T) {
	t.Parallel()
	model := New()
	for text, want := range map[string]chat.MoodLabel{
		"I love this, great work!":       chat.Positive,
		"this is terrible and I hate it": chat.Negative,
		"not good at all":                chat.Negative,
		"the meeting is at ten":          chat.Neutral,
		"😍":                              chat.Positive,
		"thx :)":                         chat.Positive,
		"":                               chat.Neutral,
		" \n\t ":                         chat.Neutral,
		"회의는 열 시입니다":                     chat.Neutral,
		"정말 great 했어요":                   chat.Positive,
		strings.Repeat("good ", 100_000): chat.Positive,
		strings.Repeat("!", 100_000):     chat.Neutral,
		strings.Repeat("한", 4000) + " I hate this": chat.Neutral, // beyond what is read
		"\x00\xff\xfe": chat.Neutral,
	} {
		moods, err := model.Read(t.Context(), []string{text})
		if err != nil || len(moods) != 1 || !moods[0].Valid() || moods[0].Label != want {
			t.Errorf("%.40q is %+v, %v; want %s", text, moods, err, want)
		}
	}
}

// FuzzRead: any text gets a mood.
func FuzzRead(f *testing.F) {
	for _, text := range []string{"", "I can't  believe it!!!", "kind of the worst, at least", "🙂🙃 :-) D:", "a\u0301 가\u1100", "\xf0\x28\x8c\x28"} {
		f.Add(text)
	}
	model := New()
	f.Fuzz(func(t *testing.T, text string) {
		moods, err := model.Read(t.Context(), []string{text})
		if err != nil || len(moods) != 1 || !moods[0].Valid() {
			t.Errorf("%q is %+v, %v", text, moods, err)
		}
	})
}

func BenchmarkRead(b *testing.B) {
	model, texts := New(), []string{"I think the new build is great, thanks a lot :)", "no", "why does the deploy fail again? this is really annoying", "회의는 열 시입니다"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := model.Read(b.Context(), texts); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*len(texts))/b.Elapsed().Seconds(), "texts/s")
}

// Promise: a reader that is told to stop stops between two texts.
func TestReadEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := New().Read(ctx, []string{"good"}); !errors.Is(err, context.Canceled) {
		t.Errorf("Read() = %v", err)
	}
}
