package room

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// shownAfter shows one event each time that some time has passed, and fails before the first.
type shownAfter struct {
	began   time.Time
	every   time.Duration
	records []chat.MessageID
	err     error
}

func (s shownAfter) Changes(_ context.Context, _ chat.RoomID, after chat.Seq, limit int) (chat.Page, error) {
	if s.err != nil {
		return chat.Page{}, s.err
	}
	head := min(chat.Seq(time.Since(s.began)/s.every), chat.Seq(len(s.records)))
	if head == 0 {
		return chat.Page{}, errors.New("the bus is away")
	}
	page := chat.Page{Head: head, Through: max(after, min(head, after+chat.Seq(limit)))}
	for seq := after + 1; seq <= page.Through; seq++ {
		page.Events = append(page.Events, chat.Event{Seq: seq, RecordID: s.records[seq-1]})
	}
	page.More = page.Through < page.Head
	return page, nil
}

// Promise (PROTOCOL §2): where the log has records before they have numbers, a change is answered when its last one can be
// seen, whatever else comes between, and soon also where it never can.
func TestShown(t *testing.T) {
	t.Parallel()
	record := chat.MessageID{3}
	for name, tc := range map[string]struct {
		shown Shown
		took  time.Duration
	}{
		"where settled is numbered": {nil, 0},
		"the third":                 {shownAfter{every: 100 * time.Millisecond, records: []chat.MessageID{{1}, {2}, record}}, 300 * time.Millisecond},
		"never":                     {shownAfter{every: 100 * time.Millisecond, records: []chat.MessageID{{1}}}, SettlePatience},
		"a room that is gone":       {shownAfter{err: chat.ErrNotFound}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				s := Service{World{Shown: tc.shown}}
				if after, ok := tc.shown.(shownAfter); ok {
					after.began = began
					s.Shown = after
				}
				ctx, cancel := context.WithTimeout(t.Context(), SettlePatience)
				defer cancel()
				s.shown(ctx, chat.RoomID{1}, 0, record)
				if took := time.Since(began); took < tc.took || took > tc.took+shownMax {
					t.Errorf("it took %v, want %v", took, tc.took)
				}
			})
		})
	}
}
