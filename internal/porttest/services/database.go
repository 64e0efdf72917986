package services

import (
	"context"
	"sync"
	"testing"
)

// PostgresOption says what kind of database a test wants.
type PostgresOption func(*wish)

type wish struct {
	fast    bool
	key     string
	prepare func(ctx context.Context, url string) error
}

// Fast gives a database whose commits do not wait for the disk. For tests of what is stored, not of whether it survives.
func Fast() PostgresOption { return func(w *wish) { w.fast = true } }

// Template gives a copy of a database that prepare has filled, most likely with migrations. It is prepared once for
// each key in a test binary; a copy takes a tenth of the time.
func Template(key string, prepare func(ctx context.Context, url string) error) PostgresOption {
	return func(w *wish) { w.key, w.prepare = key, prepare }
}

// template is a database that others are copied from.
type template struct {
	once    sync.Once
	name    string
	address string // of the server
	err     error
}

// Postgres gives the test a database of its own, which goes when the test ends.
func Postgres(t testing.TB, options ...PostgresOption) (url string) {
	t.Helper()
	var wanted wish
	for _, option := range options {
		option(&wanted)
	}
	server := shared.postgres.get(t, DatabaseURL, func(ctx context.Context, f *Folder) (string, error) {
		in, err := f.StartPostgres(ctx, nil)
		if err != nil {
			return "", err
		}
		return in.URL, nil
	})
	ctx := t.Context()
	from := "template1"
	if wanted.prepare != nil {
		var err error
		if from, err = prepared(context.WithoutCancel(ctx), server, wanted); err != nil { // it serves other tests too
			t.Fatal(err)
		}
	}
	name := "test_" + token()
	if err := execPostgres(ctx, server, "create database "+name+" template "+from); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := cleanContext()
		defer cancel()
		if err := execPostgres(ctx, server, "drop database "+name+" with (force)"); err != nil {
			t.Error(err)
		}
	})
	if wanted.fast {
		if err := execPostgres(ctx, server, "alter database "+name+" set synchronous_commit = off"); err != nil {
			t.Fatal(err)
		}
	}
	url, err := database(server, name)
	if err != nil {
		t.Fatal(err)
	}
	return url
}

// prepared is the name of the template, which the first who asks for it makes.
func prepared(ctx context.Context, server string, wanted wish) (string, error) {
	shared.mu.Lock()
	made := shared.templates[wanted.key]
	if made == nil {
		made = &template{name: "template_" + token(), address: server}
		if shared.templates == nil {
			shared.templates = make(map[string]*template)
		}
		shared.templates[wanted.key] = made
	}
	shared.mu.Unlock()
	made.once.Do(func() {
		if made.err = execPostgres(ctx, server, "create database "+made.name); made.err != nil {
			return
		}
		address, err := database(server, made.name)
		if err != nil {
			made.err = err
			return
		}
		made.err = wanted.prepare(ctx, address)
	})
	return made.name, made.err
}

// dropTemplates leaves a server that is not ours as it was.
func dropTemplates(ctx context.Context) {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	for _, made := range shared.templates {
		_ = execPostgres(ctx, made.address, "drop database if exists "+made.name+" with (force)")
	}
}
