package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/porttest/services"
)

// Promise: every connection says who it is and when the server is to give up, whatever the server was set up with; what the
// address says itself wins.
func TestSettings(t *testing.T) {
	t.Parallel()
	url := migrated(t)
	e := setup(t, Options{URL: url})
	read := func(call func(query string, args []any, into ...any) error, name string) (value string) {
		t.Helper()
		if err := call(`select current_setting($1)`, []any{name}, &value); err != nil {
			t.Fatal(err)
		}
		return value
	}
	row := func(query string, args []any, into ...any) error { return e.Row(t.Context(), query, args, into...) }
	for name, want := range map[string]string{
		"application_name": "blabber-hive", "statement_timeout": "10s", "lock_timeout": "5s", "idle_in_transaction_session_timeout": "15s", "jit": "off",
	} {
		if got := read(row, name); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	if err := e.Commit(t.Context(), func(c *Conn) error {
		if got := read(c.Row, "statement_timeout"); got != "1min" {
			t.Errorf("a batch's statement has %s, want 1min", got)
		}
		if got := read(c.Row, "transaction_isolation"); got != "read committed" {
			t.Errorf("a change is %s, want read committed", got)
		}
		if got := read(c.Row, "enable_seqscan"); got != "off" {
			t.Errorf("a batch may read whole tables: enable_seqscan is %s", got)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := e.Long(t.Context(), func(c *Conn) error {
		if limit, isolation, only := read(c.Row, "statement_timeout"), read(c.Row, "transaction_isolation"), read(c.Row, "transaction_read_only"); limit != "0" || isolation != "repeatable read" || only != "on" {
			t.Errorf("a long read has %s, %s, read only %s", limit, isolation, only)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	own := setup(t, Options{URL: url + "&statement_timeout=7000"})
	row = func(query string, args []any, into ...any) error { return own.Row(t.Context(), query, args, into...) }
	if got := read(row, "statement_timeout"); got != "7s" {
		t.Errorf("statement_timeout is %s, want the address's 7s", got)
	}
}

// Promise: a change that fails, or panics, leaves nothing, and its error comes back; the connection serves the next.
func TestFailedChanges(t *testing.T) {
	t.Parallel()
	e := setup(t, Options{Changes: 1})
	errOwn := errors.New("no")
	for name, tc := range map[string]struct {
		after func(c *Conn) error
		want  func(err error) bool
	}{
		"its own error":    {func(*Conn) error { return errOwn }, func(err error) bool { return errors.Is(err, errOwn) }},
		"a refusal":        {func(*Conn) error { return chat.ErrNotFound }, func(err error) bool { return chat.CodeOf(err) == chat.NotFound }},
		"a panic":          {func(*Conn) error { panic("a bug") }, func(err error) bool { return err != nil }},
		"a broken rule":    {func(c *Conn) error { _, err := c.Exec(`insert into pairs values (2, 100)`); return err }, func(err error) bool { return Violates(err, "b_is_small") }},
		"a swallowed one":  {func(c *Conn) error { _, _ = c.Exec(`insert into pairs values (2, 100)`); return nil }, func(err error) bool { return Violates(err, "b_is_small") }},
		"what is there":    {func(c *Conn) error { _, err := c.Exec(`insert into pairs values (1, 1)`); return err }, func(err error) bool { return chat.CodeOf(err) == chat.Conflict }},
		"nothing was read": {func(c *Conn) error { return c.Row(`select a from pairs where a = 9`, nil, new(int)) }, func(err error) bool { return errors.Is(err, chat.ErrNotFound) }},
	} {
		if err := e.Change(t.Context(), func(c *Conn) error {
			if _, err := c.Exec(`insert into pairs values (1, 1)`); err != nil {
				return err
			}
			return tc.after(c)
		}); !tc.want(err) {
			t.Errorf("%s: %v", name, err)
		}
		var rows int
		if err := e.Row(t.Context(), `select count(*) from pairs`, nil, &rows); err != nil || rows != 0 {
			t.Errorf("%s left %d rows, %v", name, rows, err)
		}
	}
	if stat := e.changes.Stat(); stat.NewConnsCount() != 1 {
		t.Errorf("%d connections were opened, want one: a failed change must not cost a connection", stat.NewConnsCount())
	}
}

// Promise: of two transactions that wait for each other one is broken off and run again, and both succeed.
func TestDeadlocksAreRunAgain(t *testing.T) {
	t.Parallel()
	e := setup(t, Options{})
	for a := range 2 {
		if err := put(e, t.Context(), a, 0); err != nil {
			t.Fatal(err)
		}
	}
	var both, all sync.WaitGroup
	both.Add(2)
	for n := range 2 {
		all.Go(func() {
			runs := 0
			if err := e.Change(t.Context(), func(c *Conn) error {
				runs++
				if _, err := c.Exec(`update pairs set b = b + 1 where a = $1`, n); err != nil {
					return err
				}
				if runs == 1 { // hold one, then want the other's
					both.Done()
					both.Wait()
				}
				_, err := c.Exec(`update pairs set b = b + 1 where a = $1`, 1-n)
				if err != nil {
					return errors.New("said otherwise, as a change may do") // the server's word counts
				}
				return nil
			}); err != nil {
				t.Errorf("Change: %v", err)
			}
		})
	}
	all.Wait()
	var sum int
	if err := e.Row(t.Context(), `select sum(b) from pairs`, nil, &sum); err != nil || sum != 4 {
		t.Errorf("the sum is %d, %v, want 4", sum, err)
	}
}

// Promise: whoever stops waiting gets its context's error soon, the server stops too, and the connection lives on.
func TestCancellation(t *testing.T) {
	t.Parallel()
	e := setup(t, Options{Reads: 1})
	if err := e.Row(t.Context(), `select 1`, nil, new(int)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeoutCause(t.Context(), 100*time.Millisecond, context.DeadlineExceeded)
	defer cancel()
	began := time.Now()
	if err := e.Row(ctx, `select 1 from pg_sleep(30)`, nil, new(int)); chat.CodeOf(err) != chat.Unavailable {
		t.Errorf("a read beyond its deadline: %v, want unavailable", err)
	}
	gone, leave := context.WithCancel(t.Context())
	stop := context.AfterFunc(gone, func() {})
	defer stop()
	timer := time.AfterFunc(100*time.Millisecond, leave)
	defer timer.Stop()
	if err := e.Row(gone, `select 1 from pg_sleep(30)`, nil, new(int)); !errors.Is(err, context.Canceled) {
		t.Errorf("a read that nobody waits for: %v, want canceled", err)
	}
	if err := e.Row(t.Context(), `select 1`, nil, new(int)); err != nil {
		t.Errorf("the next read: %v", err)
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("it took %v", took)
	}
	if stat := e.reads.Stat(); stat.NewConnsCount() != 1 {
		t.Errorf("%d connections were opened, want one", stat.NewConnsCount())
	}
}

// Promise: changes that wait for a lock, as many as there may be, keep no read from its connection.
func TestReadsDoNotWait(t *testing.T) {
	t.Parallel()
	e := setup(t, Options{Changes: 2, Reads: 1})
	if err := put(e, t.Context(), 1, 0); err != nil {
		t.Fatal(err)
	}
	held, release := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		if err := e.Commit(t.Context(), func(c *Conn) error {
			if _, err := c.Exec(`update pairs set b = 1 where a = 1`); err != nil {
				return err
			}
			close(held)
			<-release
			return nil
		}); err != nil {
			t.Errorf("Commit: %v", err)
		}
	})
	<-held
	for range 5 {
		all.Go(func() {
			if err := e.One(t.Context(), `update pairs set b = b + 1 where a = 1`); err != nil {
				t.Errorf("One: %v", err)
			}
		})
	}
	for {
		var waiting, b int
		if err := e.Row(t.Context(), `select count(*), (select b from pairs where a = 1) from pg_locks where not granted and pid <> pg_backend_pid()
			and pid in (select pid from pg_stat_activity where datname = current_database())`, nil, &waiting, &b); err != nil || b != 0 {
			t.Fatalf("a read beside a lock: %d, %v", b, err)
		}
		if waiting == 2 {
			break
		}
	}
	close(release)
	all.Wait()
}

// Promise: whatever becomes of the server, calls answer unavailable, and succeed when it is back, without being opened again.
func TestServerRestarts(t *testing.T) {
	t.Parallel()
	server, err := services.NewFolder(t).StartPostgres(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Migrate(t.Context(), server.URL, schema); err != nil {
		t.Fatal(err)
	}
	e := setup(t, Options{URL: server.URL})
	away := func(name string) {
		t.Helper()
		for act, err := range map[string]error{
			"a read": e.Row(t.Context(), `select 1`, nil, new(int)), "a change": put(e, t.Context(), 1000, 1),
			"a commit":    e.Commit(t.Context(), func(c *Conn) error { _, err := c.Exec(`select 1`); return err }),
			"a long read": e.Long(t.Context(), func(c *Conn) error { return c.Row(`select 1`, nil, new(int)) }),
		} {
			if chat.CodeOf(err) != chat.Unavailable {
				t.Errorf("%s while the server is %s: %v, want unavailable", act, name, err)
			}
		}
	}
	back := func(name string, a int) {
		t.Helper()
		if err := server.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := put(e, t.Context(), a, 1); err != nil {
			t.Errorf("the first change after %s: %v", name, err)
		}
		if err := e.Row(t.Context(), `select 1`, nil, new(int)); err != nil {
			t.Errorf("the first read after %s: %v", name, err)
		}
	}
	if err := put(e, t.Context(), 0, 1); err != nil {
		t.Fatal(err)
	}
	server.Kill()
	away("killed")
	back("the kill", 1)
	if err := server.End(t.Context()); err != nil { // tells its clients to go: 57P01
		t.Fatal(err)
	}
	away("stopped")
	back("the stop", 2)
	// Read only, as a server is that has become a standby.
	if err := e.Change(t.Context(), func(c *Conn) error {
		_, err := c.Exec(`set transaction read only`)
		if err == nil {
			_, err = c.Exec(`insert into pairs values (5, 5)`)
		}
		return err
	}); chat.CodeOf(err) != chat.Unavailable {
		t.Errorf("a change on a standby: %v, want unavailable", err)
	}
	if err := put(e, t.Context(), 6, 6); err != nil {
		t.Errorf("the change after that: %v", err)
	}
}

// Promise: a server that takes no more connections is away, and nobody else's fault.
func TestTooManyConnections(t *testing.T) {
	t.Parallel()
	server, err := services.NewFolder(t).StartPostgres(t.Context(), map[string]string{"max_connections": "4", "superuser_reserved_connections": "0", "max_wal_senders": "0"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Migrate(t.Context(), server.URL, schema); err != nil {
		t.Fatal(err)
	}
	e := setup(t, Options{URL: server.URL, Reads: 20})
	var others []*pgx.Conn
	for range 10 {
		other, err := pgx.Connect(t.Context(), server.URL)
		if err != nil {
			break // full
		}
		others = append(others, other)
	}
	if err := put(e, t.Context(), 1, 1); chat.CodeOf(err) != chat.Unavailable {
		t.Errorf("a change beside %d connections of others: %v, want unavailable", len(others), err)
	}
	for _, other := range others {
		if err := other.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	var err2 error
	for range 100 { // the server notices in its own time that they are gone
		if err2 = put(e, t.Context(), 1, 1); err2 == nil {
			return
		}
	}
	t.Errorf("a change after the others have gone: %v", err2)
}

// Promise: a database that cannot be reached or lacks its schema is refused with a sentence when it is opened.
func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	if e, err := Open(t.Context(), Options{URL: "postgres://nobody:secret@127.0.0.1:1/none?sslmode=disable"}, schema); chat.CodeOf(err) != chat.Unavailable {
		t.Errorf("Open of nothing = %v, %v, want unavailable", e, err)
	}
	for _, url := range []string{"postgres://:::", "http://example.org:0x/", "postgres://u:secret@h/d?sslmode=perhaps"} {
		if e, err := Open(t.Context(), Options{URL: url}, schema); err == nil || fmt.Sprint(err) == "" || containsSecret(err) {
			t.Errorf("Open(%q) = %v, %v", url, e, err)
		}
	}
	empty := services.Postgres(t)
	if e, err := Open(t.Context(), Options{URL: empty}, schema); chat.CodeOf(err) != chat.Conflict || chat.DetailOf(err) != "the database is of version 0 and this binary needs 1: run 'blabber-hive migrate' first" {
		t.Errorf("Open of an empty database = %v, %v", e, err)
	}
}

func containsSecret(err error) bool {
	text := err.Error()
	for i := range len(text) - len("secret") + 1 {
		if text[i:i+len("secret")] == "secret" {
			return true
		}
	}
	return false
}
