package postgres

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/blabber-hive/blabber-hive/internal/archive"
	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/mood"
	"github.com/blabber-hive/blabber-hive/internal/porttest/storetest"
)

// BenchmarkTimelineOfAMillion tells the mood of a room of 1,000,000 messages that were said over half a year, each of which has
// one, by hours of the last month, by days and by weeks of all of it.
func BenchmarkTimelineOfAMillion(b *testing.B) {
	w := newBench(b, 1, 1)
	conn, err := pgx.Connect(b.Context(), w.url)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close(b.Context())
	end := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for _, statement := range []string{
		`insert into messages (room_id, seq, created_at, id, sender, fingerprint, body, mood, mood_score)
			select room_id, 2 * n - 1, timestamptz '2026-11-01 00:00Z' - (1000000 - n) * interval '15.724 s', gen_random_uuid(), created_by, gen_random_uuid(), 'word', n % 3 - 1, (n::bigint * 7919) % 2001 - 1000
			from rooms, generate_series(1, 1000000) n`,
		`insert into events (room_id, seq, at, target_seq, id, actor, kind) select room_id, seq + 1, created_at, seq, gen_random_uuid(), sender, 'mood' from messages`,
		`insert into moods select room_id, date_bin('15 minutes', created_at, 'epoch'), sum(mood_score), min(seq), max(seq),
			count(*) filter (where mood = 1), count(*) filter (where mood = 0), count(*) filter (where mood = -1) from messages group by 1, 2`,
		`update rooms set head = 2000000, last_message_seq = 1999999`,
		`vacuum analyze`,
	} {
		if _, err := conn.Exec(b.Context(), statement); err != nil {
			b.Fatal(err)
		}
	}
	who := w.users[0].ID
	timeline := mood.NewTimeline(w.s, func() time.Time { return end })
	zone, err := time.LoadLocation("Asia/Seoul")
	if err != nil {
		b.Fatal(err)
	}
	for _, query := range []mood.Query{
		{Bucket: mood.Hour, From: end.AddDate(0, 0, -30)}, {Bucket: mood.Day, From: end.AddDate(0, 0, -190)}, {Bucket: mood.Week, From: end.AddDate(0, 0, -190)},
	} {
		query.Zone = zone
		b.Run("by "+string(query.Bucket), func(b *testing.B) {
			counted, buckets := 0, 0
			for b.Loop() {
				read, err := timeline.Read(b.Context(), who, w.rooms[0], query)
				if err != nil {
					b.Fatal(err)
				}
				counted, buckets = 0, len(read)
				for _, bucket := range read {
					counted += bucket.Messages()
				}
			}
			b.ReportMetric(float64(counted), "messages")
			b.ReportMetric(float64(buckets), "buckets")
		})
	}
}

// Promise: the audit finds a count that is not that of the messages, and nothing in one that is.
func TestAuditOfMoods(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		damage string
		found  bool
	}{
		"nothing":           {`select 1`, false},
		"one more":          {`update moods set positive = positive + 1`, true},
		"another sum":       {`update moods set thousandths = thousandths - 1`, true},
		"none":              {`delete from moods`, true},
		"one of no message": {`insert into moods select room_id, at + interval '1 hour', 5, 1, 1, 1, 0, 0 from moods`, true},
		"one that is empty": {`insert into moods select room_id, at + interval '1 hour', 0, 1, 1, 0, 0, 0 from moods`, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := migrated(t)
			s := setup(t, Options{URL: url})
			i := storetest.NewInstance(t, func() storetest.Store { return s }, 0)
			mina := i.AddUser(t, "mina")
			r := i.AddRoom(t, chat.Public, mina)
			said := i.Say(r, mina, "word")
			i.Commit(t, said, i.Feel(r, said.Message, chat.Positive, 500))
			execute(t, url, tc.damage)
			var findings []string
			if _, err := archive.Verify(t.Context(), s, func(finding string) { findings = append(findings, finding) }); err != nil {
				t.Fatal(err)
			}
			if (len(findings) > 0) != tc.found {
				t.Errorf("found %q", findings)
			}
			for _, finding := range findings {
				if want := fmt.Sprintf("in room %s the moods of the quarter of an hour from ", r.ID); len(finding) < len(want) || finding[:len(want)] != want {
					t.Errorf("found %q", finding)
				}
			}
		})
	}
}
