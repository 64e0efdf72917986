package postgres

import (
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/blabber-hive/blabber-hive/internal/archive"
	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/porttest/archivetest"
	"github.com/blabber-hive/blabber-hive/internal/porttest/storetest"
)

// Promise: this store archives as its ports say.
func TestArchive(t *testing.T) {
	t.Parallel()
	archivetest.Run(t, func(t *testing.T) func() archivetest.Store {
		open := reopening(t)
		return func() archivetest.Store { return open() }
	})
}

// Promise: a half imported instance says so, until it is whole.
func TestHalfImported(t *testing.T) {
	t.Parallel()
	s := setup(t, Options{})
	want := func(archive string) {
		t.Helper()
		if got, err := s.HalfImported(t.Context()); err != nil || got != archive {
			t.Errorf("HalfImported = %q, %v, want %q", got, err, archive)
		}
	}
	want("")
	if done, err := s.BeginImport(t.Context(), "one"); err != nil || done {
		t.Fatalf("BeginImport = %t, %v", done, err)
	}
	want("one")
	if err := s.EndImport(t.Context(), "one"); err != nil {
		t.Fatal(err)
	}
	want("")
	if done, err := s.BeginImport(t.Context(), "one"); err != nil || !done {
		t.Errorf("BeginImport again = %t, %v, want done", done, err)
	}
}

// Promise: whatever somebody or something does to the rows, the verification says it, and says nothing of a sound store.
func TestVerifyFindsDamage(t *testing.T) {
	t.Parallel()
	// Numbers of the room: 1 message (changed by 3), 2 message by another, 3 edit of 1, 4 void of 2, 5 member, 6 message.
	for name, tc := range map[string]struct{ damage, want string }{
		"nothing":                     {``, ``},
		"a message is gone":           {`delete from messages where seq = 2`, "numbers 2 to 2 are missing"},
		"numbers are missing":         {`delete from events where seq in (4, 5)`, "numbers 4 to 5 are missing"},
		"the last is gone":            {`delete from messages where seq = 6`, "the head is 6 and the last number 5"},
		"the head is behind":          {`update rooms set head = 5, last_message_seq = 2`, "the head is 5 and the last number 6"},
		"the head is ahead":           {`update rooms set head = 9`, "the head is 9 and the last number 6"},
		"a number twice":              {`insert into events (room_id, seq, id, kind, at, actor, payload) select room_id, 2, gen_random_uuid(), 'room', at, actor, '{}' from events where seq = 5`, "number 2 stands twice"},
		"a message twice":             {`alter table messages drop constraint messages_pk; insert into messages select room_id, seq, created_at, changed_seq, edited_at, deleted_at, gen_random_uuid(), sender, fingerprint, reply_to, body from messages where seq = 2`, "number 2 stands twice"},
		"a record twice":              {`update events set id = (select id from messages where seq = 6) where seq = 5`, "stands twice"},
		"a void explained by itself":  {`update events set target_seq = 4 where seq = 4`, "the void number 4 points at 4"},
		"a void explained by later":   {`update events set target_seq = 6 where seq = 4`, "the void number 4 points at 6"},
		"a change forgotten":          {`update messages set changed_seq = null where seq = 1`, "number 3 changes 1, which is not a message that was changed"},
		"a change that is none":       {`update messages set changed_seq = 5 where seq = 1`, "message 1 says that 5 was its last change, which is no change of it"},
		"an older change":             {`update messages set changed_seq = 2 where seq = 1`, "message 1 says that 2 was its last change, and 3 is later"},
		"a change of an event":        {`update events set target_seq = 5 where seq = 3`, "number 3 changes 5, which is not a message"},
		"members miscounted":          {`update rooms set members = 7`, "says that it has 7 members and has 2"},
		"the last message is wrong":   {`update rooms set last_message_seq = 2, last_other_seq = 1`, "the last message is said to be 2 and is 6"},
		"the last activity is wrong":  {`update rooms set last_activity_at = '1970-01-01T00:00:00.001Z'`, "the last activity is said to be of 1970-01-01T00:00:00.001Z"},
		"a line beyond the head":      {`update members set read_seq = 7 where role = 1`, "the read line of"},
		"the last sender is wrong":    {`update rooms set last_sender = gen_random_uuid()`, "the sender of the last message is said to be another"},
		"the last other is wrong":     {`update rooms set last_other_seq = 0`, "the last message of others than the last sender is said to be 0 and is 2"},
		"a mention is lost":           {`delete from mentions where seq = 6`, "who has no row for it"},
		"a mention out of nothing":    {`insert into mentions (user_id, room_id, seq) select user_id, room_id, 2 from members where role = 1`, "which does not mention that person"},
		"a mention of no message":     {`insert into mentions (user_id, room_id, seq) select user_id, room_id, 99 from members where role = 1`, "has a row for message 99"},
		"a room's rows without it":    {`insert into messages (room_id, seq, id, sender, created_at, fingerprint, body) select 99, 1, id, gen_random_uuid(), created_at, id, '' from users limit 1`, "messages has rows of room number 99"},
		"a name that is not found":    {`update users set display_folded = 'x' where username = 'mina'`, "is searched as"},
		"a room that is not found":    {`update rooms set topic_folded = 'x'`, "is searched as"},
		"a member under another name": {`update members set username = 'x' where role = 1`, "is listed as x and is mina"},
		"an account is gone":          {`set session_replication_role = replica; delete from users where username = 'joon'`, "has no account"},
		"a reference to nobody":       {`set session_replication_role = replica; delete from users where username = 'joon'`, "1 rows of members refer to rows of users that are not there"},
		"a rule is gone":              {`alter table messages drop constraint messages_id_unique`, "the index messages_id_unique is missing"},
		"a rule is not kept":          {`update pg_index set indisvalid = false where indexrelid = 'events_pk'::regclass`, "the index events_pk is missing or not valid"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := migrated(t)
			s := setup(t, Options{URL: url})
			i := storetest.NewInstance(t, func() storetest.Store { return s }, 0)
			mina, joon := i.AddUser(t, "mina"), i.AddUser(t, "joon")
			r := i.AddRoom(t, chat.Public, mina, joon)
			first, second := i.Say(r, joon, "first", mina.ID), i.Say(r, mina, "second")
			i.Commit(t, first, second, i.Edit(r, first.Message, "edited", mina.ID), i.Resend(r, second), i.Tell(r, mina, joon, chat.MemberRole), i.Say(r, joon, "@mina", mina.ID))
			execute(t, url, tc.damage)
			var findings []string
			counts, err := archive.Verify(t.Context(), s, func(finding string) { findings = append(findings, finding) })
			if err != nil || counts.Rooms != 1 {
				t.Fatalf("Verify = %+v, %v", counts, err)
			}
			if tc.want == "" && len(findings) == 0 {
				return
			}
			if tc.want == "" || !slices.ContainsFunc(findings, func(finding string) bool { return strings.Contains(finding, tc.want) }) {
				t.Errorf("findings %q, want one that says %q", findings, tc.want)
			}
		})
	}
}

// execute does to a database what no statement of the store would, without what keeps the store from it.
func execute(t *testing.T, url, statements string) {
	t.Helper()
	db, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.PgConn().Exec(t.Context(), statements).ReadAll(); err != nil {
		t.Errorf("%s: %v", statements, err)
	}
	if err := db.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}
