package services

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// StartPostgres starts a PostgreSQL with an empty cluster. settings override the server's; as shipped it is as careful with
// its data as PostgreSQL is, "fsync": "off" is for whoever wants speed from data that may be lost.
func (f *Folder) StartPostgres(ctx context.Context, settings map[string]string) (*Instance, error) {
	bin, err := postgresBin()
	if err != nil {
		return nil, err
	}
	as, err := unprivileged()
	if err != nil {
		return nil, err
	}
	dir, err := f.sub("postgres")
	if err != nil {
		return nil, err
	}
	port, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	password := token()
	if err := initdb(ctx, bin, dir, password, as); err != nil {
		return nil, err
	}
	command := []string{filepath.Join(bin, "postgres"), "-D", filepath.Join(dir, "data")}
	all := map[string]string{
		"port": strconv.Itoa(port), "listen_addresses": "127.0.0.1", "unix_socket_directories": "",
		"max_connections":            "300",
		"dynamic_shared_memory_type": "mmap", // in the data folder, where it goes with it
	}
	maps.Copy(all, settings)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		command = append(command, "-c", name+"="+all[name])
	}
	in := &Instance{
		URL:  (&url.URL{Scheme: "postgres", User: url.UserPassword("postgres", password), Host: loopback(port), Path: "/postgres", RawQuery: "sslmode=disable"}).String(),
		name: "PostgreSQL", command: command, dir: dir, as: as,
		end:  syscall.SIGINT,  // "fast": who is connected is sent away
		drop: syscall.SIGQUIT, // "immediate": gives its shared memory back, which SIGKILL would leave to the system
	}
	in.ready = func(ctx context.Context) error { return pingPostgres(ctx, in.URL) }
	return in, f.launch(ctx, in)
}

// postgresBin is the folder of the newest server that is installed. Debian keeps them out of the PATH.
func postgresBin() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if len(found) > 0 {
		version := func(path string) int {
			n, _ := strconv.Atoi(strings.Split(path, "/")[4])
			return n
		}
		return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })), nil
	}
	if path, err := exec.LookPath("postgres"); err == nil {
		return filepath.Dir(path), nil
	}
	return "", errors.New("PostgreSQL is not installed: install the package postgresql, or set DATABASE_URL to a server where databases may be created")
}

func initdb(ctx context.Context, bin, dir, password string, as *account) error {
	secret := filepath.Join(dir, "password")
	if err := os.WriteFile(secret, []byte(password), 0o644); err != nil {
		return err
	}
	data := filepath.Join(dir, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		return err
	}
	if as != nil {
		if err := os.Chown(data, as.uid, as.gid); err != nil {
			return err
		}
	}
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "-D", data, "--username=postgres", "--auth=scram-sha-256", "--pwfile="+secret, //nolint:gosec // PostgreSQL's own
		"--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions")
	cmd.Dir = dir
	var err error
	if cmd.SysProcAttr, err = attributes(as); err != nil {
		return err
	}
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, output)
	}
	return nil
}

func pingPostgres(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	return conn.Ping(ctx)
}

// execPostgres runs one statement; names in it are ours and need no quoting.
func execPostgres(ctx context.Context, address, statement string) error {
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}

// database is the address of another database of the same server.
func database(address, name string) (string, error) {
	parsed, err := url.Parse(address)
	if err != nil {
		return "", fmt.Errorf("DATABASE_URL: %w", err)
	}
	parsed.Path = "/" + name
	return parsed.String(), nil
}
