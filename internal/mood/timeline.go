package mood

import (
	"context"
	"fmt"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Bucket is what a timeline counts together.
type Bucket string

// The buckets. Days and weeks are those of a time zone; weeks begin on Monday.
const (
	Hour Bucket = "hour"
	Day  Bucket = "day"
	Week Bucket = "week"
)

const day = 24 * time.Hour

// bucketSpans are how much of the past is told where nobody says it, and at most: a screen full, and what bounds an answer
// to 750 buckets.
func bucketSpans(b Bucket) (usual, most time.Duration) {
	switch b {
	case Hour:
		return 2 * day, 31 * day
	case Day:
		return 30 * day, 400 * day
	case Week:
		return 26 * 7 * day, 400 * day
	}
	return 0, 0
}

// begin is when the bucket began in which a time lies, in its zone. Zones whose hours are not whole ones away from others have
// their own hours.
func (b Bucket) begin(t time.Time) time.Time {
	switch b {
	case Day:
		return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location())
	case Week:
		return time.Date(t.Year(), t.Month(), t.Day()-(int(t.Weekday())+6)%7, 0, 0, 0, 0, t.Location())
	}
	// Not by time.Date, which knows only one of the two hours of the same name when clocks are set back.
	return t.Add(-time.Duration(t.Minute())*time.Minute - time.Duration(t.Second())*time.Second - time.Duration(t.Nanosecond()))
}

// next is when the bucket after the one of a begin begins. A little later than its begin lies in it: no bucket is longer than
// it usually is by more than the hour that clocks are set back.
func (b Bucket) next(begin time.Time) time.Time {
	return b.begin(begin.Add(map[Bucket]time.Duration{Hour: time.Hour, Day: 36 * time.Hour, Week: 7*day + 12*time.Hour}[b]))
}

// Query says which stretch of a room's time is asked for, in what buckets. A zero To is now, a zero From what is usual for the
// bucket; a bucket that either lies in is told whole. Zone nil is UTC.
type Query struct {
	From, To time.Time
	Bucket   Bucket
	Zone     *time.Location
}

// Timeline tells how a room's mood was.
type Timeline struct {
	counts Counts
	now    func() time.Time
}

// NewTimeline makes it.
func NewTimeline(counts Counts, now func() time.Time) *Timeline {
	return &Timeline{counts: counts, now: now}
}

// Read gives the buckets that have any message whose mood is known, ascending. Only members may ask.
func (t *Timeline) Read(ctx context.Context, who chat.UserID, room chat.RoomID, query Query) ([]chat.MoodCount, error) {
	access, err := t.counts.Access(ctx, room, who)
	if err != nil {
		return nil, fmt.Errorf("read access of user %s to room %s: %w", who, room, err)
	}
	if err := access.Read(); err != nil {
		return nil, err
	}
	from, to, err := t.bounds(query)
	if err != nil {
		return nil, err
	}
	spans, err := t.counts.Moods(ctx, room, from, to)
	if err != nil {
		return nil, fmt.Errorf("read the mood of room %s: %w", room, err)
	}
	var buckets []chat.MoodCount
	var next time.Time
	for _, span := range spans {
		if !span.At.Before(next) {
			at := query.Bucket.begin(span.At.In(from.Location()))
			buckets, next = append(buckets, chat.MoodCount{At: at}), query.Bucket.next(at)
		}
		buckets[len(buckets)-1].Add(span)
	}
	return buckets, nil
}

// bounds are the begins of the first bucket and of the one after the last.
func (t *Timeline) bounds(query Query) (from, to time.Time, err error) {
	usual, most := bucketSpans(query.Bucket)
	if usual == 0 {
		return from, to, chat.InvalidField("bucket", "a bucket is an hour, a day or a week")
	}
	zone := query.Zone
	if zone == nil {
		zone = time.UTC
	}
	to = query.To
	if to.IsZero() {
		to = t.now()
	}
	from = query.From
	if from.IsZero() {
		from = to.Add(-usual)
	}
	switch {
	case !from.Before(to):
		return from, to, chat.InvalidField("from", "this is not before the end")
	case to.Sub(from) > most:
		return from, to, chat.InvalidField("from", "in buckets of this size at most %d days are told at once", most/day)
	}
	from = query.Bucket.begin(from.In(zone))
	if last := query.Bucket.begin(to.In(zone)); !last.Equal(to) {
		to = query.Bucket.next(last)
	}
	return from, to.In(zone), nil
}
