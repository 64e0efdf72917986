package mood_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"pgregory.net/rapid"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/mood"
	"github.com/blabber-hive/blabber-hive/internal/numbering"
)

var errDown = errors.New("it is down")

// world is everything around a reader: what was said, the log it came from, and a model; each fails when told to.
type world struct {
	texts []chat.MoodText
	given int          // by the last Poll
	done  atomic.Int64 // of texts
	idle  func()       // called when a reader has asked and nothing was left

	since map[chat.RoomID]time.Time
	room  *numbering.Room
	state map[chat.MessageID]*chat.Message
	moods map[chat.MessageID]int // mood events of each message

	asked  [][]string
	poison string // a text that kills the model
	fail   func(what string) error
}

var here = chat.RoomID{1}

func newWorld() *world {
	return &world{
		since: map[chat.RoomID]time.Time{here: {}}, room: numbering.NewRoom(chat.RoomState{Room: here}),
		state: make(map[chat.MessageID]*chat.Message), moods: make(map[chat.MessageID]int), fail: func(string) error { return nil },
	}
}

func id(n int) (id chat.MessageID) {
	binary.BigEndian.PutUint64(id[:], uint64(1_700_000_000_000+n)<<16)
	id[6], id[8], id[15] = 0x70, 0x80, byte(n)
	return id
}

// say says a message, or edits it where it is there.
func (w *world) say(message, record int, body string) {
	at := time.Unix(int64(record), 0)
	r := &chat.Record{ID: id(record), Room: here, Kind: chat.KindMessage, At: at, Body: body}
	if message != record {
		r.Kind, r.Target = chat.KindEdit, id(message)
	}
	w.number(r)
	w.texts = append(w.texts, chat.MoodText{Room: here, Message: id(message), Record: id(record), At: at, Body: body})
}

func (w *world) number(record *chat.Record) chat.Outcome {
	outcome := w.room.Apply(record, w.state[record.Target])
	if event := outcome.Receipt.Event; event != nil {
		w.state[event.Message.ID] = event.Message
		if event.Kind == chat.KindMood {
			w.moods[event.Message.ID]++
		}
	}
	return outcome
}

func (w *world) Poll(ctx context.Context, most int) ([]chat.MoodText, error) {
	if err := w.fail("texts"); err != nil {
		return nil, err
	}
	left := w.texts[w.done.Load():]
	if len(left) == 0 {
		w.idle()
		<-ctx.Done()
		return nil, ctx.Err()
	}
	w.given = min(len(left), most)
	return left[:w.given], nil
}

func (w *world) Done(context.Context) error {
	if err := w.fail("texts"); err != nil {
		return err
	}
	w.done.Add(int64(w.given))
	return nil
}

func (w *world) Behind(context.Context) (int64, error) {
	return int64(len(w.texts)) - w.done.Load(), nil
}

func (w *world) MoodRooms(context.Context, []chat.RoomID) (map[chat.RoomID]time.Time, error) {
	return w.since, w.fail("rooms")
}

func (w *world) Read(_ context.Context, texts []string) ([]chat.Mood, error) {
	w.asked = append(w.asked, texts)
	if err := w.fail("model"); err != nil {
		return nil, err
	}
	if w.poison != "" && slices.Contains(texts, w.poison) {
		return nil, errDown
	}
	moods := make([]chat.Mood, len(texts))
	for i, text := range texts {
		moods[i] = moodOf(text)
	}
	return moods, nil
}

func moodOf(text string) chat.Mood {
	if strings.Contains(text, "bad") {
		return chat.Mood{Label: chat.Negative, Thousandths: -len(text)}
	}
	return chat.Mood{Label: chat.Positive, Thousandths: len(text)}
}

func (w *world) Append(_ context.Context, record *chat.Record, settled func(chat.Receipt, error)) error {
	if err := w.fail("append"); err != nil {
		return err
	}
	if err := w.fail("log"); err != nil { // perhaps it is in the log, and perhaps not
		if record.ID[15]%2 == 0 {
			w.number(record)
		}
		settled(chat.Receipt{}, chat.Away("the log", err))
		return nil
	}
	outcome := w.number(record)
	settled(outcome.Receipt, outcome.Err)
	return nil
}

// reader is one process that reads.
func (w *world) reader() (*mood.Reader, *prometheus.Registry) {
	registry := prometheus.NewRegistry()
	return mood.NewReader(w, w, w, w, time.Now, mood.NewMetrics(registry), slog.New(slog.DiscardHandler), nil), registry
}

// readAll runs a reader until nothing is left to be read.
func (w *world) readAll(t testing.TB, reader *mood.Reader) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	w.idle = cancel
	if err := reader.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Run: %v", err)
	}
}

// check compares the messages with what the model says of them.
func (w *world) check(t interface{ Errorf(string, ...any) }, unread ...string) {
	for _, m := range w.state {
		want := moodOf(m.Body)
		if slices.Contains(unread, m.Body) {
			want = chat.Mood{}
		}
		if m.Mood != want {
			t.Errorf("message %q has the mood %+v, want %+v", m.Body, m.Mood, want)
		}
	}
}

