package sqlite

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/blabber-hive/blabber-hive/internal/adapter/sqlite/accounts"
	"github.com/blabber-hive/blabber-hive/internal/adapter/sqlite/engine"
	"github.com/blabber-hive/blabber-hive/internal/run"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Options says where the store is and who watches it.
type Options struct {
	// Dir is the data directory; it is made if it is not there. One process at a time may use it.
	Dir string
	// Registry, where set, gets the store's metrics.
	Registry prometheus.Registerer

	onCommit func(CommitStats) // tests count commits
	vfs      string            // tests make the disk fail through it
}

// CommitStats tells of one commit.
type CommitStats = engine.CommitStats

// Store is the database of a server that runs alone. All methods may be called concurrently.
type Store struct {
	*people
	db     *engine.Engine
	group  *run.Group
	purges chan struct{}
	texts  chan struct{} // holds a token after texts were left to be read
	heads  heads         // of the writer alone
	close  func() error
}

// people are the methods of account's ports.
type people = accounts.Store

// Open opens the store in its directory, brings its schema up to date and starts its writer. Close must be called.
func Open(ctx context.Context, options Options) (*Store, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("find the migrations: %w", err)
	}
	var db *engine.Engine
	watched := newMetrics(options.Registry, func() int { return db.Waiting() })
	onCommit := options.onCommit
	if watched != nil {
		onCommit = watched.committed
	}
	db, err = engine.Open(ctx, engine.Options{Dir: options.Dir, Migrations: files, OnCommit: onCommit, VFS: options.vfs})
	if err != nil {
		return nil, err
	}
	s := &Store{
		people: accounts.New(db),
		db:     db,
		group:  run.NewGroup(context.WithoutCancel(ctx)), // lives until Close
		purges: make(chan struct{}, 1),
		texts:  make(chan struct{}, 1),
	}
	s.close = sync.OnceValue(func() error {
		s.group.Cancel()
		return errors.Join(s.group.Wait(), db.Close())
	})
	s.group.Go("remove deleted rooms", s.purge)
	return s, nil
}

// Close waits for the commit under way, refuses what still waits with chat.Unavailable, and closes the file.
func (s *Store) Close() error { return s.close() }
