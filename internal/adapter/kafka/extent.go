package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/run"
)

// Extents tells what of each partition, by its number, is in the log now. The id is the topic's own: one that was deleted
// and made again has another.
func (l *Log) Extents(ctx context.Context) (id string, extents []chat.Extent, err error) {
	admin := kadm.NewClient(l.producer)
	there, err := migratedTopic(ctx, admin, l.options.Topic)
	if err != nil {
		return "", nil, err
	}
	starts, err := admin.ListStartOffsets(ctx, l.options.Topic)
	if err == nil {
		err = starts.Error()
	}
	if err != nil {
		return "", nil, fmt.Errorf("ask Kafka where topic %s begins: %w", l.options.Topic, err)
	}
	ends, err := admin.ListEndOffsets(ctx, l.options.Topic)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return "", nil, fmt.Errorf("ask Kafka where topic %s ends: %w", l.options.Topic, err)
	}
	extents = make([]chat.Extent, len(there.Partitions))
	for n := range extents {
		start, began := starts.Lookup(l.options.Topic, int32(n))
		end, ended := ends.Lookup(l.options.Topic, int32(n))
		if !began || !ended {
			return "", nil, fmt.Errorf("Kafka does not say where partition %d of topic %s begins and ends", n, l.options.Topic) //nolint:staticcheck // a name
		}
		extents[n] = chat.Extent{First: chat.Offset(start.Offset), End: chat.Offset(end.Offset)}
	}
	return there.ID.String(), extents, nil
}

// coordinatorMax is how long the brokers may take to agree who keeps the group: where there has never been a group they
// make a topic for it first.
const coordinatorMax = 15 * time.Second

// Owners tells how many processes share the partitions now.
func (l *Log) Owners(ctx context.Context) (owners int, err error) {
	ctx, cancel := context.WithTimeout(ctx, coordinatorMax)
	defer cancel()
	admin := kadm.NewClient(l.producer)
	err = run.Retry(ctx, run.Backoff{First: 50 * time.Millisecond, Max: retryMax}, func(ctx context.Context) error {
		groups, err := admin.DescribeGroups(ctx, l.options.Group)
		if err == nil {
			err = groups[l.options.Group].Err
		}
		if errors.Is(err, kerr.GroupIDNotFound) {
			return nil
		}
		owners = len(groups[l.options.Group].Members)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("ask Kafka who owns the partitions: %w", err)
	}
	return owners, nil
}

// Release lets go of all that is kept of a partition in memory. Whoever reads on begins anew.
func (l *Log) Release(number int) { l.release(number) }
