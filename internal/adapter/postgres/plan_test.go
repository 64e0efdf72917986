package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/porttest/storetest"
)

// statements remembers what a store sends: each statement once, with the values of its last use.
type statements struct {
	mu   sync.Mutex
	seen map[string][]any
}

func (s *statements) note(sql string, args []any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(args) > 0 || s.seen[sql] == nil {
		s.seen[sql] = args
	}
}

func (s *statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	s.note(data.SQL, data.Args)
	return ctx
}
func (s *statements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}
func (s *statements) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return ctx
}

func (s *statements) TraceBatchQuery(_ context.Context, _ *pgx.Conn, data pgx.TraceBatchQueryData) {
	s.note(data.SQL, data.Args)
}
func (s *statements) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

// hot are the tables that grow with what people say and with how many they are.
var hot = []string{"messages", "events", "mentions", "members", "users", "rooms", "sessions", "spent_refresh", "bans", "invites", "outbox"}

// Promise: no statement walks a table that grows. Every statement that the store sends when all of its methods are called is
// asked for its plan, in a database with enough in it that a plan matters, both for the values at hand and for any values.
func TestPlans(t *testing.T) {
	t.Parallel()
	url := migrated(t)
	seen := &statements{seen: make(map[string][]any)}
	s := setup(t, Options{URL: url, Tracer: seen})
	useEverything(t, s)
	fill(t, url)
	plans := 0
	db, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(context.Background())
	for _, query := range slices.Sorted(maps.Keys(seen.seen)) {
		if word, _, _ := strings.Cut(query, " "); !slices.Contains([]string{"select", "insert", "update", "delete", "with"}, word) || strings.Contains(query, "schema_migrations") {
			continue
		}
		plans++
		for kind, plan := range map[string]planNode{"these values": planOf(t, db, query, seen.seen[query]), "any values": genericPlan(t, db, query)} {
			for _, bad := range plan.bad(query) {
				t.Errorf("for %s: %s\n\t%s", kind, bad, query)
			}
		}
	}
	if plans < 70 {
		t.Errorf("%d statements were seen; the store has more", plans)
	}
}

// planNode is a step of a plan, of which only this matters here.
type planNode struct {
	Type      string     `json:"Node Type"`
	Relation  string     `json:"Relation Name"`
	Index     string     `json:"Index Name"`
	Condition string     `json:"Index Cond"`
	Keys      []string   `json:"Sort Key"`
	Rows      float64    `json:"Plan Rows"`
	Plans     []planNode `json:"Plans"`
}

// bad names what is wrong with a plan.
func (n planNode) bad(query string) (found []string) {
	switch {
	case n.Type == "Seq Scan" && slices.Contains(hot, n.Relation) && !walksOnPurpose(query, n):
		found = append(found, "walks "+n.Relation)
	case strings.HasPrefix(n.Type, "Index") && n.Condition == "" && slices.Contains(hot, n.Relation) && !walksOnPurpose(query, n):
		found = append(found, fmt.Sprintf("walks %s by %s", n.Relation, n.Index))
	case n.Condition != "" && (strings.HasPrefix(n.Index, "messages_") || strings.HasPrefix(n.Index, "events_")) &&
		!regexp.MustCompile(`\b(seq|id)\b`).MatchString(n.Condition) && !walksOnPurpose(query, n):
		found = append(found, fmt.Sprintf("walks a room by %s: %s", n.Index, n.Condition))
	case n.Type == "Sort" && n.Rows > 5000:
		found = append(found, fmt.Sprintf("sorts %.0f rows by %v", n.Rows, n.Keys))
	}
	for _, plan := range n.Plans {
		found = append(found, plan.bad(query)...)
	}
	return found
}

// walksOnPurpose tells walks that end by themselves: of deleted rooms there are hardly any, their first rows are read in the
// order of the index, and an import looks for each of the few entries of an archive's outbox.
func walksOnPurpose(query string, n planNode) bool {
	return strings.Contains(query, "where room_id = $1 order by seq limit $2") || (n.Index == "rooms_deleted" && strings.Contains(query, "id is null")) ||
		(n.Relation == "outbox" && strings.Contains(query, "where not exists (select from outbox where id = $1)"))
}

