package message_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/message"
)

// world is a service over a store, a log and a limiter that a test holds in its hands.
type world struct {
	*message.Service

	registry *prometheus.Registry
	mu       sync.Mutex
	now      time.Time
	access   map[chat.UserID]chat.Access
	messages map[chat.MessageID]*chat.Message
	named    map[string]chat.UserID
	appended []*chat.Record
	settle   func(record *chat.Record) (chat.Receipt, error) // what becomes of a record; nil: nothing yet
	away     error                                           // of the store
	full     error                                           // of the log
	asked    int                                             // readings of places
	reading  func()                                          // in the middle of each, after the store was asked
	limit    func(key string) (time.Duration, bool)
}

func setup(t *testing.T) *world {
	t.Helper()
	w := &world{
		registry: prometheus.NewRegistry(),
		now:      time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		access:   make(map[chat.UserID]chat.Access), messages: make(map[chat.MessageID]*chat.Message), named: make(map[string]chat.UserID),
		settle: func(*chat.Record) (chat.Receipt, error) { return chat.Receipt{Seq: 7}, nil },
		limit:  func(string) (time.Duration, bool) { return 0, true },
	}
	w.Service = message.NewService(w, w, limiter{w}, w.clock, w.id, message.NewMetrics(w.registry), nil)
	return w
}

type limiter struct{ w *world }

func (l limiter) Allow(_ context.Context, key string, _ float64, _ int) (time.Duration, bool) {
	return l.w.limit(key)
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// id makes a UUIDv7 of the world's time.
func (w *world) id() chat.MessageID {
	id := chat.MessageID(uuid.New())
	ms := w.clock().UnixMilli()
	for i := range 6 {
		id[i] = byte(ms >> (40 - 8*i))
	}
	id[6] = 0x70 | id[6]&0xf
	return id
}

// Append implements message.Log.
func (w *world) Append(_ context.Context, record *chat.Record, settled func(chat.Receipt, error)) error {
	if w.full != nil {
		return w.full
	}
	w.mu.Lock()
	w.appended = append(w.appended, record)
	w.mu.Unlock()
	if w.settle != nil {
		settled(w.settle(record))
	}
	return nil
}

// Access implements message.Store.
func (w *world) Access(_ context.Context, _ chat.RoomID, user chat.UserID) (chat.Access, error) {
	w.mu.Lock()
	w.asked++
	access, ok := w.access[user]
	away, reading := w.away, w.reading
	w.mu.Unlock()
	if reading != nil {
		reading()
	}
	switch {
	case away != nil:
		return chat.Access{}, away
	case !ok:
		return chat.Access{}, chat.ErrNotFound
	}
	return access, nil
}

// Message implements message.Store.
func (w *world) Message(_ context.Context, room chat.RoomID, id chat.MessageID) (*chat.Message, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.away != nil {
		return nil, w.away
	}
	known, ok := w.messages[id]
	if !ok || known.Room != room {
		return nil, chat.ErrNotFound
	}
	return known, nil
}

// MembersNamed implements message.Store.
func (w *world) MembersNamed(_ context.Context, _ chat.RoomID, usernames []string) ([]chat.UserID, error) {
	if w.away != nil {
		return nil, w.away
	}
	var found []chat.UserID
	for name, id := range w.named {
		if slices.Contains(usernames, name) {
			found = append(found, id)
		}
	}
	return found, nil
}

var errGone = chat.Away("the store", nil)

func someone() chat.Profile {
	return chat.Profile{ID: chat.UserID(uuid.New()), Username: "somebody", DisplayName: "Somebody"}
}

// member puts a new person into a room with a role.
func (w *world) member(room chat.RoomID, role chat.Role) chat.Profile {
	who := someone()
	w.access[who.ID] = chat.Access{
		Room:   chat.Room{ID: room, Visibility: chat.Public},
		Member: &chat.Member{Room: room, User: who, Role: role},
	}
	return who
}

// send sends and answers what became of it, at once or when it was settled.
func (w *world) send(t *testing.T, who chat.Profile, request message.Request) (chat.Receipt, error) {
	t.Helper()
	var outcome chat.Outcome
	settled := 0
	err := w.Send(t.Context(), who, request, func(receipt chat.Receipt, err error) {
		settled++
		outcome = chat.Outcome{Receipt: receipt, Err: err}
	})
	if err != nil {
		if settled > 0 {
			t.Errorf("refused with %v and settled too", err)
		}
		return chat.Receipt{}, err
	}
	if settled != 1 {
		t.Errorf("settled %d times", settled)
	}
	return outcome.Receipt, outcome.Err
}
