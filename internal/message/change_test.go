package message_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/message"
)

// Promise: only its sender edits a message, only its sender or a moderator deletes it, any member reacts to it; who may
// not is refused, and nothing is appended.
func TestChangeRights(t *testing.T) {
	t.Parallel()
	type act = func(w *world, who chat.Profile, room chat.RoomID, id chat.MessageID) error
	edit := func(w *world, who chat.Profile, room chat.RoomID, id chat.MessageID) error {
		_, err := w.Edit(context.Background(), who, room, id, "edited")
		return err
	}
	remove := func(w *world, who chat.Profile, room chat.RoomID, id chat.MessageID) error {
		_, err := w.Delete(context.Background(), who, room, id)
		return err
	}
	react := func(w *world, who chat.Profile, room chat.RoomID, id chat.MessageID) error {
		_, err := w.React(context.Background(), who, room, id, "👍", true)
		return err
	}
	for name, tc := range map[string]struct {
		act  act
		role string
		want chat.Code // empty: allowed
	}{
		"its sender edits":        {edit, "sender", ""},
		"a member edits":          {edit, "member", chat.Forbidden},
		"a moderator edits":       {edit, "moderator", chat.Forbidden},
		"an owner edits":          {edit, "owner", chat.Forbidden},
		"a stranger edits":        {edit, "stranger", chat.NotMember},
		"its muted sender edits":  {edit, "muted", chat.Muted},
		"its sender deletes":      {remove, "sender", ""},
		"a member deletes":        {remove, "member", chat.Forbidden},
		"a moderator deletes":     {remove, "moderator", ""},
		"an owner deletes":        {remove, "owner", ""},
		"a stranger deletes":      {remove, "stranger", chat.NotMember},
		"a member reacts":         {react, "member", ""},
		"a stranger reacts":       {react, "stranger", chat.NotMember},
		"its muted sender reacts": {react, "muted", chat.Muted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			room := chat.RoomID(uuid.New())
			people := map[string]chat.Profile{
				"sender": w.member(room, chat.Plain), "member": w.member(room, chat.Plain),
				"moderator": w.member(room, chat.Moderator), "owner": w.member(room, chat.Owner),
				"stranger": w.member(room, chat.Plain), "muted": w.member(room, chat.Plain),
			}
			stranger, muted := people["stranger"], people["muted"]
			place(func(a *chat.Access) { a.Member = nil })(w, &stranger, nil)
			place(func(a *chat.Access) { a.Member.MutedUntil = w.clock().Add(time.Hour) })(w, &muted, nil)
			id := w.id()
			sender := people["sender"]
			if tc.role == "muted" {
				sender = muted
			}
			w.messages[id] = &chat.Message{ID: id, Room: room, Seq: 3, Sender: sender, Body: "hello"}
			err := tc.act(w, people[tc.role], room, id)
			switch {
			case tc.want == "" && err != nil:
				t.Errorf("refused with %v", err)
			case tc.want != "" && chat.CodeOf(err) != tc.want:
				t.Errorf("answered with %v, want %s", err, tc.want)
			case (tc.want == "") != (len(w.appended) == 1):
				t.Errorf("appended %d records", len(w.appended))
			}
			if len(w.appended) == 1 {
				record := w.appended[0]
				if record.Target != id || record.Room != room || record.Actor != people[tc.role] || record.ID.IsZero() || record.ID == id {
					t.Errorf("appended %+v", record)
				}
				if others := sender.ID != people[tc.role].ID && record.Kind == chat.KindDelete; record.Moderation != others {
					t.Errorf("moderation is %v", record.Moderation)
				}
			}
		})
	}
}

// Promise: a change is refused for what is wrong with it, and whatever the log or the store answer reaches the caller.
func TestChangeRefusals(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change func(w *world)
		edit   string
		emoji  string
		want   chat.Code
	}{
		"an empty body":             {nil, " ", "", chat.Invalid},
		"a body with NUL":           {nil, "\x00", "", chat.Invalid},
		"a word for an emoji":       {nil, "", "hello", chat.Invalid},
		"no emoji":                  {nil, "", "", chat.Invalid},
		"too fast":                  {func(w *world) { w.limit = never }, "edited", "", chat.RateLimited},
		"a message of no room":      {func(w *world) { clear(w.messages) }, "edited", "", chat.NotFound},
		"a store that is away":      {func(w *world) { w.away = errGone }, "edited", "", chat.Unavailable},
		"a log that is full":        {func(w *world) { w.full = errGone }, "edited", "", chat.Unavailable},
		"a log that refuses":        {func(w *world) { w.settle = conflict }, "edited", "", chat.Conflict},
		"a mention in a sunk store": {func(w *world) { w.reading = func() { w.named = nil } }, "@bob edited", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			room := chat.RoomID(uuid.New())
			who := w.member(room, chat.Plain)
			id := w.id()
			w.messages[id] = &chat.Message{ID: id, Room: room, Seq: 3, Sender: who, Body: "hello"}
			if tc.change != nil {
				tc.change(w)
			}
			var err error
			if tc.edit != "" {
				_, err = w.Edit(t.Context(), who, room, id, tc.edit)
			} else {
				_, err = w.React(t.Context(), who, room, id, tc.emoji, true)
			}
			if tc.want == "" && err != nil || tc.want != "" && chat.CodeOf(err) != tc.want {
				t.Errorf("answered with %v, want %q", err, tc.want)
			}
		})
	}
}

