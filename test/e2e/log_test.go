package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/porttest/services"
	"github.com/blabber-hive/blabber-hive/internal/run"
	"github.com/blabber-hive/blabber-hive/internal/wire"
	"github.com/blabber-hive/blabber-hive/test/e2e/client"
)

// logTopic is the topic with the log of all rooms.
const logTopic = "room-events"

// small is one server of a cluster over a PostgreSQL, a Redis and one Kafka broker, whose log tests also write themselves.
type small struct {
	t        *testing.T
	folder   *services.Folder
	postgres *services.Instance
	node     *installation
	kafka    *kgo.Client
}

func startSmall(t *testing.T) *small {
	t.Helper()
	s := &small{t: t, folder: services.NewFolder(t)}
	var redis *services.Instance
	var kafka *services.KafkaCluster
	starting := run.NewGroup(t.Context())
	starting.Go("PostgreSQL", func(ctx context.Context) (err error) {
		s.postgres, err = s.folder.StartPostgres(ctx, nil)
		return err
	})
	starting.Go("Redis", func(ctx context.Context) (err error) {
		redis, err = s.folder.StartRedis(ctx, nil)
		return err
	})
	starting.Go("Kafka", func(ctx context.Context) (err error) {
		kafka, err = s.folder.StartKafka(ctx, 1, nil)
		return err
	})
	must(t, starting.Wait())
	var err error
	s.kafka, err = kgo.NewClient(kgo.SeedBrokers(strings.Split(kafka.URL, ",")...), kgo.DefaultProduceTopic(logTopic))
	must(t, err)
	t.Cleanup(s.kafka.Close)
	s.node = install(t, "--rate-limits", "off", "--drain-spread", "0s", "--mood", "off") // every number is a test's own
	s.node.env = []string{
		"DATABASE_URL=" + s.postgres.URL, "REDIS_URL=" + redis.URL, "KAFKA_BROKER_URL=" + kafka.URL, "KAFKA_ALLOW_UNSAFE=1", "KAFKA_PARTITIONS=3",
	}
	s.migrate()
	return s
}

func (s *small) migrate() {
	s.t.Helper()
	if out, code := s.node.command("", "migrate"); code != 0 {
		s.t.Fatalf("migrate ended with code %d: %s", code, out)
	}
}

// plant appends values to the log under a room's key, as any server would.
func (s *small) plant(room chat.RoomID, values ...[]byte) {
	s.t.Helper()
	records := make([]*kgo.Record, len(values))
	for i, value := range values {
		records[i] = &kgo.Record{Key: room[:], Value: value}
	}
	must(s.t, s.kafka.ProduceSync(s.t.Context(), records...).FirstErr())
}

func (s *small) plantRecords(records ...*chat.Record) {
	s.t.Helper()
	for _, record := range records {
		value, err := wire.EncodeRecord(record)
		must(s.t, err)
		s.plant(record.Room, value)
	}
}

// logged are the records that the log has of a room, as they stand.
func (s *small) logged(room chat.RoomID) []*chat.Record {
	s.t.Helper()
	ends, err := kadm.NewClient(s.kafka).ListEndOffsets(s.t.Context(), logTopic)
	must(s.t, err)
	total := int64(0)
	from := make(map[int32]kgo.Offset)
	ends.Each(func(end kadm.ListedOffset) {
		total += end.Offset
		from[end.Partition] = kgo.NewOffset().At(0)
	})
	reader, err := kgo.NewClient(append(s.kafka.Opts(), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{logTopic: from}))...)
	must(s.t, err)
	defer reader.Close()
	var records []*chat.Record
	for total > 0 {
		fetches := reader.PollFetches(s.t.Context())
		must(s.t, fetches.Err())
		fetches.EachRecord(func(fetched *kgo.Record) {
			total--
			if record, err := wire.DecodeRecord(fetched.Value); err == nil && record.Room == room {
				records = append(records, record)
			}
		})
	}
	return records
}

