package engine

import (
	"fmt"
	"os"
	"path/filepath"
)

const lockName = "blabber-hive.lock"

// lockDir makes this process the only one on the directory until the file is closed. SQLite's own locks would let two
// servers take turns, and each would number the same rooms.
func lockDir(dir string) (*os.File, error) {
	path := filepath.Join(dir, lockName)
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the operator names the directory
	if err != nil {
		return nil, fmt.Errorf("lock the data directory: %w", err)
	}
	taken, err := tryLock(file)
	if err == nil {
		return file, nil
	}
	_ = file.Close() // nothing was written
	if taken {
		return nil, fmt.Errorf("another blabber-hive is running on %s: stop it first, or give this one a data directory of its own", dir)
	}
	return nil, fmt.Errorf("lock %s: %w", path, err)
}
