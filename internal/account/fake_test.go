package account

import (
	"context"
	"crypto/rand"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/adapter/memory"
	"github.com/blabber-hive/blabber-hive/internal/adapter/sqlite"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// store is the real one, which a test can take away or put something in front of.
type store struct {
	*sqlite.Store
	mu     sync.Mutex
	down   bool
	reads  int
	before func() // each reading of credentials
}

func (s *store) asked() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	if s.down {
		return chat.Away("the store", nil)
	}
	return nil
}

func (s *store) User(ctx context.Context, id chat.UserID) (chat.User, error) {
	if err := s.asked(); err != nil {
		return chat.User{}, err
	}
	return s.Store.User(ctx, id)
}

func (s *store) Session(ctx context.Context, id chat.SessionID) (chat.Session, error) {
	if err := s.asked(); err != nil {
		return chat.Session{}, err
	}
	return s.Store.Session(ctx, id)
}

func (s *store) Key(ctx context.Context, name string, fresh []byte) ([]byte, error) {
	if err := s.asked(); err != nil {
		return nil, err
	}
	return s.Store.Key(ctx, name, fresh)
}

func (s *store) Credentials(ctx context.Context, username string) (chat.User, string, error) {
	s.mu.Lock()
	before := s.before
	s.mu.Unlock()
	user, hash, err := s.Store.Credentials(ctx, username)
	if before != nil {
		before()
	}
	return user, hash, err
}

func (s *store) set(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

// signals keeps what was signalled.
type signals struct {
	mu   sync.Mutex
	sent []chat.Signal
}

func (s *signals) Signal(_ context.Context, signal chat.Signal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = append(s.sent, signal)
	return nil
}

type bundle struct {
	*Service
	store   *store
	signals *signals
	now     time.Time
}

func setup(t *testing.T) *bundle {
	t.Helper()
	opened, err := sqlite.Open(t.Context(), sqlite.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := opened.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	b := &bundle{store: &store{Store: opened}, signals: &signals{}, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	config := DefaultConfig()
	config.Hash = HashCost{MemoryKiB: 8, Passes: 1, Lanes: 1}
	clock := func() time.Time { return b.now }
	b.Service, err = New(config, World{
		Users: b.store, Sessions: b.store, Living: b.store, Keys: b.store, Signals: b.signals, Limiter: memory.NewLimiter(clock), Clock: clock,
		Rand: rand.Reader, NewID: newID, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func newID() (id [16]byte) {
	_, _ = rand.Read(id[:])
	return id
}

const password = "correct horse battery"

func (b *bundle) signUp(t *testing.T, name string) Grant {
	t.Helper()
	grant, err := b.SignUp(t.Context(), NewUser{Username: name, Password: password}, Device{Address: "192.0.2.1"}, "")
	if err != nil {
		t.Fatal(err)
	}
	return grant
}
