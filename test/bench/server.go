//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/run"
)

// startPatience is how long a server may take to answer.
const startPatience = 30 * time.Second

// server is the built binary, running.
type server struct {
	cmd    *exec.Cmd
	addr   netip.AddrPort
	admin  string
	output *bytes.Buffer
	began  time.Time
	took   time.Duration // from its start to its first answer
}

// buildServer builds the binary unless one is given.
func buildServer(ctx context.Context, given, dir string) (string, error) {
	if given != "" {
		return filepath.Abs(given)
	}
	path := filepath.Join(dir, "blabber-hive")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", path, "./cmd/blabber-hive") //nolint:gosec // a path of ours
	cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0")
	if output, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the server: %w: %s", err, output)
	}
	return path, nil
}

// startServer runs the binary over a data directory and waits until it answers.
func startServer(ctx context.Context, binary, dir string) (*server, error) {
	s, err := launch(ctx, binary, nil, "--data-dir", dir)
	if err != nil {
		return nil, err
	}
	return s, s.await(ctx, "http://"+s.addr.String()+"/api/v1/config")
}

// launch starts the binary with variables and flags beside the usual ones; whoever uses it has to await it.
func launch(ctx context.Context, binary string, env []string, flags ...string) (*server, error) {
	addr, err := freeAddr(ctx)
	if err != nil {
		return nil, err
	}
	admin, err := freeAddr(ctx)
	if err != nil {
		return nil, err
	}
	s := &server{addr: addr, admin: "http://" + admin.String(), output: &bytes.Buffer{}}
	flags = append([]string{"serve", "--addr", addr.String(), "--admin-addr", admin.String(), "--rate-limits=off", "--log-level=warn"}, flags...)
	s.cmd = exec.CommandContext(ctx, binary, flags...) //nolint:gosec // whoever runs this names the binary
	s.cmd.Env = append(s.cmd.Environ(), env...)
	s.cmd.Stdout, s.cmd.Stderr = s.output, s.output
	s.began = time.Now()
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	return s, nil
}

// await returns when the server answers there, or has been ended because it does not.
func (s *server) await(ctx context.Context, url string) error {
	client := &http.Client{Timeout: time.Second}
	defer client.CloseIdleConnections()
	for time.Since(s.began) < startPatience {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return errors.Join(err, s.kill())
		}
		if answer, err := client.Do(request); err == nil {
			_, _ = io.Copy(io.Discard, answer.Body)
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				s.took = time.Since(s.began)
				return nil
			}
		}
		if err := run.Pause(ctx, time.Millisecond); err != nil {
			return errors.Join(err, s.kill())
		}
	}
	return errors.Join(fmt.Errorf("the server did not answer within %v: %s", startPatience, s.output), s.kill())
}

// freeAddr finds a loopback port that nobody listens on.
func freeAddr(ctx context.Context) (netip.AddrPort, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("find a free port: %w", err)
	}
	defer func() { _ = listener.Close() }()
	return netip.ParseAddrPort(listener.Addr().String())
}

// stop ends the server as an operator does.
func (s *server) stop() error {
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
		return fmt.Errorf("stop the server: %w", err)
	}
	if err := s.cmd.Wait(); err != nil {
		return fmt.Errorf("stop the server: %w: %s", err, s.output)
	}
	return nil
}

// kill ends it as a crash does.
func (s *server) kill() error {
	if err := s.cmd.Process.Kill(); err != nil {
		return fmt.Errorf("kill the server: %w", err)
	}
	_ = s.cmd.Wait() // it says that it was killed
	return nil
}

// rss is how much memory the process has, in bytes.
func rss(pid int) (int64, error) {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			return kib << 10, err
		}
	}
	return 0, errors.New("the process has no VmRSS")
}

// cpu is how long the process has computed so far, in user and in kernel.
func cpu(pid int) (time.Duration, error) {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(stat), ") ") // the name before may hold anything
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, errors.New("the process has no times")
	}
	user, errUser := strconv.ParseInt(fields[11], 10, 64)
	kernel, errKernel := strconv.ParseInt(fields[12], 10, 64)
	const tick = 10 * time.Millisecond // USER_HZ is 100 on every Linux
	return time.Duration(user+kernel) * tick, errors.Join(errUser, errKernel)
}

func (s *server) rss() (int64, error)         { return rss(s.cmd.Process.Pid) }
func (s *server) cpu() (time.Duration, error) { return cpu(s.cmd.Process.Pid) }

// collect makes the server collect its garbage, so that what is measured afterwards is what it needs.
func (s *server) collect(ctx context.Context) error {
	return s.fetch(ctx, "/debug/pprof/heap?gc=1", io.Discard)
}

// profile writes a profile of the next while into a file.
func (s *server) profile(ctx context.Context, path string, span time.Duration) error {
	file, err := os.Create(path) //nolint:gosec // whoever runs this names the folder
	if err != nil {
		return err
	}
	query := fmt.Sprintf("/debug/pprof/profile?seconds=%d", int(span.Seconds()))
	return errors.Join(s.fetch(ctx, query, file), file.Close())
}

func (s *server) fetch(ctx context.Context, path string, into io.Writer) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.admin+path, http.NoBody)
	if err != nil {
		return err
	}
	client := &http.Client{}
	defer client.CloseIdleConnections()
	answer, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("ask the server's admin address: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	_, err = io.Copy(into, answer.Body)
	return err
}

// holding is how the Go runtime of the server holds its memory, in bytes.
type holding struct{ heap, stacks, kept float64 }

func (s *server) memory(ctx context.Context) (holding, error) {
	var page bytes.Buffer
	if err := s.fetch(ctx, "/metrics", &page); err != nil {
		return holding{}, err
	}
	values := make(map[string]float64)
	for line := range strings.Lines(page.String()) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && strings.HasPrefix(name, "go_memstats_") {
			values[strings.TrimPrefix(name, "go_memstats_")], _ = strconv.ParseFloat(value, 64) // a comment is no number
		}
	}
	return holding{
		heap: values["heap_inuse_bytes"], stacks: values["stack_inuse_bytes"],
		kept: values["heap_idle_bytes"] - values["heap_released_bytes"],
	}, nil
}
