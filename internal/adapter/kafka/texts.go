package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// commitEvery is how often it is noted how far texts were read: what is read twice after a death is at most this long.
const commitEvery = time.Second

// Texts are the texts in the log for the members of one group, each for one of them. One goroutine at a time may use it.
type Texts struct {
	options Options
	member  *kgo.Client
	polled  []*kgo.Record
}

// OpenTexts joins the group. Close must be called.
//
// A group that is new begins at the beginning of the log, so that nothing is passed over that was said before its first
// member came.
func OpenTexts(options Options) (*Texts, error) {
	options = options.filled()
	common, err := options.client()
	if err != nil {
		return nil, err
	}
	t := &Texts{options: options}
	t.member, err = kgo.NewClient(append(common,
		kgo.ConsumerGroup(options.MoodGroup),
		kgo.ConsumeTopics(options.Topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.Balancers(kgo.CooperativeStickyBalancer()),
		kgo.SessionTimeout(sessionMax),
		kgo.RebalanceTimeout(rebalanceMax),
		kgo.AutoCommitMarks(), // only what was dealt with, see Done
		kgo.AutoCommitInterval(commitEvery),
	)...)
	if err != nil {
		return nil, fmt.Errorf("make a member of the group of readers: %w", err)
	}
	return t, nil
}

// Poll waits for records and gives the texts among them, at most most.
func (t *Texts) Poll(ctx context.Context, most int) ([]chat.MoodText, error) {
	if len(t.polled) == 0 { // else they are not done, and are given again
		fetches := t.member.PollRecords(ctx, most)
		if errs := fetches.Errors(); len(errs) > 0 && fetches.NumRecords() == 0 {
			return nil, fmt.Errorf("fetch texts of partition %d: %w", errs[0].Partition, errs[0].Err)
		}
		t.polled = fetches.Records()
	}
	texts := make([]chat.MoodText, 0, len(t.polled))
	for _, fetched := range t.polled {
		record, err := t.options.Decode(fetched.Value)
		if err != nil {
			continue // whoever numbers it puts it among the dead letters
		}
		text := chat.MoodText{Room: record.Room, Record: record.ID, At: record.At, Body: record.Body, Trace: traceOf(fetched)}
		switch record.Kind {
		case chat.KindMessage:
			text.Message = record.ID
		case chat.KindEdit:
			text.Message = record.Target
		default:
			continue
		}
		texts = append(texts, text)
	}
	return texts, nil
}

// Done notes that what Poll gave is dealt with.
func (t *Texts) Done(context.Context) error {
	t.member.MarkCommitRecords(t.polled...)
	t.polled = nil
	return nil
}

// Behind is how many records of the log no member of the group has dealt with.
func (t *Texts) Behind(ctx context.Context) (int64, error) {
	lags, err := kadm.NewClient(t.member).Lag(ctx, t.options.MoodGroup)
	if err == nil {
		err = lags.Error()
	}
	if err != nil {
		return 0, fmt.Errorf("ask how far texts were read: %w", err)
	}
	var behind int64
	for _, partition := range lags[t.options.MoodGroup].Lag[t.options.Topic] {
		if partition.Err != nil {
			return 0, fmt.Errorf("ask how far the texts of partition %d were read: %w", partition.Partition, partition.Err)
		}
		behind += partition.Lag
	}
	return behind, nil
}

// Close notes how far was read and leaves the group.
func (t *Texts) Close(ctx context.Context) error {
	err := t.member.CommitMarkedOffsets(ctx)
	t.member.LeaveGroup()
	t.member.Close()
	if err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("note how far texts were read: %w", err)
	}
	return nil
}
