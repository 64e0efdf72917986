package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	driver "modernc.org/sqlite"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/run"
)

// readersMax bounds the connections that read, and so the memory of their caches and the threads that wait for the disk.
// What comes beyond waits as long as its context allows.
const readersMax = 4

// Options says where the store is and who watches it.
type Options struct {
	// Dir is the data directory; it is made if it is not there. One process at a time may use it.
	Dir string
	// OnCommit, where set, is told of every commit, one at a time; it must not block.
	OnCommit func(CommitStats)

	vfs string // tests make the disk fail through it
}

// Store is the database of a server that runs alone. All methods may be called concurrently.
type Store struct {
	path    string
	vfs     string
	lock    *os.File
	writer  *writer
	group   *run.Group
	readers chan *conn // nil where a connection failed and the next user opens another
	purges  chan struct{}
	close   func() error
}

// Open opens the store in its directory, brings its schema up to date and starts its writer. Close must be called.
func Open(ctx context.Context, options Options) (*Store, error) {
	if err := os.MkdirAll(options.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the data directory: %w", err)
	}
	lock, err := lockDir(options.Dir)
	if err != nil {
		return nil, err
	}
	store, err := open(ctx, options, lock)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return store, nil
}

func open(ctx context.Context, options Options, lock *os.File) (*Store, error) {
	path, err := filepath.Abs(filepath.Join(options.Dir, databaseName))
	if err != nil {
		return nil, fmt.Errorf("find the data directory: %w", err)
	}
	// Made here and not by SQLite, which would let others on the machine read it; its WAL gets the same mode.
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the operator names the directory
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	if err := file.Close(); err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	// fdatasync makes data and size durable, which is what a commit needs, at about half the time of fsync. Where the
	// system has none, fsync stays.
	if _, err := driver.Fdatasync(true); err != nil && !errors.Is(err, driver.ErrFdatasyncUnavailable) {
		return nil, fmt.Errorf("choose fdatasync: %w", err)
	}

	first, err := dial(path, options.vfs, false)
	if err != nil {
		return nil, translate(err)
	}
	if err := migrate(first); err != nil {
		return nil, errors.Join(translate(err), first.close())
	}
	s := &Store{
		path: path, vfs: options.vfs, lock: lock,
		writer:  newWriter(first, func() (*conn, error) { return dial(path, options.vfs, false) }, options.OnCommit),
		group:   run.NewGroup(context.WithoutCancel(ctx)), // lives until Close, not until whoever opened it stops waiting
		readers: make(chan *conn, readersMax),
		purges:  make(chan struct{}, 1),
	}
	for range readersMax {
		s.readers <- nil
	}
	s.close = sync.OnceValue(s.stop)
	s.group.Go("write to the database", s.writer.run)
	s.group.Go("remove deleted rooms", s.purge)
	return s, nil
}

// Close waits for the commit under way, refuses what still waits with chat.Unavailable, and closes the file.
func (s *Store) Close() error { return s.close() }

func (s *Store) stop() error {
	s.group.Cancel()
	errs := []error{s.group.Wait()}
	for range readersMax {
		if c := <-s.readers; c != nil {
			errs = append(errs, c.close())
		}
	}
	// The writer goes last: whoever closes last moves the WAL into the database.
	return errors.Join(append(errs, s.writer.close(), s.lock.Close())...)
}

// Waiting is how many changes wait for the writer.
func (s *Store) Waiting() int { return len(s.writer.queue) }

// write runs a change in a transaction and returns when it is on the disk.
func (s *Store) write(ctx context.Context, change func(c *conn) error) error {
	return translate(s.writer.do(ctx, change))
}

// read lends a connection to reads.
func (s *Store) read(ctx context.Context, reads func(c *conn) error) error {
	if err := ctx.Err(); err != nil {
		return translate(err)
	}
	var c *conn
	select {
	case c = <-s.readers:
	case <-ctx.Done():
		return translate(ctx.Err())
	case <-s.group.Context().Done():
		return chat.Away("the database", errClosed)
	}
	defer func() { s.readers <- c }()
	if c == nil {
		fresh, err := dial(s.path, s.vfs, true)
		if err != nil {
			return translate(err)
		}
		c = fresh
	}
	err := reads(c)
	if err != nil && fails(err) {
		err = errors.Join(err, c.close())
		c = nil
	}
	return translate(err)
}

// readMoment is read with a transaction around it: all that is read is of one moment.
func (s *Store) readMoment(ctx context.Context, reads func(c *conn) error) error {
	return s.read(ctx, func(c *conn) error {
		return c.snapshot(func() error { return reads(c) })
	})
}
