package app

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/blabber-hive/blabber-hive/internal/account"
	"github.com/blabber-hive/blabber-hive/internal/adapter/memory"
	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres"
	"github.com/blabber-hive/blabber-hive/internal/adapter/sqlite"
	"github.com/blabber-hive/blabber-hive/internal/archive"
	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/gateway"
	"github.com/blabber-hive/blabber-hive/internal/history"
	"github.com/blabber-hive/blabber-hive/internal/message"
	"github.com/blabber-hive/blabber-hive/internal/mood"
	"github.com/blabber-hive/blabber-hive/internal/room"
	"github.com/blabber-hive/blabber-hive/internal/sequencer"
)

// store is all that a database does: the sum of ports that are small where they are used.
type store interface { //nolint:interfacebloat // see above
	reads
	sequencer.Store
	history.Marks
	room.Store
	room.Directory
	room.People
	room.Outbox
	account.Users
	account.Sessions
	account.Keys
	account.Living
	archive.Auditor
	archive.Target
	mood.Counts
	mood.Rooms
	Position(ctx context.Context, partition int) (chat.Offset, error)
	Close() error
}

// openStore opens what is stored, without a server.
func (d Data) openStore(ctx context.Context) (store, error) {
	var opened store
	var err error
	if d.Cluster.on() {
		opened, err = postgres.Open(ctx, d.Cluster.postgres())
	} else {
		opened, err = sqlite.Open(ctx, sqlite.Options{Dir: d.DataDir})
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", d.place(), err)
	}
	return opened, nil
}

// place names what is stored, for people. The address of a database may hold a password.
func (d Data) place() string {
	if d.Cluster.on() {
		return "the database"
	}
	return "the data in " + d.DataDir
}

// reads is what people are shown: what is stored, and in a cluster also what is only announced yet.
type reads interface {
	message.Store
	history.Store
	gateway.Store
}

// shownRooms is the store of rooms, which are read as people are shown them.
type shownRooms struct {
	reads
	room.Changes
}

// queue is both halves of the log.
type queue interface {
	message.Log
	sequencer.Log
	Close()
}

// bus is both halves of the bus.
type bus interface {
	sequencer.Bus
	gateway.Bus
}

// openAlone opens a data folder, and keeps the rest in this process.
func (s *Server) openAlone(ctx context.Context) error {
	store, err := sqlite.Open(ctx, sqlite.Options{Dir: s.config.DataDir, Registry: s.registry})
	if err != nil {
		return fmt.Errorf("open the data in %s: %w", s.config.DataDir, err)
	}
	s.store, s.reads = store, store
	s.texts = func() (mood.Texts, error) { return store.Texts(), nil }
	s.stack.Push("store", drainPatience, func(context.Context) error { return store.Close() })
	switch half, err := store.HalfImported(ctx); {
	case err != nil:
		return fmt.Errorf("look for an unfinished import: %w", err)
	case half != "":
		return fmt.Errorf("the data in %s holds only a part of archive %s: run 'import' with it again, which goes on from there", s.config.DataDir, half)
	}
	stored, err := store.Position(ctx, partition)
	if err != nil {
		return fmt.Errorf("read where the log was left: %w", err)
	}
	bus := new(memory.Bus)
	s.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "blabber_bus_dropped_total", Help: "Events that the gateway was too busy to hear of; it fetches them.",
	}, func() float64 { return float64(bus.Dropped()) }))
	s.queue, s.bus = memory.NewLog(stored), bus
	s.limiter, s.online = memory.NewLimiter(time.Now), new(memory.Presence)
	return nil
}
