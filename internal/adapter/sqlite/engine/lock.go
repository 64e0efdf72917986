package engine

import (
	"fmt"
	"os"
	"path/filepath"
)

// makeDir makes the data directory. SQLite syncs what is in it; that it is there at all after the power failed is up to
// the directory above.
func makeDir(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	above, err := os.Open(filepath.Dir(filepath.Clean(dir)))
	if err != nil {
		return err
	}
	_ = above.Sync() // not every system lets one sync a directory, and those that do not need no asking
	return above.Close()
}

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
