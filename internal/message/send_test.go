package message_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/message"
)

// Promise: a send that may not be is refused with the code that says why, and nothing is appended.
func TestSendRefusals(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change func(w *world, who *chat.Profile, request *message.Request)
		want   chat.Code
	}{
		"a room that is not there":  {func(_ *world, who *chat.Profile, _ *message.Request) { *who = someone() }, chat.NotFound},
		"a stranger, public room":   {place(func(a *chat.Access) { a.Member = nil }), chat.NotMember},
		"a stranger, private room":  {place(func(a *chat.Access) { a.Member, a.Room.Visibility = nil, chat.Private }), chat.NotFound},
		"a stranger, direct room":   {place(func(a *chat.Access) { a.Member, a.Room.Visibility = nil, chat.Direct }), chat.NotFound},
		"banned from a public room": {place(func(a *chat.Access) { a.Member, a.Banned = nil, true }), chat.Banned},
		"banned from a private room": {place(func(a *chat.Access) {
			a.Member, a.Banned, a.Room.Visibility = nil, true, chat.Private
		}), chat.NotFound},
		"muted for ever":          {place(func(a *chat.Access) { a.Member.MutedUntil = time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC) }), chat.Muted},
		"no body":                 {body(""), chat.Invalid},
		"a blank body":            {body(" \t\r\n　"), chat.Invalid},
		"a body of 4,001 letters": {body(strings.Repeat("한", chat.MessageRunesMax+1)), chat.Invalid},
		"a body that is no text":  {body("\xff"), chat.Invalid},
		"a body with NUL":         {body("a\x00"), chat.Invalid},
		"a body with an escape":   {body("\x1b[31mred"), chat.Invalid},
		"no id":                   {func(_ *world, _ *chat.Profile, r *message.Request) { r.ID = chat.MessageID{} }, chat.Invalid},
		"an id without a time":    {func(_ *world, _ *chat.Profile, r *message.Request) { r.ID = chat.MessageID(uuid.New()) }, chat.Invalid},
		"a reply to nothing":      {func(w *world, _ *chat.Profile, r *message.Request) { r.ReplyTo = w.id() }, chat.Invalid},
		"a reply to another room's message": {func(w *world, _ *chat.Profile, r *message.Request) {
			r.ReplyTo = w.id()
			w.messages[r.ReplyTo] = &chat.Message{ID: r.ReplyTo, Room: chat.RoomID(uuid.New())}
		}, chat.Invalid},
		"too fast":                       {func(w *world, _ *chat.Profile, _ *message.Request) { w.limit = never }, chat.RateLimited},
		"a store that is away":           {func(w *world, _ *chat.Profile, _ *message.Request) { w.away = errGone }, chat.Unavailable},
		"a log that is full":             {func(w *world, _ *chat.Profile, _ *message.Request) { w.full = errGone }, chat.Unavailable},
		"a log that refuses":             {settles(chat.Receipt{}, errGone), chat.Unavailable},
		"a conflict found in the log":    {settles(chat.Receipt{}, chat.Refuse(chat.Conflict, "no")), chat.Conflict},
		"a room deleted before the log":  {settles(chat.Receipt{}, chat.ErrNotFound), chat.NotFound},
		"a mention while the store sank": {sinking, chat.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			room := chat.RoomID(uuid.New())
			who := w.member(room, chat.Plain)
			request := message.Request{Room: room, ID: w.id(), Body: "hello"}
			tc.change(w, &who, &request)
			_, err := w.send(t, who, request)
			if chat.CodeOf(err) != tc.want {
				t.Errorf("answered with %v, want %s", err, tc.want)
			}
			if w.settle != nil && len(w.appended) > 0 && !strings.Contains(name, "log") {
				t.Errorf("appended %+v", w.appended)
			}
		})
	}
}

func place(change func(*chat.Access)) func(*world, *chat.Profile, *message.Request) {
	return func(w *world, who *chat.Profile, _ *message.Request) {
		access := w.access[who.ID]
		member := *access.Member
		access.Member = &member
		change(&access)
		w.access[who.ID] = access
	}
}

func body(text string) func(*world, *chat.Profile, *message.Request) {
	return func(_ *world, _ *chat.Profile, r *message.Request) { r.Body = text }
}

func settles(receipt chat.Receipt, err error) func(*world, *chat.Profile, *message.Request) {
	return func(w *world, _ *chat.Profile, _ *message.Request) {
		w.settle = func(*chat.Record) (chat.Receipt, error) { return receipt, err }
	}
}

func never(string) (time.Duration, bool) { return 3 * time.Second, false }

// sinking is a store that answers for the place and is gone when the mention is looked up.
func sinking(w *world, _ *chat.Profile, r *message.Request) {
	r.Body = "hello @bob"
	w.reading = func() { w.away = errGone }
}

// Promise: a message that is taken carries who said it, what and when, in the words of the log.
func TestSendAppends(t *testing.T) {
	t.Parallel()
	w := setup(t)
	room := chat.RoomID(uuid.New())
	who := w.member(room, chat.Plain)
	earlier := w.id()
	w.messages[earlier] = &chat.Message{ID: earlier, Room: room}
	w.pass(1234567 * time.Nanosecond)
	request := message.Request{Room: room, ID: w.id(), Body: "hello", ReplyTo: earlier}
	receipt, err := w.send(t, who, request)
	if err != nil || receipt.Seq != 7 {
		t.Fatalf("answered with %+v, %v", receipt, err)
	}
	got := w.appended[0]
	if got.ID != request.ID || got.Room != room || got.Kind != chat.KindMessage || got.Actor != who || got.Body != "hello" || got.ReplyTo != earlier {
		t.Errorf("appended %+v", got)
	}
	if got.Fingerprint != chat.FingerprintOf(who.ID, "hello", earlier) {
		t.Error("the fingerprint is another message's")
	}
	if want := w.clock().Truncate(time.Millisecond); !got.At.Equal(want) || got.At.Nanosecond()%1e6 != 0 {
		t.Errorf("sent at %v, want %v", got.At, want)
	}
}

