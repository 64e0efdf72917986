package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/blabber-hive/blabber-hive/internal/run"
)

// ownership is this process's part of the group, for one call of Own.
type ownership struct {
	log   *Log
	works *run.Group
	do    func(ctx context.Context, partition int) error

	mu    sync.Mutex
	owned map[int]*owning
}

// owning is one partition that we own, or one whose work has not yet returned.
type owning struct {
	let  context.CancelFunc
	done chan struct{} // closed when the work has returned
}

// Own implements sequencer.Log.
//
// Members are not static: a static one would keep its partitions from everybody else for sessionMax after it has gone,
// for the sake of a restart in place. Ours hands over at once, and a restart costs two handovers of a moment each.
func (l *Log) Own(ctx context.Context, work func(ctx context.Context, partition int) error) error {
	o := &ownership{log: l, works: run.NewGroup(ctx), do: work, owned: make(map[int]*owning)}
	common, err := l.options.client()
	if err != nil {
		return err
	}
	member, err := kgo.NewClient(append(common,
		kgo.ConsumerGroup(l.options.Group),
		kgo.ConsumeTopics(l.options.Topic),
		kgo.Balancers(kgo.CooperativeStickyBalancer()), // what need not move is not interrupted
		kgo.DisableAutoCommit(),                        // positions are the store's
		kgo.SessionTimeout(sessionMax),
		kgo.HeartbeatInterval(heartbeatEvery),
		kgo.RebalanceTimeout(rebalanceMax),
		kgo.OnPartitionsAssigned(o.assigned),
		kgo.OnPartitionsRevoked(o.revoked),
		kgo.OnPartitionsLost(o.lost),
		kgo.WithHooks(groupErrors{l}),
	)...)
	if err != nil {
		return fmt.Errorf("make a member of the group: %w", err)
	}
	member.PauseFetchTopics(l.options.Topic) // it only says who owns what: feeds fetch
	select {
	case <-o.works.Context().Done(): // ctx has ended, or a work has failed
	case <-l.ended: // the works read what is left and return
		o.returned(o.works.Context().Done())
	}

	// First the works, then the partitions: who is given them finds nobody at work.
	o.letGo(o.all())
	leaving, cancel := context.WithTimeout(context.WithoutCancel(ctx), letGoMax)
	defer cancel()
	if err := member.LeaveGroupContext(leaving); err != nil {
		l.logger.WarnContext(ctx, "the group was not told that we leave: our partitions are idle until it misses us", "error", err)
	}
	member.Close()
	return o.works.Wait()
}

// assigned, revoked and lost are called one at a time.
func (o *ownership) assigned(_ context.Context, _ *kgo.Client, partitions map[string][]int32) {
	o.log.metrics.rebalances.WithLabelValues("assigned").Inc()
	for _, partition := range partitions[o.log.options.Topic] {
		o.begin(int(partition))
	}
}

func (o *ownership) revoked(_ context.Context, _ *kgo.Client, partitions map[string][]int32) {
	if len(partitions[o.log.options.Topic]) == 0 {
		return // it is called at the end of every round
	}
	o.log.metrics.rebalances.WithLabelValues("revoked").Inc()
	o.letGo(numbers(partitions[o.log.options.Topic]))
}

// lost is called when the group has gone on without us: we were dead to it.
func (o *ownership) lost(_ context.Context, _ *kgo.Client, partitions map[string][]int32) {
	if len(partitions[o.log.options.Topic]) == 0 {
		return
	}
	o.log.metrics.rebalances.WithLabelValues("lost").Inc()
	o.log.logger.Warn("the group has given our partitions away without asking", "partitions", len(partitions[o.log.options.Topic])) //nolint:sloglint // a callback without a context
	o.letGo(numbers(partitions[o.log.options.Topic]))
}

func (o *ownership) begin(partition int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	before := o.owned[partition]
	ctx, cancel := context.WithCancel(o.works.Context())
	mine := &owning{let: cancel, done: make(chan struct{})}
	started := o.works.Go("partition "+strconv.Itoa(partition), func(context.Context) error {
		defer close(mine.done)
		defer cancel()
		if before != nil {
			<-before.done // it was let go of and has not returned: two of us at once must not be
		}
		if ctx.Err() != nil {
			return nil
		}
		o.log.metrics.owned.Inc()
		defer o.log.metrics.owned.Dec()
		defer o.log.release(partition)
		err := o.do(ctx, partition)
		if errors.Is(err, context.Canceled) && ctx.Err() != nil && o.works.Context().Err() == nil {
			return nil // it let go, as it was told
		}
		return err
	})
	if !started {
		cancel()
		close(mine.done)
	}
	o.owned[partition] = mine
}

// letGo ends the works of partitions and waits for them to return, though not for ever.
func (o *ownership) letGo(partitions []int) {
	o.mu.Lock()
	var works []*owning
	for _, partition := range partitions {
		if mine := o.owned[partition]; mine != nil {
			mine.let()
			works = append(works, mine)
		}
	}
	o.mu.Unlock()
	patience := time.NewTimer(letGoMax)
	defer patience.Stop()
	for _, mine := range works {
		select {
		case <-mine.done:
		case <-patience.C:
			o.log.metrics.overstays.Inc()
			o.log.logger.Error("a partition is given away though its work has not returned", "patience", letGoMax.String())
			return
		}
	}
}

// returned waits for all works to return by themselves, or to be told to.
func (o *ownership) returned(told <-chan struct{}) {
	o.mu.Lock()
	works := slices.Collect(maps.Values(o.owned))
	o.mu.Unlock()
	for _, mine := range works {
		select {
		case <-mine.done:
		case <-told:
			return
		}
	}
}

func (o *ownership) all() []int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Collect(maps.Keys(o.owned))
}

func numbers(partitions []int32) []int {
	all := make([]int, len(partitions))
	for i, partition := range partitions {
		all[i] = int(partition)
	}
	return all
}

// groupErrors hears of what a client retries by itself.
type groupErrors struct{ log *Log }

// OnGroupManageError implements kgo.HookGroupManageError.
func (g groupErrors) OnGroupManageError(err error) {
	g.log.metrics.groupErrors.Inc()
	g.log.logger.Warn("the group of owners cannot be reached or has refused us; trying again", "error", err)
}
