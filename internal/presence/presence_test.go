package presence

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/adapter/memory"
	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/run"
)

// news keeps who came (positive) and went (negative), by the person's number.
type news struct {
	mu   sync.Mutex
	said []int
}

func (n *news) Signal(_ context.Context, signal chat.Signal) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	person := int(signal.User[0])
	if !signal.Online {
		person = -person
	}
	n.said = append(n.said, person)
	return nil
}

func (n *news) all() []int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.said)
}

type bundle struct {
	*Service
	t    *testing.T
	news *news
}

func person(i int) chat.UserID { return chat.UserID{byte(i)} }

func (b *bundle) comes(i int) {
	b.t.Helper()
	if err := b.Connected(b.t.Context(), person(i)); err != nil {
		b.t.Error(err)
	}
}

func (b *bundle) goes(i int) {
	b.t.Helper()
	if err := b.Disconnected(b.t.Context(), person(i)); err != nil {
		b.t.Error(err)
	}
}

func (b *bundle) heard(when string, want ...int) {
	b.t.Helper()
	synctest.Wait()
	if got := b.news.all(); !slices.Equal(got, want) {
		b.t.Errorf("%s: heard %v, want %v", when, got, want)
	}
}

// run runs a script with a service in a bubble where time passes only when all wait.
func scene(t *testing.T, store Store, script func(t *testing.T, b *bundle)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bundle{t: t, news: &news{}}
		b.Service = New(store, b.news, time.Now, slog.New(slog.DiscardHandler))
		group := run.NewGroup(t.Context())
		group.Go("presence", b.Run)
		script(t, b)
		group.Cancel()
		if err := group.Wait(); err != nil {
			t.Error(err)
		}
	})
}

// Promise: who comes is told of at once, who goes after the grace, once for all their connections.
func TestComeAndGo(t *testing.T) {
	t.Parallel()
	scene(t, &memory.Presence{}, func(_ *testing.T, b *bundle) {
		b.comes(1)
		b.comes(1)
		b.comes(2)
		b.heard("after they came", 1, 2)
		b.goes(1)
		<-time.After(time.Hour)
		b.heard("with one connection left", 1, 2)
		b.goes(1)
		b.goes(2)
		<-time.After(Grace - time.Millisecond)
		b.heard("within the grace", 1, 2)
		<-time.After(2 * time.Millisecond)
		b.heard("after the grace", 1, 2, -1, -2)
		b.comes(1)
		b.heard("back", 1, 2, -1, -2, 1)
	})
}

// Promise: reloading a page is not news, however often, and the last leaving counts.
func TestReload(t *testing.T) {
	t.Parallel()
	scene(t, &memory.Presence{}, func(t *testing.T, b *bundle) {
		b.comes(1)
		for range 20 {
			b.goes(1)
			<-time.After(Grace / 2)
			online, err := b.Online(t.Context(), []chat.UserID{person(1), person(9)})
			if err != nil || !online[0] || online[1] {
				t.Errorf("Online = %v, %v; want the first to be here still", online, err)
			}
			b.comes(1)
			<-time.After(Grace / 4)
		}
		b.heard("after reloads", 1)
		b.goes(1)
		<-time.After(Grace)
		b.heard("after leaving", 1, -1)
		if online, err := b.Online(t.Context(), []chat.UserID{person(1)}); err != nil || online[0] {
			t.Errorf("Online = %v, %v; want nobody", online, err)
		}
	})
}

// Promise: a person who is back on another node by the end of the grace has not gone.
func TestBackElsewhere(t *testing.T) {
	t.Parallel()
	store := &memory.Presence{}
	scene(t, store, func(t *testing.T, b *bundle) {
		b.comes(1)
		b.goes(1)
		<-time.After(Grace / 2)
		if _, err := store.Connected(t.Context(), person(1)); err != nil {
			t.Error(err)
		}
		<-time.After(Grace)
		b.heard("after the grace", 1)
	})
}

// late is a store in which a person comes while it is asked about them.
type late struct {
	*memory.Presence
	arrive atomic.Pointer[func()]
}

func (l *late) Online(ctx context.Context, users []chat.UserID) ([]bool, error) {
	online, err := l.Presence.Online(ctx, users)
	if arrive := l.arrive.Swap(nil); arrive != nil {
		(*arrive)()
	}
	return online, err
}

