package services

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// StartPrometheus starts Prometheus with the configuration that config makes for a listening address (127.0.0.1:port) and a
// folder, into which it may write what the configuration names.
func (f *Folder) StartPrometheus(ctx context.Context, config func(listen, dir string) string) (*Instance, error) {
	return f.startWeb(ctx, "prometheus", "/-/ready", func(listen, dir string) (args, env []string, err error) {
		path := filepath.Join(dir, "prometheus.yml")
		if err := os.WriteFile(path, []byte(config(listen, dir)), 0o600); err != nil {
			return nil, nil, err
		}
		return []string{"--config.file=" + path, "--storage.tsdb.path=" + filepath.Join(dir, "data"), "--web.listen-address=" + listen}, nil, nil
	})
}

// StartNodeExporter starts what tells Prometheus of this machine's disks.
func (f *Folder) StartNodeExporter(ctx context.Context) (*Instance, error) {
	return f.startWeb(ctx, "prometheus-node-exporter", "/", func(listen, _ string) (args, env []string, err error) {
		return []string{"--web.listen-address=" + listen, "--collector.disable-defaults", "--collector.filesystem"}, nil, nil
	})
}

// StartPostgresExporter starts what tells Prometheus of a PostgreSQL.
func (f *Folder) StartPostgresExporter(ctx context.Context, database string) (*Instance, error) {
	return f.startWeb(ctx, "prometheus-postgres-exporter", "/", func(listen, _ string) (args, env []string, err error) {
		return []string{"--web.listen-address=" + listen}, []string{"DATA_SOURCE_NAME=" + database}, nil
	})
}

// StartRedisExporter starts what tells Prometheus of a Redis.
func (f *Folder) StartRedisExporter(ctx context.Context, redis string) (*Instance, error) {
	return f.startWeb(ctx, "prometheus-redis-exporter", "/", func(listen, _ string) (args, env []string, err error) {
		address, err := url.Parse(redis)
		if err != nil {
			return nil, nil, err
		}
		password, _ := address.User.Password()
		return []string{"-web.listen-address=" + listen, "-redis.addr=redis://" + address.Host}, []string{"REDIS_PASSWORD=" + password}, nil
	})
}

// startWeb starts a program, named as its Debian package, that listens for HTTP and answers a path once it is ready.
func (f *Folder) startWeb(ctx context.Context, program, ready string, prepare func(listen, dir string) (args, env []string, err error)) (*Instance, error) {
	path, err := exec.LookPath(program)
	if err != nil {
		return nil, fmt.Errorf("%s is not installed: install the package of the same name", program)
	}
	dir, err := f.sub(program)
	if err != nil {
		return nil, err
	}
	port, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	listen := loopback(port)
	args, env, err := prepare(listen, dir)
	if err != nil {
		return nil, fmt.Errorf("prepare %s: %w", program, err)
	}
	in := &Instance{
		URL: "http://" + listen, name: program, dir: dir, end: syscall.SIGTERM, drop: syscall.SIGKILL,
		command: append([]string{path}, args...), env: env,
	}
	in.ready = func(ctx context.Context) error { return answers(ctx, in.URL+ready) }
	return in, f.launch(ctx, in)
}

// answers asks for a page once, on a connection of its own: what is not up yet has none to keep.
func answers(ctx context.Context, page string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, page, http.NoBody)
	if err != nil {
		return err
	}
	return answersWell(&http.Transport{DisableKeepAlives: true}, request)
}

func answersWell(transport *http.Transport, request *http.Request) error {
	response, err := (&http.Client{Timeout: 5 * time.Second, Transport: transport}).Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("it answers with status %d", response.StatusCode)
	}
	return nil
}