// Promise (PROTOCOL §1): an id that is marked as sent before, or is older than 30 s, is looked up first: the same message
// is answered with its number, another with conflict, and neither is appended, nor counts against the rate.
func TestSentBefore(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		age     time.Duration
		resend  bool
		known   func(m *chat.Message) // nil: never sent
		want    chat.Code             // empty: acked
		lookup  bool
		present bool // the receipt is that of the known message
	}{
		"new":                            {0, false, nil, "", false, false},
		"marked, never sent":             {0, true, nil, "", true, false},
		"marked, sent before":            {0, true, func(*chat.Message) {}, "", true, true},
		"old, never sent":                {31 * time.Second, false, nil, "", true, false},
		"old, sent before":               {31 * time.Second, false, func(*chat.Message) {}, "", true, true},
		"a week old, sent before":        {7 * 24 * time.Hour, false, func(*chat.Message) {}, "", true, true},
		"young, sent before":             {29 * time.Second, false, func(*chat.Message) {}, "", false, false}, // the log's window knows
		"from the future":                {-time.Hour, false, nil, "", false, false},
		"marked, another body":           {0, true, func(m *chat.Message) { m.Fingerprint[0]++ }, chat.Conflict, true, false},
		"old, another body":              {time.Hour, false, func(m *chat.Message) { m.Fingerprint[0]++ }, chat.Conflict, true, false},
		"marked, in another room":        {0, true, func(m *chat.Message) { m.Room = chat.RoomID(uuid.New()) }, "", true, false},
		"marked, edited since":           {0, true, func(m *chat.Message) { m.Body = "edited" }, "", true, true},
		"marked, deleted since":          {0, true, func(m *chat.Message) { m.Body, m.DeletedAt = "", time.Unix(1, 0) }, "", true, true},
		"marked, of a previous username": {0, true, func(m *chat.Message) { m.Sender.Username = "former" }, "", true, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			room := chat.RoomID(uuid.New())
			who := w.member(room, chat.Plain)
			request := message.Request{Room: room, ID: w.id(), Body: "hello", Resend: tc.resend}
			w.pass(tc.age)
			if tc.known != nil {
				known := &chat.Message{
					ID: request.ID, Room: room, Seq: 3, Sender: who, Body: "hello",
					Fingerprint: chat.FingerprintOf(who.ID, "hello", chat.MessageID{}),
				}
				tc.known(known)
				w.messages[request.ID] = known
				if tc.present || tc.want != "" {
					w.limit = never
				}
			}
			receipt, err := w.send(t, who, request)
			switch {
			case tc.want != "":
				if chat.CodeOf(err) != tc.want {
					t.Errorf("answered with %v, want %s", err, tc.want)
				}
			case err != nil:
				t.Errorf("answered with %v", err)
			case tc.present && (receipt.Seq != 3 || !receipt.Repeat):
				t.Errorf("answered with %+v, want the number that it has", receipt)
			case !tc.present && receipt.Seq != 7:
				t.Errorf("answered with %+v, want a new number", receipt)
			}
			if wantAppend := tc.want == "" && !tc.present; wantAppend != (len(w.appended) == 1) {
				t.Errorf("appended %d records", len(w.appended))
			}
		})
	}
}

// Promise: another person's message with the same id is a conflict, also where the words are the same.
func TestAnothersID(t *testing.T) {
	t.Parallel()
	w := setup(t)
	room := chat.RoomID(uuid.New())
	ann, bob := w.member(room, chat.Plain), w.member(room, chat.Plain)
	id := w.id()
	w.messages[id] = &chat.Message{ID: id, Room: room, Seq: 3, Sender: ann, Body: "hello", Fingerprint: chat.FingerprintOf(ann.ID, "hello", chat.MessageID{})}
	_, err := w.send(t, bob, message.Request{Room: room, ID: id, Body: "hello", Resend: true})
	if chat.CodeOf(err) != chat.Conflict {
		t.Errorf("answered with %v", err)
	}
}

// Promise: the rate is one person's over all rooms, says how long to wait, and without a limiter there is none.
func TestRate(t *testing.T) {
	t.Parallel()
	w := setup(t)
	one, two := chat.RoomID(uuid.New()), chat.RoomID(uuid.New())
	who := w.member(one, chat.Plain)
	keys := make(map[string]int)
	w.limit = func(key string) (time.Duration, bool) { keys[key]++; return 3 * time.Second, keys[key] < 3 }
	for i, room := range []chat.RoomID{one, two, one} {
		_, err := w.send(t, who, message.Request{Room: room, ID: w.id(), Body: "hello"})
		if refusal, ok := errors.AsType[*chat.Error](err); i == 2 && (!ok || refusal.Code != chat.RateLimited || refusal.RetryAfter != 3*time.Second) {
			t.Errorf("the third is answered with %v", err)
		}
		if i < 2 && err != nil {
			t.Errorf("send %d is answered with %v", i, err)
		}
	}
	free := message.NewService(w, w, nil, w.clock, w.id, message.NewMetrics(prometheus.NewRegistry()), nil)
	if err := free.Send(t.Context(), who, message.Request{Room: one, ID: w.id(), Body: "hello"}, func(chat.Receipt, error) {}); err != nil {
		t.Errorf("without a limiter: %v", err)
	}
}
