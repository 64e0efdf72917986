package history

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// records answers with one access and remembers what it was asked.
type records struct {
	Store
	Marks
	access  chat.Access
	err     error
	query   chat.HistoryQuery
	limit   int
	marked  chat.Seq
	signals []chat.Signal
	lost    error
}

func (r *records) Access(context.Context, chat.RoomID, chat.UserID) (chat.Access, error) {
	return r.access, r.err
}

func (r *records) Messages(_ context.Context, _ chat.RoomID, query chat.HistoryQuery) ([]chat.Message, chat.Seq, error) {
	r.query = query
	return nil, 7, nil
}

func (r *records) Changes(_ context.Context, _ chat.RoomID, _ chat.Seq, limit int) (chat.Page, error) {
	r.limit = limit
	return chat.Page{Head: 7}, nil
}

func (r *records) MarkRead(_ context.Context, _ chat.RoomID, _ chat.UserID, seq chat.Seq) (chat.ReadState, error) {
	r.marked = seq
	return chat.ReadState{ReadSeq: seq}, nil
}

func (r *records) MarkUnread(_ context.Context, _ chat.RoomID, _ chat.UserID, from chat.Seq) (chat.ReadState, error) {
	r.marked = from
	return chat.ReadState{UnreadFrom: from}, nil
}

func (r *records) SetNotify(context.Context, chat.RoomID, chat.UserID, chat.Notify) error { return nil }

func (r *records) Signal(ctx context.Context, signal chat.Signal) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	r.signals = append(r.signals, signal)
	return r.lost
}

func setup(access chat.Access, err error) (*Service, *records) {
	r := &records{access: access, err: err}
	return New(World{Store: r, Marks: r, Signals: r, Log: slog.New(slog.DiscardHandler)}), r
}

var (
	reader = chat.UserID{1}
	place  = chat.RoomID{2}
	member = chat.Access{Room: chat.Room{ID: place, Visibility: chat.Public, Head: 7}, Member: &chat.Member{Role: chat.Plain}}
)

// calls is every use case, with fields that are good.
func calls(ctx context.Context, s *Service) map[string]error {
	errs := map[string]error{}
	_, _, errs["Messages"] = s.Messages(ctx, reader, place, chat.HistoryQuery{})
	_, errs["Changes"] = s.Changes(ctx, reader, place, 0, 0)
	_, errs["MarkRead"] = s.MarkRead(ctx, reader, place, 1, "")
	_, errs["MarkUnread"] = s.MarkUnread(ctx, reader, place, 1, "")
	errs["SetNotify"] = s.SetNotify(ctx, reader, place, chat.NotifyNone)
	return errs
}

// Promise: only members read, whatever they ask for; a private room is not found by others.
func TestAccess(t *testing.T) {
	t.Parallel()
	private := chat.Room{Visibility: chat.Private}
	for name, tc := range map[string]struct {
		access chat.Access
		err    error
		want   chat.Code
	}{
		"outside a public room":    {chat.Access{Room: member.Room}, nil, chat.NotMember},
		"outside a private room":   {chat.Access{Room: private}, nil, chat.NotFound},
		"banned in a public room":  {chat.Access{Room: member.Room, Banned: true}, nil, chat.Banned},
		"banned in a private room": {chat.Access{Room: private, Banned: true}, nil, chat.NotFound},
		"no room":                  {chat.Access{}, chat.ErrNotFound, chat.NotFound},
		"no store":                 {chat.Access{}, chat.Away("the store", nil), chat.Unavailable},
		"a broken store":           {chat.Access{}, errors.New("odd"), chat.Internal},
	} {
		s, r := setup(tc.access, tc.err)
		for call, err := range calls(t.Context(), s) {
			if chat.CodeOf(err) != tc.want || err == nil {
				t.Errorf("%s, %s = %v, want %s", call, name, err, tc.want)
			}
		}
		if r.marked != 0 || len(r.signals) != 0 {
			t.Errorf("%s: something was done", name)
		}
	}
	s, _ := setup(member, nil)
	for call, err := range calls(t.Context(), s) {
		if err != nil {
			t.Errorf("%s of a member = %v", call, err)
		}
	}
}

// Promise: no answer is longer than its bound, whatever is asked for.
func TestLimits(t *testing.T) {
	t.Parallel()
	s, r := setup(member, nil)
	for limit, want := range map[int][2]int{
		0: {chat.PageDefault, ChangesDefault}, -5: {chat.PageDefault, ChangesDefault}, 1: {1, 1}, 200: {200, 200},
		201: {chat.PageMax, 201}, 1 << 40: {chat.PageMax, chat.ChangesMax},
	} {
		if _, _, err := s.Messages(t.Context(), reader, place, chat.HistoryQuery{Before: 3, Limit: limit}); err != nil || r.query.Limit != want[0] || r.query.Before != 3 {
			t.Errorf("messages with limit %d asked for %+v, %v; want %d", limit, r.query, err, want[0])
		}
		if _, err := s.Changes(t.Context(), reader, place, 3, limit); err != nil || r.limit != want[1] {
			t.Errorf("changes with limit %d asked for %d, %v; want %d", limit, r.limit, err, want[1])
		}
	}
	if _, _, err := s.Messages(t.Context(), reader, place, chat.HistoryQuery{Before: 3, After: 1}); chat.CodeOf(err) != chat.Invalid {
		t.Errorf("two positions = %v, want invalid", err)
	}
}

// Promise: one's other devices hear of what was marked, also when the one that marked it has gone, and a signal that is
// lost is no failure.
func TestMarks(t *testing.T) {
	t.Parallel()
	s, r := setup(member, nil)
	r.lost = errors.New("lost")
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	cancel()
	if state, err := s.MarkRead(ctx, reader, place, 5, "connection"); err != nil || state.ReadSeq != 5 {
		t.Errorf("MarkRead = %+v, %v", state, err)
	}
	if _, err := s.MarkUnread(ctx, reader, place, 7, ""); err != nil {
		t.Errorf("MarkUnread = %v", err)
	}
	if len(r.signals) != 2 || r.signals[0].Connection != "connection" || r.signals[0].Read.ReadSeq != 5 || r.signals[0].User != reader || r.signals[1].Read.UnreadFrom != 7 {
		t.Errorf("signals = %+v", r.signals)
	}
	for _, from := range []chat.Seq{0, 8, 1 << 60} {
		if _, err := s.MarkUnread(ctx, reader, place, from, ""); chat.CodeOf(err) != chat.Invalid {
			t.Errorf("MarkUnread from %d = %v, want invalid", from, err)
		}
	}
	if err := s.SetNotify(ctx, reader, place, "loud"); chat.CodeOf(err) != chat.Invalid {
		t.Errorf("SetNotify = %v, want invalid", err)
	}
}
