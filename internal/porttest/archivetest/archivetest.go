// Package archivetest is what every store must do for archives: give all it holds, take it again, and find what
// contradicts itself.
package archivetest

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/blabber-hive/blabber-hive/internal/archive"
	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/porttest/storetest"
)

// Store is a store that archives.
type Store interface {
	storetest.Store
	archive.Target
	archive.Auditor
}

// Fresh makes an empty database and returns how to open it; see storetest.Fresh.
type Fresh func(t *testing.T) (open func() Store)

// Run tests a store.
func Run(t *testing.T, fresh Fresh) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, Fresh){
		"what was exported is imported":                        roundTrip,
		"an import that was cut short goes on":                 cutShort,
		"an instance that holds anything else is refused":      notEmpty,
		"an export is of one moment":                           oneMoment,
		"rows that refer to nothing are refused":               dangling,
		"a store that fails ends an export with its own words": failingVisit,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, fresh)
		})
	}
}

func origin(id string) archive.Origin {
	return archive.Origin{ID: id, At: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), Version: "test"}
}

func ignore(archive.Progress) {}

func export(t storetest.TB, s Store, id string) []byte {
	t.Helper()
	var file bytes.Buffer
	if _, err := archive.Export(context.Background(), s, origin(id), &file, ignore); err != nil {
		t.Fatalf("Export: %v", err)
	}
	return file.Bytes()
}

func take(t storetest.TB, s Store, file []byte) {
	t.Helper()
	if _, err := archive.Import(context.Background(), s, bytes.NewReader(file), ignore); err != nil {
		t.Fatalf("Import: %v", err)
	}
}

func sound(t storetest.TB, s Store) {
	t.Helper()
	if _, err := archive.Verify(context.Background(), s, func(finding string) { t.Errorf("finding: %s", finding) }); err != nil {
		t.Fatalf("Verify: %v", err)
	}
}

// instances are models that share one database, as random acts made them.
type instances struct {
	store Store
	all   []*storetest.Instance
}

func (n *instances) add(t *rapid.T, acts int) {
	i := storetest.NewInstance(t, func() storetest.Store { return n.store }, 1+len(n.all))
	n.all = append(n.all, i)
	i.Populate(t, acts)
}

// Promise: of a random instance everything comes back, an export of the copy is the same file, and both verify.
func roundTrip(t *testing.T, fresh Fresh) {
	source := &instances{store: fresh(t)()}
	var runs atomic.Int64
	rapid.Check(t, func(rt *rapid.T) {
		source.add(rt, rapid.IntRange(1, 10).Draw(rt, "acts"))
		if runs.Add(1)%20 != 0 { // each copy is a database of its own
			return
		}
		sound(rt, source.store)
		file := export(rt, source.store, "one")
		copied := fresh(t)()
		take(rt, copied, file)
		sound(rt, copied)
		if again := export(rt, copied, "one"); !bytes.Equal(file, again) {
			rt.Fatalf("an export of the copy has %d bytes and is another than the first, of %d", len(again), len(file))
		}
		for _, i := range source.all[max(0, len(source.all)-10):] {
			i.Check(rt, copied)
		}
	})
}

// large is an instance whose archive needs several puts.
func large(t *testing.T, s Store) *storetest.Instance {
	t.Helper()
	i := storetest.NewInstance(t, func() storetest.Store { return s }, 1)
	mina, joon := i.AddUser(t, "mina"), i.AddUser(t, "joon")
	for range 3 {
		r := i.AddRoom(t, chat.Private, mina, joon)
		first := i.Say(r, mina, "first", joon.ID)
		events := []chat.Event{i.TellRoom(r, mina, chat.RoomCreated), first}
		events[0], events[1] = events[1], events[0] // in the order in which they were numbered
		for range 700 {
			events = append(events, i.Say(r, joon, "word"), i.Edit(r, first.Message, "edited", mina.ID))
		}
		events = append(events, i.Resend(r, first), i.Say(r, joon, "the end"))
		i.Commit(t, events...)
		i.MarkRead(t, r, joon, 500)
		if err := s.Update(t.Context(), r.ID, func(tx chat.RoomTx) error {
			return tx.Emit(chat.OutboxEntry{ID: i.MessageID(), Room: r.ID, Payload: []byte("told later")})
		}); err != nil {
			t.Fatal(err)
		}
	}
	return i
}

