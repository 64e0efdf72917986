package postgres

import (
	"encoding/binary"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/column"
	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/engine"
	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/porttest/services"
)

// bench is a store with rooms, made quickly, and the next number of each.
type bench struct {
	s     *Store
	url   string
	users []chat.User
	rooms []chat.RoomID
	heads []chat.Seq
	ids   uint64
	turn  int
	at    time.Time
}

func (b *bench) id() (id [16]byte) {
	b.ids++
	binary.BigEndian.PutUint64(id[:8], uint64(b.at.UnixMilli()+int64(b.ids/50))<<16)
	binary.BigEndian.PutUint64(id[8:], b.ids*0x9E3779B97F4A7C15) // spread, as the random part of an id is
	id[6] = 0x70
	return id
}

// newBench opens a store whose commits wait for the disk, as a cluster's do.
func newBench(tb testing.TB, rooms, members int) *bench {
	tb.Helper()
	b := &bench{url: services.Postgres(tb), heads: make([]chat.Seq, rooms), at: time.UnixMilli(1_790_000_000_000).UTC()}
	if _, err := Migrate(tb.Context(), b.url); err != nil {
		tb.Fatal(err)
	}
	b.s = setup(tb, Options{URL: b.url})
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

// events are the next messages, of all rooms in turn.
func (b *bench) events(n int) []chat.Event {
	events := make([]chat.Event, n)
	for i := range events {
		room := b.turn * 7919 % len(b.rooms)
		b.turn++
		b.heads[room]++
		m := &chat.Message{ID: b.id(), Room: b.rooms[room], Seq: b.heads[room], Sender: b.users[b.ids%uint64(len(b.users))].Profile, Body: benchBody, CreatedAt: b.at}
		events[i] = chat.Event{Room: m.Room, Seq: m.Seq, Kind: chat.KindMessage, At: m.CreatedAt, Actor: m.Sender, RecordID: m.ID, Message: m}
	}
	return events
}

// contender is one way to bring messages into the database.
type contender struct {
	name  string
	bench *bench
	bare  *pgx.Conn
	store func(tb testing.TB, c *contender, events []chat.Event)
	spent time.Duration
	cpu   time.Duration // of its server processes before the first turn
	rows  int
	at    chat.Offset
}

// commit goes through the store.
func commit(tb testing.TB, c *contender, events []chat.Event) {
	if _, err := c.bench.s.Commit(tb.Context(), chat.Batch{From: c.at, To: c.at + 1, Events: events}); err != nil {
		tb.Fatal(err)
	}
	c.at++
}

// bareRows are the rows that a commit of the events would write; rooms have their place as number.
func bareRows(c *contender, events []chat.Event) []*messageRow {
	places := make(map[chat.RoomID]int64)
	for n, room := range c.bench.rooms {
		places[room] = int64(n + 1)
	}
	rows := make([]*messageRow, len(events))
	for i := range events {
		rows[i] = &messageRow{room: places[events[i].Room], seq: events[i].Seq, first: events[i].Message, state: events[i].Message}
	}
	return rows
}

// copyBare does nothing but COPY, into the same table with the same indexes.
func copyBare(tb testing.TB, c *contender, events []chat.Event) {
	if _, err := c.bare.CopyFrom(tb.Context(), pgx.Identifier{"messages"}, copiedColumns(), copiedRows(bareRows(c, events))); err != nil {
		tb.Fatal(err)
	}
}

// insertOne is a transaction for each message, and nothing but the message. It takes a part of the events: it is slow.
func insertOne(tb testing.TB, c *contender, events []chat.Event) {
	for _, row := range bareRows(c, events) {
		m := row.first
		if _, err := c.bare.Exec(tb.Context(), `insert into messages (room_id, seq, created_at, id, sender, fingerprint, body) values ($1, $2, $3, $4, $5, $6, $7)`,
			row.room, column.Num(m.Seq), column.At(m.CreatedAt), column.ID(m.ID), column.ID(m.Sender.ID), [16]byte(m.Fingerprint), m.Body); err != nil {
			tb.Fatal(err)
		}
	}
}

// Rows a second by rows a commit and rooms written in turn. All take turns in one run, each with a database of its own on one
// server, so that a machine that is busy with something else is so for all of them. "commit" is the store's whole work: the
// offset, the locks, the search for repeats, the heads, with messages always as arrays or always by COPY; "bare copy" and
// "one insert" are the messages alone.
func BenchmarkInsert(b *testing.B) {
	for _, rooms := range []int{50, 1000} {
		for _, rows := range []int{100, 1000, 5000} {
			b.Run(fmt.Sprintf("rooms=%d/rows=%d", rooms, rows), func(b *testing.B) {
				contenders := []*contender{
					{name: "commit-arrays", store: commit}, {name: "commit-copy", store: commit}, {name: "bare-copy", store: copyBare}, {name: "one-insert", store: insertOne},
				}
				for n, c := range contenders {
					c.bench = newBench(b, rooms, 1)
					c.bench.s.insert = [...]func(*engine.Conn, *engine.Batch, []*messageRow) error{insertArrays, copyMessages, nil, nil}[n]
					var err error
					if c.bare, err = pgx.Connect(b.Context(), c.bench.url); err != nil {
						b.Fatal(err)
					}
					c.turn(b, rows) // statements are prepared
					c.spent, c.rows, c.cpu = 0, 0, c.serverCPU(b)
				}
				b.ResetTimer()
				for b.Loop() {
					for _, c := range contenders {
						c.turn(b, rows)
					}
				}
				for _, c := range contenders {
					b.ReportMetric(float64(c.rows)/c.spent.Seconds(), c.name+"-rows/s")
					if cpu := c.serverCPU(b) - c.cpu; cpu > 0 {
						b.ReportMetric(float64(cpu.Microseconds())/float64(c.rows), c.name+"-cpu-us/row")
					}
					if err := c.bare.Close(b.Context()); err != nil {
						b.Error(err)
					}
				}
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

func (c *contender) turn(tb testing.TB, rows int) {
	if c.name == "one-insert" {
		rows = min(rows, 100)
	}
	events := c.bench.events(rows)
	began := time.Now()
	c.store(tb, c, events)
	c.spent += time.Since(began)
	c.rows += rows
}

// serverCPU is the time that the server's processes for the contender's database have computed, which says more than the clock on
// a busy machine; zero where they are not on this one.
func (c *contender) serverCPU(tb testing.TB) (cpu time.Duration) {
	tb.Helper()
	const tick = 10 * time.Millisecond // of /proc, on every Linux that Go runs on
	rows, err := c.bare.Query(tb.Context(), `select pid from pg_stat_activity where datname = current_database()`)
	if err != nil {
		tb.Fatal(err)
	}
	pids, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil {
		tb.Fatal(err)
	}
	for _, pid := range pids {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return 0
		}
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		for _, field := range fields[11:13] { // utime and stime
			ticks, err := strconv.Atoi(field)
			if err != nil {
				return 0
			}
			cpu += time.Duration(ticks) * tick
		}
	}
	return cpu
}

// What a client that connects asks first: 20 rooms, by how many unread messages each has.
func BenchmarkRoomsOf(b *testing.B) {
	for _, unread := range []int{0, 3, 200} {
		b.Run(fmt.Sprintf("unread=%d", unread), func(b *testing.B) {
			bench := newBench(b, 20, 3)
			for n := range 20 {
				if _, err := bench.s.Commit(b.Context(), chat.Batch{From: chat.Offset(n), To: chat.Offset(n + 1), Events: bench.events(1000)}); err != nil {
					b.Fatal(err)
				}
			}
			user := bench.users[0].ID
			for n, room := range bench.rooms {
				if _, err := bench.s.MarkRead(b.Context(), room, user, bench.heads[n]-min(chat.Seq(unread), bench.heads[n])); err != nil {
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

// What an owner reads of the rooms that it does not hold yet, by their number.
func BenchmarkLoad(b *testing.B) {
	bench := newBench(b, 50, 3)
	for n := range 50 {
		if _, err := bench.s.Commit(b.Context(), chat.Batch{From: chat.Offset(n), To: chat.Offset(n + 1), Events: bench.events(2000)}); err != nil {
			b.Fatal(err)
		}
	}
	for _, rooms := range []int{1, 50} {
		b.Run(fmt.Sprintf("rooms=%d", rooms), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if loaded, err := bench.s.Load(b.Context(), 0, bench.rooms[:rooms], nil); err != nil || len(loaded.Rooms) != rooms {
					b.Fatal(len(loaded.Rooms), err)
				}
			}
		})
	}
}
