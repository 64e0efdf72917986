package sqlite

import (
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// bench is a store with rooms, made quickly, and the next number of each.
type bench struct {
	s     *Store
	users []chat.User
	rooms []chat.RoomID
	heads []chat.Seq
	ids   uint64
	at    time.Time
}

func (b *bench) id() (id [16]byte) {
	b.ids++
	binary.BigEndian.PutUint64(id[:8], uint64(b.at.UnixMilli()+int64(b.ids/50))<<16)
	binary.BigEndian.PutUint64(id[8:], b.ids*0x9E3779B97F4A7C15) // spread, as the random part of an id is
	id[6] = 0x70
	return id
}

func newBench(tb testing.TB, rooms, members int) *bench {
	tb.Helper()
	b := &bench{s: setup(tb, Options{}), heads: make([]chat.Seq, rooms), at: time.UnixMilli(1_790_000_000_000).UTC()}
	for n := range members {
		user := chat.User{Profile: chat.Profile{ID: b.id(), Username: fmt.Sprint("user", n), DisplayName: fmt.Sprint("User ", n)}, CreatedAt: b.at}
		if err := b.s.CreateUser(tb.Context(), user, "hash"); err != nil {
			tb.Fatal(err)
		}
		b.users = append(b.users, user)
	}
	for n := range rooms {
		room := chat.RoomID(b.id())
		if err := b.s.Update(tb.Context(), room, func(tx chat.RoomTx) error {
			if err := tx.PutRoom(chat.Room{ID: room, Name: fmt.Sprint("Room ", n), Visibility: chat.Public, CreatedAt: b.at}); err != nil {
				return err
			}
			for _, user := range b.users {
				if err := tx.PutMember(chat.Member{User: user.Profile, Role: chat.Plain, JoinedAt: b.at, Notify: chat.NotifyAll}); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			tb.Fatal(err)
		}
		b.rooms = append(b.rooms, room)
	}
	return b
}

const benchBody = "A message of the length that people write most often, which is about a hundred and twenty bytes, sometimes with 한글 in it."

func (b *bench) message(room int) chat.Event {
	b.heads[room]++
	m := &chat.Message{ID: b.id(), Room: b.rooms[room], Seq: b.heads[room], Sender: b.users[b.ids%uint64(len(b.users))].Profile, Body: benchBody, CreatedAt: b.at}
	return chat.Event{Room: m.Room, Seq: m.Seq, Kind: chat.KindMessage, At: m.CreatedAt, Actor: m.Sender, RecordID: m.ID, Message: m}
}

func (b *bench) fill(tb testing.TB, perRoom int) {
	tb.Helper()
	for done := 0; done < perRoom; {
		n := min(1000, perRoom-done)
		for room := range b.rooms {
			batch := chat.Batch{Partition: room, From: chat.Offset(done), To: chat.Offset(done + n)}
			for range n {
				batch.Events = append(batch.Events, b.message(room))
			}
			if _, err := b.s.Commit(tb.Context(), batch); err != nil {
				tb.Fatal(err)
			}
		}
		done += n
	}
}

// Rows a second of one sequencer, by rows a commit and rooms written in turn.
func BenchmarkCommit(b *testing.B) {
	for _, rooms := range []int{100, 5000} {
		for _, rows := range []int{1, 10, 100, 1000} {
			b.Run(fmt.Sprintf("rooms=%d/rows=%d", rooms, rows), func(b *testing.B) {
				bench := newBench(b, rooms, 1)
				turn, offset := 0, chat.Offset(0)
				events := make([]chat.Event, rows)
				b.ReportAllocs()
				for b.Loop() {
					b.StopTimer()
					for n := range events {
						events[n] = bench.message(turn * 7919 % rooms)
						turn++
					}
					b.StartTimer()
					if _, err := bench.s.Commit(b.Context(), chat.Batch{From: offset, To: offset + 1, Events: events}); err != nil {
						b.Fatal(err)
					}
					offset++
				}
				b.ReportMetric(float64(turn)/b.Elapsed().Seconds(), "rows/s")
			})
		}
	}
}

// Commits a second of many writers who each wait for their own, as senders of read marks and owners of partitions do.
func BenchmarkGroupCommit(b *testing.B) {
	for _, writers := range []int{1, 10, 100, 1000} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			var commits atomic.Int64
			s := setup(b, Options{onCommit: func(CommitStats) { commits.Add(1) }})
			var all sync.WaitGroup
			each := max(1, b.N/writers)
			b.ResetTimer()
			for w := range writers {
				all.Go(func() {
					for n := range each {
						if _, err := s.Commit(b.Context(), chat.Batch{Partition: w, From: chat.Offset(n), To: chat.Offset(n + 1)}); err != nil {
							b.Error(err)
						}
					}
				})
			}
			all.Wait()
			b.ReportMetric(float64(each*writers)/b.Elapsed().Seconds(), "changes/s")
			b.ReportMetric(float64(each*writers)/float64(commits.Load()), "changes/fsync")
		})
	}
}

// What a client that connects asks first: 20 rooms, by how many unread messages each has.
func BenchmarkRoomsOf(b *testing.B) {
	for _, unread := range []int{0, 3, 200} {
		b.Run(fmt.Sprintf("unread=%d", unread), func(b *testing.B) {
			bench := newBench(b, 20, 3)
			bench.fill(b, 1000)
			user := bench.users[0].ID
			for _, room := range bench.rooms {
				if _, err := bench.s.MarkRead(b.Context(), room, user, chat.Seq(1000-unread)); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if rooms, err := bench.s.RoomsOf(b.Context(), user); err != nil || len(rooms) != 20 {
						b.Fatal(len(rooms), err)
					}
				}
			})
		})
	}
}

// A page of changes for a client that resumes.
func BenchmarkChanges(b *testing.B) {
	bench := newBench(b, 1, 3)
	bench.fill(b, 5000)
	for _, missed := range []int{1, 50, 1000} {
		b.Run(fmt.Sprintf("events=%d", missed), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				page, err := bench.s.Changes(b.Context(), bench.rooms[0], chat.Seq(5000-missed), 1000)
				if err != nil || len(page.Events) != missed {
					b.Fatal(len(page.Events), err)
				}
			}
		})
	}
}

// What numbering reads of a room that it does not hold yet.
func BenchmarkLoad(b *testing.B) {
	bench := newBench(b, 1, 3)
	bench.fill(b, 5000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := bench.s.Load(b.Context(), 0, bench.rooms[:1], nil); err != nil {
			b.Fatal(err)
		}
	}
}
