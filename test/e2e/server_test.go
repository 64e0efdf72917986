package e2e_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The patience of tests: long, since it is only used up where something is broken.
const (
	startPatience = 20 * time.Second
	stopPatience  = 30 * time.Second
	pollEvery     = 5 * time.Millisecond
)

// secretMark is in every password and message of these tests. It must never be in a log.
const secretMark = "sesame"

// installation is a data folder and addresses, on which server processes live and die one after the other.
type installation struct {
	t     *testing.T
	dir   string // the data
	addr  string
	admin string
	args  []string
	env   []string
	wrap  []string // a command that runs the binary, like strace

	log     *lockedBuffer
	process *exec.Cmd
	ended   chan error
	waiting sync.WaitGroup
}

// install prepares an installation; args are more flags. When the test ends, what runs is killed and the log is searched
// for what must not be in it.
func install(t *testing.T, args ...string) *installation {
	t.Helper()
	i := newInstallation(t, filepath.Join(t.TempDir(), "data"), args...)
	t.Cleanup(func() {
		i.kill()
		i.readLog()
	})
	return i
}

func newInstallation(t *testing.T, dir string, args ...string) *installation {
	t.Helper()
	return &installation{t: t, dir: dir, addr: freeAddr(t), admin: freeAddr(t), args: args, log: new(lockedBuffer)}
}

// readLog searches the log for what must not be in it, shows its end where the test failed, and forgets it.
func (i *installation) readLog() {
	i.t.Helper()
	i.scanLog()
	if i.t.Failed() {
		i.t.Logf("the server's log:\n%s", tail(i.log.String()))
	}
	i.log.reset()
}

func freeAddr(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func (i *installation) url() string { return "http://" + i.addr }

func (i *installation) door() door { return door{addr: i.addr} }

// environ is what a process of the binary gets: nothing that makes it one of a cluster that a test did not ask for.
func (i *installation) environ() []string {
	environ := slices.DeleteFunc(os.Environ(), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return name == "DATABASE_URL" || name == "KAFKA_BROKER_URL" || name == "REDIS_URL"
	})
	return append(environ, i.env...)
}

// start starts a server and waits until it is ready.
func (i *installation) start() {
	i.t.Helper()
	i.launch()
	i.awaitReady()
}

func (i *installation) awaitReady() {
	i.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startPatience)
	defer cancel()
	for {
		if i.ready(ctx) {
			return
		}
		select {
		case err := <-i.ended:
			i.process = nil
			i.t.Fatalf("the server ended while starting: %v\n%s", err, tail(i.log.String()))
		case <-ctx.Done():
			i.t.Fatalf("the server is not ready after %v\n%s", startPatience, tail(i.log.String()))
		case <-time.After(pollEvery):
		}
	}
}

func (i *installation) launch() {
	i.t.Helper()
	args := append([]string{}, i.wrap...)
	args = append(args, binary, "serve", "--data-dir", i.dir, "--addr", i.addr, "--admin-addr", i.admin, "--log-level", "debug")
	args = append(args, i.args...)
	process := exec.Command(args[0], args[1:]...)
	process.Env = i.environ()
	process.Stdout, process.Stderr = i.log, i.log
	if err := process.Start(); err != nil {
		i.t.Fatal(err)
	}
	ended := make(chan error, 1)
	i.process, i.ended = process, ended
	i.waiting.Go(func() { ended <- process.Wait() })
}

func (i *installation) ready(ctx context.Context) bool {
	status, _ := i.ask(ctx, "/readyz")
	return status == http.StatusOK
}

// ask asks the admin address.
func (i *installation) ask(ctx context.Context, path string) (status int, body string) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+i.admin+path, http.NoBody)
	if err != nil {
		i.t.Fatal(err)
	}
	transport := &http.Transport{DisableKeepAlives: true}
	response, err := (&http.Client{Transport: transport, Timeout: time.Second}).Do(request)
	if err != nil {
		return 0, ""
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, ""
	}
	return response.StatusCode, string(text)
}

// kill kills the server, as kill -9 does, if one runs.
func (i *installation) kill() {
	if i.process == nil {
		return
	}
	_ = i.process.Process.Kill() // it may have ended by itself
	i.waiting.Wait()
	i.process = nil
}

// stop asks the server to stop, waits until it has, and answers its exit code.
func (i *installation) stop() int {
	i.t.Helper()
	if err := i.process.Process.Signal(syscall.SIGTERM); err != nil {
		i.t.Fatal(err)
	}
	return i.wait()
}

func (i *installation) wait() int {
	i.t.Helper()
	select {
	case err := <-i.ended:
		i.process = nil
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			return exit.ExitCode()
		}
		if err != nil {
			i.t.Fatal(err)
		}
		return 0
	case <-time.After(stopPatience):
		i.t.Fatalf("the server has not stopped after %v", stopPatience)
		return -1
	}
}

// command runs another command of the binary on the installation's data.
func (i *installation) command(stdin string, args ...string) (output string, code int) {
	i.t.Helper()
	command := exec.Command(binary, args...)
	command.Env = append(i.environ(), "DATA_DIR="+i.dir, "ADMIN_ADDR="+i.admin)
	command.Stdin = strings.NewReader(stdin)
	var out bytes.Buffer
	command.Stdout, command.Stderr = &out, &out
	err := command.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return out.String(), exit.ExitCode()
	}
	if err != nil {
		i.t.Fatal(err)
	}
	return out.String(), 0
}

// verify has the product check its own data, whether a server runs on it or not.
func (i *installation) verify() {
	i.t.Helper()
	out, code := i.command("", "verify")
	if code != 0 {
		i.t.Errorf("verify ended with code %d: %s", code, tail(out))
	}
	i.t.Log(strings.TrimSpace(tail(out)))
}

// scanLog searches the log of all lives for what people said, their passwords and their tokens.
func (i *installation) scanLog() {
	log := i.log.String()
	for _, secret := range []string{secretMark, "eyJ"} { // every token begins like that
		if at := strings.Index(log, secret); at >= 0 {
			i.t.Errorf("the log has %q in it: …%s…", secret, log[max(0, at-200):min(len(log), at+100)])
		}
	}
}

// residentKiB is the memory that the server holds.
func (i *installation) residentKiB() int {
	i.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", i.process.Process.Pid))
	if err != nil {
		i.t.Skipf("this system does not tell the memory of a process: %v", err)
	}
	for line := range strings.Lines(string(status)) {
		var kib int
		if _, err := fmt.Sscanf(line, "VmRSS: %d kB", &kib); err == nil {
			return kib
		}
	}
	i.t.Fatal("the system does not tell the memory of the server")
	return 0
}

const tailBytes = 8 << 10

func tail(log string) string { return log[max(0, len(log)-tailBytes):] }

// lockedBuffer takes what a process writes while a test reads it.
type lockedBuffer struct {
	mu   sync.Mutex
	data bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.data.Write(p)
}

func (b *lockedBuffer) reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.data.Reset()
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.data.String()
}
