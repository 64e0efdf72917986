package mood_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/mood"
)

// counted is a store with some counts, which remembers what it was asked for.
type counted struct {
	access   chat.Access
	counts   []chat.MoodCount
	from, to time.Time
}

func (c *counted) Access(context.Context, chat.RoomID, chat.UserID) (chat.Access, error) {
	return c.access, nil
}

func (c *counted) Moods(_ context.Context, _ chat.RoomID, from, to time.Time) (counts []chat.MoodCount, err error) {
	c.from, c.to = from, to
	for _, count := range c.counts {
		if !count.At.Before(from) && count.At.Before(to) {
			counts = append(counts, count)
		}
	}
	return counts, nil
}

func inside() chat.Access {
	return chat.Access{Room: chat.Room{ID: here, Visibility: chat.Private}, Member: &chat.Member{Role: chat.Plain}}
}

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	place, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return place
}

func at(t testing.TB, text string) time.Time {
	t.Helper()
	parsed, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// Promise: hours, days and weeks are those of the reader's time zone, also where it is half an hour away from others and when
// clocks are changed; the buckets in which the asked times lie are told whole.
func TestBuckets(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		query    mood.Query
		from, to string   // what the store is asked
		spans    []string // that have one message each
		want     []string // begins of the buckets
	}{
		"hours": {
			mood.Query{From: at(t, "2026-11-27T10:20:00Z"), To: at(t, "2026-11-27T12:00:00Z"), Bucket: mood.Hour},
			"2026-11-27T10:00:00Z", "2026-11-27T12:00:00Z",
			[]string{"2026-11-27T09:45:00Z", "2026-11-27T10:00:00Z", "2026-11-27T10:45:00Z", "2026-11-27T11:15:00Z", "2026-11-27T12:00:00Z"},
			[]string{"2026-11-27T10:00:00Z", "2026-11-27T11:00:00Z"},
		},
		"hours of a zone with other half hours": {
			mood.Query{From: at(t, "2026-11-27T10:20:00Z"), To: at(t, "2026-11-27T11:10:00Z"), Bucket: mood.Hour, Zone: zone(t, "Asia/Kolkata")},
			"2026-11-27T09:30:00Z", "2026-11-27T11:30:00Z",
			[]string{"2026-11-27T09:45:00Z", "2026-11-27T10:30:00Z"},
			[]string{"2026-11-27T09:30:00Z", "2026-11-27T10:30:00Z"},
		},
		"the hour that comes twice": {
			mood.Query{From: at(t, "2026-10-25T00:00:00Z"), To: at(t, "2026-10-25T02:00:00Z"), Bucket: mood.Hour, Zone: zone(t, "Europe/Berlin")},
			"2026-10-25T00:00:00Z", "2026-10-25T02:00:00Z",
			[]string{"2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"},
			[]string{"2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z"},
		},
		"days": {
			mood.Query{From: at(t, "2026-11-26T16:00:00Z"), To: at(t, "2026-11-27T16:00:00Z"), Bucket: mood.Day, Zone: zone(t, "Asia/Seoul")},
			"2026-11-26T15:00:00Z", "2026-11-28T15:00:00Z",
			[]string{"2026-11-26T14:45:00Z", "2026-11-26T15:00:00Z", "2026-11-27T14:45:00Z", "2026-11-27T15:00:00Z"},
			[]string{"2026-11-26T15:00:00Z", "2026-11-27T15:00:00Z"},
		},
		"the day of 23 hours and that of 25": {
			mood.Query{From: at(t, "2026-03-28T23:00:00Z"), To: at(t, "2026-03-29T22:30:00Z"), Bucket: mood.Day, Zone: zone(t, "Europe/Berlin")},
			"2026-03-28T23:00:00Z", "2026-03-30T22:00:00Z",
			[]string{"2026-03-28T23:00:00Z", "2026-03-29T21:45:00Z", "2026-03-29T22:00:00Z"},
			[]string{"2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"},
		},
		"weeks begin on Monday": {
			mood.Query{From: at(t, "2026-11-22T12:00:00Z"), To: at(t, "2026-11-27T12:00:00Z"), Bucket: mood.Week},
			"2026-11-16T00:00:00Z", "2026-11-30T00:00:00Z",
			[]string{"2026-11-16T00:00:00Z", "2026-11-22T23:45:00Z", "2026-11-23T00:00:00Z"},
			[]string{"2026-11-16T00:00:00Z", "2026-11-23T00:00:00Z"},
		},
		"nothing said about when": {
			mood.Query{Bucket: mood.Day}, "2026-10-28T00:00:00Z", "2026-11-28T00:00:00Z", nil, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := &counted{access: inside()}
			for n, span := range tc.spans {
				store.counts = append(store.counts, chat.MoodCount{At: at(t, span), Positive: 1, Thousandths: 500, First: chat.Seq(n + 1), Last: chat.Seq(n + 1)})
			}
			timeline := mood.NewTimeline(store, func() time.Time { return at(t, "2026-11-27T16:30:00Z") })
			buckets, err := timeline.Read(t.Context(), chat.UserID{1}, here, tc.query)
			if err != nil {
				t.Fatal(err)
			}
			if from, to := store.from.UTC().Format(time.RFC3339), store.to.UTC().Format(time.RFC3339); from != tc.from || to != tc.to {
				t.Errorf("the store was asked from %s to %s, want %s to %s", from, to, tc.from, tc.to)
			}
			var got []string
			for _, b := range buckets {
				got = append(got, b.At.UTC().Format(time.RFC3339))
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("buckets (-want +got)\n%s", d)
			}
		})
	}
}