func readPlan(t *testing.T, row pgx.Row, query string) planNode {
	t.Helper()
	var text []byte
	if err := row.Scan(&text); err != nil {
		t.Fatalf("%v\n\t%s", err, query)
	}
	var plans []struct{ Plan planNode }
	if err := json.Unmarshal(text, &plans); err != nil || len(plans) != 1 {
		t.Fatalf("%v: %s", err, text)
	}
	return plans[0].Plan
}

// planOf is the plan for the values that the statement was sent with.
func planOf(t *testing.T, db *pgx.Conn, query string, args []any) planNode {
	t.Helper()
	return readPlan(t, db.QueryRow(t.Context(), "explain (format json) "+query, args...), query)
}

// genericPlan is the one plan that the server may settle on for all values.
func genericPlan(t *testing.T, db *pgx.Conn, query string) planNode {
	t.Helper()
	parameters := 0
	for _, match := range regexp.MustCompile(`\$(\d+)`).FindAllStringSubmatch(query, -1) {
		var n int
		if _, err := fmt.Sscan(match[1], &n); err != nil {
			t.Fatal(err)
		}
		parameters = max(parameters, n)
	}
	execute := "execute it"
	if parameters > 0 {
		execute += "(" + strings.TrimSuffix(strings.Repeat("null,", parameters), ",") + ")"
	}
	for _, statement := range []string{"deallocate all", "set plan_cache_mode = force_generic_plan", "prepare it as " + query} {
		if _, err := db.PgConn().Exec(t.Context(), statement).ReadAll(); err != nil {
			t.Fatalf("%v\n\t%s", err, statement)
		}
	}
	results, err := db.PgConn().Exec(t.Context(), "explain (format json) "+execute).ReadAll()
	if err != nil {
		t.Fatalf("%v\n\t%s", err, query)
	}
	var text []byte
	for _, row := range results[0].Rows {
		text = append(append(text, row[0]...), '\n')
	}
	var plans []struct{ Plan planNode }
	if err := json.Unmarshal(text, &plans); err != nil || len(plans) != 1 {
		t.Fatalf("%v: %s", err, text)
	}
	if _, err := db.PgConn().Exec(t.Context(), "deallocate all; reset plan_cache_mode").ReadAll(); err != nil {
		t.Fatal(err)
	}
	return plans[0].Plan
}

