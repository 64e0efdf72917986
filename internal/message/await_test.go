package message_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/message"
)

// durable is what a log answers that keeps a record before it is numbered.
func durable(*chat.Record) (chat.Receipt, error) { return chat.Receipt{}, nil }

// Promise: where the log acks before it numbers, a change is answered with the message as the change left it, and with a
// refusal where it can no longer be.
func TestChangesThatAreNumberedElsewhere(t *testing.T) {
	t.Parallel()
	deleted := func(m *chat.Message) { m.Body, m.DeletedAt = "", time.Unix(1, 0) }
	for name, tc := range map[string]struct {
		change func(ctx context.Context, w *world, who chat.Profile, room chat.RoomID, id chat.MessageID) error
		after  func(*chat.Message) // what the sequencer makes of the message; nil: nothing
		want   chat.Code
	}{
		"an edit":                     {edited, func(m *chat.Message) { m.Body = "edited" }, ""},
		"an edit of a deleted":        {edited, deleted, chat.Conflict},
		"an edit that nobody numbers": {edited, nil, chat.Unavailable},
		"a deletion":                  {removed, deleted, ""},
		"a reaction": {reacted, func(m *chat.Message) {
			m.Reactions = []chat.Reaction{{Emoji: "👍", Users: []chat.UserID{{1}}}}
		}, ""},
		"a reaction to a deleted": {reacted, deleted, chat.Conflict},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := setup(t)
				room := chat.RoomID(uuid.New())
				who := w.member(room, chat.Plain)
				id := w.id()
				w.messages[id] = &chat.Message{ID: id, Room: room, Seq: 3, Sender: who, Body: "hello"}
				w.settle = durable
				if tc.after != nil {
					time.AfterFunc(300*time.Millisecond, func() {
						w.mu.Lock()
						defer w.mu.Unlock()
						changed := w.messages[id].Clone()
						tc.after(changed)
						for i := range changed.Reactions {
							changed.Reactions[i].Users = []chat.UserID{who.ID}
						}
						w.messages[id] = changed
					})
				}
				if err := tc.change(t.Context(), w, who, room, id); (err != nil || tc.want != "") && chat.CodeOf(err) != tc.want {
					t.Errorf("answered with %v, want %q", err, tc.want)
				}
			})
		})
	}
}

func edited(ctx context.Context, w *world, who chat.Profile, room chat.RoomID, id chat.MessageID) error {
	_, err := w.Edit(ctx, who, room, id, "edited")
	return err
}

func removed(ctx context.Context, w *world, who chat.Profile, room chat.RoomID, id chat.MessageID) error {
	_, err := w.Delete(ctx, who, room, id)
	return err
}

func reacted(ctx context.Context, w *world, who chat.Profile, room chat.RoomID, id chat.MessageID) error {
	_, err := w.React(ctx, who, room, id, "👍", true)
	return err
}

// Promise: a message that is acked before it is numbered can be waited for; another one under its id is a conflict.
func TestAwait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := setup(t)
		room := chat.RoomID(uuid.New())
		who := w.member(room, chat.Plain)
		request := message.Request{Room: room, ID: w.id(), Body: "hello", At: time.Now()}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, _, err := w.Await(ctx, who.ID, request); chat.CodeOf(err) != chat.Unavailable {
			t.Errorf("what does not come is answered with %v", err)
		}
		time.AfterFunc(time.Second, func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.messages[request.ID] = &chat.Message{ID: request.ID, Room: room, Seq: 9, CreatedAt: request.At.Truncate(time.Millisecond), Fingerprint: chat.FingerprintOf(who.ID, "hello", chat.MessageID{})}
		})
		if got, repeat, err := w.Await(t.Context(), who.ID, request); err != nil || got.Seq != 9 || repeat {
			t.Errorf("it is %+v, a repeat: %t, %v", got, repeat, err)
		}
		again := request
		again.At = again.At.Add(time.Second)
		if got, repeat, err := w.Await(t.Context(), who.ID, again); err != nil || got.Seq != 9 || !repeat {
			t.Errorf("sent again it is %+v, a repeat: %t, %v", got, repeat, err)
		}
		request.Body = "something else"
		if _, _, err := w.Await(t.Context(), who.ID, request); chat.CodeOf(err) != chat.Conflict {
			t.Errorf("another message under its id is answered with %v", err)
		}
	})
}