// cutting is a target that fails after some puts.
type cutting struct {
	Store
	puts int
}

var errCut = errors.New("the power failed")

func (c *cutting) Put(ctx context.Context, rows []chat.Row) error {
	if c.puts--; c.puts < 0 {
		return errCut
	}
	return c.Store.Put(ctx, rows)
}

func (c *cutting) EndImport(ctx context.Context, archive string) error {
	if c.puts--; c.puts < 0 {
		return errCut
	}
	return c.Store.EndImport(ctx, archive)
}

// Promise: wherever an import is cut, it goes on when started again, also by another process, and ends with the same; once
// it is whole, starting it again changes nothing, whatever was said since.
func cutShort(t *testing.T, fresh Fresh) {
	source := fresh(t)()
	i := large(t, source)
	file := export(t, source, "one")
	for puts := range 6 { // five puts, and the end
		open := fresh(t)
		s := open()
		if _, err := archive.Import(t.Context(), &cutting{s, puts}, bytes.NewReader(file), ignore); !errors.Is(err, errCut) {
			t.Fatalf("Import cut after %d puts = %v, want its failure", puts, err)
		}
		s = open()
		take(t, s, file)
		i.Check(t, s)
		sound(t, s)
		if again := export(t, s, "one"); !bytes.Equal(file, again) {
			t.Errorf("after a cut at put %d the copy is another", puts)
		}
		if puts != 0 {
			continue
		}
		r := i.Rooms[0]
		if _, err := s.Commit(t.Context(), chat.Batch{Partition: 9, To: 1, Events: []chat.Event{{
			Room: r.ID, Seq: r.Head + 1, Kind: chat.KindMember, At: i.Now(), Actor: i.Users[0].Profile, RecordID: i.MessageID(),
			Member: &chat.MemberDetail{User: i.Users[0].Profile, Role: chat.Owner, Change: chat.MemberRole},
		}}}); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(
			s.Update(t.Context(), i.Rooms[1].ID, chat.RoomTx.DeleteRoom),
			s.Update(t.Context(), r.ID, func(tx chat.RoomTx) error { return tx.RemoveMember(i.Users[1].ID) }),
		); err != nil {
			t.Fatal(err)
		}
		later := export(t, s, "two")
		take(t, s, file)
		if again := export(t, s, "two"); !bytes.Equal(later, again) {
			t.Error("an import that was whole already changed something")
		}
	}
}

func notEmpty(t *testing.T, fresh Fresh) {
	source := fresh(t)()
	large(t, source)
	file, other := export(t, source, "one"), export(t, source, "another")
	refused := func(name string, s Store, file []byte) {
		t.Helper()
		before := export(t, s, "check")
		_, err := archive.Import(t.Context(), s, bytes.NewReader(file), ignore)
		refusal, ok := errors.AsType[*chat.Error](err)
		if !ok || refusal.Code != chat.Conflict || !strings.Contains(refusal.Detail, "empty data directory") {
			t.Errorf("%s: Import = %v, want a conflict with a sentence", name, err)
		}
		if !bytes.Equal(before, export(t, s, "check")) {
			t.Errorf("%s: the refused import changed something", name)
		}
	}
	refused("the instance that was exported", source, file)
	used := fresh(t)()
	storetest.NewInstance(t, func() storetest.Store { return used }, 1).AddUser(t, "somebody")
	refused("an instance with one person", used, file)
	begun := fresh(t)()
	if _, err := archive.Import(t.Context(), &cutting{begun, 0}, bytes.NewReader(file), ignore); !errors.Is(err, errCut) {
		t.Fatal(err)
	}
	refused("the beginning of another archive", begun, other)
	half := fresh(t)()
	if _, err := archive.Import(t.Context(), &cutting{half, 1}, bytes.NewReader(file), ignore); !errors.Is(err, errCut) {
		t.Fatal(err)
	}
	refused("half of another archive", half, other)
	take(t, half, file)
	refused("the whole of another archive", half, other)
}

