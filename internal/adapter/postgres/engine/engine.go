package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/run"
)

// How many connections a node keeps at most. Together with one for an export or a verification that makes 25 for a node:
// three nodes fit into the 100 that PostgreSQL allows when it is installed.
const (
	// CommitsDefault is how many batches are committed at the same time. A partition's owner commits one after the other, so
	// it is enough to have one for each partition that a node owns; with fewer, partitions take turns.
	CommitsDefault = 4
	// ChangesDefault is for changes of rooms, members, marks and accounts. One takes a few milliseconds, most of it the
	// sync of the disk, so 8 do more than a thousand a second; what is more waits here and not in the server.
	ChangesDefault = 8
	// ReadsDefault is for reads, which never wait for locks. One takes about a millisecond, and a server with 8 cores is
	// busy with 12 of them.
	ReadsDefault = 12
)

// What is given up when. All of it is said to the server as well, so that it does not go on with what nobody waits for.
const (
	ConnectTimeout  = 3 * time.Second
	lockTimeout     = 5 * time.Second  // a room's lock is held for milliseconds
	callTimeout     = 10 * time.Second // one statement of a read or a change
	commitTimeout   = 60 * time.Second // one statement of a batch, of which a backlog makes large ones
	idleTransaction = 15 * time.Second // a node that hangs in the middle of a change must not hold its locks
	cancelPatience  = time.Second      // for the server's answer to a cancellation; then the connection is thrown away
	pingTimeout     = 2 * time.Second
	connectionLife  = time.Hour // so that a pooler or a new standby gets its share
	connectionIdle  = 5 * time.Minute

	applicationName = "blabber-hive"
)

// attemptsMax is how often a transaction is run that loses against another each time.
const attemptsMax = 6

// ErrAgain is what a transaction returns that has met another one and should be run again from its beginning.
var ErrAgain = errors.New("another transaction came first")

// Options says where the database is and how much of it a node may take.
type Options struct {
	// URL names the server and the database, as libpq understands it. Settings of the connection that it gives itself are
	// left as they are.
	URL string
	// Commits, Changes and Reads bound the connections; zero is the default of each.
	Commits, Changes, Reads int
	// Tracer, where set, is told of every statement; tests ask for their plans.
	Tracer pgx.QueryTracer
}

// Engine is an open database. All methods may be called concurrently.
type Engine struct {
	config  *pgx.ConnConfig
	commits *pgxpool.Pool
	changes *pgxpool.Pool
	reads   *pgxpool.Pool
	close   func()
}

// Open makes the pools and looks whether the database answers and has every migration of this binary. Close must be called.
func Open(ctx context.Context, options Options, migrations fs.FS) (*Engine, error) {
	config, err := configure(options.URL, options.Tracer)
	if err != nil {
		return nil, err
	}
	e := &Engine{config: config}
	e.close = sync.OnceFunc(func() {
		for _, pool := range []*pgxpool.Pool{e.commits, e.changes, e.reads} {
			if pool != nil {
				pool.Close()
			}
		}
	})
	for _, p := range []struct {
		pool      **pgxpool.Pool
		size      int
		otherwise int
		statement time.Duration
		plans     map[string]string
	}{
		// A batch's statements are probes of indexes whatever the values: planning them for each batch's own thousands of
		// values would take longer than some of them, and could only make worse plans of it. Nor do they depend on how much
		// is there: a plan that is made while a table is new would read all of it, and be kept while it grows.
		{&e.commits, options.Commits, CommitsDefault, commitTimeout, map[string]string{"plan_cache_mode": "force_generic_plan", "enable_seqscan": "off"}},
		{&e.changes, options.Changes, ChangesDefault, callTimeout, nil},
		{&e.reads, options.Reads, ReadsDefault, callTimeout, nil},
	} {
		if *p.pool, err = e.pool(ctx, max(p.size, 0), p.otherwise, p.statement, p.plans); err != nil {
			e.Close()
			return nil, err
		}
	}
	if err := e.checkSchema(ctx, migrations); err != nil {
		e.Close()
		return nil, err
	}
	return e, nil
}

// configure reads the address and says explicitly what must not depend on how a server was set up.
func configure(url string, tracer pgx.QueryTracer) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("read the database's address: %w", err) // pgx leaves the password out
	}
	config.Tracer = tracer
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = ConnectTimeout
	}
	// Whoever stops waiting has the server stop too, and the connection lives on; only without an answer it is closed.
	config.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: conn, DeadlineDelay: cancelPatience}
	}
	setDefaults(config.RuntimeParams, map[string]string{
		"application_name":                    applicationName,
		"lock_timeout":                        milliseconds(lockTimeout),
		"statement_timeout":                   milliseconds(callTimeout),
		"idle_in_transaction_session_timeout": milliseconds(idleTransaction),
		"jit":                                 "off", // it takes longer to compile than any of these statements to run
	})
	return config, nil
}

func setDefaults(params, defaults map[string]string) {
	given := maps.Clone(params)
	maps.Copy(params, defaults)
	maps.Copy(params, given)
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

func (e *Engine) pool(ctx context.Context, size, otherwise int, statement time.Duration, plans map[string]string) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig("")
	if err != nil {
		return nil, fmt.Errorf("make a pool of connections: %w", err)
	}
	config.ConnConfig = e.config.Copy()
	if config.ConnConfig.RuntimeParams["statement_timeout"] == milliseconds(callTimeout) { // the address says nothing else
		config.ConnConfig.RuntimeParams["statement_timeout"] = milliseconds(statement)
	}
	setDefaults(config.ConnConfig.RuntimeParams, plans)
	if size == 0 {
		size = otherwise
	}
	config.MaxConns = int32(min(size, 1000)) //nolint:gosec // bounded
	config.MinConns = 0
	config.MaxConnLifetime = connectionLife
	config.MaxConnLifetimeJitter = connectionLife / 10
	config.MaxConnIdleTime = connectionIdle
	config.PingTimeout = pingTimeout
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("make a pool of connections: %w", err)
	}
	return pool, nil
}

