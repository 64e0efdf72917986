package e2e_test

import (
	"archive/tar"
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/blabber-hive/blabber-hive/test/e2e/client"
)

// anew gives the cluster a database of its own that holds nothing, not even tables.
func (s *small) anew(name string) {
	s.t.Helper()
	s.sql(`create database ` + name)
	address, err := url.Parse(s.postgres.URL)
	must(s.t, err)
	address.Path = "/" + name
	s.postgres.URL = address.String()
	s.node.env = append(s.node.env, "DATABASE_URL="+s.postgres.URL) // the last one counts
}

// exported are the rows of a table of an export, without what a replay cannot know. The export is made of what is stored now.
func (s *small) exported(tables ...string) map[string][]map[string]any {
	s.t.Helper()
	name := filepath.Join(s.t.TempDir(), "export.tar")
	if out, code := s.node.command("", "export", name); code != 0 {
		s.t.Fatalf("export ended with code %d: %s", code, out)
	}
	file, err := os.Open(name)
	must(s.t, err)
	defer file.Close()
	rows := make(map[string][]map[string]any)
	for entries := tar.NewReader(file); ; {
		entry, err := entries.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		must(s.t, err)
		for _, table := range tables {
			if !strings.HasPrefix(entry.Name, table+"/") {
				continue
			}
			lines := bufio.NewScanner(entries)
			lines.Buffer(nil, 1<<20)
			for lines.Scan() {
				var row map[string]any
				must(s.t, json.Unmarshal(lines.Bytes(), &row))
				for _, lost := range []string{"read_seq", "unread_from", "notify", "reason", "password_hash"} {
					delete(row, lost)
				}
				rows[table] = append(rows[table], row)
			}
			must(s.t, lines.Err())
		}
	}
	return rows
}

// killed starts a replay from a place, waits until PostgreSQL holds it up in the middle, in the statement that writes a table, kills it,
// and lets PostgreSQL go on.
func (s *small) killed(from, table string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), startPatience)
	defer cancel()
	connection, err := pgx.Connect(ctx, s.postgres.URL)
	must(s.t, err)
	defer connection.Close(context.Background())
	do := func(statement string) {
		s.t.Helper()
		if _, err := connection.Exec(ctx, statement); err != nil {
			s.t.Fatalf("%s: %v", statement, err)
		}
	}
	do(`begin`)
	do(`lock table ` + table + ` in share mode`)
	command := exec.Command(binary, "replay", "--from", from)
	command.Env = s.node.environ()
	out := new(lockedBuffer)
	command.Stdout, command.Stderr = out, out
	must(s.t, command.Start())
	for waiting := false; !waiting; {
		must(s.t, connection.QueryRow(ctx, `select exists (select from pg_locks where not granted and relation = '`+table+`'::regclass)`).Scan(&waiting))
		select {
		case <-ctx.Done():
			s.t.Fatalf("the replay did not come to write %s: %s", table, out)
		case <-time.After(pollEvery):
		}
	}
	must(s.t, command.Process.Kill())
	_ = command.Wait() // it was killed
	do(`rollback`)
	serve := exec.CommandContext(ctx, binary, "serve", "--addr", s.node.addr, "--admin-addr", s.node.admin)
	serve.Env = s.node.environ()
	if text, err := serve.CombinedOutput(); err == nil || !strings.Contains(string(text), "run 'replay") {
		s.t.Errorf("a server on what is only a part ended with %v: %s", err, tail(string(text)))
	}
}

// refused wants a replay to end with a sentence and to leave the database as it was.
func (s *small) refused(sentence string, flags ...string) {
	s.t.Helper()
	out, code := s.node.command("", append([]string{"replay", "--from", "earliest"}, flags...)...)
	if code != 1 || !strings.Contains(out, sentence) {
		s.t.Errorf("replay ended with code %d, want 1 and %q: %s", code, sentence, out)
	}
}

// replayed wants a replay to succeed, and verify to find nothing.
func (s *small) replayed(flags ...string) {
	s.t.Helper()
	out, code := s.node.command("", append([]string{"replay", "--from", "earliest"}, flags...)...)
	if code != 0 {
		s.t.Fatalf("replay ended with code %d: %s", code, out)
	}
	s.t.Log(strings.TrimSpace(out))
	s.node.verify()
}