// trim deletes the log's records before an offset, and all of a partition that has fewer, as retention would.
func (s *small) trim(before int64) {
	s.t.Helper()
	admin := kadm.NewClient(s.kafka)
	ends, err := admin.ListEndOffsets(s.t.Context(), logTopic)
	must(s.t, err)
	gone := kadm.Offsets{}
	ends.Each(func(end kadm.ListedOffset) {
		gone.Add(kadm.Offset{Topic: logTopic, Partition: end.Partition, At: min(before, end.Offset)})
	})
	deleted, err := admin.DeleteRecords(s.t.Context(), gone)
	must(s.t, err)
	must(s.t, deleted.Error())
}

// sql runs statements on the database.
func (s *small) sql(statements ...string) {
	s.t.Helper()
	connection, err := pgx.Connect(s.t.Context(), s.postgres.URL)
	must(s.t, err)
	defer connection.Close(context.Background())
	for _, statement := range statements {
		if _, err := connection.Exec(s.t.Context(), statement); err != nil {
			s.t.Fatalf("%s: %v", statement, err)
		}
	}
}

// stored waits until the database has a message.
func (s *small) stored(id chat.MessageID) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), startPatience)
	defer cancel()
	connection, err := pgx.Connect(ctx, s.postgres.URL)
	must(s.t, err)
	defer connection.Close(context.Background())
	for there := false; !there; {
		must(s.t, connection.QueryRow(ctx, "select exists (select from messages where id = $1)", [16]byte(id)).Scan(&there))
		select {
		case <-ctx.Done():
			s.t.Fatalf("message %s was not stored: %v", id, ctx.Err())
		case <-time.After(pollEvery):
		}
	}
}

// town is people and what they did: all kinds of things, and some that the log should not have.
type town struct {
	s                      *small
	ada, bob, cy, dee      *client.Person
	tea, work, gone, quiet chat.RoomID
}

// settle lets a town come to be at the running server, and waits until all of it is stored.
func (s *small) settle() *town {
	t := s.t
	t.Helper()
	w := &town{s: s}
	for name, person := range map[string]**client.Person{"ada": &w.ada, "bob": &w.bob, "cy": &w.cy, "dee": &w.dee} {
		joined, err := client.SignUp(t.Context(), s.node.url(), name, secretMark+"-password")
		must(t, err)
		t.Cleanup(joined.Close)
		*person = joined
	}
	for name, room := range map[string]*chat.RoomID{"Tea": &w.tea, "Work": &w.work, "Gone": &w.gone, "Quiet": &w.quiet} {
		var err error
		*room, err = w.ada.CreateRoom(t.Context(), name)
		must(t, err)
	}
	w.live()
	w.misbehave()
	for _, room := range []chat.RoomID{w.tea, w.work, w.quiet} {
		s.stored(w.say(w.ada, room, "the end"))
	}
	return w
}

func (w *town) do(who *client.Person, method, path string, body any) {
	w.s.t.Helper()
	if _, err := who.Call(w.s.t.Context(), method, path, body, nil); err != nil {
		w.s.t.Fatal(err)
	}
}

func (w *town) say(who *client.Person, room chat.RoomID, body string) chat.MessageID {
	w.s.t.Helper()
	id := client.NewMessageID()
	if _, err := who.Send(w.s.t.Context(), room, id, body); err != nil {
		w.s.t.Fatal(err)
	}
	return id
}

