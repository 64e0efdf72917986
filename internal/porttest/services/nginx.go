package services

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// StartNginx starts nginx with the configuration that config makes for a listening address (127.0.0.1:port) and a folder
// for all that it writes. "daemon off" and the place of the pid are given already.
func (f *Folder) StartNginx(ctx context.Context, config func(listen, dir string) string) (*Instance, error) {
	program, err := exec.LookPath("nginx")
	if err != nil {
		if program, err = exec.LookPath("/usr/sbin/nginx"); err != nil { // Debian's place, in root's PATH only
			return nil, errors.New("nginx is not installed: install the package nginx")
		}
	}
	dir, err := f.sub("nginx")
	if err != nil {
		return nil, err
	}
	port, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(path, []byte(config(loopback(port), dir)), 0o600); err != nil {
		return nil, err
	}
	in := &Instance{
		URL: "http://" + loopback(port), name: "nginx", dir: dir, end: syscall.SIGQUIT, drop: syscall.SIGTERM,
		command: []string{program, "-p", dir, "-c", path, "-e", "stderr", "-g", strings.Join([]string{"daemon off;", "pid " + filepath.Join(dir, "pid") + ";"}, " ")},
	}
	in.ready = func(ctx context.Context) error {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", loopback(port))
		if err != nil {
			return err
		}
		return conn.Close()
	}
	return in, f.launch(ctx, in)
}
