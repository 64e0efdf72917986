//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/run"
	"github.com/blabber-hive/blabber-hive/test/bench/report"
)

const (
	joinPatience  = 30 * time.Second
	crowdPatience = 5 * time.Minute
)

// What -only knows by names of their own.
const (
	aloneScenarios   = "start,sends,fanout,idle,resume"
	clusterWord      = "cluster"
	clusterScenarios = "latency,mood,drain,outage"
)

// bench is one run.
type bench struct {
	binary   string
	dir      string // of all data, deleted at the end
	span     time.Duration
	messages int           // of the backlog that is drained
	outage   time.Duration // for which the database is away
	brokers  int           // of a cluster's Kafka
	profiles string        // a folder, or empty
	report   *report.Report
	seeded   int
}

// request is what a run was asked for.
type request struct {
	bench

	only, asJSON, parent string
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == bareFlag {
		exit(serveBare(context.Background(), os.Args[2:]))
	}
	var r request
	flag.StringVar(&r.binary, "binary", "", "the server to measure; built from here if empty")
	flag.StringVar(&r.only, "only", aloneScenarios, "what to measure; cluster is "+clusterScenarios)
	flag.DurationVar(&r.span, "span", 5*time.Second, "how long each rate is measured")
	flag.IntVar(&r.messages, "messages", 1_000_000, "of the backlog that drain drains")
	flag.DurationVar(&r.outage, "outage", 5*time.Minute, "for how long outage takes the database away")
	flag.IntVar(&r.brokers, "brokers", 1, "of a cluster's Kafka: 1, which writes each record to the disk, or 3, which keep each thrice")
	flag.StringVar(&r.asJSON, "json", "", "write the figures to this file too; - for standard output instead of the table")
	flag.StringVar(&r.profiles, "profiles", "", "write CPU profiles of the server into this folder")
	flag.StringVar(&r.parent, "dir", "", "keep the data below this folder, on the disk to measure; the system's temporary one if empty")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, unix.SIGTERM)
	defer stop()
	exit(r.measure(ctx))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func (r request) measure(ctx context.Context) (err error) {
	if err := raiseFiles(); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(r.parent, "blabber-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if r.profiles != "" {
		if err := os.MkdirAll(r.profiles, 0o700); err != nil {
			return err
		}
	}
	b := &r.bench
	b.dir, b.report = dir, report.New(os.Stderr)
	if b.binary, err = buildServer(ctx, r.binary, dir); err != nil {
		return err
	}
	scenarios := map[string]func(context.Context) error{
		"start": b.start, "sends": b.sends, "fanout": b.fanout, "idle": b.idle, "resume": b.resume,
		"latency": b.latency, "mood": b.moods, "drain": b.drain, "outage": b.outages,
	}
	only := strings.ReplaceAll(r.only, clusterWord, clusterScenarios)
	for name := range strings.SplitSeq(only, ",") {
		scenario, ok := scenarios[name]
		if !ok {
			return fmt.Errorf("there is no %q to measure; there are %s and, with a cluster, %s", name, aloneScenarios, clusterScenarios)
		}
		fmt.Fprintf(os.Stderr, "%s\n", name)
		if err := scenario(ctx); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return b.show(r.asJSON)
}

func (b *bench) show(asJSON string) error {
	if asJSON == "-" {
		return b.report.JSON(os.Stdout)
	}
	if asJSON != "" {
		file, err := os.Create(asJSON) //nolint:gosec // whoever runs this names the file
		if err != nil {
			return err
		}
		if err := errors.Join(b.report.JSON(file), file.Close()); err != nil {
			return err
		}
	}
	return b.report.Table(os.Stdout)
}

// raiseFiles lets this process and the server, which inherits it, open as many sockets as the system allows.
func raiseFiles() error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("read the limit on open files: %w", err)
	}
	if need := uint64(idlePeople + 1000); limit.Max < need {
		return fmt.Errorf("%d open files are needed and %d allowed: raise the hard limit (ulimit -Hn)", need, limit.Max)
	}
	limit.Cur = limit.Max
	return unix.Setrlimit(unix.RLIMIT_NOFILE, &limit)
}

// serving seeds people and rooms, starts the server over them, and calls with; then it ends the server.
func (b *bench) serving(ctx context.Context, people, rooms int, members func(int) []int, with func(s *server, citizens []citizen, ids []chat.RoomID) error) error {
	b.seeded++
	dir := filepath.Join(b.dir, fmt.Sprintf("data-%d", b.seeded))
	citizens, ids, err := seed(ctx, dir, people, rooms, members)
	if err != nil {
		return err
	}
	s, err := startServer(ctx, b.binary, dir)
	if err != nil {
		return err
	}
	err = with(s, citizens, ids)
	if err != nil {
		return errors.Join(err, s.kill(), errOutput(s))
	}
	return errors.Join(s.kill(), os.RemoveAll(dir))
}

// errOutput is what the server said, where it said anything.
func errOutput(s *server) error {
	said := slices.DeleteFunc(strings.Split(s.output.String(), "\n"), func(line string) bool {
		return line == "" || strings.Contains(line, "probe failed") // it was asked for all the while that it started
	})
	if len(said) == 0 {
		return nil
	}
	return fmt.Errorf("the server said %s", strings.Join(said[:min(len(said), 10)], "\n"))
}

// profile begins a profile of the server where profiles are wanted; the answer waits for its end.
func (b *bench) profile(ctx context.Context, s *server, name string) (wait func() error) {
	if b.profiles == "" || s == nil {
		return func() error { return nil }
	}
	group := run.NewGroup(ctx)
	group.Go("profile", func(ctx context.Context) error {
		return s.profile(ctx, filepath.Join(b.profiles, name+".cpu"), b.span)
	})
	return group.Wait
}

// heap writes a profile of the server's memory.
func (b *bench) heap(ctx context.Context, s *server, name string) error {
	file, err := os.Create(filepath.Join(b.profiles, name+".heap")) //nolint:gosec // whoever runs this names the folder
	if err != nil {
		return err
	}
	return errors.Join(s.fetch(ctx, "/debug/pprof/heap", io.Writer(file)), file.Close())
}