// live is what people may do: talk, edit, delete, react, come, go, be muted, promoted, put out and kept out, and rooms
// that change and that are deleted.
func (w *town) live() {
	t := w.s.t
	tea, work, gone := "/rooms/"+w.tea.String(), "/rooms/"+w.work.String(), "/rooms/"+w.gone.String()
	for _, room := range []chat.RoomID{w.tea, w.work, w.gone} {
		for _, person := range []*client.Person{w.bob, w.cy, w.dee} {
			must(t, person.Join(t.Context(), room))
		}
	}
	for n := range 20 {
		w.say(w.ada, w.tea, fmt.Sprintf("ada %d, @bob @all", n))
		w.say(w.bob, w.work, fmt.Sprintf("bob %d", n))
		w.say(w.cy, w.gone, fmt.Sprintf("cy %d", n))
	}
	first, second, third := w.say(w.bob, w.tea, "first"), w.say(w.bob, w.tea, "second"), w.say(w.cy, w.tea, "third")
	w.do(w.bob, http.MethodPatch, tea+"/messages/"+first.String(), map[string]string{"body": "first, @cy"})
	w.do(w.bob, http.MethodPatch, tea+"/messages/"+first.String(), map[string]string{"body": "first, edited twice"})
	w.do(w.ada, http.MethodDelete, tea+"/messages/"+second.String(), nil) // as its room's owner
	for _, person := range []*client.Person{w.ada, w.bob, w.dee} {
		w.do(person, http.MethodPut, tea+"/messages/"+third.String()+"/reactions/👍", nil)
	}
	w.do(w.dee, http.MethodDelete, tea+"/messages/"+third.String()+"/reactions/👍", nil)
	w.do(w.ada, http.MethodPut, tea+"/members/"+w.bob.ID.String(), map[string]string{"role": "moderator"})
	w.do(w.ada, http.MethodPut, tea+"/members/"+w.cy.ID.String(), map[string]any{"muted_until": time.Now().Add(time.Hour)})
	w.do(w.ada, http.MethodDelete, work+"/members/"+w.cy.ID.String(), nil)
	must(t, w.cy.Join(t.Context(), w.work)) // kicked, and back
	w.do(w.ada, http.MethodPost, work+"/bans", map[string]string{"user_id": w.dee.ID.String(), "reason": "noise"})
	w.do(w.dee, http.MethodPost, tea+"/leave", nil)
	w.do(w.ada, http.MethodPatch, tea, map[string]string{"name": "Green Tea", "topic": "leaves"})
	w.do(w.ada, http.MethodPatch, work, map[string]string{"visibility": "private"})
	w.do(w.bob, http.MethodPatch, "/me", map[string]string{"display_name": "Bob the Second"})
	w.say(w.bob, w.tea, "my name is new")
	w.do(w.ada, http.MethodDelete, gone, nil)
}

// misbehave appends what no server of ours would, and what two of them or a broken one could: repeats that the room
// remembers and ones that only the store knows, other messages under ids that are taken, changes of what is not there,
// records of a room that is gone, and bytes that are no record.
func (w *town) misbehave() {
	s := w.s
	ada := chat.Profile{ID: w.ada.ID, Username: "ada", DisplayName: "ada"}
	said := func(id chat.MessageID, room chat.RoomID, body string) *chat.Record {
		return &chat.Record{
			ID: id, Room: room, Kind: chat.KindMessage, At: time.Now(), Actor: ada, Body: body, Fingerprint: chat.FingerprintOf(ada.ID, body, chat.MessageID{}),
		}
	}
	changed := func(kind chat.Kind, target chat.MessageID) *chat.Record {
		return &chat.Record{ID: client.NewMessageID(), Room: w.quiet, Kind: kind, At: time.Now(), Actor: ada, Target: target, Body: "changed", Emoji: "🎉", Added: true}
	}
	old := said(client.NewMessageID(), w.quiet, "old")
	taken := said(client.NewMessageID(), w.quiet, "taken")
	s.plantRecords(old, taken, said(taken.ID, w.quiet, "not what it was"), taken, changed(chat.KindEdit, client.NewMessageID()))
	s.plant(w.quiet, []byte("\xff no record"), []byte(`{"kind":"dance"}`))
	many := make([][]byte, chat.WindowSize+10)
	for n := range many {
		value, err := wire.EncodeRecord(said(client.NewMessageID(), w.quiet, fmt.Sprint("quiet ", n)))
		must(s.t, err)
		many[n] = value
	}
	s.plant(w.quiet, many...)
	created := s.logged(w.quiet)[0] // beyond what the room remembers, as a second relay could append it
	s.plantRecords(old, created, said(taken.ID, w.quiet, "nor this"), changed(chat.KindEdit, old.ID), changed(chat.KindReaction, taken.ID), changed(chat.KindDelete, taken.ID))
	s.plantRecords(said(client.NewMessageID(), w.gone, "too late"))
}

