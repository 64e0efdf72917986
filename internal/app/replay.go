package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/blabber-hive/blabber-hive/internal/adapter/kafka"
	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres"
	"github.com/blabber-hive/blabber-hive/internal/app/terminal"
	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/obs"
	"github.com/blabber-hive/blabber-hive/internal/replay"
	"github.com/blabber-hive/blabber-hive/internal/sequencer"
)

// fromEarliest is the one place from which a log can be replayed (docs/decisions/0013).
const fromEarliest = "earliest"

type replayCommand struct {
	Data          `embed:""`
	From          string `required:"" placeholder:"earliest" help:"Where to begin. Only 'earliest': numbers are the same only from the beginning on."`
	AcceptMissing bool   `help:"Go on with a log whose beginning was deleted, or that lacks the creation of rooms. Those rooms are left out; all others are whole."`
}

// Help says what a replay does not bring back.
func (*replayCommand) Help() string {
	return "For a cluster whose database is lost and has no backup. Stop all servers, make an empty database with 'migrate', and run " +
		"this: rooms, members, bans, messages, edits, deletions and reactions are as they were, with the same numbers. " +
		"A database that was restored from a backup needs no replay: it goes on from its stored offsets when servers start.\n\n" +
		"The log does not hold, and a replay does not bring back: " + replay.Lost + ". " +
		"People are given new passwords with 'user reset-password'."
}

// Run makes the database of a cluster again from its log.
func (c *replayCommand) Run(p *Process) (err error) {
	if err := c.Check(); err != nil {
		return err
	}
	if wrong := wrongFrom(c.From); wrong != "" {
		return &UsageError{errors.New("--from " + wrong)}
	}
	if !c.Cluster.on() {
		return &UsageError{errors.New("replay makes the database of a cluster again from its log: name all three of DATABASE_URL, KAFKA_BROKER_URL and REDIS_URL; " +
			"a server that runs alone has no log beside its data")}
	}
	ctx, release := p.untilSignal()
	defer release()
	store, err := postgres.Open(ctx, c.Cluster.postgres())
	if err != nil {
		return fmt.Errorf("open the database: %w", err)
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	logger, err := obs.NewLogger(p.Err, "text", "warn")
	if err != nil {
		return err
	}
	registry := prometheus.NewRegistry()
	log, err := kafka.Open(ctx, c.Cluster.kafka(registry, logger))
	if err != nil {
		return fmt.Errorf("open the log: %w", err)
	}
	defer func() { err = errors.Join(err, log.Stop()) }()

	meter := terminal.NewMeter(p.Err, "replayed", 0)
	r := replay.Replay{
		Log: log, Store: store, AcceptMissing: c.AcceptMissing,
		Number: func(ctx context.Context, log *replay.Stretch) error {
			only := sequencer.Options{Durable: true, StoreOnly: true}
			return sequencer.New(log, nobody{}, store, only, sequencer.NewMetrics(registry), logger).Run(ctx)
		},
		Progress: meter.At,
	}
	summary, err := r.Run(ctx)
	meter.End()
	switch {
	case ctx.Err() != nil:
		return terminal.ErrStopped
	case err != nil:
		return inWords(err)
	}
	c.tell(p, summary)
	return nil
}

// tell says what was made, and what an operator has to do before people can come back.
func (c *replayCommand) tell(p *Process, s replay.Summary) {
	fmt.Fprintf(p.Out, "Made from %d records of the log: %d accounts, %d rooms, %d events.\n", s.Records, s.Accounts, s.Rooms, s.Numbers)
	if s.Unreadable > 0 {
		fmt.Fprintf(p.Out, "%d records cannot be read and never had a number; the dead letters have them.\n", s.Unreadable)
	}
	if s.DeletedRooms > 0 {
		fmt.Fprintf(p.Out, "%d rooms that were deleted stay deleted.\n", s.DeletedRooms)
	}
	if s.MissingRooms > 0 {
		fmt.Fprintf(p.Out, "%d rooms are left out: the log does not have their creation.\n", s.MissingRooms)
	}
	for _, renamed := range s.Renamed {
		fmt.Fprintf(p.Out, "Two people had one username, one after the other: %s.\n", renamed)
	}
	fmt.Fprintf(p.Out, "Lost, because the log does not hold it: %s.\n", replay.Lost)
	fmt.Fprintln(p.Out, "Nobody has a password: give new ones with 'blabber-hive user reset-password NAME', make an administrator with 'user make-admin NAME', "+
		"lock again whom you had locked, and then start the servers.")
}

// wrongFrom says what is wrong with a place to begin at.
func wrongFrom(from string) string {
	if from == fromEarliest {
		return ""
	}
	_, noTime := time.Parse(time.RFC3339, from)
	if noTime == nil || strings.Trim(from, "0123456789") == "" {
		return fmt.Sprintf("is %s, and a log can be replayed only from its beginning: give 'earliest'. A database that was restored from a backup "+
			"goes on from its stored offsets when servers start", from)
	}
	return fmt.Sprintf("is %q: give 'earliest'", from)
}

// nobody is the bus of a replay: who is told of it has known it for long.
type nobody struct{}

// Publish implements sequencer.Bus.
func (nobody) Publish(context.Context, []chat.Envelope) error { return nil }

// Signal implements sequencer.Bus.
func (nobody) Signal(context.Context, chat.Signal) error { return nil }
