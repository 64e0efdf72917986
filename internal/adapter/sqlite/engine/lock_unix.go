//go:build unix && !solaris && !aix

package engine

import (
	"errors"
	"os"
	"syscall"
)

// tryLock takes the lock without waiting; taken reports that somebody else has it. The kernel frees it when the file is
// closed, also by the death of the process.
func tryLock(file *os.File) (taken bool, err error) {
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	return errors.Is(err, syscall.EWOULDBLOCK), err
}
