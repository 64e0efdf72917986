package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

const (
	// versions is the table in which goose notes what was applied.
	versions = "schema_migrations"
	// migrating is the advisory lock of whoever migrates; the number means nothing but must never change.
	migrating = 7_216_094_105_223_001
	// How long a second migrator waits for the first: every second, for an hour. An index of a large table takes its time.
	migratingLooks = 3600
)

// Migrate brings the schema to what this binary knows: forward only, one file after the other, one migrator at a time, each
// file in a transaction unless it says otherwise. It answers the names of the files that were applied.
func Migrate(ctx context.Context, url string, migrations fs.FS) (applied []string, err error) {
	config, err := configure(url, nil)
	if err != nil {
		return nil, err
	}
	// An index takes as long as it takes; but what it would have to wait for is waited for no longer than anybody may,
	// because everybody else would queue behind it.
	config.RuntimeParams["statement_timeout"] = "0"
	config.RuntimeParams["idle_in_transaction_session_timeout"] = "0"
	db := stdlib.OpenDB(*config)
	defer func() { err = errors.Join(err, db.Close()) }()
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockID(migrating), lock.WithLockTimeout(1, migratingLooks))
	if err != nil {
		return nil, fmt.Errorf("prepare the lock of migrators: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, migrations,
		goose.WithTableName(versions), goose.WithSessionLocker(locker), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return nil, fmt.Errorf("read the migrations: %w", err)
	}
	if err := db.PingContext(ctx); err != nil { // goose would go on trying
		return nil, Translate(lost(ctx, err))
	}
	results, err := provider.Up(ctx)
	for _, result := range results {
		applied = append(applied, result.Source.Path)
	}
	if partial, ok := errors.AsType[*goose.PartialError](err); ok {
		for _, result := range partial.Applied {
			applied = append(applied, result.Source.Path)
		}
		return applied, fmt.Errorf("migrate by %s: %w", partial.Failed.Source.Path, Translate(partial.Err))
	}
	if err != nil {
		return applied, fmt.Errorf("migrate: %w", Translate(err))
	}
	return applied, nil
}

// checkSchema refuses a database that lacks migrations. One that has more than this binary knows is served: each migration is
// safe while the version before it still runs.
func (e *Engine) checkSchema(ctx context.Context, migrations fs.FS) error {
	ctx, cancel := context.WithTimeout(ctx, 2*callTimeout)
	defer cancel()
	newest, err := newestMigration(migrations)
	if err != nil {
		return err
	}
	var version int64
	err = e.Row(ctx, `select coalesce(max(version_id), 0) from `+versions+` where is_applied`, nil, &version)
	if code(err) == undefinedTable {
		version, err = 0, nil
	}
	if err != nil {
		return fmt.Errorf("read the schema's version: %w", err)
	}
	if version < newest {
		return chat.Refuse(chat.Conflict, "the database is of version %d and this binary needs %d: run 'blabber-hive migrate' first", version, newest)
	}
	return nil
}

// newestMigration is the number of the last file.
func newestMigration(migrations fs.FS) (newest int64, err error) {
	files, err := fs.Glob(migrations, "*.sql")
	if err != nil {
		return 0, fmt.Errorf("list migrations: %w", err)
	}
	for _, file := range files {
		number, _, _ := strings.Cut(file, "_")
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("the migration %s has no number: %w", file, err)
		}
		newest = max(newest, n)
	}
	return newest, nil
}
