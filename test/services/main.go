// Command services brings up the services of a cluster for developing and for tests: privately, on free ports of this
// machine, in a folder that goes with them.
//
//	go run ./test/services                prints how to reach them and stays until Ctrl-C
//	go run ./test/services -- go test …   runs a command with the variables set, and ends with its exit code
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/blabber-hive/blabber-hive/internal/porttest/services"
	"github.com/blabber-hive/blabber-hive/internal/run"
)

func main() {
	only := flag.String("only", "postgres,redis,kafka", "which services")
	brokers := flag.Int("brokers", 1, "of Kafka: 1, which writes each record to the disk, or 3, which keep each thrice")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code, err := serve(ctx, strings.Split(*only, ","), *brokers, flag.Args())
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "services:", err)
	}
	os.Exit(code)
}

// variable is how a service is found.
type variable struct{ name, value string }

func serve(ctx context.Context, only []string, brokers int, command []string) (code int, err error) {
	folder, err := services.Open()
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, folder.Close()) }()
	variables, err := start(ctx, folder, only, brokers)
	if err != nil {
		return 1, err
	}
	if len(command) > 0 {
		return execute(ctx, command, variables)
	}
	for _, v := range variables {
		fmt.Printf("export %s=%s\n", v.name, v.value)
	}
	fmt.Fprintln(os.Stderr, "services: up in", folder.Path(), "until Ctrl-C")
	<-ctx.Done()
	return 0, nil
}

// start brings all up at once and answers their variables. What a variable names already is left to whoever runs it.
func start(ctx context.Context, folder *services.Folder, only []string, brokers int) ([]variable, error) {
	all := []struct {
		service, variable string
		start             func(ctx context.Context) (url string, err error)
	}{
		{"postgres", services.DatabaseURL, func(ctx context.Context) (string, error) {
			in, err := folder.StartPostgres(ctx, nil)
			return urlOf(in), err
		}},
		{"redis", services.RedisURL, func(ctx context.Context) (string, error) {
			in, err := folder.StartRedis(ctx, nil)
			return urlOf(in), err
		}},
		{"kafka", services.KafkaBrokerURL, func(ctx context.Context) (string, error) {
			cluster, err := folder.StartKafka(ctx, brokers, nil)
			if err != nil {
				return "", err
			}
			return cluster.URL, nil
		}},
	}
	variables := make([]variable, len(all))
	group := run.NewGroup(ctx)
	for i, one := range all {
		if !slices.Contains(only, one.service) {
			continue
		}
		if url := os.Getenv(one.variable); url != "" {
			variables[i] = variable{one.variable, url}
			continue
		}
		group.Go(one.service, func(ctx context.Context) error {
			url, err := one.start(ctx)
			variables[i] = variable{one.variable, url}
			return err
		})
	}
	err := group.Wait()
	return slices.DeleteFunc(variables, func(v variable) bool { return v.name == "" }), err
}

func urlOf(in *services.Instance) string {
	if in == nil {
		return ""
	}
	return in.URL
}

// execute runs the command and answers its exit code. Ctrl-C reaches it from the terminal, as it does us; it is given the
// time to end by itself.
func execute(ctx context.Context, command []string, variables []variable) (code int, err error) {
	cmd := exec.CommandContext(context.WithoutCancel(ctx), command[0], command[1:]...) //nolint:gosec // the command that we are asked to run
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = cmd.Environ()
	for _, v := range variables {
		cmd.Env = append(cmd.Env, v.name+"="+v.value)
	}
	err = cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return max(exit.ExitCode(), 1), nil
	}
	if err != nil {
		return 1, fmt.Errorf("run %s: %w", command[0], err)
	}
	return 0, nil
}