// fill puts so much into the database that no table is read whole because it is small: 50,000 people, 2,000 rooms, one of them
// with 60,000 messages, and tells the server's planner.
func fill(t *testing.T, url string) {
	t.Helper()
	//nolint:dupword // values
	execute(t, url, `
		insert into users select gen_random_uuid(), now(), false, false, 'u' || n, 'User ' || n, 'user ' || n, '', '', '', 'x' from generate_series(1, 50000) n;
		insert into rooms (id, head, last_message_seq, last_activity_at, created_at, mood_enabled, created_by, visibility, name, name_folded, topic, topic_folded)
			select gen_random_uuid(), 100, 100, now() - n * interval '1 minute', now(), false, gen_random_uuid(), (array['public', 'private'])[1 + n % 2], 'Room ' || n, 'room ' || n, '', '' from generate_series(1, 2000) n;
		update rooms set head = 60000, last_message_seq = 59999 where room_id = 10;
		insert into members select r.room_id, 0, 0, now(), null, u.id, 3, u.username, 'all' from rooms r cross join lateral (select * from users where username between 'u' || r.room_id and 'ua' order by username limit 20) u on conflict do nothing;
		insert into members select 10, 0, 0, now(), null, u.id, 3, u.username, 'all' from users u on conflict do nothing;
		insert into messages select room_id, 2 * n - 1, now(), null, null, null, gen_random_uuid(), created_by, gen_random_uuid(), null, repeat('word ', 20), null, null from rooms, generate_series(1, 50) n where room_id > 10;
		insert into messages select 10, 2 * n - 1, now(), null, null, null, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), null, repeat('word ', 20), null, null from generate_series(1, 60000) n;
		insert into events select room_id, seq + 1, now(), null, gen_random_uuid(), sender, sender, 'member', '{}' from messages where seq < 30000 and room_id >= 10;
		insert into moods select room_id, now() - n * interval '15 minutes', 0, 1, 1, 1, 1, 1 from rooms, generate_series(1, 50) n;
		insert into mentions select sender, room_id, seq from messages where seq % 10 = 1 on conflict do nothing;
		insert into sessions select gen_random_uuid(), id, now(), now(), now(), ('\x' || md5(username))::bytea, '' from users limit 20000;
		insert into spent_refresh select ('\x' || md5('s' || id::text))::bytea, id, now(), now() from sessions;
		insert into bans select room_id, now(), u.id, u.id, '' from rooms, lateral (select u.id from users u where username between 'u' || rooms.room_id and 'ua' order by username limit 3) u on conflict do nothing;
		insert into invites select room_id, now(), null, user_id, 0, 0, 'i' || room_id || user_id from members where room_id > 10 limit 6000;
		insert into outbox (id, room, payload) select gen_random_uuid(), gen_random_uuid(), '\x00' from generate_series(1, 5000);
		analyze;`)
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
	i.Commit(t, i.Feel(r, said.Message, chat.Positive, 500))
	i.Check(t, s)
	i.MarkRead(t, r, joon, 1)
	i.MarkUnread(t, r, joon, 1)
	at := i.Now()
	must := func(errs ...error) {
		t.Helper()
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
	}
	ctx := t.Context()
	_, noMoods := s.MoodRooms(ctx, []chat.RoomID{r.ID})
	must(noMoods)
	_, err := s.Load(ctx, 0, []chat.RoomID{r.ID, gone.ID}, []chat.MessageRef{{Room: r.ID, ID: said.RecordID}})
	must(err, s.SetNotify(ctx, r.ID, joon.ID, chat.NotifyNone))
	must(s.Update(ctx, r.ID, func(tx chat.RoomTx) error {
		must(tx.PutRoom(r.Room), tx.PutBan(chat.Ban{User: joon.Profile, By: mina.ID, At: at}),
			tx.PutInvite(chat.Invite{Code: "code", CreatedBy: mina.Profile, CreatedAt: at}), tx.Emit(chat.OutboxEntry{Payload: []byte{}}))
		_, err1 := tx.Room()
		_, err2 := tx.Owners()
		_, err3 := tx.Member(joon.ID)
		_, err4 := tx.Ban(joon.ID)
		_, err5 := tx.Invite("code")
		return errors.Join(err1, err2, err3, err4, err5)
	}))
	for _, query := range []chat.HistoryQuery{{Limit: 5}, {Around: 1, Limit: 5}, {After: 1, Limit: 5}, {Before: 2, Limit: 200}} {
		_, _, err := s.Messages(ctx, r.ID, query)
		must(err)
	}
	_, err1 := s.Bans(ctx, r.ID)
	_, err2 := s.Invites(ctx, r.ID, mina.ID)
	_, err3 := s.Invite(ctx, "code")
	_, _, err4 := s.PublicRooms(ctx, joon.ID, "x", "", 10)
	_, err5 := s.MembersNamed(ctx, r.ID, []string{"joon"})
	_, err6 := s.Outbox(ctx, 0, 10)
	must(err1, err2, err3, err4, err5, err6, s.OutboxDone(ctx, []int64{99}))
	must(s.Update(ctx, r.ID, func(tx chat.RoomTx) error {
		return errors.Join(tx.RemoveBan(joon.ID), tx.RemoveInvite("code"), tx.RemoveMember(joon.ID))
	}))
	_, _, err1 = s.SearchUsers(ctx, "x", "", 10)
	_, err2 = s.UpdateUser(ctx, mina.ID, func(*chat.User) error { return nil })
	_, err3 = s.Key(ctx, "key", []byte("x"))
	must(err1, err2, err3)
	session := i.AddSession(t, mina, [32]byte{1})
	for n, spent := range []byte{1, 1, 9} {
		_, _, err = s.RotateRefresh(ctx, [32]byte{spent}, [32]byte{2, byte(n)}, at.Add(time.Duration(n)*time.Second), at.Add(time.Hour), chat.RefreshGrace{Lost: time.Hour})
		must(err)
	}
	_, err1 = s.Session(ctx, session.ID)
	_, err2 = s.SessionsOf(ctx, mina.ID, at)
	must(err1, err2, s.DeleteSession(ctx, mina.ID, session.ID), s.DeleteSessions(ctx, mina.ID, chat.SessionID{}), s.SetPassword(ctx, mina.ID, "x", chat.SessionID{}))
	_, err = s.HalfImported(ctx)
	must(err, s.Put(ctx, []chat.Row{{Account: &chat.Account{User: mina}}, {Outbox: &chat.OutboxEntry{ID: i.MessageID()}}}))
	i.DeleteRoom(t, gone)
	for more := true; more; { // beside the store's own
		more, err = s.purgeSome(ctx)
		must(err)
	}
}
