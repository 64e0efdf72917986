package services

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/run"
)

const (
	// readyPatience is how long a service may take to answer. A Kafka needs 10 s of CPU for it, and test machines are busy.
	readyPatience = 5 * time.Minute
	// endPatience is how long one may take to end in order before it is killed.
	endPatience = 30 * time.Second
)

func readyBackoff() run.Backoff {
	return run.Backoff{First: 20 * time.Millisecond, Max: 200 * time.Millisecond}
}

// Instance is one running service.
type Instance struct {
	// URL is where it listens: as DATABASE_URL and REDIS_URL have it, host:port for a broker, http:// for nginx.
	URL string
	// Log is the file that its output goes to.
	Log string

	name    string
	command []string
	env     []string
	dir     string
	as      *account // nil: as we are
	ready   func(ctx context.Context) error
	end     syscall.Signal // that makes it end in order
	drop    syscall.Signal // that makes it end at once, with nothing left in the system

	mu     sync.Mutex
	cmd    *exec.Cmd
	exited chan struct{} // closed when cmd has ended
}

// launch starts the instance, has the folder end it, and waits until it is ready.
func (f *Folder) launch(ctx context.Context, in *Instance) error {
	in.Log = filepath.Join(in.dir, "log")
	if err := f.add(in); err != nil {
		return err
	}
	return in.Start(ctx)
}

// Start starts what was killed or ended, on the port and data that it had, and returns when it answers.
func (in *Instance) Start(ctx context.Context) error {
	if err := in.spawn(); err != nil {
		return fmt.Errorf("start %s: %w", in.name, err)
	}
	return in.Ready(ctx)
}

// Restart ends the instance in order, if it runs, and starts it again.
func (in *Instance) Restart(ctx context.Context) error {
	if err := in.End(ctx); err != nil {
		return err
	}
	return in.Start(ctx)
}

func (in *Instance) spawn() error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.running() {
		return errors.New("it runs already")
	}
	log, err := os.OpenFile(in.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	// It outlives the context of whoever starts it.
	cmd := exec.CommandContext(context.Background(), in.command[0], in.command[1:]...) //nolint:gosec // the programs that this package is there to run
	cmd.Dir, cmd.Stdout, cmd.Stderr = in.dir, log, log
	cmd.Env = append(cmd.Environ(), in.env...)
	if cmd.SysProcAttr, err = attributes(in.as); err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	in.cmd, in.exited = cmd, exited
	go func() {
		defer close(exited)
		_ = cmd.Wait()
	}()
	return nil
}

// Ready waits until the instance answers, or says why it will not.
func (in *Instance) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyPatience)
	defer cancel()
	in.mu.Lock()
	exited := in.exited
	in.mu.Unlock()
	err := run.Retry(ctx, readyBackoff(), func(ctx context.Context) error {
		select {
		case <-exited:
			return run.Permanent(errors.New("it has ended"))
		default:
			return in.ready(ctx)
		}
	})
	if err != nil {
		return fmt.Errorf("wait for %s: %w\n%s", in.name, err, tail(in.Log))
	}
	return nil
}

// Kill is kill -9 for the instance and all of its children, and returns when they are gone.
func (in *Instance) Kill() { in.finish(syscall.SIGKILL) }

// Stop freezes the instance and its children (SIGSTOP): it neither answers nor dies.
func (in *Instance) Stop() { in.signalAll(sigStop) }

// Continue wakes what Stop froze.
func (in *Instance) Continue() { in.signalAll(sigContinue) }

// End lets the instance end in order, and returns when it has. One that does not run has ended.
func (in *Instance) End(ctx context.Context) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if !in.running() {
		return nil
	}
	_ = in.cmd.Process.Signal(in.end)
	ctx, cancel := context.WithTimeout(ctx, endPatience)
	defer cancel()
	select {
	case <-in.exited:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("end %s: %w\n%s", in.name, ctx.Err(), tail(in.Log))
	}
}

// discard ends the instance with whatever signal leaves nothing behind in the system; its data is of no more use.
func (in *Instance) discard() {
	in.Continue() // what is frozen heeds nothing but SIGKILL
	in.finish(in.drop)
}

func (in *Instance) finish(signal syscall.Signal) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if !in.running() {
		return
	}
	// The parent first: one that sees its child die may start another.
	children := descendants(in.cmd.Process.Pid)
	_ = in.cmd.Process.Signal(signal)
	if signal == syscall.SIGKILL {
		for _, child := range children {
			kill(child, signal)
		}
	}
	select {
	case <-in.exited:
	case <-time.After(endPatience):
		_ = in.cmd.Process.Kill()
		<-in.exited
	}
	for _, child := range children {
		awaitDeath(child)
	}
}

func (in *Instance) signalAll(signal syscall.Signal) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if !in.running() {
		return
	}
	_ = in.cmd.Process.Signal(signal)
	for _, child := range descendants(in.cmd.Process.Pid) {
		kill(child, signal)
	}
}

// running is called with the lock held.
func (in *Instance) running() bool {
	if in.cmd == nil {
		return false
	}
	select {
	case <-in.exited:
		return false
	default:
		return true
	}
}
