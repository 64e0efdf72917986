package redis_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/adapter/redis"
	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/porttest/services"
	"github.com/blabber-hive/blabber-hive/internal/run"
)

// node is a node that watches presence until it is stopped.
type node struct {
	*redis.Presence
	t    *testing.T
	stop func() // in order

	mu      sync.Mutex
	changed []chat.UserID
	heard   chan struct{}
}

func watching(t *testing.T, place services.RedisPlace) *node {
	t.Helper()
	n := &node{Presence: redis.NewPresence(client(t, place)), t: t, heard: make(chan struct{}, 1)}
	redis.SetPace(n.Presence, lease, beat)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var watching sync.WaitGroup
	watching.Go(func() {
		_ = n.Watch(ctx, func(users []chat.UserID) {
			n.mu.Lock()
			n.changed = append(n.changed, users...)
			n.mu.Unlock()
			select {
			case n.heard <- struct{}{}:
			default:
			}
		})
	})
	n.stop = func() { cancel(); watching.Wait() }
	t.Cleanup(n.stop)
	starting, cancelStart := context.WithTimeout(t.Context(), 5*lease)
	defer cancelStart()
	must(t, run.Retry(starting, run.Backoff{First: time.Millisecond, Max: 10 * time.Millisecond}, func(context.Context) error {
		if !redis.Counts(n.Presence) {
			return errors.New("the node does not count yet")
		}
		return nil
	}))
	return n
}

func (n *node) comes(user chat.UserID) bool {
	n.t.Helper()
	first, err := n.Connected(n.t.Context(), user)
	must(n.t, err)
	return first
}

func (n *node) goes(user chat.UserID) bool {
	n.t.Helper()
	last, err := n.Disconnected(n.t.Context(), user)
	must(n.t, err)
	return last
}

func (n *node) online(users ...chat.UserID) []bool {
	n.t.Helper()
	online, err := n.Online(n.t.Context(), users)
	must(n.t, err)
	return online
}

// A tenth of the real ones.
const (
	lease = 2 * time.Second
	beat  = 500 * time.Millisecond
)

func person(n int) chat.UserID { return chat.UserID{1, byte(n >> 8), byte(n)} }

// Promise: a person comes with the first connection on any node and goes with the last.
func TestPresenceOverNodes(t *testing.T) {
	t.Parallel()
	for name, place := range map[string]func(*testing.T) services.RedisPlace{
		"one Redis": func(t *testing.T) services.RedisPlace { t.Helper(); return services.Redis(t) },
		"a cluster": cluster,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			here := place(t)
			a, b := watching(t, here), watching(t, here)
			ada, bob := person(1), person(2)
			for step, got := range []bool{a.comes(ada), !a.comes(ada), !b.comes(ada), b.comes(bob), !a.goes(ada), !a.goes(ada), !a.goes(ada)} {
				if !got {
					t.Errorf("step %d is wrong", step)
				}
			}
			if got := a.online(ada, person(3), bob); !slices.Equal(got, []bool{true, false, true}) {
				t.Errorf("online are %v", got)
			}
			if !b.goes(ada) || !b.goes(bob) {
				t.Error("they have not gone with the last connection")
			}
			if got := a.online(ada, bob); !slices.Equal(got, []bool{false, false}) {
				t.Errorf("online are %v", got)
			}
		})
	}
}

// Promise: whatever comes and goes at the same time on several nodes, who is online in the end is who has a connection.
func TestPresenceNeverLeaks(t *testing.T) {
	t.Parallel()
	place := services.Redis(t)
	nodes := []*node{watching(t, place), watching(t, place)}
	const people = 6
	var left [people]int
	var mu sync.Mutex
	var working sync.WaitGroup
	for w := range 8 {
		working.Go(func() {
			random := rand.New(rand.NewPCG(uint64(w), 1))
			n := nodes[w%2]
			for range 60 {
				who := random.IntN(people)
				n.comes(person(who))
				if random.IntN(10) == 0 {
					mu.Lock()
					left[who]++
					mu.Unlock()
					continue
				}
				n.goes(person(who))
			}
		})
	}
	working.Wait()
	for who := range people {
		if got := nodes[0].online(person(who))[0]; got != (left[who] > 0) {
			t.Errorf("person %d is online: %t, with %d connections left", who, got, left[who])
		}
	}
}

