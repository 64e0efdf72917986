package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	driver "modernc.org/sqlite"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/run"
)

// ReadersMax bounds the connections that read, and so the memory of their caches and the threads that wait for the disk.
// What comes beyond waits as long as its context allows.
const ReadersMax = 4

// Options says where the database is and who watches it.
type Options struct {
	// Dir is the data directory; it is made if it is not there. One process at a time may use it.
	Dir string
	// Migrations are the files NNNN_name.sql that make the schema, from 0001 on.
	Migrations fs.FS
	// OnCommit, where set, is told of every commit, one at a time; it must not block.
	OnCommit func(CommitStats)
	// VFS is empty for the system's own files; tests name one that fails.
	VFS string
}

// Engine is an open database. All methods may be called concurrently.
type Engine struct {
	path    string
	vfs     string
	lock    *os.File
	writer  *writer
	group   *run.Group
	readers chan *Conn // nil where a connection failed and the next user opens another
	close   func() error
}

// Open opens the database in its directory, brings its schema up to date and starts its writer. Close must be called.
func Open(ctx context.Context, options Options) (*Engine, error) {
	if err := makeDir(options.Dir); err != nil {
		return nil, fmt.Errorf("make the data directory: %w", err)
	}
	lock, err := lockDir(options.Dir)
	if err != nil {
		return nil, err
	}
	e, err := open(ctx, options, lock)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return e, nil
}

func open(ctx context.Context, options Options, lock *os.File) (*Engine, error) {
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

	first, err := dial(path, options.VFS, false)
	if err != nil {
		return nil, Translate(err)
	}
	if err := migrate(first, options.Migrations); err != nil {
		return nil, errors.Join(Translate(err), first.close())
	}
	e := &Engine{
		path: path, vfs: options.VFS, lock: lock,
		writer:  newWriter(first, func() (*Conn, error) { return dial(path, options.VFS, false) }, options.OnCommit),
		group:   run.NewGroup(context.WithoutCancel(ctx)), // lives until Close, not until whoever opened it stops waiting
		readers: make(chan *Conn, ReadersMax),
	}
	for range ReadersMax {
		e.readers <- nil
	}
	e.close = sync.OnceValue(e.stop)
	e.group.Go("write to the database", e.writer.run)
	return e, nil
}

// Close waits for the commit under way, refuses what still waits with chat.Unavailable, and closes the file.
func (e *Engine) Close() error { return e.close() }

func (e *Engine) stop() error {
	e.group.Cancel()
	errs := []error{e.group.Wait()}
	for range ReadersMax {
		if c := <-e.readers; c != nil {
			errs = append(errs, c.close())
		}
	}
	// The writer goes last: whoever closes last moves the WAL into the database.
	return errors.Join(append(errs, e.writer.discard(), e.lock.Close())...)
}

// Waiting is how many changes wait for the writer.
func (e *Engine) Waiting() int { return len(e.writer.queue) }

// Write runs a change in a transaction and returns when it is on the disk. Where change fails nothing of it is stored and
// its error comes back. It runs alone, holds everybody up while it runs, and must not use the connection afterwards.
func (e *Engine) Write(ctx context.Context, change func(c *Conn) error) error {
	return Translate(e.writer.do(ctx, change))
}

// Read lends a connection to reads.
func (e *Engine) Read(ctx context.Context, reads func(c *Conn) error) error {
	if err := ctx.Err(); err != nil {
		return Translate(err)
	}
	var c *Conn
	select {
	case c = <-e.readers:
	case <-ctx.Done():
		return Translate(ctx.Err())
	case <-e.group.Context().Done():
		return chat.Away("the database", errClosed)
	}
	defer func() { e.readers <- c }()
	if c == nil {
		fresh, err := dial(e.path, e.vfs, true)
		if err != nil {
			return Translate(err)
		}
		c = fresh
	}
	err := reads(c)
	if err != nil && fails(err) {
		err = errors.Join(err, c.close())
		c = nil
	}
	return Translate(err)
}

// ReadMoment is Read with a transaction around it: all that is read is of one moment.
func (e *Engine) ReadMoment(ctx context.Context, reads func(c *Conn) error) error {
	return e.Read(ctx, func(c *Conn) error {
		return c.snapshot(func() error { return reads(c) })
	})
}

// ReadLong is ReadMoment for reads that take minutes: they get a connection of their own, so that they keep none from
// others. The WAL grows until they end.
func (e *Engine) ReadLong(ctx context.Context, reads func(c *Conn) error) error {
	if err := ctx.Err(); err != nil {
		return Translate(err)
	}
	if e.group.Context().Err() != nil {
		return chat.Away("the database", errClosed)
	}
	c, err := dial(e.path, e.vfs, true)
	if err != nil {
		return Translate(err)
	}
	err = c.snapshot(func() error { return reads(c) })
	return Translate(errors.Join(err, c.close()))
}
