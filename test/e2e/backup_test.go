package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/porttest/checker"
	"github.com/blabber-hive/blabber-hive/internal/porttest/services"
	"github.com/blabber-hive/blabber-hive/internal/run"
	"github.com/blabber-hive/blabber-hive/test/e2e/client"
)

// scripts are what the Jobs of Kubernetes run, and here are run as they are.
const scripts = "../../deploy/k8s/backup"

// sequencerGroup is the group of those that number the log.
const sequencerGroup = "blabber-hive-sequencer"

const scriptPatience = 2 * time.Minute

// vault is where backups are kept, and whose database they are of.
type vault struct {
	t        *testing.T
	folder   string // restic's repository
	database string // its address
	path     string
}

func newVault(t *testing.T, database string) *vault {
	t.Helper()
	restic := os.Getenv("RESTIC")
	if restic == "" {
		t.Fatal("restic is missing: RESTIC=$(make -s restic) builds it and says where it is")
	}
	return &vault{t: t, folder: filepath.Join(t.TempDir(), "repository"), database: database, path: filepath.Dir(restic) + ":" + os.Getenv("PATH")}
}

// command is a program in the environment that a Job gives it; what is set last counts.
func (v *vault) command(ctx context.Context, name string, settings ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, name)
	command.Env = append([]string{
		"PATH=" + v.path, "DATABASE_URL=" + v.database, "RESTIC_REPOSITORY=" + v.folder, "RESTIC_PASSWORD=" + secretMark, "RESTIC_CACHE_DIR=" + v.t.TempDir(), "CHECK_PARTS=1",
	}, settings...)
	return command
}

// run runs a script, and wants it to say something and no secret. It answers all that was said.
func (v *vault) run(script string, code int, want string, settings ...string) string {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.t.Context(), scriptPatience)
	defer cancel()
	said, err := v.command(ctx, filepath.Join(scripts, script), settings...).CombinedOutput()
	got := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else {
		must(v.t, err)
	}
	if out := string(said); got != code || !strings.Contains(out, want) {
		v.t.Fatalf("%s %q ended with code %d, want %d and %q: %s", script, settings, got, code, want, out)
	}
	config, err := pgx.ParseConfig(v.database)
	must(v.t, err)
	for _, secret := range []string{secretMark, config.Password} {
		if strings.Contains(string(said), secret) {
			v.t.Errorf("%s says a password: %s", script, said)
		}
	}
	return string(said)
}

// snapshots counts the backups that are kept.
func (v *vault) snapshots() int {
	v.t.Helper()
	command := v.command(v.t.Context(), filepath.Join(filepath.Dir(strings.Split(v.path, ":")[0]+"/restic"), "restic"))
	command.Args = append(command.Args, "snapshots", "--json")
	listed, err := command.Output()
	must(v.t, err)
	return strings.Count(string(listed), `"short_id"`)
}

// connect is a connection of the test's own to a database.
func connect(t *testing.T, address string) *pgx.Conn {
	t.Helper()
	connection, err := pgx.Connect(t.Context(), address)
	must(t, err)
	t.Cleanup(func() { _ = connection.Close(context.Background()) }) // it may have been sent away
	return connection
}

// fickle are messages that their sender changes as soon as they are sent, in a room of its own, and what they are in the end.
type fickle struct {
	person *client.Person
	room   chat.RoomID
	want   map[chat.MessageID]string // the body; empty for a deleted one
	took   []time.Duration           // sends, until they were acknowledged
}

