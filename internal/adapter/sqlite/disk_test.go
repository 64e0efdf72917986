package sqlite

import (
	"errors"
	"testing"

	"github.com/blabber-hive/blabber-hive/internal/adapter/sqlite/engine"
	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/porttest/storetest"
)

// Promise: while the disk refuses, everybody who writes is told `unavailable` and reading goes on; when it takes bytes
// again, so does the store, without a restart; what was acknowledged is there and what was not is there once or not at all.
func TestFailingDisk(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]int32{"full": full, "failing sync": failing, "both": broken} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			disk := newFaultDisk(t)
			dir := t.TempDir()
			var s *Store
			i := storetest.NewInstance(t, func() storetest.Store {
				if s != nil {
					if err := s.Close(); err != nil {
						t.Errorf("Close: %v", err)
					}
				}
				s = setup(t, Options{Dir: dir, vfs: disk.name})
				return s
			}, 0)
			user := i.AddUser(t, "mina")
			room := i.AddRoom(t, chat.Public, user)
			for range 10 {
				i.Commit(t, i.Say(room, user, "before"))
			}
			for round := range 8 {
				disk.fault.Store(fault)
				next := i.Say(room, user, "while it fails")
				batch := chat.Batch{From: i.Stored, To: i.Stored + 1, Events: []chat.Event{next}}
				for range 3 {
					if _, err := s.Commit(t.Context(), batch); chat.CodeOf(err) != chat.Unavailable {
						t.Fatalf("round %d: Commit = %v, want unavailable", round, err)
					}
					if err := s.SetNotify(t.Context(), room.ID, user.ID, chat.NotifyNone); chat.CodeOf(err) != chat.Unavailable {
						t.Fatalf("round %d: SetNotify = %v, want unavailable", round, err)
					}
				}
				if page, err := s.Changes(t.Context(), room.ID, 0, 1000); err != nil || page.Head < room.Head-1 {
					t.Fatalf("round %d: Changes while the disk fails: head %d, %v, want all that was acknowledged", round, page.Head, err)
				}
				disk.fault.Store(healthy)
				if round%3 == 2 {
					i.Restart() // what a crash would leave is a harder case of the same
				}
				// Whether the batch was stored is open: the owner asks.
				at, err := i.Store.Position(t.Context(), 0)
				if err != nil {
					t.Fatalf("round %d: Position: %v", round, err)
				}
				if at == batch.From {
					if _, err := i.Store.Commit(t.Context(), batch); err != nil {
						t.Fatalf("round %d: Commit when the disk is well: %v", round, err)
					}
				} else if _, err := i.Store.Commit(t.Context(), batch); !errors.Is(err, chat.ErrFenced) {
					t.Fatalf("round %d: Commit of what is stored = %v, want fenced", round, err)
				}
				i.Stored = batch.To
				room.Members[user.ID].Notify = chat.NotifyAll
				if err := i.Store.SetNotify(t.Context(), room.ID, user.ID, chat.NotifyAll); err != nil {
					t.Fatalf("round %d: SetNotify: %v", round, err)
				}
				i.Check(t, i.Store)
			}
			i.Restart()
			i.Check(t, i.Store)
			if err := s.db.Read(t.Context(), func(c *engine.Conn) error {
				var verdict string
				if err := c.Row("pragma integrity_check", nil, &verdict); err != nil || verdict != "ok" {
					t.Errorf("integrity check: %s, %v", verdict, err)
				}
				return nil
			}); err != nil {
				t.Error(err)
			}
		})
	}
}

// Promise: a commit is answered after a sync of the disk and not before.
func TestCommitSyncs(t *testing.T) {
	t.Parallel()
	disk := newFaultDisk(t)
	s := setup(t, Options{vfs: disk.name})
	for n := range 5 {
		before := disk.syncs.Load()
		if _, err := s.Commit(t.Context(), chat.Batch{From: chat.Offset(n), To: chat.Offset(n + 1)}); err != nil {
			t.Fatal(err)
		}
		if disk.syncs.Load() == before {
			t.Error("a commit was answered without a sync")
		}
	}
}

// Promise: a database that may not grow refuses what needs room, takes back only that transaction, and goes on.
func TestNoRoomInTheDatabase(t *testing.T) {
	t.Parallel()
	i := storetest.NewInstance(t, func() storetest.Store { return setup(t, Options{}) }, 0)
	s, ok := i.Store.(*Store)
	if !ok {
		t.Fatal("not this store")
	}
	user := i.AddUser(t, "mina")
	room := i.AddRoom(t, chat.Public, user)
	i.Commit(t, i.Say(room, user, "before"))
	var pages int
	if err := s.db.Write(t.Context(), func(c *engine.Conn) error {
		return errors.Join(c.Row("pragma page_count", nil, &pages), c.Row("pragma max_page_count = 1", nil, &pages))
	}); err != nil {
		t.Fatal(err)
	}
	var events []chat.Event
	for range 500 {
		events = append(events, i.Say(room, user, "more than fits"))
	}
	batch := chat.Batch{From: i.Stored, To: i.Stored + 500, Events: events}
	if _, err := s.Commit(t.Context(), batch); chat.CodeOf(err) != chat.Unavailable {
		t.Fatalf("Commit without room = %v, want unavailable", err)
	}
	if page, err := s.Changes(t.Context(), room.ID, 0, 10); err != nil || page.Head != 1 {
		t.Fatalf("Changes: head %d, %v, want 1", page.Head, err)
	}
	i.Commit(t, events...) // by a new connection, which has no such limit
	i.Check(t, s)
}
