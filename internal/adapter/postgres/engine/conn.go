package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// rollbackPatience is how long a connection may take to end a transaction that failed; then it is thrown away.
const rollbackPatience = 2 * time.Second

// Visit scans one row. What Scan gives as bytes is only good until it returns.
type Visit func(row pgx.CollectableRow) error

// Conn is a connection that is lent for one call, whose context it carries. It is used by one goroutine.
type Conn struct {
	ctx     context.Context
	raw     *pgx.Conn
	begin   string // waits for the first statement
	open    bool   // a transaction that was begun here
	failure error  // the first refusal of the server: after it a transaction can only end
}

// Exec runs one statement and says how many rows it changed.
func (c *Conn) Exec(query string, args ...any) (changed int64, err error) {
	if c.begin != "" {
		var b Batch
		b.Exec(&changed, query, args...)
		err := c.Send(&b)
		return changed, err
	}
	tag, err := c.raw.Exec(c.ctx, query, args...)
	return tag.RowsAffected(), c.note(err)
}

// One runs a statement that must find its row; pgx.ErrNoRows where it does not.
func (c *Conn) One(query string, args ...any) error {
	changed, err := c.Exec(query, args...)
	if err == nil && changed == 0 {
		return pgx.ErrNoRows
	}
	return err
}

// Row reads one row into the destinations; pgx.ErrNoRows where there is none.
func (c *Conn) Row(query string, args []any, into ...any) error {
	if c.begin != "" {
		var b Batch
		b.Row(query, args, into...)
		return c.Send(&b)
	}
	return c.note(c.raw.QueryRow(c.ctx, query, args...).Scan(into...))
}

// Each calls visit for every row.
func (c *Conn) Each(query string, args []any, visit Visit) error {
	if c.begin != "" {
		var b Batch
		b.Each(query, args, visit)
		return c.Send(&b)
	}
	rows, err := c.raw.Query(c.ctx, query, args...)
	if err != nil {
		return c.note(err)
	}
	return c.note(each(rows, visit))
}

func each(rows pgx.Rows, visit Visit) error {
	defer rows.Close()
	for rows.Next() {
		if err := visit(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// CopyFrom writes rows by COPY.
func (c *Conn) CopyFrom(table string, columns []string, rows pgx.CopyFromSource) error {
	if c.begin != "" {
		if err := c.Send(&Batch{}); err != nil {
			return err
		}
	}
	_, err := c.raw.CopyFrom(c.ctx, pgx.Identifier{table}, columns, rows)
	return c.note(err)
}

// Send runs statements in one round trip. The first that fails, or whose visit fails, ends it.
func (c *Conn) Send(b *Batch) error { return c.send(b, false) }

// SendLast is Send for the last statements of a transaction: its commit travels with them.
func (c *Conn) SendLast(b *Batch) error { return c.send(b, true) }

func (c *Conn) send(b *Batch, last bool) error {
	queue := &pgx.Batch{}
	if c.begin != "" {
		queue.Queue(c.begin)
		c.begin, c.open = "", true
	}
	for _, q := range b.queue.QueuedQueries { // copied: the driver notes in them what this connection has prepared
		queue.QueuedQueries = append(queue.QueuedQueries, &pgx.QueuedQuery{SQL: q.SQL, Arguments: q.Arguments, Fn: q.Fn})
	}
	committed := pgconn.CommandTag{}
	if last {
		queue.Queue("commit").Exec(func(tag pgconn.CommandTag) error { committed = tag; return nil })
	}
	if queue.Len() == 0 {
		return nil
	}
	if err := c.raw.SendBatch(c.ctx, queue).Close(); err != nil {
		return c.note(err)
	}
	if last {
		c.open = false
		return c.committed(committed)
	}
	return nil
}

// commit ends a transaction that no SendLast has ended.
func (c *Conn) commit() error {
	if !c.open {
		return nil
	}
	tag, err := c.raw.Exec(c.ctx, "commit")
	if err != nil {
		return c.note(err)
	}
	c.open = false
	return c.committed(tag)
}

// committed tells a commit from the rollback that the server makes of it when a statement had failed.
func (c *Conn) committed(tag pgconn.CommandTag) error {
	if tag.String() == "COMMIT" {
		return nil
	}
	return fmt.Errorf("the server answered %q to the commit: %w", tag, errors.Join(c.failure, errRolledBack))
}

var errRolledBack = errors.New("nothing was changed")

// rollback leaves the connection fit for the next call. If it cannot, the pool throws it away.
func (c *Conn) rollback() {
	if c.raw.PgConn().TxStatus() == 'I' {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), rollbackPatience)
	defer cancel()
	_, _ = c.raw.Exec(ctx, "rollback")
}

func (c *Conn) note(err error) error {
	if refusal, ok := errors.AsType[*pgconn.PgError](err); ok && c.failure == nil {
		c.failure = refusal
	}
	return err
}

// Translate is the package's Translate for whoever needs to know in the middle of a transaction.
func (c *Conn) Translate(err error) error {
	if err != nil && c.raw.IsClosed() {
		return Translate(lost(c.ctx, err))
	}
	return Translate(ended(c.ctx, err))
}

// Batch is statements that travel together. They run in order, each seeing what those before it did. The zero value is
// ready to use; it may be sent more than once.
type Batch struct{ queue pgx.Batch }

// Exec adds a statement; changed, where not nil, gets how many rows it changed.
func (b *Batch) Exec(changed *int64, query string, args ...any) {
	b.queue.Queue(query, args...).Exec(func(tag pgconn.CommandTag) error {
		if changed != nil {
			*changed = tag.RowsAffected()
		}
		return nil
	})
}

// Row adds a statement that gives one row; without one, sending fails with pgx.ErrNoRows.
func (b *Batch) Row(query string, args []any, into ...any) {
	b.queue.Queue(query, args...).QueryRow(func(row pgx.Row) error { return row.Scan(into...) })
}

// Each adds a statement and what is to be done with each of its rows.
func (b *Batch) Each(query string, args []any, visit Visit) {
	b.queue.Queue(query, args...).Query(func(rows pgx.Rows) error { return each(rows, visit) })
}