// Promise: no bucket begins where another goes on: for any time and zone, the bucket of a bucket's begin is itself, and the
// counts of all buckets are those of all spans.
func TestBucketsCountEverythingOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		place := zone(t, rapid.SampledFrom([]string{"UTC", "Asia/Seoul", "Asia/Kathmandu", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia", "America/Sao_Paulo"}).Draw(rt, "zone"))
		bucket := rapid.SampledFrom([]mood.Bucket{mood.Hour, mood.Day, mood.Week}).Draw(rt, "bucket")
		from := time.Unix(rapid.Int64Range(1_000_000_000, 2_000_000_000).Draw(rt, "from"), 0)
		to := from.Add(time.Duration(rapid.Int64Range(1, 31*24*3600).Draw(rt, "seconds")) * time.Second)
		store, want := &counted{access: inside()}, 0
		for span := from.Truncate(chat.MoodSpan); span.Before(to); span = span.Add(chat.MoodSpan) {
			store.counts = append(store.counts, chat.MoodCount{At: span, Neutral: 1, First: 1, Last: 1})
			want++
		}
		buckets, err := mood.NewTimeline(store, time.Now).Read(context.Background(), chat.UserID{1}, here, mood.Query{From: from, To: to, Bucket: bucket, Zone: place})
		if err != nil {
			rt.Fatal(err)
		}
		got := 0
		for n, b := range buckets {
			got += b.Messages()
			if n > 0 && !buckets[n-1].At.Before(b.At) {
				rt.Fatalf("the bucket of %v comes after that of %v", b.At, buckets[n-1].At)
			}
		}
		if got != want {
			rt.Fatalf("%d of %d are counted", got, want)
		}
	})
}

// Promise: whoever is not a member learns nothing, and what cannot be told is refused with a sentence.
func TestTimelineRefusals(t *testing.T) {
	t.Parallel()
	now := at(t, "2026-11-27T16:30:00Z")
	for name, tc := range map[string]struct {
		access chat.Access
		query  mood.Query
		want   chat.Code
	}{
		"a stranger":            {chat.Access{Room: chat.Room{Visibility: chat.Private}}, mood.Query{Bucket: mood.Day}, chat.NotFound},
		"outside a public room": {chat.Access{Room: chat.Room{Visibility: chat.Public}}, mood.Query{Bucket: mood.Day}, chat.NotMember},
		"no bucket":             {inside(), mood.Query{}, chat.Invalid},
		"an end that is before": {inside(), mood.Query{From: now, To: now.Add(-time.Second), Bucket: mood.Day}, chat.Invalid},
		"a month of hours":      {inside(), mood.Query{From: now.AddDate(0, 0, -32), Bucket: mood.Hour}, chat.Invalid},
		"two years of weeks":    {inside(), mood.Query{From: now.AddDate(-2, 0, 0), Bucket: mood.Week}, chat.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := mood.NewTimeline(&counted{access: tc.access}, func() time.Time { return now }).Read(t.Context(), chat.UserID{1}, here, tc.query)
			if chat.CodeOf(err) != tc.want {
				t.Errorf("answered with %v, want %s", err, tc.want)
			}
		})
	}
}
