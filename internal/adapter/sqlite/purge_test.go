package sqlite

import (
	"testing"

	"github.com/blabber-hive/blabber-hive/internal/adapter/sqlite/column"
	"github.com/blabber-hive/blabber-hive/internal/adapter/sqlite/engine"
	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/porttest/storetest"
)

// Promise: of a deleted room no row stays, also if the process ended in the middle, and other rooms keep theirs.
func TestDeletedRoomsAreRemoved(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	commits := make(chan struct{}, 1)
	var s *Store
	i := storetest.NewInstance(t, func() storetest.Store {
		if s != nil {
			if err := s.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		}
		s = setup(t, Options{Dir: dir, onCommit: func(CommitStats) {
			select {
			case commits <- struct{}{}:
			default:
			}
		}})
		return s
	}, 0)
	mina, joon := i.AddUser(t, "mina"), i.AddUser(t, "joon")
	kept, gone := i.AddRoom(t, chat.Public, mina, joon), i.AddRoom(t, chat.Public, mina, joon)
	var events []chat.Event
	for range purgeRows + 50 {
		events = append(events, i.Say(gone, mina, "@joon", joon.ID), i.Tell(gone, mina, joon, chat.MemberRole), i.Say(kept, mina, "@joon", joon.ID))
	}
	i.Commit(t, events...)
	late := i.Say(gone, mina, "on its way when the room was deleted")
	i.DeleteRoom(t, gone)
	i.Commit(t, late)
	if err := s.db.Read(t.Context(), func(c *engine.Conn) error {
		var stored int
		err := c.Row(`select count(*) from messages where room = 2 and seq = ?`, []any{column.Num(late.Seq)}, &stored)
		if stored > 0 {
			t.Error("a message was stored in a deleted room")
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	i.Restart()
	left := func() (rows int) {
		t.Helper()
		if err := s.db.Read(t.Context(), func(c *engine.Conn) error {
			return c.Row(`select (select count(*) from rooms where no = 2) + (select count(*) from messages where room = 2)
				+ (select count(*) from events where room = 2) + (select count(*) from mentions where room = 2)
				+ (select count(*) from members where room = 2)`, nil, &rows)
		}); err != nil {
			t.Fatal(err)
		}
		return rows
	}
	for left() > 0 {
		<-commits
	}
	i.Check(t, s)
}