func conflict(*chat.Record) (chat.Receipt, error) {
	return chat.Receipt{}, chat.Refuse(chat.Conflict, "the message was deleted")
}

// Promise: a change answers the message as it then is: what the log made of it, or what is stored where nothing had to
// change; and a caller who stops waiting is told to try again.
func TestChangeAnswers(t *testing.T) {
	t.Parallel()
	w := setup(t)
	room := chat.RoomID(uuid.New())
	who := w.member(room, chat.Plain)
	id := w.id()
	stored := &chat.Message{ID: id, Room: room, Seq: 3, Sender: who, Body: "hello"}
	w.messages[id] = stored
	changed := &chat.Message{ID: id, Room: room, Seq: 3, ChangedSeq: 9, Sender: who, Body: "edited"}

	w.settle = func(*chat.Record) (chat.Receipt, error) {
		return chat.Receipt{Seq: 9, Event: &chat.Event{Seq: 9, Message: changed}}, nil
	}
	if got, err := w.Edit(t.Context(), who, room, id, "edited"); err != nil || got != changed {
		t.Errorf("a change answers %+v, %v", got, err)
	}
	w.settle = func(*chat.Record) (chat.Receipt, error) { return chat.Receipt{Seq: 3, Repeat: true}, nil }
	if got, err := w.Edit(t.Context(), who, room, id, "hello"); err != nil || got != stored {
		t.Errorf("a change of nothing answers %+v, %v", got, err)
	}
	w.settle = nil
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.Edit(ctx, who, room, id, "edited"); chat.CodeOf(err) != chat.Unavailable {
		t.Errorf("who does not wait is answered with %v", err)
	}
}

// Promise: a message is read by members alone.
func TestGet(t *testing.T) {
	t.Parallel()
	w := setup(t)
	room := chat.RoomID(uuid.New())
	member, stranger := w.member(room, chat.Plain), w.member(room, chat.Plain)
	place(func(a *chat.Access) { a.Member = nil })(w, &stranger, nil)
	id := w.id()
	w.messages[id] = &chat.Message{ID: id, Room: room, Seq: 3}
	if got, err := w.Get(t.Context(), member.ID, room, id); err != nil || got.Seq != 3 {
		t.Errorf("a member gets %+v, %v", got, err)
	}
	if _, err := w.Get(t.Context(), stranger.ID, room, id); chat.CodeOf(err) != chat.NotMember {
		t.Errorf("a stranger gets %v", err)
	}
	if _, err := w.Get(t.Context(), member.ID, room, w.id()); chat.CodeOf(err) != chat.NotFound {
		t.Errorf("of no message a member gets %v", err)
	}
}

// Promise: @names are found wherever no letter or digit of a name stands before the @, Korean and punctuation around them
// included; each once, folded, at most 50; the others are text.
func TestMentions(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]struct {
		names []string
		all   bool
	}{
		"hello":                        {nil, false},
		"@ann":                         {[]string{"ann"}, false},
		"hello @ann and @bob.b":        {[]string{"ann", "bob.b"}, false},
		"@ANN @Ann @ann":               {[]string{"ann"}, false},
		"@ann, (@bob.b)! @d_e-f.":      {[]string{"ann", "bob.b", "d_e-f"}, false},
		"@ann. @bob.b-- done":          {[]string{"ann", "bob.b"}, false},
		"mail ann@bob.b":               {nil, false},
		"mail a.@ann":                  {nil, false},
		"@@ann":                        {[]string{"ann"}, false},
		"@ann@bob.b":                   {[]string{"ann"}, false},
		"안녕@ann님":                      {[]string{"ann"}, false},
		"@ann에게 @bob.b와 함께":            {[]string{"ann", "bob.b"}, false},
		"@앤 @ann":                      {[]string{"ann"}, false},
		"「@ann」、@bob.b。":               {[]string{"ann", "bob.b"}, false},
		"👋@ann👋":                       {[]string{"ann"}, false},
		"@all":                         {nil, true},
		"@ALL 여러분 @ann":                {[]string{"ann"}, true},
		"@allison":                     {nil, false},
		"@nobody":                      {nil, false},
		"@":                            {nil, false},
		"a @ b @":                      {nil, false},
		"@.ann":                        {nil, false},
		"`@ann` in code is a mention":  {[]string{"ann"}, false},
		"line\n@ann\nline":             {[]string{"ann"}, false},
		"https://example.com/@ann/1":   {[]string{"ann"}, false},
		"@ann\u200b@bob.b zero widths": {[]string{"ann", "bob.b"}, false},
	} {
		t.Run(body, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			room := chat.RoomID(uuid.New())
			who := w.member(room, chat.Plain)
			for _, name := range []string{"ann", "bob.b", "d_e-f"} {
				w.named[name] = chat.UserID(uuid.New())
			}
			if _, err := w.send(t, who, message.Request{Room: room, ID: w.id(), Body: body}); err != nil {
				t.Fatal(err)
			}
			var ids []chat.UserID
			for _, name := range want.names {
				ids = append(ids, w.named[name])
			}
			slices.SortFunc(ids, func(a, b chat.UserID) int { return slices.Compare(a[:], b[:]) })
			if got := w.appended[0]; !slices.Equal(got.Mentions, ids) || got.MentionsAll != want.all {
				t.Errorf("mentions %v and all: %v, want %v and %v", got.Mentions, got.MentionsAll, ids, want.all)
			}
		})
	}
}
