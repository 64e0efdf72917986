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

// From where a log can be replayed (docs/decisions/0013): from its beginning into nothing, or from where a restored backup ends.
const (
	fromEarliest = "earliest"
	fromBackup   = "backup"
)

type replayCommand struct {
	Data          `embed:""`
	From          string `required:"" placeholder:"PLACE" help:"Where to begin: 'backup' brings a database that was restored from a backup up to the log, 'earliest' fills an empty one."`
	AcceptMissing bool   `help:"From earliest: go on with a log whose beginning was deleted, or that lacks the creation of rooms. Those rooms are left out; all others are whole."`
}

// Help says what a replay does not bring back.
func (*replayCommand) Help() string {
	return "For a cluster whose database is lost. Stop all servers first.\n\n" +
		"With a backup: restore it, and run 'migrate' and 'replay --from backup'. Everything that was said since, and the rooms and members " +
		"since, come from the log; servers serve the database only after that. The log does not hold, of the time since, and this does not bring back: " + replay.Outlived + ".\n\n" +
		"Without one: make an empty database with 'migrate', and run 'replay --from earliest': rooms, members, bans, messages, edits, deletions and reactions " +
		"are as they were, with the same numbers. The log does not hold, and that does not bring back: " + replay.Lost + ". " +
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
	if c.From == fromBackup && c.AcceptMissing {
		return &UsageError{errors.New("--accept-missing is for --from earliest: a backup holds the rooms that the log does not create")}
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
	number := func(ctx context.Context, log *replay.Stretch) error {
		only := sequencer.Options{Durable: true, StoreOnly: true}
		return sequencer.New(log, nobody{}, store, only, sequencer.NewMetrics(registry), logger).Run(ctx)
	}
	var made fmt.Stringer
	if c.From == fromBackup {
		r := replay.CatchUp{Log: log, Store: store, Number: number, Progress: meter.At}
		made, err = r.Run(ctx)
	} else {
		r := replay.Replay{Log: log, Store: store, AcceptMissing: c.AcceptMissing, Number: number, Progress: meter.At}
		made, err = r.Run(ctx)
	}
	meter.End()
	switch {
	case ctx.Err() != nil:
		return terminal.ErrStopped
	case err != nil:
		return inWords(err)
	}
	fmt.Fprint(p.Out, made)
	return nil
}

// wrongFrom says what is wrong with a place to begin at.
func wrongFrom(from string) string {
	if from == fromEarliest || from == fromBackup {
		return ""
	}
	_, noTime := time.Parse(time.RFC3339, from)
	if noTime == nil || strings.Trim(from, "0123456789") == "" {
		return fmt.Sprintf("is %s, and a log can be replayed only from its beginning: give 'earliest'; or 'backup' for a database that was restored from one, "+
			"which knows itself where it ends", from)
	}
	return fmt.Sprintf("is %q: give 'earliest' or 'backup'", from)
}

// nobody is the bus of a replay: who is told of it has known it for long.
type nobody struct{}

// Publish implements sequencer.Bus.
func (nobody) Publish(context.Context, []chat.Envelope) error { return nil }

// Signal implements sequencer.Bus.
func (nobody) Signal(context.Context, chat.Signal) error { return nil }