// Promise (none is lost, none is said twice): whatever fails, and however often the reader dies between any two of its steps,
// each message has in the end the mood of what it says, and each text has led to at most one event.
func TestEveryTextIsReadOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		synctest.Test(t, func(*testing.T) {
			w := newWorld()
			texts := rapid.IntRange(1, 600).Draw(rt, "texts")
			perMessage := make(map[chat.MessageID]int)
			for n := range texts {
				message := n
				if n > 0 && rapid.IntRange(0, 3).Draw(rt, "edit") == 0 {
					message = rapid.IntRange(0, n-1).Draw(rt, "message")
					if w.state[id(message)] == nil {
						message = n
					}
				}
				perMessage[id(message)]++
				w.say(message, n, fmt.Sprintf("%s %d", rapid.SampledFrom([]string{"good", "bad"}).Draw(rt, "text"), n))
			}
			deaths := rapid.IntRange(0, 5).Draw(rt, "deaths")
			for range deaths {
				// It lives for so many calls, of which some fail; then it is dead for good.
				calls := rapid.IntRange(0, 12).Draw(rt, "calls")
				ctx, die := context.WithCancel(context.Background())
				failing := rapid.SampledFrom([]string{"texts", "rooms", "model", "append", "log", "none"}).Draw(rt, "failing")
				w.fail = func(what string) error {
					if calls--; calls < 0 {
						die()
						return context.Canceled
					}
					if what == failing && calls%2 == 0 {
						return errDown
					}
					return nil
				}
				reader, _ := w.reader()
				w.idle = die
				if err := reader.Run(ctx); err != nil && !errors.Is(err, context.Canceled) {
					rt.Fatalf("Run: %v", err)
				}
				die()
			}
			w.fail = func(string) error { return nil }
			reader, _ := w.reader()
			w.readAll(t, reader)
			w.check(rt)
			for message, texts := range perMessage {
				if w.moods[message] > texts || w.moods[message] == 0 {
					rt.Errorf("message %s of %d texts has %d mood events", message, texts, w.moods[message])
				}
			}
		})
	})
}

// Promise (a text goes to a model only if its room's mood is on, and was when it was said): others are passed over unread.
func TestUnwantedTextsNeverLeave(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.since = map[chat.RoomID]time.Time{here: time.Unix(2, 0)}
		w.say(1, 1, "said before")
		w.say(2, 2, "said since")
		w.texts = append(w.texts, chat.MoodText{Room: chat.RoomID{9}, Message: id(3), Record: id(3), At: time.Unix(3, 0), Body: "said elsewhere"})
		reader, registry := w.reader()
		w.readAll(t, reader)
		if len(w.asked) != 1 || !slices.Equal(w.asked[0], []string{"said since"}) {
			t.Errorf("the model was asked %q", w.asked)
		}
		if err := testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP blabber_mood_texts_total Texts by what became of them: read, repeated (read before), unwanted (the room's mood is off), unreadable (the model fails on it), refused (its message is gone).
# TYPE blabber_mood_texts_total counter
blabber_mood_texts_total{outcome="read"} 1
blabber_mood_texts_total{outcome="refused"} 0
blabber_mood_texts_total{outcome="repeated"} 0
blabber_mood_texts_total{outcome="unreadable"} 0
blabber_mood_texts_total{outcome="unwanted"} 2
`), "blabber_mood_texts_total"); err != nil {
			t.Error(err)
		}
	})
}

// Promise: a text on which the model fails again and again, while it answers for others, is given up alone.
func TestAPoisonousTextHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	for name, refuse := range map[string]error{"it dies of it": errDown, "it refuses it": chat.Refuse(chat.Invalid, "no")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				w.poison = "poison"
				if chat.CodeOf(refuse) == chat.Invalid {
					w.poison = ""
					w.fail = func(what string) error {
						if what == "model" && slices.Contains(w.asked[len(w.asked)-1], "poison") {
							return refuse
						}
						return nil
					}
				}
				for n := range 20 {
					body := fmt.Sprintf("good %d", n)
					if n == 13 {
						body = "poison"
					}
					w.say(n, n, body)
				}
				reader, _ := w.reader()
				w.readAll(t, reader)
				w.check(t, "poison")
			})
		})
	}
}

// Promise: while the model answers nobody, no text is given up.
func TestAModelThatIsAwayIsWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.say(1, 1, "good")
		back := time.Now().Add(time.Hour)
		w.fail = func(what string) error {
			if what == "model" && time.Now().Before(back) {
				return errDown
			}
			return nil
		}
		reader, _ := w.reader()
		w.readAll(t, reader)
		w.check(t)
		if time.Since(back) < 0 || len(w.asked) > 3000 {
			t.Errorf("done %v after it is back, asked %d times", time.Since(back), len(w.asked))
		}
	})
}

// Promise: an answer that is none is a failure, whatever it is.
func TestAnswersThatAreNone(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string][]chat.Mood{
		"too few":     {},
		"too many":    {moodOf(""), moodOf("")},
		"no label":    {{Thousandths: 3}},
		"odd label":   {{Label: "odd"}},
		"above one":   {{Label: chat.Positive, Thousandths: 1001}},
		"below minus": {{Label: chat.Positive, Thousandths: -1001}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				w.say(1, 1, "good")
				model := &odd{answers: [][]chat.Mood{answer}, then: w}
				reader := mood.NewReader(w, w, model, w, time.Now, mood.NewMetrics(prometheus.NewRegistry()), slog.New(slog.DiscardHandler), nil)
				w.readAll(t, reader)
				w.check(t)
			})
		})
	}
}

// odd answers oddly first.
type odd struct {
	answers [][]chat.Mood
	then    mood.Model
}

func (o *odd) Read(ctx context.Context, texts []string) ([]chat.Mood, error) {
	if len(o.answers) == 0 {
		return o.then.Read(ctx, texts)
	}
	answer := o.answers[0]
	o.answers = o.answers[1:]
	return answer, nil
}