// Promise: the people of a node that dies are offline when its lease has run out and the others have looked; one node is told of them, those who are also
// elsewhere stay; and one that only stood still counts its people again when it goes on.
func TestNodeDies(t *testing.T) {
	t.Parallel()
	place := services.Redis(t)
	dying, others := watchingBriefly(t, place), []*node{watching(t, place), watching(t, place)}
	only, both := person(1), person(2)
	for n := range 700 { // more than are swept at once
		must(t, second(dying.Connected(t.Context(), person(100+n))))
	}
	must(t, second(dying.Connected(t.Context(), only)))
	must(t, second(dying.Connected(t.Context(), both)))
	others[0].comes(both)
	dying.die()
	began := time.Now()
	told := func() (all []chat.UserID) {
		for _, n := range others {
			n.mu.Lock()
			all = append(all, n.changed...)
			n.mu.Unlock()
		}
		return all
	}
	for len(told()) < 701 {
		if time.Since(began) > 40*time.Second {
			t.Fatalf("after %v %d people were told of", time.Since(began), len(told()))
		}
		must(t, run.Pause(t.Context(), 50*time.Millisecond))
	}
	if took := time.Since(began); took > lease+2*beat {
		t.Errorf("they went after %v", took)
	} else {
		t.Logf("701 people of a dead node went %v after it", took)
	}
	all := told()
	slices.SortFunc(all, func(a, b chat.UserID) int { return slices.Compare(a[:], b[:]) })
	if len(slices.Compact(all)) != 701 || slices.Contains(all, both) {
		t.Errorf("%d people were told of, %d of them once", len(told()), len(slices.Compact(all)))
	}
	if got := others[1].online(only, both); !slices.Equal(got, []bool{false, true}) {
		t.Errorf("online are %v", got)
	}

	// It wakes up.
	again := dying.wake()
	for woke := time.Now(); slices.Contains(others[1].online(only, both, person(100), person(799)), false); {
		if time.Since(woke) > 10*time.Second {
			t.Fatalf("online are %v", others[1].online(only, both, person(100), person(799)))
		}
		must(t, run.Pause(t.Context(), 20*time.Millisecond))
	}
	for n := range 700 {
		again.goes(person(100 + n))
	}
	again.goes(only)
	again.goes(both)
	others[0].goes(both)
	if got := others[1].online(only, both, person(100), person(799)); !slices.Equal(got, []bool{false, false, false, false}) {
		t.Errorf("after all have gone %v are online", got)
	}
}

func second[T any](_ T, err error) error { return err }

// mortal is a node whose watching ends without a farewell, as that of a process that is killed.
type mortal struct {
	*redis.Presence
	t      *testing.T
	client *redis.Client
	die    func()
}

func watchingBriefly(t *testing.T, place services.RedisPlace) *mortal {
	t.Helper()
	m := &mortal{t: t, client: client(t, place)}
	m.Presence = redis.NewPresence(m.client)
	redis.SetPace(m.Presence, lease, beat)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var watching sync.WaitGroup
	watching.Go(func() { _ = redis.WatchWithoutFarewell(ctx, m.Presence) })
	m.die = func() { cancel(); watching.Wait() }
	t.Cleanup(m.die)
	return m
}

// wake makes the node go on with what it had counted.
func (m *mortal) wake() *node {
	n := &node{Presence: m.Presence, t: m.t, heard: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancel(context.WithoutCancel(m.t.Context()))
	var watching sync.WaitGroup
	watching.Go(func() { _ = n.Watch(ctx, func([]chat.UserID) {}) })
	n.stop = func() { cancel(); watching.Wait() }
	m.t.Cleanup(n.stop)
	return n
}

// Promise: while Redis is away people come and go without an error, and when it is back, empty, everybody is counted again.
func TestPresenceOverAnOutage(t *testing.T) {
	t.Parallel()
	place, server := own(t, nil)
	a, b := watching(t, place), watching(t, place)
	stays, went, came := person(1), person(2), person(3)
	a.comes(stays)
	a.comes(went)
	server.Kill()
	if a.goes(went) || a.comes(came) {
		t.Error("without Redis somebody is said to be the first or the last")
	}
	if _, err := b.Online(t.Context(), []chat.UserID{stays}); chat.CodeOf(err) != chat.Unavailable {
		t.Errorf("without Redis Online gives %v", err)
	}
	must(t, server.Restart(t.Context()))
	back := time.Now()
	for {
		online, err := b.Online(t.Context(), []chat.UserID{stays, went, came})
		if err == nil && slices.Equal(online, []bool{true, false, true}) {
			break
		}
		if time.Since(back) > 20*time.Second {
			t.Fatalf("online are %v, %v", online, err)
		}
		must(t, run.Pause(t.Context(), 10*time.Millisecond))
	}
	t.Logf("counted again after %v", time.Since(back))
	a.mu.Lock()
	defer a.mu.Unlock()
	if !slices.Contains(a.changed, came) {
		t.Errorf("nobody was told of one who came meanwhile, only of %v", a.changed)
	}
}

// Promise: a node that ends in order is missed at once.
func TestNodeLeaves(t *testing.T) {
	t.Parallel()
	place := services.Redis(t)
	a, b := watching(t, place), watching(t, place)
	a.comes(person(1))
	a.stop()
	began := time.Now()
	for b.online(person(1))[0] {
		if time.Since(began) > 10*time.Second {
			t.Fatal("they are still here")
		}
		must(t, run.Pause(t.Context(), 20*time.Millisecond))
	}
}
