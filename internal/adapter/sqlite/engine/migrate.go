package engine

import (
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

// migrate brings the schema to what this binary knows, one transaction a file, forward only. The number of the last file
// stands in user_version, which SQLite changes within the same transaction. The data directory's lock means that nobody
// else migrates at the same time, so a migration library would add nothing but its dependencies.
func migrate(c *Conn, migrations fs.FS) error {
	files, err := fs.Glob(migrations, "*.sql")
	if err != nil {
		return fmt.Errorf("list migrations: %w", err)
	}
	var version int
	if err := c.Row("pragma user_version", nil, &version); err != nil {
		return fmt.Errorf("read the schema version: %w", err)
	}
	if version > len(files) {
		return fmt.Errorf("the database is of version %d, this binary knows %d: it was written by a newer blabber-hive, start that one", version, len(files))
	}
	for at, file := range files[version:] {
		if err := apply(c, migrations, file, version+at+1); err != nil {
			return fmt.Errorf("migrate by %s: %w", file, err)
		}
	}
	return nil
}

func apply(c *Conn, migrations fs.FS, file string, version int) error {
	number, _, _ := strings.Cut(file, "_")
	if n, err := strconv.Atoi(number); err != nil || n != version {
		return fmt.Errorf("its number should be %d", version)
	}
	script, err := fs.ReadFile(migrations, file)
	if err != nil {
		return fmt.Errorf("read it: %w", err)
	}
	return c.Script("begin immediate;\n" + string(script) + "\n;pragma user_version = " + strconv.Itoa(version) + ";\ncommit;")
}
