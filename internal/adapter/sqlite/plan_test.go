package sqlite

import (
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/adapter/sqlite/engine"
	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/porttest/storetest"
)

// Promise: no statement walks a table that grows. Every statement that the store prepares when all of its methods are
// called is asked for its plan.
func TestPlans(t *testing.T) {
	t.Parallel()
	s := setup(t, Options{})
	useEverything(t, s)
	plans := 0
	check := func(c *engine.Conn) {
		for _, query := range c.Statements() {
			if word, _, _ := strings.Cut(query, " "); strings.Contains("begin commit rollback savepoint release pragma explain", word) {
				continue
			}
			plans++
			for _, step := range plan(t, c, query) {
				if bad := badStep(query, step); bad != "" {
					t.Errorf("%s: %s\n\t%s", bad, step, query)
				}
			}
		}
	}
	if err := s.db.Write(t.Context(), func(c *engine.Conn) error { check(c); return nil }); err != nil {
		t.Fatal(err)
	}
	if err := readers(t, s, engine.ReadersMax, check); err != nil {
		t.Fatal(err)
	}
	if plans < 60 {
		t.Errorf("%d statements were seen; the store has more", plans)
	}
}

// badStep names what is wrong with a step of a plan. SCAN walks a table or index from its beginning.
func badStep(query, step string) string {
	scan, isScan := strings.CutPrefix(step, "SCAN ")
	table, _, _ := strings.Cut(scan, " ")
	switch {
	case isScan && table == "n", isScan && strings.HasPrefix(table, "("), isScan && table == "CONSTANT":
		return "" // a subquery's rows, which it bounds itself
	case isScan && strings.Contains(query, "select no from rooms where id is null"):
		return "" // the index of deleted rooms, of which there are hardly any
	case isScan && strings.Contains(query, "from outbox"):
		return "" // by position, from one on
	case isScan:
		return "walks a table"
	case strings.Contains(step, "AUTOMATIC"):
		return "makes an index each time"
	case strings.Contains(step, "TEMP B-TREE") && !strings.Contains(query, "where p.user = ? order by r.last_activity_at desc") &&
		!strings.Contains(query, "union") && !strings.Contains(query, "order by seq)") && !strings.Contains(query, ") order by seq"):
		return "sorts" // but for the rooms of one person, and pages that are read backwards
	}
	return ""
}

// readers borrows that many connections at once, and so all of them.
func readers(t *testing.T, s *Store, count int, check func(c *engine.Conn)) error {
	t.Helper()
	if count == 0 {
		return nil
	}
	return s.db.Read(t.Context(), func(c *engine.Conn) error {
		check(c)
		return readers(t, s, count-1, check)
	})
}

func plan(t *testing.T, c *engine.Conn, query string) (steps []string) {
	t.Helper()
	// A plan needs no values, but each parameter needs one: at most as many as there are question marks.
	args := make([]any, max(strings.Count(query, "?"), 1))
	if err := c.Each("explain query plan "+query, args, func(rows *sql.Rows) error {
		var id, parent, unused sql.NullInt64
		var step string
		err := rows.Scan(&id, &parent, &unused, &step)
		steps = append(steps, step)
		return err
	}); err != nil {
		t.Fatalf("%v\n\t%s", err, query)
	}
	return steps
}

// useEverything calls every method of the store.
func useEverything(t *testing.T, s *Store) {
	t.Helper()
	i := storetest.NewInstance(t, func() storetest.Store { return s }, 0)
	mina, joon := i.AddUser(t, "mina"), i.AddUser(t, "joon")
	r, gone := i.AddRoom(t, chat.Public, mina, joon), i.AddRoom(t, chat.Private, mina)
	said := i.Say(r, mina, "@joon", joon.ID)
	i.Commit(t, said, i.Say(gone, mina, "gone"))
	i.Commit(t, i.Edit(r, said.Message, "@mina", mina.ID), i.Tell(r, mina, joon, chat.MemberRole), i.Resend(r, said))
	i.Check(t, s)
	i.MarkRead(t, r, joon, 1)
	i.MarkUnread(t, r, joon, 1)
	at := i.Now()
	must := func(errs ...error) {
		t.Helper()
		for _, err := range errs {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	must(s.SetNotify(t.Context(), r.ID, joon.ID, chat.NotifyNone), s.Update(t.Context(), r.ID, func(tx chat.RoomTx) error {
		_, err := tx.Room()
		must(err)
		_, err = tx.Owners()
		must(err)
		must(tx.PutRoom(r.Room), tx.PutBan(chat.Ban{User: joon.Profile, By: mina.ID, At: at}),
			tx.PutInvite(chat.Invite{Code: "code", CreatedBy: mina.Profile, CreatedAt: at}), tx.Emit(chat.OutboxEntry{Payload: []byte{}}))
		_, err = tx.Member(joon.ID)
		must(err)
		_, err = tx.Ban(joon.ID)
		must(err)
		_, err = tx.Invite("code")
		must(err)
		return nil
	}))
	for _, query := range []chat.HistoryQuery{{Limit: 5}, {Around: 1, Limit: 5}, {After: 1, Limit: 5}} {
		_, _, err := s.Messages(t.Context(), r.ID, query)
		must(err)
	}
	_, err := s.Bans(t.Context(), r.ID)
	must(err)
	_, err = s.Invites(t.Context(), r.ID, mina.ID)
	must(err)
	_, err = s.Invite(t.Context(), "code")
	must(err)
	_, _, err = s.PublicRooms(t.Context(), joon.ID, "x", "", 10)
	must(err)
	_, err = s.MembersNamed(t.Context(), r.ID, []string{"joon"})
	must(err)
	_, err = s.Outbox(t.Context(), 0, 10)
	must(err)
	must(s.OutboxDone(t.Context(), []int64{99}), s.Update(t.Context(), r.ID, func(tx chat.RoomTx) error {
		must(tx.RemoveBan(joon.ID), tx.RemoveInvite("code"), tx.RemoveMember(joon.ID))
		return nil
	}))
	_, _, err = s.SearchUsers(t.Context(), "x", "", 10)
	must(err)
	_, err = s.UpdateUser(t.Context(), mina.ID, func(*chat.User) error { return nil })
	must(err)
	_, err = s.Key(t.Context(), "key", []byte("x"))
	must(err)
	session := i.AddSession(t, mina, [32]byte{1})
	for n, spent := range []byte{1, 1, 9} {
		_, _, err = s.RotateRefresh(t.Context(), [32]byte{spent}, [32]byte{2, byte(n)}, at.Add(time.Duration(n)*time.Second), at.Add(time.Hour), chat.RefreshGrace{Lost: time.Hour})
		must(err)
	}
	_, err = s.Session(t.Context(), session.ID)
	must(err)
	_, err = s.LivingSessions(t.Context(), []chat.SessionID{session.ID}, at)
	must(err)
	_, err = s.EnabledUsers(t.Context(), []chat.UserID{mina.ID})
	must(err)
	_, err = s.Heads(t.Context(), []chat.RoomID{r.ID})
	must(err)
	_, err = s.SessionsOf(t.Context(), mina.ID, at)
	must(err)
	must(s.DeleteSession(t.Context(), mina.ID, session.ID), s.SetPassword(t.Context(), mina.ID, "x", chat.SessionID{}))
	_, err = s.Position(t.Context(), 0)
	must(err)
	must(s.db.Write(t.Context(), func(c *engine.Conn) error { return purgeRoom(c, 1<<40) })) // nothing there
	i.DeleteRoom(t, gone)
}