// be sends and changes messages until ctx ends.
func (f *fickle) be(ctx context.Context) error {
	for n := 0; ctx.Err() == nil; n++ {
		id := client.NewMessageID()
		path := "/rooms/" + f.room.String() + "/messages/" + id.String()
		// What has begun is finished: an answer that was not waited for would be neither one thing nor the other.
		whole := context.WithoutCancel(ctx)
		began := time.Now()
		if _, err := f.person.Send(whole, f.room, id, fmt.Sprintf("%s fickle %d", secretMark, n)); err != nil {
			return err
		}
		f.took = append(f.took, time.Since(began))
		f.want[id] = fmt.Sprintf("%s fickle %d, edited", secretMark, n)
		if _, err := f.person.Call(whole, http.MethodPatch, path, map[string]string{"body": f.want[id]}, nil); err != nil {
			return err
		}
		if _, err := f.person.Call(whole, http.MethodPut, path+"/reactions/👍", nil, nil); err != nil {
			return err
		}
		if n%3 == 0 {
			f.want[id] = ""
			if _, err := f.person.Call(whole, http.MethodDelete, path, nil, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// latencies are the median and the worst of a hundred of the sends from one on.
func (f *fickle) latencies(from int) string {
	took := slices.Sorted(slices.Values(f.took[from:]))
	if len(took) == 0 {
		return "none"
	}
	return fmt.Sprintf("%d sends, median %v, p99 %v", len(took), took[len(took)/2].Round(10*time.Microsecond), took[len(took)*99/100].Round(10*time.Microsecond))
}

// lived is a cluster's life that a backup was taken in the middle of.
type lived struct {
	*small
	*vault
	other   *installation
	crowd   *crowd
	fickle  *fickle
	late    *client.Person // who came after the backup
	lateIn  chat.RoomID    // whose room this is
	gone    chat.RoomID    // deleted after the backup
	said    []chat.MessageID
	staying *client.Person
}

// Promise (docs/operations.md, Coming back from a lost database): a backup taken under load, restored after the database was lost under load,
// and the log on top: every acknowledged message of every room, with its number, its edits and reactions; rooms and members as they were
// last; and the cluster goes on from there. Cut short at any point, it is run again.
//
//nolint:paralleltest // it needs the machine for itself
func TestBackup(t *testing.T) {
	l := &lived{small: startSmall(t)}
	l.anew("chat")
	l.migrate()
	l.vault = newVault(t, l.postgres.URL)
	l.other = install(t, "--rate-limits", "off", "--drain-spread", "0s", "--mood", "off")
	l.other.env = l.node.env
	l.node.start()
	l.other.start()
	l.live()
	l.lose()
	l.back()
	l.compare()
}

// live lets people talk, takes a backup, and lets them talk and do more.
func (l *lived) live() {
	t := l.small.t
	t.Helper()
	ctx := t.Context()
	l.crowd = gather(t, l.node.door(), 8, 4, 3)
	owner := l.crowd.people[0].At(l.other.url())
	room, err := owner.CreateRoom(ctx, "Fickle")
	must(t, err)
	l.fickle = &fickle{person: owner, room: room, want: make(map[chat.MessageID]string)}
	l.gone, err = owner.CreateRoom(ctx, "Gone")
	must(t, err)
	l.crowd.talk()
	changing := run.NewGroup(context.Background())
	changing.Go("change messages", l.fickle.be)
	pause(t, 3*time.Second)
	changing.Cancel()
	must(t, changing.Wait())
	t.Log("before the backup: " + l.fickle.latencies(0))

	before := len(l.fickle.took)
	changing = run.NewGroup(context.Background())
	changing.Go("change messages", l.fickle.be)
	t.Log(strings.TrimSpace(l.run("backup.sh", 0, "kept")))
	changing.Cancel()
	must(t, changing.Wait())
	_, metrics := l.other.ask(ctx, "/metrics")
	if _, at, _ := strings.Cut(metrics, "\nblabber_backup_newest_timestamp_seconds 1"); !strings.HasPrefix(at, ".") {
		t.Errorf("servers do not tell of the backup: %.50q", at)
	}
	t.Log("during it: " + l.fickle.latencies(before))

	changing = run.NewGroup(context.Background())
	changing.Go("change messages", l.fickle.be)
	l.after(owner)
	pause(t, 2*time.Second)
	changing.Cancel()
	must(t, changing.Wait())
}

// after is what people do to rooms after the backup.
func (l *lived) after(owner *client.Person) {
	t := l.small.t
	t.Helper()
	ctx := t.Context()
	do := func(who *client.Person, method, path string, body any) {
		t.Helper()
		_, err := who.Call(ctx, method, path, body, nil)
		must(t, err)
	}
	var err error
	l.late, err = client.SignUp(ctx, l.node.url(), "late", secretMark+"-password")
	must(t, err)
	t.Cleanup(l.late.Close)
	l.lateIn, err = l.late.CreateRoom(ctx, "Late")
	must(t, err)
	l.staying = l.crowd.people[1]
	for n, person := range l.crowd.people[1:5] {
		must(t, person.Join(ctx, l.lateIn))
		must(t, person.Join(ctx, l.fickle.room))
		id := client.NewMessageID()
		_, err := person.Send(ctx, l.lateIn, id, fmt.Sprintf("%s late %d", secretMark, n))
		must(t, err)
		l.said = append(l.said, id)
	}
	people := l.crowd.people
	late, fickle := "/rooms/"+l.lateIn.String(), "/rooms/"+l.fickle.room.String()
	do(l.late, http.MethodPatch, late, map[string]string{"name": "Later"})
	do(owner, http.MethodPut, fickle+"/members/"+people[1].ID.String(), map[string]string{"role": "moderator"})
	do(owner, http.MethodDelete, fickle+"/members/"+people[2].ID.String(), nil)
	do(owner, http.MethodPost, fickle+"/bans", map[string]string{"user_id": people[3].ID.String()})
	do(people[4], http.MethodPost, fickle+"/leave", nil)
	must(t, people[4].Join(ctx, l.fickle.room))
	do(owner, http.MethodDelete, "/rooms/"+l.gone.String(), nil)
	l.stored(l.said[len(l.said)-1])
}

// lose loses the database while people talk, and then the servers.
func (l *lived) lose() {
	t := l.small.t
	t.Helper()
	l.run("restore.sh", 1, "servers are connected", "RESTORE_OVER=chat")
	server := connect(t, strings.Replace(l.postgres.URL, "/chat", "/postgres", 1))
	_, err := server.Exec(t.Context(), "drop database chat with (force)")
	must(t, err)
	before := l.crowd.all().Acked
	pause(t, 3*time.Second)
	l.crowd.hush()
	l.crowd.await(func(ctx context.Context, device *client.Device) error { return device.Quiet(ctx, nil) })
	if after := l.crowd.all().Acked; after == before {
		t.Error("nothing was acknowledged without the database")
	} else {
		t.Logf("%d messages acknowledged, %d of them without a database", after, after-before)
	}
	l.crowd.disconnect()
	l.node.kill()
	l.other.kill()
	_, err = server.Exec(t.Context(), "create database chat")
	must(t, err)
}

// unowned waits until Kafka has missed the heartbeats of the killed servers.
func (l *lived) unowned() {
	t := l.small.t
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), startPatience)
	defer cancel()
	for {
		groups, err := kadm.NewClient(l.kafka).DescribeGroups(ctx, sequencerGroup)
		must(t, err)
		members := len(groups[sequencerGroup].Members)
		if members == 0 {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%d killed servers still number the log: %v", members, ctx.Err())
		case <-time.After(pollEvery):
		}
	}
}

// back restores the backup and stores what the log has since, killed twice.
func (l *lived) back() {
	t := l.small.t
	t.Helper()
	began := time.Now()
	t.Log(strings.TrimSpace(l.run("restore.sh", 0, "restored")))
	l.run("restore.sh", 1, "is not empty")
	l.migrate()
	l.unowned()
	l.small.killed("backup", "events")
	l.small.killed("backup", "members")
	out, code := l.node.command("", "replay", "--from", "backup")
	if code != 0 {
		t.Fatalf("the replay ended with code %d: %s", code, out)
	}
	t.Logf("%v until it was whole: %s", time.Since(began).Round(time.Millisecond), strings.TrimSpace(out))
	l.node.verify()
}

// compare holds what is there now against what clients were told, and against a replay of the whole log.
func (l *lived) compare() {
	t := l.small.t
	t.Helper()
	ctx := t.Context()
	l.node.start()
	l.other.start()
	readers := make(map[chat.RoomID]*client.Person)
	for room, reader := range l.crowd.readers {
		again, err := client.LogIn(ctx, l.node.url(), reader.Username, reader.Password)
		must(t, err)
		t.Cleanup(again.Close)
		readers[room] = again
	}
	history, err := l.crowd.record.History(ctx, readers, l.crowd.devices)
	must(t, err)
	for n := range history.Views {
		history.Views[n].AtHead = false // they left when all of their own was there
	}
	for _, violation := range checker.Check(history) {
		t.Error(violation)
	}
	l.changed(readers[l.crowd.rooms[0]])
	if _, err := l.staying.Call(ctx, http.MethodGet, "/me", nil, nil); client.CodeOf(err) != "unauthenticated" {
		t.Errorf("whoever was signed in before the database was lost still is: %v", err)
	}

	// Everybody goes on, also in the room that the backup did not have.
	again, err := client.LogIn(ctx, l.other.url(), l.staying.Username, l.staying.Password)
	must(t, err)
	t.Cleanup(again.Close)
	id := client.NewMessageID()
	sent, err := again.Send(ctx, l.lateIn, id, secretMark+" goes on")
	must(t, err)
	l.stored(id)
	page, err := again.Changes(ctx, l.lateIn, 0)
	must(t, err)
	var ids []chat.MessageID
	for _, event := range page.Events {
		if event.Kind == chat.KindMessage {
			ids = append(ids, event.Message.ID)
		}
	}
	if diff := cmp.Diff(append(l.said, id), ids); diff != "" || page.Head != page.Through {
		t.Errorf("the room that was made after the backup has other messages, - said, + there, after %d of %d:\n%s", page.Through, page.Head, diff)
	}
	t.Logf("it goes on at %d", sent.Seq)
	if _, err := again.Changes(ctx, l.gone, 0); client.CodeOf(err) == "" {
		t.Errorf("a room that was deleted after the backup is there again: %v", err)
	}
	l.node.verify()
	for _, node := range []*installation{l.node, l.other} {
		if code := node.stop(); code != 0 {
			t.Errorf("a server ended with code %d", code)
		}
	}

	tables := []string{"users", "rooms", "members", "bans", "log"}
	got := l.exported(tables...)
	l.anew("again")
	l.migrate()
	l.replayed()
	want := l.exported(tables...)
	for _, table := range tables {
		if diff := cmp.Diff(want[table], got[table]); diff != "" || len(got[table]) == 0 {
			t.Errorf("of %d %s some differ, - made of the whole log, + restored:\n%s", len(got[table]), table, tail(diff))
		}
	}
}

// changed holds the messages that were changed against what their sender left.
func (l *lived) changed(reader *client.Person) {
	t := l.small.t
	t.Helper()
	found := make(map[chat.MessageID]string)
	for after := chat.Seq(0); ; {
		page, err := reader.Changes(t.Context(), l.fickle.room, after)
		must(t, err)
		for _, event := range page.Events {
			if event.Kind == chat.KindMessage {
				found[event.Message.ID] = event.Message.Body
			}
		}
		if after = page.Through; !page.More {
			break
		}
	}
	if diff := cmp.Diff(l.fickle.want, found); diff != "" {
		t.Errorf("of %d changed messages some are other ones, - as left, + as restored:\n%s", len(found), tail(diff))
	}
}

// Promise (deploy/k8s/backup): a backup or a restore that cannot be whole is none, says why, and leaves the database as it was.
//
//nolint:paralleltest // its parts follow each other
func TestBackupRefuses(t *testing.T) {
	folder := services.NewFolder(t)
	postgres, err := folder.StartPostgres(t.Context(), nil)
	must(t, err)
	v := newVault(t, postgres.URL)
	database := connect(t, postgres.URL)
	exec := func(statement string) {
		t.Helper()
		_, err := database.Exec(t.Context(), statement)
		must(t, err)
	}
	people := func(want int) {
		t.Helper()
		var count int
		must(t, database.QueryRow(t.Context(), "select count(*) from users").Scan(&count))
		if count != want {
			t.Errorf("the database has %d people, want %d", count, want)
		}
	}
	v.run("restore.sh", 1, "cannot read the repository", "RESTORE_OVER=postgres")
	exec(`create table users (id integer, name text); create table rooms (id integer);
		create table sessions (id integer); create table spent_refresh (id integer); create table keys (id integer); create table imports (archive text primary key, done boolean);
		create table newest_backup (one boolean primary key default true, at timestamptz, snapshot text);
		`)
	v.run("backup.sh", 0, "nothing to keep")
	exec(`insert into users select n, md5(n::text) from generate_series(1, 20000) n; insert into sessions values (1)`)

	v.run("backup.sh", 1, "RESTIC_PASSWORD is missing", "RESTIC_PASSWORD=")
	v.run("backup.sh", 0, "kept")
	v.run("backup.sh", 1, "not that of the repository", "RESTIC_PASSWORD=another")
	v.run("restore.sh", 1, "cannot read the repository", "RESTIC_PASSWORD=another", "RESTORE_OVER=postgres")

	// A dump that ends in the middle, as one does whose process is killed.
	broken := t.TempDir()
	must(t, os.WriteFile(filepath.Join(broken, "pg_dump"), []byte("#!/bin/sh\nPATH=${PATH#*:}\npg_dump \"$@\" | head -c 300000\nkill -9 $$\n"), 0o755))
	v.run("backup.sh", 1, "nothing was kept", "PATH="+broken+":"+v.path)
	if kept := v.snapshots(); kept != 1 {
		t.Errorf("%d backups are kept, want the whole one", kept)
	}
	v.run("backup.sh", 0, "kept", "KEEP_LAST=2")
	exec(`insert into users values (0, 'one more')`)
	said := v.run("backup.sh", 0, "kept", "KEEP_LAST=1", "KEEP_DAILY=0", "KEEP_WEEKLY=0", "KEEP_MONTHLY=0")
	if kept := v.snapshots(); kept != 1 {
		t.Errorf("%d backups are kept, want the last one", kept)
	}

	exec(`create table aside as select * from users; delete from users`)
	v.run("backup.sh", 1, "holds nobody")
	exec(`insert into users select * from aside where id <= 10; drop table aside; insert into imports values ('backup 12345678', false)`)
	v.run("backup.sh", 1, "is being restored")
	exec(`delete from imports`)
	v.run("restore.sh", 1, "is not empty")
	v.run("restore.sh", 1, "is not empty", "RESTORE_OVER=another")
	v.run("restore.sh", 1, "there is no backup 0badc0de", "RESTORE_OVER=postgres", "RESTORE_SNAPSHOT=0badc0de")
	v.killed(database)
	people(11)
	pack := v.flip()
	v.run("restore.sh", 1, "is as it was", "RESTORE_OVER=postgres")
	people(11)
	v.run("backup.sh", 1, "is damaged", "READ_BACK=no")
	pack()
	_, whole, _ := strings.Cut(said, "kept ")
	v.run("restore.sh", 0, "restored", "RESTORE_OVER=postgres", "RESTORE_SNAPSHOT="+whole[:8])
	people(20001)
	var sessions int
	must(t, database.QueryRow(t.Context(), "select count(*) from sessions").Scan(&sessions))
	if sessions != 0 {
		t.Errorf("%d sessions came out of the backup", sessions)
	}
}

// killed kills a restore in the middle of its transaction.
func (v *vault) killed(database *pgx.Conn) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.t.Context(), scriptPatience)
	defer cancel()
	holder := connect(v.t, v.database)
	_, err := holder.Exec(ctx, "begin; lock table users in share mode")
	must(v.t, err)
	command := v.command(ctx, filepath.Join(scripts, "restore.sh"), "RESTORE_OVER=postgres")
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	must(v.t, command.Start())
	until := func(what, condition string) {
		v.t.Helper()
		for there := false; !there; {
			must(v.t, database.QueryRow(ctx, `select exists (select from pg_stat_activity where application_name = 'blabber-hive-backup' and wait_event_type = 'Lock') = `+condition).Scan(&there))
			select {
			case <-ctx.Done():
				v.t.Fatalf("the restore %s: %v", what, ctx.Err())
			case <-time.After(pollEvery):
			}
		}
	}
	until("does not wait for the table", "true")
	must(v.t, syscall.Kill(-command.Process.Pid, syscall.SIGKILL))
	_ = command.Wait() // it was killed
	_, err = holder.Exec(ctx, "rollback")
	must(v.t, err)
	until("is still at work", "false")
}

// flip turns one bit of the largest file of the repository, and answers what turns it back.
func (v *vault) flip() (back func()) {
	v.t.Helper()
	packs, err := filepath.Glob(filepath.Join(v.folder, "data", "*", "*"))
	must(v.t, err)
	size := func(name string) int64 {
		info, err := os.Stat(name)
		must(v.t, err)
		return info.Size()
	}
	largest := slices.MaxFunc(packs, func(a, b string) int { return int(size(a) - size(b)) })
	turn := func() {
		data, err := os.ReadFile(largest)
		must(v.t, err)
		data[len(data)/3] ^= 1
		must(v.t, os.Chmod(largest, 0o600))
		must(v.t, os.WriteFile(largest, data, 0o600))
	}
	turn()
	return turn
}