// Close waits for the calls under way and ends all connections.
func (e *Engine) Close() { e.close() }

const (
	beginChange = "begin read write isolation level read committed"
	beginMoment = "begin read only isolation level repeatable read"
)

// Row reads one row; chat.ErrNotFound where there is none.
func (e *Engine) Row(ctx context.Context, query string, args []any, into ...any) error {
	return e.lend(ctx, e.reads, func(c *Conn) error { return c.Row(query, args, into...) })
}

// Each calls visit for every row; visit scans it.
func (e *Engine) Each(ctx context.Context, query string, args []any, visit Visit) error {
	return e.lend(ctx, e.reads, func(c *Conn) error { return c.Each(query, args, visit) })
}

// Moment runs reads in one round trip, all of one moment.
func (e *Engine) Moment(ctx context.Context, reads *Batch) error {
	return e.lend(ctx, e.reads, func(c *Conn) error {
		c.begin = beginMoment
		return c.SendLast(reads)
	})
}

// Exec runs one statement that changes something, and says how many rows.
func (e *Engine) Exec(ctx context.Context, query string, args ...any) (changed int64, err error) {
	err = e.again(ctx, func() error {
		return e.lend(ctx, e.changes, func(c *Conn) (err error) {
			changed, err = c.Exec(query, args...)
			return err
		})
	})
	return changed, err
}

// One runs a statement that must find its row; chat.ErrNotFound where it does not.
func (e *Engine) One(ctx context.Context, query string, args ...any) error {
	changed, err := e.Exec(ctx, query, args...)
	if err == nil && changed == 0 {
		return chat.ErrNotFound
	}
	return err
}

// Send runs statements in one round trip and, since nothing says otherwise, one transaction.
func (e *Engine) Send(ctx context.Context, b *Batch) error {
	return e.again(ctx, func() error {
		return e.lend(ctx, e.changes, func(c *Conn) error { return c.Send(b) })
	})
}

// Change runs a transaction. It may run more than once and must have no effect but in the database; where it fails nothing
// is changed and its error comes back.
func (e *Engine) Change(ctx context.Context, change func(c *Conn) error) error {
	return e.transact(ctx, e.changes, change)
}

// Commit is Change for batches, which have connections of their own.
func (e *Engine) Commit(ctx context.Context, change func(c *Conn) error) error {
	return e.transact(ctx, e.commits, change)
}

func (e *Engine) transact(ctx context.Context, pool *pgxpool.Pool, change func(c *Conn) error) error {
	return e.again(ctx, func() error {
		return e.lend(ctx, pool, func(c *Conn) error {
			c.begin = beginChange
			err := run.Protect(ctx, func(context.Context) error { return change(c) })
			if repeatable(c.failure) { // whatever the change made of it
				return c.failure
			}
			if err != nil {
				return err
			}
			return c.commit()
		})
	})
}

// again runs what the server broke off for the sake of another transaction once more.
func (e *Engine) again(ctx context.Context, call func() error) error {
	backoff := run.Backoff{First: 2 * time.Millisecond, Max: 200 * time.Millisecond}
	for attempt := 1; ; attempt++ {
		err := call()
		if err == nil || !repeatable(err) || attempt == attemptsMax {
			if errors.Is(err, ErrAgain) {
				return chat.Away(database, err)
			}
			return err
		}
		if paused := backoff.Wait(ctx); paused != nil {
			return Translate(errors.Join(paused, err))
		}
	}
}

// lend gives a connection to a call.
func (e *Engine) lend(ctx context.Context, pool *pgxpool.Pool, call func(c *Conn) error) error {
	if err := ctx.Err(); err != nil {
		return Translate(err)
	}
	lent, err := pool.Acquire(ctx)
	if err != nil {
		return Translate(lost(ctx, err))
	}
	defer lent.Release()
	c := &Conn{ctx: ctx, raw: lent.Conn()}
	err = call(c)
	if err == nil {
		return nil
	}
	if c.raw.IsClosed() || refuses(err) {
		// The server went away, or is no longer the one that takes changes. Idle connections to it are as dead as this one,
		// and this way no other call has to find out by trying them.
		for _, pool := range []*pgxpool.Pool{e.commits, e.changes, e.reads} {
			pool.Reset()
		}
		if refuses(err) {
			_ = c.raw.Close(context.WithoutCancel(ctx)) // it may be of use for reads, but not in this pool
		}
		return Translate(lost(ctx, err))
	}
	c.rollback()
	return Translate(ended(ctx, err))
}

// Long runs reads of one moment that take minutes, on a connection of its own and without a limit of time.
func (e *Engine) Long(ctx context.Context, reads func(c *Conn) error) (err error) {
	config := e.config.Copy()
	for _, limit := range []string{"statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"} {
		config.RuntimeParams[limit] = "0"
	}
	raw, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return Translate(lost(ctx, err))
	}
	defer func() { _ = raw.Close(context.WithoutCancel(ctx)) }() // nothing was written
	c := &Conn{ctx: ctx, raw: raw, begin: beginMoment}
	err = reads(c)
	if err != nil && raw.IsClosed() {
		return Translate(lost(ctx, err))
	}
	return Translate(ended(ctx, err))
}
