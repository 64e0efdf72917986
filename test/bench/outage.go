//go:build linux

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/run"
)

const (
	outageRate  = 1000 // messages a second
	outagePairs = 50
	outageNodes = 2
	// outageSettlePart is which part of the outage's length they talk before it.
	outageSettlePart = 5
	// outageGrowth is what a node's memory may grow by while the database is away, whatever waits: what its collector has not
	// got round to, and caches that fill up to their bounds.
	outageGrowthMiB = 64

	storedEvery = 50 * time.Millisecond // is looked at what has been stored
)

// outages measures a cluster whose database is away for a while under load: what goes on meanwhile, what memory the
// nodes need, and how soon everything is stored afterwards.
func (b *bench) outages(ctx context.Context) error {
	return b.clustered(ctx, func(n *nodes) error {
		for range outageNodes {
			if _, err := n.serve(ctx); err != nil {
				return err
			}
		}
		p, err := gatherPairs(ctx, n, outagePairs)
		if err != nil {
			return err
		}
		defer p.loop.close()
		// What nodes remember of each room is full by then, if the outage is as long as it should be.
		settle := max(clusterSettle, b.outage/outageSettlePart)
		if err := p.talk(outageRate, settle, func(time.Time) {}); err != nil {
			return fmt.Errorf("before the outage: %w", err)
		}
		calm := quantile(p.hears, 0.99)
		p.forget()
		before := p.sent
		n.Postgres.Kill()
		if err := b.withoutStore(ctx, n, p); err != nil {
			return fmt.Errorf("while the database is away: %w", err)
		}
		logged := p.sent - before
		b.report.Note("delivery p50 while the database is away", milliseconds(quantile(p.hears, 0.5)), "ms", "")
		b.report.Note("delivery p99 while the database is away", milliseconds(quantile(p.hears, 0.99)), "ms",
			fmt.Sprintf("%.3g ms in the %v before", milliseconds(calm), settle))
		if err := n.Postgres.Start(ctx); err != nil {
			return err
		}
		took, err := n.storedUpTo(ctx, p.sent)
		if err != nil {
			return err
		}
		b.report.Note("until all is stored that was logged", took.Seconds(), "s",
			fmt.Sprintf("%d messages, %.0f a second, from when the database answers", logged, float64(logged)/took.Seconds()))
		return n.Command(ctx, "verify")
	})
}

// withoutStore has the pairs talk while there is no database, and watches the nodes' memory.
func (b *bench) withoutStore(ctx context.Context, n *nodes, p *pairs) error {
	nodes := n.all
	first, most, last := make([]int64, len(nodes)), make([]int64, len(nodes)), make([]int64, len(nodes))
	var failure error
	look := func() {
		for i, node := range nodes {
			var err error
			if last[i], err = node.rss(); err != nil {
				failure = err
			}
			most[i] = max(most[i], last[i])
		}
	}
	look()
	copy(first, last)
	began, minutes := time.Now(), 0
	err := p.talk(outageRate, b.outage, func(now time.Time) {
		look()
		if m := int(now.Sub(began) / time.Minute); m > minutes {
			minutes = m
			for i := range nodes {
				b.report.Note(fmt.Sprintf("memory of node %d after %d min", i+1, m), mebibytes(last[i]), "MiB", "")
			}
		}
	})
	took := time.Since(began)
	if err != nil {
		return err
	}
	look()
	if failure != nil {
		return failure
	}
	if b.profiles != "" {
		for i, node := range nodes {
			if err := b.heap(ctx, node, fmt.Sprintf("outage-%d", i+1)); err != nil {
				return err
			}
		}
	}
	b.report.AtLeast("acked a second while the database is away", float64(len(p.acks))/took.Seconds(), 0.95*outageRate, "/s", fmt.Sprintf("%v, %d sent a second", b.outage, outageRate))
	b.report.AtLeast("delivered a second while the database is away", float64(len(p.hears))/took.Seconds(), 0.95*outageRate, "/s", "")
	for i := range nodes {
		b.report.AtMost(fmt.Sprintf("growth of node %d's memory", i+1), mebibytes(last[i]-first[i]), outageGrowthMiB, "MiB",
			fmt.Sprintf("from %.0f MiB to %.0f MiB, at most %.0f MiB", mebibytes(first[i]), mebibytes(last[i]), mebibytes(most[i])))
	}
	return nil
}

func mebibytes(bytes int64) float64 { return float64(bytes) / (1 << 20) }

// storedUpTo waits until so many records are stored, and says how long that took.
func (n *nodes) storedUpTo(ctx context.Context, records int) (time.Duration, error) {
	began := time.Now()
	for {
		stored, err := n.Stored(ctx)
		if err == nil && stored >= records {
			return time.Since(began), nil
		}
		if err := run.Pause(ctx, storedEvery); err != nil {
			return 0, err
		}
	}
}
