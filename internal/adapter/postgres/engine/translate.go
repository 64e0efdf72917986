package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// database is what is said to be away.
const database = "the database"

// lostError is a failure of the connection and not of a statement.
type lostError struct{ err error }

func (e *lostError) Error() string { return "the connection is lost: " + e.err.Error() }
func (e *lostError) Unwrap() error { return e.err }

// lost marks what happened to a connection that is gone, unless whoever used it had stopped waiting.
func lost(ctx context.Context, err error) error {
	if ended := context.Cause(ctx); ended != nil {
		return fmt.Errorf("%w: %w", ended, err)
	}
	return &lostError{err}
}

// ended says that a statement was broken off because its caller had stopped waiting, where that is so.
func ended(ctx context.Context, err error) error {
	if code(err) == queryCanceled && ctx.Err() != nil {
		return fmt.Errorf("%w: %w", context.Cause(ctx), err)
	}
	return err
}

// The codes of PostgreSQL's appendix A that mean something here.
const (
	queryCanceled       = "57014"
	uniqueViolation     = "23505"
	foreignKeyViolation = "23503"
	readOnlyTransaction = "25006"
	idleInTransaction   = "25P03"
	lockNotAvailable    = "55P03"
	serializationFailed = "40001"
	deadlockDetected    = "40P01"
	undefinedTable      = "42P01"
)

// Translate turns the driver's errors into the product's; it is the only place that knows both. Refusals pass unchanged.
func Translate(err error) error {
	if _, refused := errors.AsType[*chat.Error](err); refused {
		return err
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, pgx.ErrNoRows):
		return chat.ErrNotFound
	case errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, context.DeadlineExceeded), fails(err):
		return chat.Away(database, err)
	}
	switch code(err) {
	case uniqueViolation:
		return &chat.Error{Code: chat.Conflict, Detail: "this is there already", Err: err}
	case foreignKeyViolation:
		return &chat.Error{Code: chat.NotFound, Detail: chat.ErrNotFound.Detail, Err: err}
	}
	return err
}

// fails reports whether the server or the way to it is at fault and not the statement.
func fails(err error) bool {
	if _, gone := errors.AsType[*lostError](err); gone {
		return true
	}
	switch code := code(err); code {
	case readOnlyTransaction, idleInTransaction, lockNotAvailable, serializationFailed, deadlockDetected:
		return true
	case "":
		return false
	default:
		switch code[:2] {
		// Connection, signing in, resources, what an operator or the server itself did, its files, its memory of what it is.
		case "08", "28", "53", "57", "58", "F0", "XX":
			return true
		}
		return false
	}
}

// refuses reports whether the server will not take changes on this connection whatever they are: it has become a standby.
func refuses(err error) bool { return code(err) == readOnlyTransaction }

// repeatable reports whether a transaction was broken off, wholly and certainly, for the sake of another.
func repeatable(err error) bool {
	if errors.Is(err, ErrAgain) {
		return true
	}
	code := code(err)
	return code == deadlockDetected || code == serializationFailed
}

// Violates reports whether an error is the breach of the named constraint.
func Violates(err error, constraint string) bool {
	refusal, ok := errors.AsType[*pgconn.PgError](err)
	return ok && refusal.ConstraintName == constraint
}

// code is that of the server's refusal in err's chain, empty where there is none.
func code(err error) string {
	if refusal, ok := errors.AsType[*pgconn.PgError](err); ok && len(refusal.Code) == 5 {
		return refusal.Code
	}
	return ""
}
