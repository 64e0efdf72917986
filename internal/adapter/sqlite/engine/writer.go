package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/run"
)

const (
	// Changes that may wait for the writer; who comes beyond waits, as long as its context allows, for room to wait in.
	queueMax = 1024
	// Changes that one transaction takes, so that its first does not wait for ever-new ones.
	groupMax = 1024
)

var errClosed = errors.New("the store is closed")

// CommitStats tells of one commit: how many changes it held, how many came to wait meanwhile, how long it took from its
// first statement until the disk had it, and how it failed, if it did.
type CommitStats struct {
	Changes int
	Waiting int
	Took    time.Duration
	Err     error
}

// writer owns the only connection that writes and the queue in front of it.
type writer struct {
	queue   chan *job
	stopped chan struct{}
	dial    func() (*Conn, error)
	watch   func(CommitStats)

	conn *Conn // of run alone; nil after a failure
}

// job is one change on its way. Its lock is held while the change runs, so that a caller who stops waiting can be sure
// that the change is either over or never begins: it may touch the caller's variables.
type job struct {
	change func(c *Conn) error
	done   chan error // takes one answer

	mu        sync.Mutex
	abandoned bool
	err       error // of the change itself
}

func newWriter(first *Conn, dial func() (*Conn, error), watch func(CommitStats)) *writer {
	if watch == nil {
		watch = func(CommitStats) {}
	}
	return &writer{
		queue: make(chan *job, queueMax), stopped: make(chan struct{}),
		dial: dial, watch: watch, conn: first,
	}
}

// do runs a change and returns when it is on the disk. When ctx ends first a change that has not begun is dropped; of one
// that has, it is open whether it is stored.
func (w *writer) do(ctx context.Context, change func(c *Conn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	j := &job{change: change, done: make(chan error, 1)}
	select {
	case w.queue <- j:
	case <-ctx.Done():
		return fmt.Errorf("wait for the writer: %w", ctx.Err())
	case <-w.stopped:
		return chat.Away("the database", errClosed)
	}
	select {
	case err := <-j.done:
		return err
	case <-ctx.Done():
		j.abandon()
		return fmt.Errorf("wait for the commit: %w", ctx.Err())
	case <-w.stopped:
		// The writer may have answered and ended just before.
		select {
		case err := <-j.done:
			return err
		default:
			return chat.Away("the database", errClosed)
		}
	}
}

func (j *job) abandon() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.abandoned = true
}

// begin runs the change unless nobody waits for it any more.
func (j *job) begin(c *Conn) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.abandoned {
		return context.Canceled // nobody reads it
	}
	return run.Protect(context.Background(), func(context.Context) error { return j.change(c) })
}

// run commits until ctx ends.
func (w *writer) run(ctx context.Context) error {
	defer close(w.stopped)
	group := make([]*job, 0, groupMax)
	for {
		select {
		case <-ctx.Done():
			w.refuse()
			return ctx.Err()
		case j := <-w.queue:
			group = w.gather(append(group[:0], j))
		}
		w.commit(group)
		clear(group)
	}
}

// gather adds what already waits; nothing is waited for, so that a lone change is not delayed by a single microsecond.
func (w *writer) gather(group []*job) []*job {
	for len(group) < groupMax {
		select {
		case j := <-w.queue:
			group = append(group, j)
		default:
			return group
		}
	}
	return group
}

// refuse answers what nobody will run any more. Who enqueues after it sees stopped.
func (w *writer) refuse() {
	for _, j := range w.gather(nil) {
		j.done <- chat.Away("the database", errClosed)
	}
}

// commit runs a group in one transaction and answers everybody in it.
func (w *writer) commit(group []*job) {
	started := time.Now()
	failure := w.attempt(group)
	if failure != nil {
		failure = chat.Away("the database", errors.Join(failure, w.discard()))
	}
	for _, j := range group {
		if failure != nil {
			j.err = failure
		}
		j.done <- j.err
	}
	w.watch(CommitStats{Changes: len(group), Waiting: len(w.queue), Took: time.Since(started), Err: failure})
}

// attempt returns an error only where the transaction as a whole failed; a change's own error stays with its job.
func (w *writer) attempt(group []*job) error {
	if w.conn == nil {
		fresh, err := w.dial()
		if err != nil {
			return fmt.Errorf("open the database again: %w", err)
		}
		w.conn = fresh
	}
	if _, err := w.conn.Exec("begin immediate"); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if len(group) == 1 {
		return w.alone(group[0])
	}
	for _, j := range group {
		if err := w.among(j); err != nil {
			return err
		}
	}
	if _, err := w.conn.Exec("commit"); err != nil {
		return fmt.Errorf("commit %d changes: %w", len(group), err)
	}
	return nil
}

// alone needs no savepoint: what it takes back is everything.
func (w *writer) alone(j *job) error {
	j.err = j.begin(w.conn)
	end := "commit"
	if j.err != nil {
		end = "rollback"
		if fails(j.err) {
			return j.err
		}
	}
	if _, err := w.conn.Exec(end); err != nil {
		return fmt.Errorf("%s: %w", end, err)
	}
	return nil
}

func (w *writer) among(j *job) error {
	if _, err := w.conn.Exec("savepoint change"); err != nil {
		return fmt.Errorf("savepoint: %w", err)
	}
	j.err = j.begin(w.conn)
	if j.err != nil {
		if fails(j.err) {
			return j.err
		}
		if _, err := w.conn.Exec("rollback to change"); err != nil {
			return fmt.Errorf("take back a change: %w", err)
		}
	}
	if _, err := w.conn.Exec("release change"); err != nil {
		return fmt.Errorf("release: %w", err)
	}
	return nil
}

// discard gives up the connection. After a failed fsync the system may have forgotten pages that this connection still
// holds as written; a new one reads what the disk has, and the WAL frames of the failed commit are written anew.
func (w *writer) discard() error {
	c := w.conn
	w.conn = nil
	if c == nil {
		return nil
	}
	return c.close() // rolls back what is open
}
