package services

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	sigStop     = syscall.SIGSTOP
	sigContinue = syscall.SIGCONT
)

// account is whom a process runs as.
type account struct{ uid, gid int }

// unprivileged is whom a program runs as that refuses to be root: nil where we are not root ourselves.
func unprivileged() (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		found, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.Atoi(found.Uid)
		if err != nil {
			return nil, err
		}
		gid, err := strconv.Atoi(found.Gid)
		return &account{uid, gid}, err
	}
	return nil, errors.New("PostgreSQL refuses to run as root, and there is neither a user postgres nor nobody")
}

// attributes make the child die when we do. The kernel ties that to the thread that started it; Go's threads live as long
// as the process, unless a goroutine ends that has locked itself to one, and none here does.
func attributes(as *account) (*syscall.SysProcAttr, error) {
	// A group of its own: Ctrl-C in the terminal is for us, who then end our children in order.
	attr := &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if as != nil {
		attr.Credential = &syscall.Credential{Uid: uint32(as.uid), Gid: uint32(as.gid)}
	}
	return attr, nil
}

// descendants are the children of a process, theirs, and so on.
func descendants(pid int) []int {
	var all []int
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, list := range lists {
		data, _ := os.ReadFile(list)
		for word := range strings.FieldsSeq(string(data)) {
			if child, err := strconv.Atoi(word); err == nil {
				all = append(append(all, child), descendants(child)...)
			}
		}
	}
	return all
}

func kill(pid int, signal syscall.Signal) { _ = syscall.Kill(pid, signal) }

// awaitDeath waits for a process that is not our child: nothing tells of its end, so it has to be looked at.
func awaitDeath(pid int) {
	for deadline := time.Now().Add(endPatience); time.Now().Before(deadline); {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return
		}
		// "pid (name) state …": a zombie holds nothing any more, whoever is to bury it.
		if after := stat[bytes.LastIndexByte(stat, ')')+1:]; len(after) > 1 && (after[1] == 'Z' || after[1] == 'X') {
			return
		}
		<-time.After(time.Millisecond)
	}
}

// lockFile opens a file and locks it; taken: somebody else has it. The lock goes with the process.
func lockFile(path string) (file *os.File, taken bool, err error) {
	file, err = os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, false, err
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, true, file.Close()
	}
	return file, false, err
}

// waitForLock is lockFile that waits.
func waitForLock(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	return file, syscall.Flock(int(file.Fd()), syscall.LOCK_EX)
}
