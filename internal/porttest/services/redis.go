package services

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// StartRedis starts an empty Redis that writes nothing to disk: killed, it has forgotten everything, unless settings say
// {"appendonly": "yes"}.
func (f *Folder) StartRedis(ctx context.Context, settings map[string]string) (*Instance, error) {
	program, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, errors.New("Redis is not installed: install the package redis-server, or set REDIS_URL to one")
	}
	dir, err := f.sub("redis")
	if err != nil {
		return nil, err
	}
	port, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	password := token()
	all := map[string]string{
		"bind": "127.0.0.1", "port": strconv.Itoa(port), "requirepass": password, "dir": dir,
		"save": `""`, "appendonly": "no", "daemonize": "no",
	}
	if settings["cluster-enabled"] == "yes" {
		bus, err := freePort(ctx) // else it is the port and 10,000, where somebody else may be
		if err != nil {
			return nil, err
		}
		all["cluster-port"] = strconv.Itoa(bus)
	}
	maps.Copy(all, settings)
	var config strings.Builder
	for _, name := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(&config, "%s %s\n", name, all[name])
	}
	path := filepath.Join(dir, "redis.conf")
	if err := os.WriteFile(path, []byte(config.String()), 0o600); err != nil {
		return nil, err
	}
	in := &Instance{
		URL:  (&url.URL{Scheme: "redis", User: url.UserPassword("default", password), Host: loopback(port), Path: "/0"}).String(),
		name: "Redis", command: []string{program, path}, dir: dir, end: syscall.SIGTERM, drop: syscall.SIGKILL,
	}
	in.ready = func(ctx context.Context) error { return pingRedis(ctx, loopback(port), password) }
	return in, f.launch(ctx, in)
}

// pingRedis asks in the plain words that Redis understands beside its protocol.
func pingRedis(ctx context.Context, address, password string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(conn, "AUTH %s\r\nPING\r\n", password); err != nil {
		return err
	}
	lines := bufio.NewScanner(conn)
	for _, want := range []string{"+OK", "+PONG"} {
		if !lines.Scan() || lines.Text() != want {
			return fmt.Errorf("Redis answers %q: %w", lines.Text(), lines.Err())
		}
	}
	return nil
}
