package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/accounts"
	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/engine"
	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/origin"
	"github.com/blabber-hive/blabber-hive/internal/run"
)

//go:embed migrations/*.sql
var files embed.FS

func migrations() (fs.FS, error) {
	dir, err := fs.Sub(files, "migrations")
	if err != nil {
		return nil, fmt.Errorf("find the migrations: %w", err)
	}
	return dir, nil
}

// Options says where the database is and how many connections a node may have to it.
type Options = engine.Options

// Store is the database of a cluster. All methods may be called concurrently.
type Store struct {
	*people
	*made
	db     *engine.Engine
	group  *run.Group
	purges chan struct{}
	insert func(c *engine.Conn, b *engine.Batch, rows []*messageRow) error // insertMessages; tests measure others
	close  func() error
}

// people are the methods of account's ports.
type people = accounts.Store

// made are the methods about what the database was made of.
type made = origin.Store

// Migrate brings the database's schema to what this binary knows, and answers the names of the files that did. Several may
// run at the same time: one does the work, the others wait. Nodes do not migrate by themselves.
func Migrate(ctx context.Context, url string) (applied []string, err error) {
	schema, err := migrations()
	if err != nil {
		return nil, err
	}
	return engine.Migrate(ctx, url, schema)
}

// Open opens the store; a database that is not migrated is refused with a sentence. Close must be called.
func Open(ctx context.Context, options Options) (*Store, error) {
	schema, err := migrations()
	if err != nil {
		return nil, err
	}
	db, err := engine.Open(ctx, options, schema)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	s := &Store{
		people: accounts.New(db),
		made:   origin.New(db),
		db:     db,
		group:  run.NewGroup(context.WithoutCancel(ctx)), // lives until Close
		purges: make(chan struct{}, 1),
		insert: insertMessages,
	}
	s.close = sync.OnceValue(func() error {
		s.group.Cancel()
		err := s.group.Wait()
		db.Close()
		return errors.Join(err)
	})
	s.group.Go("remove deleted rooms", s.purge)
	return s, nil
}

// Close waits for the calls under way and ends all connections.
func (s *Store) Close() error { return s.close() }
