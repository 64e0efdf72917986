package postgres

import (
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Promise: a restored database says so until it has caught up; the heads of the backup are noted once, however often that is
// begun; and what happened beyond them is told, of rooms that the backup did not have from their beginning.
func TestCatchUp(t *testing.T) {
	t.Parallel()
	url := migrated(t)
	s := setup(t, Options{URL: url})
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	exec := func(statement string) {
		t.Helper()
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	marked := func(want string) {
		t.Helper()
		if mark, err := s.HalfImported(t.Context()); err != nil || !strings.HasPrefix(mark, want) || (want == "") != (mark == "") {
			t.Errorf("the mark is %q, %v, want %q", mark, err, want)
		}
	}
	room := func(id string, head int) {
		exec(`insert into rooms (id, name, name_folded, topic, topic_folded, visibility, created_by, created_at, mood_enabled, last_activity_at, head)
			values ('` + id + `', '', '', '', '', 'public', gen_random_uuid(), now(), false, now(), ` + string(rune('0'+head)) + `)`)
		exec(`insert into events (room_id, seq, at, id, actor, kind, payload, subject) select r.room_id, n, now(), gen_random_uuid(), created_by, 'member', '{}', created_by
			from rooms r, generate_series(1, r.head) n where r.id = '` + id + `'`)
	}
	const old, quiet, young = "00000000-0000-7000-8000-000000000001", "00000000-0000-7000-8000-000000000002", "00000000-0000-7000-8000-000000000003"
	room(old, 2)
	room(quiet, 3)
	exec(`insert into imports (archive, done) values ('an archive of long ago', true), ('backup 12345678', false)`)
	marked("backup ")
	if err := s.BeginCatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	marked("catching up with the log from backup ")
	exec(`update rooms set head = 4 where id = '` + old + `'`)
	exec(`insert into events (room_id, seq, at, id, actor, kind, payload, subject) select room_id, n, now(), gen_random_uuid(), created_by, 'member', '{}', created_by
		from rooms, generate_series(3, 4) n where id = '` + old + `'`)
	room(young, 1)
	if err := s.BeginCatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	type numbered struct {
		room string
		seq  chat.Seq
	}
	var told []numbered
	if err := s.Since(t.Context(), func(event *chat.Event) error {
		told = append(told, numbered{event.Room.String(), event.Seq})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if want := []numbered{{old, 3}, {old, 4}, {young, 1}}; !slices.Equal(told, want) {
		t.Errorf("told of %v, want %v", told, want)
	}
	if err := s.EndCatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	marked("")

	exec(`insert into imports (archive, done) values ('another archive', false)`)
	if err := s.BeginCatchUp(t.Context()); chat.CodeOf(err) != chat.Conflict {
		t.Errorf("half an archive is caught up with: %v", err)
	}
}