// Promise (docs/cluster.md): of a database that is lost, the log makes the same again, whatever is in it and however often
// making it is cut short: the same rooms, members, bans, and every number with the same content. The cluster goes on from there.
//
//nolint:paralleltest // it needs the machine for itself
func TestReplay(t *testing.T) {
	s := startSmall(t)
	s.node.start()
	w := s.settle()
	s.refused("servers number this log")
	if code := s.node.stop(); code != 0 {
		t.Errorf("the server ended with code %d", code)
	}
	s.node.verify()
	tables := []string{"users", "rooms", "members", "bans", "log"}
	want := s.exported(tables...)
	s.refused("this database is not empty")

	s.anew("again")
	s.refused("migrate")
	s.migrate()
	s.killed("earliest", "events")
	s.killed("earliest", "members")
	s.replayed()
	got := s.exported(tables...)
	for _, table := range tables {
		if len(want[table]) == 0 {
			t.Errorf("nothing was exported of %s", table)
		}
		if diff := cmp.Diff(want[table], got[table]); diff != "" {
			t.Errorf("%s differ, - before, + replayed:\n%s", table, diff)
		}
	}
	s.refused("is whole")

	s.node.start()
	if out, code := s.node.command(secretMark+"-another\n", "user", "reset-password", "ada", "--password-stdin"); code != 0 {
		t.Fatalf("reset-password ended with code %d: %s", code, out)
	}
	if _, err := client.LogIn(t.Context(), s.node.url(), "bob", ""); client.CodeOf(err) != "unauthenticated" && client.CodeOf(err) != "invalid" {
		t.Errorf("somebody without a password signs in: %v", err)
	}
	ada, err := client.LogIn(t.Context(), s.node.url(), "ada", secretMark+"-another")
	must(t, err)
	t.Cleanup(ada.Close)
	before, err := ada.Changes(t.Context(), w.tea, 0)
	must(t, err)
	id := client.NewMessageID()
	_, err = ada.Send(t.Context(), w.tea, id, "and on it goes")
	must(t, err)
	s.stored(id)
	after, err := ada.Changes(t.Context(), w.tea, before.Head)
	must(t, err)
	if len(after.Events) != 1 || after.Events[0].Seq != before.Head+1 || after.Events[0].Message.ID != id {
		t.Errorf("after head %d came %+v", before.Head, after.Events)
	}
	s.node.verify()
	if code := s.node.stop(); code != 0 {
		t.Errorf("the server ended with code %d", code)
	}

	s.partly(w)
}

// partly replays a log whose beginning was deleted.
func (s *small) partly(w *town) {
	s.t.Helper()
	s.node.start()
	late, err := client.LogIn(s.t.Context(), s.node.url(), "ada", secretMark+"-another")
	must(s.t, err)
	s.t.Cleanup(late.Close)
	s.trim(1 << 40)
	room, err := late.CreateRoom(s.t.Context(), "Late")
	must(s.t, err)
	id := client.NewMessageID()
	_, err = late.Send(s.t.Context(), room, id, "late")
	must(s.t, err)
	s.stored(id)
	s.stored(w.say(late, w.tea, "of a room whose creation is gone"))
	if code := s.node.stop(); code != 0 {
		s.t.Errorf("the server ended with code %d", code)
	}
	want := s.exported("log")["log"]
	s.anew("late")
	s.migrate()
	s.refused("the beginning of the log was deleted")
	s.replayed("--accept-missing")
	var kept []map[string]any
	for _, row := range want {
		if row["room_id"] == room.String() {
			kept = append(kept, row)
		}
	}
	if diff := cmp.Diff(kept, s.exported("log")["log"]); diff != "" || len(kept) != 3 {
		s.t.Errorf("the %d events of a room that is whole differ, - before, + replayed:\n%s", len(kept), diff)
	}
	s.node.start() // each partition goes on from what there is of it
	s.node.verify()
}
