package account

import (
	"context"
	"crypto/rand"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

func newTestHasher(t *testing.T, atOnce, queued int) *hasher {
	t.Helper()
	h, err := newHasher(HashCost{MemoryKiB: 16, Passes: 1, Lanes: 1}, atOnce, queued, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// Promise: a password matches its hash and no other; the hash says what it cost, so that old ones stay good when the
// cost changes; equal passwords have different hashes.
func TestHash(t *testing.T) {
	t.Parallel()
	h := newTestHasher(t, 1, 0)
	first, err := h.hash(t.Context(), "pässword")
	if err != nil {
		t.Fatal(err)
	}
	second, err := h.hash(t.Context(), "pässword")
	if err != nil || first == second || !strings.HasPrefix(first, "$argon2id$v=19$m=16,t=1,p=1$") {
		t.Fatalf("hashes %q and %q, %v", first, second, err)
	}
	h.cost = HashCost{MemoryKiB: 64, Passes: 2, Lanes: 2}
	for password, want := range map[string]bool{"pässword": true, "password": false, "": false, "pässword ": false} {
		if got, err := h.matches(t.Context(), first, password); err != nil || got != want {
			t.Errorf("matches(%q) = %t, %v; want %t", password, got, err, want)
		}
	}
}

// Promise: who does not exist costs as much as who does, and has no password.
func TestHashOfNobody(t *testing.T) {
	t.Parallel()
	h := newTestHasher(t, 1, 0)
	cost, _, key, err := decodeHash(h.dummy)
	if err != nil || cost != h.cost || len(key) != keyBytes {
		t.Errorf("nobody's hash costs %+v with %d bytes, %v; want %+v", cost, len(key), err, h.cost)
	}
	for _, password := range []string{"", "password"} {
		if got, err := h.matches(t.Context(), "", password); err != nil || got {
			t.Errorf("matches(%q) for nobody = %t, %v", password, got, err)
		}
	}
}

// Promise: a damaged hash is an error and takes no memory.
func TestDamagedHashes(t *testing.T) {
	t.Parallel()
	h := newTestHasher(t, 1, 0)
	good, err := h.hash(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	for _, damaged := range []string{
		"x", "$", "$$$$$", good[1:], good + "$", strings.Replace(good, "argon2id", "argon2i", 1), strings.Replace(good, "v=19", "v=16", 1),
		strings.Replace(good, "m=16", "m=99999999", 1), strings.Replace(good, "m=16", "m=0", 1), strings.Replace(good, "t=1", "t=0", 1),
		strings.Replace(good, "p=1", "p=0", 1), strings.Replace(good, "t=1", "t=4000000000", 1), good[:len(good)-40], good + strings.Repeat("A", 1000), good[:30] + "!" + good[31:],
	} {
		if ok, err := h.matches(t.Context(), damaged, "x"); err == nil || ok {
			t.Errorf("matches with %q = %t, %v; want an error", damaged, ok, err)
		}
	}
}

// Promise: however many sign in at once, so many hashes are computed at a time, so many wait, and the rest is sent away.
func TestHashesAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const atOnce, queued, callers = 2, 5, 50
		h := newTestHasher(t, atOnce, queued)
		var running, most, worked, refused atomic.Int64
		var group sync.WaitGroup
		for range callers {
			group.Go(func() {
				err := h.inTurn(t.Context(), func() {
					now := running.Add(1)
					for was := most.Load(); now > was && !most.CompareAndSwap(was, now); was = most.Load() {
						continue
					}
					<-time.After(time.Second)
					running.Add(-1)
					worked.Add(1)
				})
				if chat.CodeOf(err) == chat.Unavailable {
					refused.Add(1)
				} else if err != nil {
					t.Errorf("inTurn = %v", err)
				}
			})
		}
		group.Wait()
		if most.Load() != atOnce || worked.Load() != atOnce+queued || refused.Load() != callers-atOnce-queued {
			t.Errorf("%d at once, %d worked, %d refused; want %d, %d, %d", most.Load(), worked.Load(), refused.Load(), atOnce, atOnce+queued, callers-atOnce-queued)
		}
	})
}

// Promise: who waits for a turn and goes away gives the place in the line back.
func TestHashWaiterLeaves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newTestHasher(t, 1, 1)
		hold := make(chan struct{})
		var group sync.WaitGroup
		group.Go(func() {
			if err := h.inTurn(t.Context(), func() { <-hold }); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := h.inTurn(ctx, func() { t.Error("it had no turn") }); err == nil {
			t.Error("inTurn after its context's end is fine")
		}
		close(hold)
		group.Wait()
		if len(h.queue) != 0 || len(h.turns) != 0 {
			t.Errorf("%d places and %d turns are still held", len(h.queue), len(h.turns))
		}
	})
}
