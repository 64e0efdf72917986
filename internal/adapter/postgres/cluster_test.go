package postgres

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/blabber-hive/blabber-hive/internal/archive"
	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/porttest/services"
	"github.com/blabber-hive/blabber-hive/internal/porttest/storetest"
)

// nodes are stores of one database, as each node of a cluster has one.
func nodes(t *testing.T, url string, n int) []*Store {
	t.Helper()
	stores := make([]*Store, n)
	for i := range stores {
		stores[i] = setup(t, Options{URL: url})
	}
	return stores
}

func sound(t *testing.T, s *Store) archive.Counts {
	t.Helper()
	counts, err := archive.Verify(t.Context(), s, func(finding string) { t.Errorf("finding: %s", finding) })
	if err != nil {
		t.Fatal(err)
	}
	return counts
}

// deadlocks is how many the server has had to end in a database whose stores are closed.
func deadlocks(t *testing.T, url string) (n int) {
	t.Helper()
	db, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(t.Context())
	if err := db.QueryRow(t.Context(), `select deadlocks from pg_stat_database where datname = current_database()`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// Promise: commits, changes of rooms, marks, outboxes and deletions of many nodes at once wait for each other in one order: the
// server never has to break one off, nothing fails, and what is stored afterwards is sound.
func TestLockOrder(t *testing.T) {
	t.Parallel()
	const rooms, partitions, batches, changes = 12, 3, 25, 25
	url := migrated(t)
	stores := nodes(t, url, 3)
	i := storetest.NewInstance(t, func() storetest.Store { return stores[0] }, 0)
	mina, joon := i.AddUser(t, "mina"), i.AddUser(t, "joon")
	guests := make([]chat.User, changes)
	for n := range guests {
		guests[n] = i.AddUser(t, fmt.Sprint("guest", n))
	}
	all := make([]*storetest.Room, rooms)
	for n := range all {
		all[n] = i.AddRoom(t, chat.Public, mina, joon)
	}
	work := make([][]chat.Batch, partitions)
	for b := range partitions * batches {
		p := b % partitions
		batch := chat.Batch{Partition: 100 + p, From: chat.Offset(b / partitions), To: chat.Offset(b/partitions + 1)}
		mine := slices.DeleteFunc(rand.Perm(rooms), func(room int) bool { return room%partitions != p })
		for _, room := range mine {
			said := i.Say(all[room], mina, "word", joon.ID)
			batch.Events = append(batch.Events, said, i.Edit(all[room], said.Message, "words"))
		}
		work[p] = append(work[p], batch)
	}
	at := i.Now()
	var group sync.WaitGroup
	for p := range work {
		group.Go(func() {
			for _, batch := range work[p] {
				if _, err := stores[p%len(stores)].Commit(t.Context(), batch); err != nil {
					t.Errorf("Commit: %v", err)
				}
			}
		})
	}
	// Batches of all rooms in any order, from partitions that own none of them: their numbers are refused, after their locks.
	for p := range 4 {
		s := stores[p%len(stores)]
		group.Go(func() {
			for range batches {
				batch := chat.Batch{Partition: 200 + p, From: 0, To: 1}
				for _, room := range rand.Perm(rooms) {
					batch.Events = append(batch.Events, chat.Event{Room: all[room].ID, Seq: 1 << 40, Kind: chat.KindRoom})
				}
				if _, err := s.Commit(t.Context(), batch); err == nil || !strings.Contains(err.Error(), "does not follow") {
					t.Errorf("Commit of impossible numbers: %v", err)
				}
			}
		})
	}
	for n, s := range stores {
		group.Go(func() { // changes of rooms
			for c, guest := range guests {
				r := all[rand.IntN(rooms)]
				if err := s.Update(t.Context(), r.ID, func(tx chat.RoomTx) error {
					return errors.Join(tx.PutRoom(r.Room), tx.PutMember(chat.Member{User: guest.Profile, Role: chat.Plain, JoinedAt: at}),
						tx.PutInvite(chat.Invite{Code: fmt.Sprintf("code %d %d", n, c), CreatedBy: mina.Profile, CreatedAt: at}),
						tx.Emit(chat.OutboxEntry{ID: chat.MessageID{byte(n), byte(c), 1}, Room: r.ID, Payload: []byte("told")}))
				}); err != nil {
					t.Errorf("Update: %v", err)
				}
			}
		})
		group.Go(func() { // marks
			for m := range chat.Seq(changes) {
				if _, err := s.MarkRead(t.Context(), all[rand.IntN(rooms)].ID, joon.ID, m); err != nil {
					t.Errorf("MarkRead: %v", err)
				}
			}
		})
		group.Go(func() { // the outbox
			for range changes {
				entries, err := s.Outbox(t.Context(), 0, 10)
				positions := make([]int64, 0, len(entries))
				for _, n := range rand.Perm(len(entries)) {
					positions = append(positions, entries[n].Position)
				}
				if err = errors.Join(err, s.OutboxDone(t.Context(), positions)); err != nil {
					t.Errorf("outbox: %v", err)
				}
			}
		})
		group.Go(func() { // sign-ins and sign-outs of one person
			for k := range changes {
				session := chat.Session{ID: chat.SessionID{byte(n), byte(k), 2}, User: mina.ID, CreatedAt: at, LastUsedAt: at, ExpiresAt: at}
				if err := errors.Join(s.CreateSession(t.Context(), session, [32]byte{byte(n), byte(k), 3}), s.SetPassword(t.Context(), mina.ID, "hash", chat.SessionID{})); err != nil {
					t.Errorf("sessions: %v", err)
				}
			}
		})
	}
	group.Wait()
	sound(t, stores[0])
	for _, s := range stores {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if n := deadlocks(t, url); n != 0 {
		t.Errorf("the server had to end %d deadlocks", n)
	}
}

// Promise: whoever forgets entries of the outbox waits for nobody who does the same, and what nobody has forgotten stays.
func TestOutboxIsShared(t *testing.T) {
	t.Parallel()
	stores := nodes(t, migrated(t), 3)
	i := storetest.NewInstance(t, func() storetest.Store { return stores[0] }, 0)
	mina := i.AddUser(t, "mina")
	r := i.AddRoom(t, chat.Public, mina)
	const entries = 200
	if err := stores[0].Update(t.Context(), r.ID, func(tx chat.RoomTx) error {
		for range entries {
			if err := tx.Emit(chat.OutboxEntry{ID: i.MessageID(), Room: r.ID, Payload: []byte("told")}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	all, err := stores[1].Outbox(t.Context(), 0, 2*entries)
	if err != nil || len(all) != entries {
		t.Fatalf("Outbox = %d entries, %v", len(all), err)
	}
	var group sync.WaitGroup
	for n, s := range stores {
		group.Go(func() {
			for from := 0; from < entries-1; from += 10 { // all but the last
				positions := make([]int64, 0, 10)
				for _, entry := range all[from:min(from+10, entries-1)] {
					positions = append(positions, entry.Position)
				}
				if n == 1 {
					slices.Reverse(positions)
				}
				if err := s.OutboxDone(t.Context(), positions); err != nil {
					t.Errorf("OutboxDone: %v", err)
				}
			}
		})
	}
	group.Wait()
	if left, err := stores[2].Outbox(t.Context(), 0, entries); err != nil || len(left) != 1 || left[0].Position != all[entries-1].Position {
		t.Errorf("Outbox = %+v, %v, want the last", left, err)
	}
}

// Promise: of a deleted room no row stays, whichever nodes are there to remove them, and other rooms keep theirs.
func TestDeletedRoomsAreRemoved(t *testing.T) {
	t.Parallel()
	url := migrated(t)
	stores := nodes(t, url, 2)
	i := storetest.NewInstance(t, func() storetest.Store { return stores[0] }, 0)
	mina, joon := i.AddUser(t, "mina"), i.AddUser(t, "joon")
	kept, gone := i.AddRoom(t, chat.Public, mina, joon), i.AddRoom(t, chat.Public, mina, joon)
	var events []chat.Event
	for range purgeRows + 50 {
		events = append(events, i.Say(gone, mina, "@joon", joon.ID), i.Tell(gone, mina, joon, chat.MemberRole), i.Say(kept, mina, "@joon", joon.ID))
	}
	i.Commit(t, events...)
	i.DeleteRoom(t, gone)
	var group sync.WaitGroup
	for _, s := range stores {
		group.Go(func() {
			for more := true; more; {
				var err error
				if more, err = s.purgeSome(t.Context()); err != nil {
					t.Errorf("purgeSome: %v", err)
					return
				}
			}
		})
	}
	group.Wait()
	for _, s := range stores { // a node's own removal may still be in the middle of the last rows
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	s := setup(t, Options{URL: url})
	for more := true; more; {
		var err error
		if more, err = s.purgeSome(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	var left int
	if err := s.db.Row(t.Context(), `select (select count(*) from rooms where room_id = 2) + (select count(*) from messages where room_id = 2)
		+ (select count(*) from events where room_id = 2) + (select count(*) from mentions where room_id = 2)
		+ (select count(*) from members where room_id = 2)`, nil, &left); err != nil || left != 0 {
		t.Errorf("%d rows are left, %v", left, err)
	}
	i.Check(t, s)
	sound(t, s)
}

// Promise: whatever moment the server is killed at, what was answered is there, what was not is there as a whole or not at all,
// and the offset says which; the store goes on by itself when the server is back.
func TestServerKilledAmongCommits(t *testing.T) {
	t.Parallel()
	server, err := services.NewFolder(t).StartPostgres(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Migrate(t.Context(), server.URL); err != nil {
		t.Fatal(err)
	}
	s := setup(t, Options{URL: server.URL})
	i := storetest.NewInstance(t, func() storetest.Store { return s }, 0)
	mina := i.AddUser(t, "mina")
	const owners, each, kills = 3, 10, 6
	rooms := make([]*storetest.Room, owners)
	for p := range rooms {
		rooms[p] = i.AddRoom(t, chat.Public, mina)
	}
	var messages sync.Mutex // the model is nobody's to use at the same time
	var done, lost, doubtful atomic.Int64
	var stop atomic.Bool
	committed, back := make(chan struct{}, 1), make(chan struct{})
	backAgain := func() chan struct{} { messages.Lock(); defer messages.Unlock(); return back }
	var group sync.WaitGroup
	for p := range owners {
		group.Go(func() {
			stored := chat.Offset(0)
			for !stop.Load() {
				batch := chat.Batch{Partition: 50 + p, From: stored, To: stored + each}
				messages.Lock()
				for range each {
					batch.Events = append(batch.Events, i.Say(rooms[p], mina, "word"))
				}
				messages.Unlock()
				for batch.From == stored {
					wait := backAgain()
					_, err := s.Commit(t.Context(), batch)
					if err == nil {
						stored = batch.To
						done.Add(1)
						select {
						case committed <- struct{}{}:
						default:
						}
						break
					}
					if chat.CodeOf(err) != chat.Unavailable {
						t.Errorf("Commit: %v, want unavailable", err)
						return
					}
					lost.Add(1)
					<-wait // for the server; then what was not answered is looked up
					loaded, err := s.Load(t.Context(), batch.Partition, []chat.RoomID{rooms[p].ID}, nil)
					for err != nil { // killed once more
						if chat.CodeOf(err) != chat.Unavailable {
							t.Errorf("Load: %v, want unavailable", err)
							return
						}
						<-backAgain()
						loaded, err = s.Load(t.Context(), batch.Partition, []chat.RoomID{rooms[p].ID}, nil)
					}
					if loaded.Stored != batch.From && loaded.Stored != batch.To || chat.Offset(loaded.Rooms[rooms[p].ID].Head) != loaded.Stored {
						t.Errorf("after a batch from %d to %d that was not answered it is stored up to %d, with head %d", batch.From, batch.To, loaded.Stored, loaded.Rooms[rooms[p].ID].Head)
						return
					}
					if loaded.Stored == batch.To {
						doubtful.Add(1)
					}
					stored = loaded.Stored
				}
			}
		})
	}
	for range kills {
		for range 5 {
			<-committed
		}
		server.Kill()
		if err := server.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		messages.Lock()
		close(back)
		back = make(chan struct{})
		messages.Unlock()
	}
	<-committed
	stop.Store(true)
	group.Wait()
	counts := sound(t, s)
	if want := (done.Load() + doubtful.Load()) * each; counts.Numbers != want {
		t.Errorf("%d numbers are stored, want %d of those answered and those found", counts.Numbers, want)
	}
	t.Logf("%d batches answered, %d not, of which %d were stored", done.Load(), lost.Load(), doubtful.Load())
}

// Promise: a database that no migration has seen is refused with a sentence that says what to do.
func TestOpenWithoutSchema(t *testing.T) {
	t.Parallel()
	if s, err := Open(t.Context(), Options{URL: services.Postgres(t)}); err == nil || !strings.Contains(err.Error(), "blabber-hive migrate") {
		t.Errorf("Open = %v, %v, want a sentence", s, err)
	}
}
