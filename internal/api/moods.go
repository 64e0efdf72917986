package api

import (
	"context"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/account"
	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/mood"
	"github.com/blabber-hive/blabber-hive/internal/wire"
)

type moodInput struct {
	RoomPath
	From   time.Time   `query:"from" doc:"Begin; without it two days, a month or half a year before the end, as the bucket is. The bucket that it lies in is told whole"`
	To     time.Time   `query:"to" doc:"End; without it now. The bucket that it lies in is told whole"`
	Bucket mood.Bucket `query:"bucket" enum:"hour,day,week" default:"hour" doc:"What is counted together. At most 31 days of hours are told at once, and 400 of the others"`
	Zone   string      `query:"tz" maxLength:"64" default:"UTC" doc:"The time zone of days and weeks, like Asia/Seoul; weeks begin on Monday"`
}

type moodBucket struct {
	At       wire.Time `json:"at" doc:"When the bucket began"`
	Positive int       `json:"positive"`
	Neutral  int       `json:"neutral"`
	Negative int       `json:"negative"`
	Mean     float64   `json:"mean" doc:"Of the scores, from -1 to 1"`
	FirstSeq chat.Seq  `json:"first_seq" doc:"The messages counted stand from this number on"`
	LastSeq  chat.Seq  `json:"last_seq" doc:"and up to this one, perhaps among others"`
}

type moodOutput struct {
	Body struct {
		Buckets []moodBucket `json:"buckets" doc:"Ascending; without those that are empty"`
	}
}

func (s *Server) getMood(ctx context.Context, who account.Identity, in *moodInput) (*moodOutput, error) {
	if s.Moods == nil {
		return nil, chat.ErrNotFound
	}
	zone, err := time.LoadLocation(in.Zone)
	if err != nil || in.Zone == "Local" {
		return nil, chat.InvalidField("tz", "there is no such time zone")
	}
	buckets, err := s.Moods.Read(ctx, who.User.ID, in.RoomID, mood.Query{From: in.From, To: in.To, Bucket: in.Bucket, Zone: zone})
	if err != nil {
		return nil, err
	}
	var out moodOutput
	out.Body.Buckets = mapAll(buckets, func(c chat.MoodCount) moodBucket {
		return moodBucket{
			At: wire.Time{Time: c.At}, Positive: c.Positive, Neutral: c.Neutral, Negative: c.Negative,
			Mean: float64(c.Thousandths) / 1000 / float64(c.Messages()), FirstSeq: c.First, LastSeq: c.Last,
		}
	})
	return &out, nil
}