// Promise: verify finds, in PostgreSQL, what is not as the log has it: something missing, something that was never said, a
// message that is another one, a head and offsets that cannot be; and nothing where all is well, whatever the log holds.
//
//nolint:paralleltest // it needs the machine for itself
func TestVerifyComparesWithTheLog(t *testing.T) {
	s := startSmall(t)
	s.node.start()
	w := s.settle()
	out, code := s.node.command("", "verify")
	if code != 0 || !strings.Contains(out, "says what the log says") {
		t.Fatalf("verify while serving ended with code %d: %s", code, out)
	}
	t.Log(strings.TrimSpace(out))
	if code := s.node.stop(); code != 0 {
		t.Errorf("the server ended with code %d", code)
	}
	room := "(select room_id from rooms where id = '" + w.work.String() + "')"
	s.sql(`create table saved as select * from messages`, `create table saved_rooms as select * from rooms`, `create table saved_partitions as select * from partitions`)
	restore := []string{
		`delete from messages`, `insert into messages select * from saved`, `delete from partitions`, `insert into partitions select * from saved_partitions`,
		`update rooms r set head = s.head, last_message_seq = s.last_message_seq, last_other_seq = s.last_other_seq, last_activity_at = s.last_activity_at, last_sender = s.last_sender, id = s.id
			from saved_rooms s where s.room_id = r.room_id`,
	}
	const last = `(select max(seq) from messages where room_id = `
	for _, row := range []struct {
		what  string
		plant []string
		want  []string
	}{
		{"a hole", []string{`delete from messages where room_id = ` + room + ` and body = 'bob 7'`}, []string{"are missing", "is not in the store"}},
		{"a lost end", []string{ // of which the database itself shows nothing
			`delete from messages where room_id = ` + room + ` and seq = ` + last + room + `)`,
			`update rooms r set head = head - 1, last_message_seq = m.seq, last_activity_at = m.created_at, last_sender = m.sender, last_other_seq = 0
				from messages m where m.room_id = r.room_id and m.seq = ` + last + room + `) and r.room_id = ` + room,
		}, []string{"is not in the store", "in 1 places"}},
		{"a repeat under a number of its own", []string{
			`insert into messages (room_id, seq, created_at, id, sender, fingerprint, body)
				select room_id, seq + 1, created_at, gen_random_uuid(), sender, fingerprint, body from messages where room_id = ` + room + ` and seq = ` + last + room + `)`,
			`update rooms set head = head + 1, last_message_seq = head + 1 where room_id = ` + room,
		}, []string{"the last that the log knows of", "in 1 places"}},
		{"a wrong head", []string{`update rooms set head = head + 1 where room_id = ` + room}, []string{"the head is"}},
		{"other words", []string{`update messages set body = 'nothing' where room_id = ` + room + ` and body = 'bob 7'`}, []string{"has another text than in the log"}},
		{"somebody else's words", []string{`update messages set sender = '` + w.cy.ID.String() + `' where room_id = ` + room + ` and body = 'bob 7'`}, []string{"has another person than in the log"}},
		{"a room that is gone, as of a backup that was served without its log", []string{`update rooms set id = gen_random_uuid() where room_id = ` + room}, []string{"which the log creates and does not delete"}},
		{"an offset beyond the log", []string{`update partitions set stored = stored + 1000000`}, []string{"the log has lost records"}},
	} {
		s.sql(row.plant...)
		out, code := s.node.command("", "verify")
		if code != 1 {
			t.Errorf("%s: verify ended with code %d: %s", row.what, code, out)
		}
		for _, want := range row.want {
			if !strings.Contains(out, want) {
				t.Errorf("%s: verify does not say %q: %s", row.what, want, tail(out))
			}
		}
		s.sql(restore...)
		if out, code := s.node.command("", "verify"); code != 0 {
			t.Fatalf("after %s was mended verify ended with code %d: %s", row.what, code, tail(out))
		}
	}
	s.trim(500)
	if out, code := s.node.command("", "verify"); code != 0 {
		t.Errorf("with a log whose beginning is gone verify ended with code %d: %s", code, tail(out))
	}
	s.sql(`update partitions set stored = 1`)
	if out, code := s.node.command("", "verify"); code != 1 || !strings.Contains(out, "was deleted before it was stored") {
		t.Errorf("with an offset before the log verify ended with code %d: %s", code, tail(out))
	}
}
