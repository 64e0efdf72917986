package engine

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

const (
	databaseName = "blabber-hive.db"

	// Pages kept in memory: bounded, so that an idle server stays small; the operating system caches the file as well.
	writerCacheKiB = 8 << 10
	readerCacheKiB = 2 << 10

	// Pages in the WAL before the writer moves them into the database, 16 MiB. At SQLite's own 1,000 a busy server moves
	// pages several times a second, each time with an fsync of both files.
	checkpointPages = 4000
	walBytesKept    = 64 << 20 // what a checkpoint leaves of a WAL that a long read made grow

	// How long a statement waits for a lock of another process, a backup or somebody's sqlite3 shell.
	busyTimeout = 5 * time.Second
)

// Conn is one connection with its prepared statements. It is used by one goroutine at a time. Statements run without a
// caller's context: an interrupt would hit whatever shares the transaction. Waiting for a connection is what ends.
//
// What changes goes straight to the driver: database/sql's copies, closures and locks measured a tenth of a batch's time.
// What reads goes through it for its conversions.
type Conn struct {
	db       *sql.DB // of exactly this one connection
	raw      *sql.Conn
	prepared map[string]*sql.Stmt
	changes  map[string]changeStmt
	values   []sqldriver.NamedValue // of the change under way, here so that it is made once
}

type changeStmt interface {
	sqldriver.Stmt
	sqldriver.StmtExecContext
}

// dial opens a connection to the database file at path. vfs is empty but for tests that make the disk fail.
func dial(path, vfs string, readOnly bool) (*Conn, error) {
	db, err := sql.Open("sqlite", source(path, vfs, readOnly))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	db.SetMaxOpenConns(1)
	raw, err := db.Conn(context.Background())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), db.Close())
	}
	return &Conn{db: db, raw: raw, prepared: make(map[string]*sql.Stmt), changes: make(map[string]changeStmt)}, nil
}

func source(path, vfs string, readOnly bool) string {
	cache := writerCacheKiB
	query := url.Values{"_dqs": {"0"}, "_defensive": {"1"}} // a misspelt column is an error and not a text; no writing past the schema
	if vfs != "" {
		query.Set("vfs", vfs)
	}
	if readOnly {
		cache = readerCacheKiB
		query.Add("_pragma", "query_only(1)")
	}
	for _, pragma := range []string{
		"busy_timeout(" + strconv.FormatInt(busyTimeout.Milliseconds(), 10) + ")",
		"journal_mode(wal)",
		"synchronous(full)", // a commit is answered when it is on the disk
		"foreign_keys(1)",
		"temp_store(memory)",
		"cache_size(-" + strconv.Itoa(cache) + ")",
		"wal_autocheckpoint(" + strconv.Itoa(checkpointPages) + ")",
		"journal_size_limit(" + strconv.Itoa(walBytesKept) + ")",
	} {
		query.Add("_pragma", pragma)
	}
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: query.Encode()}).String()
}

func (c *Conn) close() error {
	_ = c.raw.Raw(func(any) error {
		for _, stmt := range c.changes {
			_ = stmt.Close()
		}
		return nil
	})
	for _, stmt := range c.prepared {
		_ = stmt.Close() // closing the connection frees it in any case
	}
	return errors.Join(c.raw.Close(), c.db.Close())
}

func (c *Conn) stmt(query string) (*sql.Stmt, error) {
	if stmt, ok := c.prepared[query]; ok {
		return stmt, nil
	}
	stmt, err := c.raw.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, fmt.Errorf("prepare %q: %w", query, err)
	}
	c.prepared[query] = stmt
	return stmt, nil
}

// Exec runs one statement and says how many rows it changed.
func (c *Conn) Exec(query string, args ...any) (changed int64, err error) {
	err = c.raw.Raw(func(connection any) error {
		stmt, ok := c.changes[query]
		if !ok {
			if stmt, err = prepareChange(connection, query); err != nil {
				return fmt.Errorf("prepare %q: %w", query, err)
			}
			c.changes[query] = stmt
		}
		changed, err = c.exec(stmt, args)
		return err
	})
	return changed, err
}

func prepareChange(connection any, query string) (changeStmt, error) {
	stmt, err := connection.(sqldriver.ConnPrepareContext).PrepareContext(context.Background(), query) //nolint:forcetypeassert // the driver is SQLite's
	if err != nil {
		return nil, err
	}
	return stmt.(changeStmt), nil //nolint:forcetypeassert // the same
}

func (c *Conn) exec(stmt changeStmt, args []any) (changed int64, err error) {
	defer func() { clear(c.values) }()
	c.values = c.values[:0]
	for i, arg := range args {
		value, err := sqldriver.DefaultParameterConverter.ConvertValue(arg)
		if err != nil {
			return 0, fmt.Errorf("parameter %d: %w", i+1, err)
		}
		c.values = append(c.values, sqldriver.NamedValue{Ordinal: i + 1, Value: value})
	}
	result, err := stmt.ExecContext(context.Background(), c.values)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// One runs a statement that must find its row; sql.ErrNoRows where it does not.
func (c *Conn) One(query string, args ...any) error {
	changed, err := c.Exec(query, args...)
	if err == nil && changed == 0 {
		return sql.ErrNoRows
	}
	return err
}

// Script runs statements that are not worth preparing.
func (c *Conn) Script(statements string) error {
	_, err := c.raw.ExecContext(context.Background(), statements)
	return err
}

// Row reads one row into the destinations; sql.ErrNoRows where there is none.
func (c *Conn) Row(query string, args []any, into ...any) error {
	stmt, err := c.stmt(query)
	if err != nil {
		return err
	}
	return stmt.QueryRowContext(context.Background(), args...).Scan(into...)
}

// Each calls visit for every row; visit scans it.
func (c *Conn) Each(query string, args []any, visit func(rows *sql.Rows) error) (err error) {
	stmt, err := c.stmt(query)
	if err != nil {
		return err
	}
	rows, err := stmt.QueryContext(context.Background(), args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := visit(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// snapshot runs reads that must be of one moment.
func (c *Conn) snapshot(reads func() error) (err error) {
	if _, err := c.Exec("begin"); err != nil {
		return err
	}
	defer func() {
		_, ended := c.Exec("rollback") // nothing was written
		err = errors.Join(err, ended)
	}()
	return reads()
}

// Statements are the statements that the connection has prepared so far; tests ask for their plans.
func (c *Conn) Statements() []string {
	return append(slices.Sorted(maps.Keys(c.prepared)), slices.Sorted(maps.Keys(c.changes))...)
}
