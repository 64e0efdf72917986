package e2e_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/porttest/checker"
	"github.com/blabber-hive/blabber-hive/internal/run"
	"github.com/blabber-hive/blabber-hive/test/e2e/client"
)

// troublePatience is how long it may take until trouble, or its end, is noticed by those who send.
const troublePatience = 60 * time.Second

// Promise: on a full disk sends are refused with `unavailable`, what was said can still be read, nothing that was
// acknowledged is lost, and when there is room again everything goes on by itself.
//
//nolint:paralleltest // it needs the machine for itself
func TestDiskFull(t *testing.T) {
	i := install(t, "--rate-limits", "off")
	i.dir = filepath.Join(smallDisk(t, "24m"), "data")
	i.start()
	c := gather(t, i.door(), 10, 4, 3)
	c.talk()
	pause(t, 300*time.Millisecond)
	ballast := filepath.Join(filepath.Dir(i.dir), "ballast")
	fill(t, ballast)
	c.inTrouble(i)
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	c.outOfTrouble()

	fill(t, ballast)
	c.inTrouble(i)
	i.kill() // the worst moment to die
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	i.start()
	c.outOfTrouble()
	c.hush()
	c.judge()
	i.verify()
	t.Logf("%+v", c.all())
}

// Promise: when the disk cannot promise that it keeps what was written, sends are refused with `unavailable` and nothing
// that was acknowledged is lost; when it can again, everything goes on by itself.
//
//nolint:paralleltest // it needs the machine for itself
func TestSyncFails(t *testing.T) {
	i := install(t, "--rate-limits", "off")
	i.start()
	c := gather(t, i.door(), 10, 4, 3)
	c.talk()
	pause(t, 300*time.Millisecond)
	for range 2 {
		heal := breakCalls(t, i, "fsync,fdatasync", "EIO")
		c.inTrouble(i)
		heal()
		c.outOfTrouble()
	}
	heal := breakCalls(t, i, "fsync,fdatasync", "EIO")
	c.inTrouble(i)
	i.kill()
	heal()
	i.start()
	c.outOfTrouble()
	c.hush()
	c.judge()
	i.verify()
	t.Logf("%+v", c.all())
}

// Promise: a disk that cannot be written to is no reason to lose anything either.
//
//nolint:paralleltest // it needs the machine for itself
func TestWritesFail(t *testing.T) {
	i := install(t, "--rate-limits", "off")
	i.start()
	c := gather(t, i.door(), 10, 4, 3)
	c.talk()
	pause(t, 300*time.Millisecond)
	for _, failure := range []string{"ENOSPC", "EIO"} {
		heal := breakCalls(t, i, "pwrite64", failure)
		c.inTrouble(i)
		heal()
		c.outOfTrouble()
	}
	c.hush()
	c.judge()
	i.verify()
	t.Logf("%+v", c.all())
}

// inTrouble waits until every device was refused, and checks what must still work.
func (c *crowd) inTrouble(i *installation) {
	c.t.Helper()
	before := make(map[*client.Device]int)
	for _, device := range c.devices {
		before[device] = device.Stats().Refused
	}
	c.poll("a device was not refused", func() bool {
		for _, device := range c.devices {
			if device.Stats().Refused == before[device] {
				return false
			}
		}
		return true
	})
	for room, reader := range c.readers {
		if _, err := reader.Changes(c.t.Context(), room, 0); err != nil {
			c.t.Errorf("what was said cannot be read: %v", err)
		}
	}
	reader := c.readers[c.rooms[0]]
	// On a full disk one may still find room, where SQLite writes its log over from the beginning. Refused like this it may be
	// stored all the same; it is never sent again here.
	c.poll("a message sent over HTTP was not refused", func() bool {
		attempt := checker.Attempt{
			Client: "HTTP", Sender: reader.ID, Room: c.rooms[0], ID: client.NewMessageID(), Body: secretMark + " over HTTP", Answer: checker.Refused,
		}
		sent, err := reader.Send(c.t.Context(), attempt.Room, attempt.ID, attempt.Body)
		if err == nil {
			attempt.Answer, attempt.Seq = checker.Acked, sent.Seq
		}
		c.record.Attempted(attempt)
		var problem *client.Problem
		if err != nil && (!errors.As(err, &problem) || problem.Status != http.StatusServiceUnavailable || problem.Code != "unavailable" || problem.RetryAfter == "") {
			c.t.Errorf("a message sent over HTTP was answered %v, want 503 unavailable with Retry-After", err)
		}
		return err != nil
	})
	if status, _ := i.ask(c.t.Context(), "/healthz"); status != http.StatusOK {
		c.t.Errorf("/healthz answers %d: a restart would not help", status)
	}
}

// outOfTrouble waits until messages of every device are acknowledged again.
func (c *crowd) outOfTrouble() {
	c.t.Helper()
	before := make(map[*client.Device]int)
	for _, device := range c.devices {
		before[device] = device.Stats().Acked
	}
	c.poll("a device's messages are still not acknowledged", func() bool {
		for _, device := range c.devices {
			if device.Stats().Acked < before[device]+2 { // one may have been on its way
				return false
			}
		}
		return true
	})
}

// poll looks until it sees, or fails the test with what did not happen.
func (c *crowd) poll(what string, look func() bool) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), troublePatience)
	defer cancel()
	for !look() {
		if run.Pause(ctx, pollEvery) != nil {
			c.t.Fatalf("after %v %s", troublePatience, what)
		}
	}
}

// smallDisk mounts a file system of that size. Only who runs as root outside of a strict container may do so.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		if os.Geteuid() != 0 {
			t.Skipf("only root may mount a small disk to fill (%v); TestWritesFail comes near it", err)
		}
		t.Fatalf("mount a small disk to fill: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount the small disk: %v", err)
		}
	})
	return dir
}

// fill writes a file until the disk is full.
func fill(t *testing.T, path string) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	block := make([]byte, 4<<10)
	for {
		if _, err := file.Write(block); err != nil {
			if !errors.Is(err, syscall.ENOSPC) {
				t.Fatal(err)
			}
			return
		}
	}
}

// breakCalls makes system calls of the server fail, until heal is called.
func breakCalls(t *testing.T, i *installation, calls, failure string) (heal func()) {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Fatal("a failing disk cannot be had without strace: install the package strace")
	}
	pid := strconv.Itoa(i.process.Process.Pid)
	tracer := exec.Command(strace, "-f", "-p", pid, "-o", os.DevNull, "-e", "trace="+calls, "-e", "inject="+calls+":error="+failure)
	says, err := tracer.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := tracer.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(says)
	line, err := lines.ReadString('\n')
	if err != nil || !strings.Contains(line, "attached") {
		_ = tracer.Wait() // it has ended with the words above
		t.Fatalf("strace may not attach to the server, so that its disk cannot be made to fail: %s", line)
	}
	drained := make(chan struct{})
	group := run.NewGroup(context.Background())
	group.Go("read what strace says", func(context.Context) error {
		defer close(drained)
		_, _ = io.Copy(io.Discard, lines) // until it ends
		return nil
	})
	var healed bool
	heal = func() {
		if healed {
			return
		}
		healed = true
		_ = tracer.Process.Signal(os.Interrupt) // it ends with the server, too
		<-drained
		_ = group.Wait()  // it does not fail
		_ = tracer.Wait() // with the signal
	}
	t.Cleanup(heal)
	return heal
}
