//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/run"
)

// moodRate is how many messages a second are said while moods are read: as many as leave some of two cores to whoever reads.
const moodRate = 200

// moodPatience is how long the last mood may take.
const moodPatience = time.Minute

// moods measures what it costs those who talk that the mood of each message is found, and how soon it is.
func (b *bench) moods(ctx context.Context) error {
	var without [4]float64
	for _, reader := range []string{"nobody", "VADER", "the model server"} {
		if err := b.clustered(ctx, func(n *nodes) error {
			flags := []string{"--mood=on"}
			switch reader {
			case "nobody":
				flags = []string{"--mood=off"}
			case "the model server":
				url, err := n.StartSentiment(ctx)
				if err != nil {
					return err
				}
				flags = append(flags, "--sentiment-url="+url)
			}
			for range latencyNodes {
				if _, err := n.serve(ctx, flags...); err != nil {
					return err
				}
			}
			took, late, err := b.moodWalk(ctx, n, reader != "nobody")
			if err != nil {
				return err
			}
			for i, what := range []string{"send to ack, p50", "send to ack, p99", "send to receive on another node, p50", "send to receive on another node, p99"} {
				var note string
				if reader == "nobody" {
					without[i], note = took[i], fmt.Sprintf("%d a second, %d rooms; %s", moodRate, latencyPairs, n.Promise)
				} else {
					note = fmt.Sprintf("%.2f of what it is where nobody reads", took[i]/without[i])
				}
				b.report.Note(what+", moods read by "+reader, took[i], "ms", note)
			}
			if reader != "nobody" {
				b.report.Note("the last mood after the last message, "+reader, milliseconds(late), "ms", "")
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// moodWalk has people talk, and answers what acks and messages took, and how long after the last message it took until all
// had moods.
func (b *bench) moodWalk(ctx context.Context, n *nodes, read bool) (took [4]float64, late time.Duration, err error) {
	p, err := gatherPairs(ctx, n, latencyPairs)
	if err != nil {
		return took, 0, err
	}
	defer p.loop.close()
	for _, id := range p.rooms {
		if err := n.Store.Update(ctx, id, func(tx chat.RoomTx) error {
			room, err := tx.Room()
			room.MoodEnabled = true
			return errors.Join(err, tx.PutRoom(room))
		}); err != nil {
			return took, 0, err
		}
	}
	if err := p.talk(moodRate, clusterSettle, func(time.Time) {}); err != nil {
		return took, 0, err
	}
	p.forget()
	if err := p.talk(moodRate, b.span, func(time.Time) {}); err != nil {
		return took, 0, err
	}
	for i, of := range []struct {
		times []time.Duration
		q     float64
	}{{p.acks, 0.5}, {p.acks, 0.99}, {p.hears, 0.5}, {p.hears, 0.99}} {
		took[i] = milliseconds(quantile(of.times, of.q))
	}
	if !read {
		return took, 0, nil
	}
	began := time.Now()
	waiting, cancel := context.WithTimeout(ctx, moodPatience)
	defer cancel()
	err = run.Retry(waiting, run.Backoff{First: 10 * time.Millisecond, Max: 100 * time.Millisecond}, func(ctx context.Context) error {
		counted := 0
		for _, id := range p.rooms {
			counts, err := n.Store.Moods(ctx, id, began.Add(-time.Hour).Truncate(chat.MoodSpan), began.Add(time.Hour).Truncate(chat.MoodSpan))
			if err != nil {
				return err
			}
			for i := range counts {
				counted += counts[i].Messages()
			}
		}
		if counted < p.sent {
			return fmt.Errorf("%d of %d messages have moods", counted, p.sent)
		}
		return nil
	})
	return took, time.Since(began), err
}
