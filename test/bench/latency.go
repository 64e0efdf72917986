//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/blabber-hive/blabber-hive/test/bench/cluster"
)

const (
	latencyRate  = 500 // messages a second
	latencyPairs = 50
	latencyNodes = 2
)

// latency measures how long a message takes from one person on one node to another on another one, and on what.
func (b *bench) latency(ctx context.Context) error {
	return b.clustered(ctx, func(n *nodes) error {
		for range latencyNodes {
			if _, err := n.serve(ctx); err != nil {
				return err
			}
		}
		p, err := gatherPairs(ctx, n, latencyPairs)
		if err != nil {
			return err
		}
		defer p.loop.close()
		heard, stop, err := n.Listen(ctx, p.rooms)
		if err != nil {
			return err
		}
		err = b.walk(ctx, n, p, heard)
		return errors.Join(err, stop(), b.bareWalk(ctx, n))
	})
}

// walk measures the messages' way and its parts.
func (b *bench) walk(ctx context.Context, n *nodes, p *pairs, heard *cluster.Hearing) error {
	if err := p.talk(latencyRate, clusterSettle, func(time.Time) {}); err != nil {
		return err
	}
	if err := heard.Await(ctx, p.sent); err != nil {
		return err
	}
	p.forget()
	before, errBefore := n.histograms(ctx)
	byRoom := make([][][2]time.Time, len(p.rooms))
	p.heard = func(room int, due, at time.Time) { byRoom[room] = append(byRoom[room], [2]time.Time{due, at}) }
	settled := p.sent
	if err := errors.Join(errBefore, p.talk(latencyRate, b.span, func(time.Time) {})); err != nil {
		return err
	}
	if err := heard.Await(ctx, p.sent); err != nil {
		return err
	}
	after, err := n.histograms(ctx)
	if err != nil {
		return err
	}
	var toBus, fromBus []time.Duration
	for room, times := range byRoom {
		on := heard.Of(p.rooms[room])
		on = on[len(on)-len(times):]
		for i, at := range times {
			toBus, fromBus = append(toBus, on[i].Sub(at[0])), append(fromBus, at[1].Sub(on[i]))
		}
	}
	note := fmt.Sprintf("%d messages, %d a second, %d rooms; %s", p.sent-settled, latencyRate, latencyPairs, n.Promise)
	b.report.AtMost("send to receive on another node, p50", milliseconds(quantile(p.hears, 0.5)), 15, "ms", note)
	b.report.AtMost("send to receive on another node, p99", milliseconds(quantile(p.hears, 0.99)), 60, "ms", "")
	counted := func(name string) func(float64) time.Duration {
		return func(q float64) time.Duration { return after.Since(before, name).Quantile(q) }
	}
	b.hop("send to ack", measured(p.acks), "at the sender")
	b.hop("of which gateway to Kafka's ack", counted("blabber_kafka_produce_seconds"), "as the gateway counts")
	b.hop("gateway to numbered", counted("blabber_sequencer_numbered_seconds"), "as the sequencer counts; a gateway's time is cut to milliseconds")
	b.hop("publishing one run", counted("blabber_sequencer_publish_seconds"), "as the sequencer counts")
	b.hop("send to heard on the bus", measured(toBus), "by a listener without a server")
	b.hop("bus to client", measured(fromBus), "after that listener, which may hear later than the gateway")
	return nil
}

// hop adds how long a part of the way took, by quantile.
func (b *bench) hop(name string, at func(q float64) time.Duration, note string) {
	b.report.Note(name+", p50", milliseconds(at(0.5)), "ms", note)
	b.report.Note(name+", p99", milliseconds(at(0.99)), "ms", "")
}

func measured(of []time.Duration) func(float64) time.Duration {
	return func(q float64) time.Duration { return quantile(of, q) }
}

// bareWalk measures the same way without servers.
func (b *bench) bareWalk(ctx context.Context, n *nodes) error {
	walk, err := n.BareWalk(ctx, latencyPairs, latencyRate, b.span)
	if err != nil {
		return err
	}
	b.hop("bare log to bus", measured(walk.ToHeard), "append, sync, read, publish, hear, in one process; no server")
	b.hop("of which to the log's ack", measured(walk.ToAck), "")
	return nil
}
