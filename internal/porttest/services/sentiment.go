package services

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// StartSentiment starts this repository's model server with its own model. The first start on a machine installs what it
// needs, which takes a minute.
func (f *Folder) StartSentiment(ctx context.Context) (*Instance, error) {
	root, err := moduleRoot()
	if err != nil {
		return nil, err
	}
	dir, err := f.sub("sentiment")
	if err != nil {
		return nil, err
	}
	port, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	in := &Instance{
		URL: "http://" + loopback(port), name: "the model server", dir: dir, end: syscall.SIGTERM, drop: syscall.SIGKILL,
		command: []string{filepath.Join(root, "scripts", "sentiment.sh"), "--port", strconv.Itoa(port)},
	}
	in.ready = func(ctx context.Context) error { return answers(ctx, in.URL+"/readyz") }
	return in, f.launch(ctx, in)
}

// moduleRoot is the folder of go.mod, at or above the one in which a test runs.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	for ; err == nil; dir = filepath.Dir(dir) {
		if _, missing := os.Stat(filepath.Join(dir, "go.mod")); missing == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	return "", errors.Join(errors.New("look for the repository: there is no go.mod above"), err)
}