// Promise: what is said while an export runs is not in it.
func oneMoment(t *testing.T, fresh Fresh) {
	s := fresh(t)()
	i := large(t, s)
	before := export(t, s, "one")
	var file bytes.Buffer
	r := i.Rooms[1]
	if _, err := archive.Export(t.Context(), s, origin("one"), &file, func(archive.Progress) {
		i.Commit(t, i.Say(r, i.Users[0], "meanwhile"))
	}); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(before, file.Bytes()) {
		t.Error("the export has what was said while it ran")
	}
	if bytes.Equal(before, export(t, s, "one")) {
		t.Error("nothing was said meanwhile")
	}
}

func dangling(t *testing.T, fresh Fresh) {
	source := fresh(t)()
	i := large(t, source)
	room, nowhere := i.Rooms[0].ID, chat.RoomID(i.MessageID())
	mina, nobody := i.Users[0], i.NewUser("nobody").Profile
	at := i.Now()
	s := fresh(t)()
	take(t, s, export(t, source, "one"))
	member := func(room chat.RoomID, user chat.Profile) chat.Row {
		return chat.Row{Member: &chat.Member{Room: room, User: user, Role: chat.Plain, JoinedAt: at, Notify: chat.NotifyAll}}
	}
	number := func(room chat.RoomID, seq chat.Seq, id chat.MessageID, kind chat.Kind) chat.Row {
		l := &chat.LogRow{Event: chat.Event{Room: room, Seq: seq, Kind: kind, At: at, Actor: mina.Profile, RecordID: id}}
		if kind == chat.KindMessage {
			l.Message = &chat.Message{ID: id, Room: room, Seq: seq, Sender: mina.Profile, CreatedAt: at}
		}
		return chat.Row{Log: l}
	}
	head, known := i.Rooms[0].Head, i.Rooms[0].Log[5].RecordID
	twin := i.NewUser(mina.Username)
	before := export(t, s, "check")
	for name, row := range map[string]chat.Row{
		"a member of no room":      member(nowhere, mina.Profile),
		"a member without account": member(room, nobody),
		"a ban in no room":         {Ban: &chat.Ban{Room: nowhere, User: mina.Profile, By: mina.ID, At: at}},
		"a ban of nobody":          {Ban: &chat.Ban{Room: room, User: nobody, By: mina.ID, At: at}},
		"an invite to no room":     {Invite: &chat.Invite{Code: "x", Room: nowhere, CreatedBy: mina.Profile, CreatedAt: at}},
		"a number of no room":      number(nowhere, 1, i.MessageID(), chat.KindMessage),
		"a number after a hole":    number(room, head+2, i.MessageID(), chat.KindMessage),
		"a record that stands":     number(room, head+1, known, chat.KindMessage),
		"a number of unknown kind": number(room, head+1, i.MessageID(), "song"),
		"two people with one name": {Account: &chat.Account{User: twin}},
	} {
		if err := s.Put(t.Context(), []chat.Row{row}); chat.CodeOf(err) != chat.Invalid {
			t.Errorf("Put %s = %v, want invalid", name, err)
		}
	}
	if !bytes.Equal(before, export(t, s, "check")) {
		t.Error("a refused row changed something")
	}
}

func failingVisit(t *testing.T, fresh Fresh) {
	s := fresh(t)()
	large(t, s)
	for stop := range 12 {
		rows := 0
		err := s.Rows(t.Context(), func(chat.Row) error {
			if rows == stop {
				return errCut
			}
			rows++
			return nil
		})
		if !errors.Is(err, errCut) {
			t.Errorf("Rows stopped at %d = %v, want the visitor's error", stop, err)
		}
	}
}