// Promise: the last word about a person is right. Somebody who comes between the question and the telling is told of
// first and then said to have gone, so it is said again that they are here.
func TestComesWhileGoing(t *testing.T) {
	t.Parallel()
	store := &late{Presence: &memory.Presence{}}
	scene(t, store, func(_ *testing.T, b *bundle) {
		b.comes(1)
		b.goes(1)
		arrive := func() { b.comes(1) }
		store.arrive.Store(&arrive)
		<-time.After(2 * Grace)
		b.heard("at the end", 1, 1, -1, 1)
	})
}

// Promise: many leave at once and one goroutine tells of all, and lets go of what it kept.
func TestStorm(t *testing.T) {
	t.Parallel()
	scene(t, &memory.Presence{}, func(t *testing.T, b *bundle) {
		for i := 1; i <= 200; i++ {
			b.comes(i)
		}
		for i := 1; i <= 200; i++ {
			b.goes(i)
			<-time.After(time.Millisecond)
		}
		<-time.After(2 * Grace)
		synctest.Wait()
		if got := b.news.all(); len(got) != 400 || got[399] != -200 {
			t.Errorf("heard %d, want 400", len(got))
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		if cap(b.line) != 0 || len(b.leaving) != 0 {
			t.Errorf("it keeps a line of %d and a set of %d", cap(b.line), len(b.leaving))
		}
	})
}

// broken is a store that is down.
type broken struct{}

var errDown = errors.New("down")

func (broken) Connected(context.Context, chat.UserID) (bool, error)    { return false, errDown }
func (broken) Disconnected(context.Context, chat.UserID) (bool, error) { return false, errDown }
func (broken) Online(context.Context, []chat.UserID) ([]bool, error)   { return nil, errDown }
func (broken) Watch(ctx context.Context, _ func([]chat.UserID)) error  { <-ctx.Done(); return ctx.Err() }

// Promise: without the store the caller is told, and nobody is said to have come or gone.
func TestWithoutStore(t *testing.T) {
	t.Parallel()
	scene(t, broken{}, func(t *testing.T, b *bundle) {
		if err := b.Connected(t.Context(), person(1)); !errors.Is(err, errDown) {
			t.Errorf("Connected = %v", err)
		}
		if err := b.Disconnected(t.Context(), person(1)); !errors.Is(err, errDown) {
			t.Errorf("Disconnected = %v", err)
		}
		if _, err := b.Online(t.Context(), []chat.UserID{person(1)}); !errors.Is(err, errDown) {
			t.Errorf("Online = %v", err)
		}
		if online, err := b.Online(t.Context(), nil); err != nil || len(online) != 0 {
			t.Errorf("Online of nobody = %v, %v", online, err)
		}
		<-time.After(time.Hour)
		b.heard("for an hour")
	})
}

// nodes is a store that learns of other nodes: what it is given is passed to Watch.
type nodes struct {
	memory.Presence
	changes chan []chat.UserID // made by Watch, and so in its bubble
	asked   func()             // by Online, before it answers
}

func (n *nodes) Watch(ctx context.Context, changed func([]chat.UserID)) error {
	n.changes = make(chan []chat.UserID)
	for {
		select {
		case users := <-n.changes:
			changed(users)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (n *nodes) Online(ctx context.Context, users []chat.UserID) ([]bool, error) {
	online, err := n.Presence.Online(ctx, users)
	if n.asked != nil {
		n.asked()
	}
	return online, err
}

// Promise: when a node dies others are told who has gone with it, and not of those who are here all the same; who comes
// back between the question and the telling is told of last.
func TestNodeDies(t *testing.T) {
	t.Parallel()
	store := &nodes{}
	scene(t, store, func(_ *testing.T, b *bundle) {
		synctest.Wait()
		b.comes(2)
		store.changes <- []chat.UserID{person(1), person(2), person(3)}
		b.heard("after a node died", 2, -1, 2, -3)
		var once sync.Once
		store.asked = func() { once.Do(func() { b.comes(4) }) }
		store.changes <- []chat.UserID{person(4)}
		b.heard("one who came back meanwhile", 2, -1, 2, -3, 4, -4, 4)
	})
}
