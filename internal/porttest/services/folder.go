package services

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const (
	folderPattern = "blabber-hive-services-"
	lockName      = "lock"
)

// Folder holds what a set of services writes. Close ends them and deletes it.
type Folder struct {
	path string
	lock *os.File // held as long as we live, so that others can tell a folder in use from one left behind

	mu        sync.Mutex
	instances []*Instance
	closed    bool
}

// Open makes a folder below the system's temporary one, and deletes those that dead processes left there.
func Open() (*Folder, error) {
	// One at a time: a sweep must not meet a folder that is made and not yet locked.
	making, err := waitForLock(filepath.Join(os.TempDir(), fmt.Sprintf("%s%d.lock", folderPattern, os.Getuid())))
	if err != nil {
		return nil, err
	}
	defer making.Close()
	sweep()
	path, err := os.MkdirTemp("", folderPattern)
	if err != nil {
		return nil, err
	}
	// Others must be able to pass through: PostgreSQL refuses to run as root and runs as somebody else then.
	if err := os.Chmod(path, 0o711); err != nil {
		return nil, err
	}
	lock, taken, err := lockFile(filepath.Join(path, lockName))
	if err != nil || taken {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return &Folder{path: path, lock: lock}, nil
}

// NewFolder makes a folder for one test, which ends with it.
func NewFolder(t testing.TB) *Folder {
	t.Helper()
	folder, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := folder.Close(); err != nil {
			t.Error(err)
		}
	})
	return folder
}

// Path is where the folder is.
func (f *Folder) Path() string { return f.path }

// Close ends all services without ceremony, newest first, and deletes what they wrote. It may be called again.
func (f *Folder) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil
	}
	f.closed = true
	for _, in := range slices.Backward(f.instances) {
		in.discard()
	}
	err := os.RemoveAll(f.path)
	return errors.Join(err, f.lock.Close())
}

func (f *Folder) add(in *Instance) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return errors.New("the folder of the services is closed")
	}
	f.instances = append(f.instances, in)
	return nil
}

// sub makes a folder inside for one instance.
func (f *Folder) sub(name string) (string, error) {
	path := filepath.Join(f.path, name+"-"+token())
	return path, os.Mkdir(path, 0o755)
}

// sweep deletes the folders of processes that died without doing so. Whoever holds the lock lives.
func sweep() {
	left, _ := filepath.Glob(filepath.Join(os.TempDir(), folderPattern+"*"))
	for _, path := range left {
		// Without a lock it is not ours to judge.
		if _, err := os.Stat(filepath.Join(path, lockName)); err != nil {
			continue
		}
		if lock, taken, err := lockFile(filepath.Join(path, lockName)); err == nil && !taken {
			_ = os.RemoveAll(path)
			_ = lock.Close()
		}
	}
}

// token is a word that nobody else uses.
func token() string {
	random := make([]byte, 6)
	_, _ = rand.Read(random)
	return hex.EncodeToString(random)
}

// Ports from here on, and below what the system hands out itself, which on Linux starts at 32768.
const (
	portMin = 12_000
	portMax = 32_000
)

// freePort finds a port of 127.0.0.1 that nobody listens on.
func freePort(ctx context.Context) (int, error) {
	for range 100 {
		offset, err := rand.Int(rand.Reader, big.NewInt(portMax-portMin))
		if err != nil {
			return 0, err
		}
		port := portMin + int(offset.Int64())
		listener, err := new(net.ListenConfig).Listen(ctx, "tcp", loopback(port))
		if err == nil {
			return port, listener.Close()
		}
	}
	return 0, errors.New("no free port on 127.0.0.1")
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// tail is the end of a log, for an error.
func tail(path string) string {
	const most = 2 << 10
	data, _ := os.ReadFile(path)
	return strings.TrimSpace(string(data[max(0, len(data)-most):]))
}
