package engine

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"

	driver "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Translate turns the driver's errors into the product's; it is the only place that knows both. Refusals pass unchanged.
func Translate(err error) error {
	if _, refused := errors.AsType[*chat.Error](err); refused {
		return err
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sql.ErrNoRows):
		return chat.ErrNotFound
	case errors.Is(err, context.DeadlineExceeded):
		return chat.Away("the database", err)
	case fails(err):
		return chat.Away("the database", err)
	}
	switch code(err) {
	case lib.SQLITE_CONSTRAINT_UNIQUE, lib.SQLITE_CONSTRAINT_PRIMARYKEY:
		return &chat.Error{Code: chat.Conflict, Detail: "this is there already", Err: err}
	case lib.SQLITE_CONSTRAINT_FOREIGNKEY:
		return &chat.Error{Code: chat.NotFound, Detail: chat.ErrNotFound.Detail, Err: err}
	}
	return err
}

// fails reports whether the database itself is at fault and not the statement: its file, its disk, its memory or its
// locks. SQLite may have ended the whole transaction by itself, and what the connection holds cannot be trusted.
func fails(err error) bool {
	switch code(err) & 0xff {
	case lib.SQLITE_FULL, lib.SQLITE_IOERR, lib.SQLITE_NOMEM, lib.SQLITE_BUSY, lib.SQLITE_LOCKED, lib.SQLITE_INTERRUPT,
		lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB, lib.SQLITE_CANTOPEN, lib.SQLITE_PROTOCOL, lib.SQLITE_READONLY,
		lib.SQLITE_PERM, lib.SQLITE_NOLFS, lib.SQLITE_ABORT:
		return true
	}
	return errors.Is(err, sql.ErrConnDone) || errors.Is(err, sqldriver.ErrBadConn)
}

// code is the extended result code of the first driver error in err's chain, 0 where there is none.
func code(err error) int {
	if failure, ok := errors.AsType[*driver.Error](err); ok {
		return failure.Code()
	}
	return 0
}
