package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/alecthomas/kong"

	"github.com/blabber-hive/blabber-hive/internal/obs"
	"github.com/blabber-hive/blabber-hive/internal/run"
)

// The exit codes of the command.
const (
	ExitDone   = 0 // what was asked for is done
	ExitFailed = 1 // it is not, or verify found something wrong
	ExitUsage  = 2 // the command line or the configuration cannot work
)

// Process is what a command has of the world.
type Process struct {
	Args    []string // without the program's own name
	In      *os.File
	Out     io.Writer
	Err     io.Writer        // log, progress and what went wrong
	Signals <-chan os.Signal // the first asks to stop, the second to hurry
	Version string
}

// UsageError is a command line or a configuration that cannot work; its text says what to change.
type UsageError struct{ err error }

func (e *UsageError) Error() string { return e.err.Error() }

// Unwrap gives the problems.
func (e *UsageError) Unwrap() error { return e.err }

type commands struct {
	Serve       serveCommand       `cmd:"" default:"withargs" help:"Serve the chat. This is what happens when no command is named."`
	Migrate     migrateCommand     `cmd:"" help:"Bring the stored data to the form that this version needs, and exit. A server that runs alone does it by itself; a cluster is migrated once before its servers are replaced."`
	Version     versionCommand     `cmd:"" help:"Say which version this is."`
	Healthcheck healthcheckCommand `cmd:"" help:"Ask a running server whether it is ready. For containers and load balancers."`
	User        userCommand        `cmd:"" help:"Make and manage accounts, also while the server runs."`
	Export      exportCommand      `cmd:"" help:"Write everything that is stored to one file, also while the server runs."`
	Import      importCommand      `cmd:"" help:"Fill an empty data folder from such a file. Cut short, it goes on when started again."`
	Replay      replayCommand      `cmd:"" help:"Cluster: make a lost database whole again from the log in Kafka, with a backup or without. Cut short, it goes on when started again."`
	Verify      verifyCommand      `cmd:"" help:"Check that nothing is missing and nothing contradicts itself, also while the server runs."`
	OpenAPI     openAPICommand     `cmd:"" name:"openapi" help:"Print the OpenAPI document of the HTTP API."`
}

const description = "Blabber-Hive is a chat for your team on your own machine.\n\n" +
	"Without arguments it serves http://localhost:8080 and keeps everything in ./data. " +
	"Every flag is also an environment variable, named beside it; the command line wins.\n\n" +
	"Exit codes: 0 done, 1 not done or something found wrong, 2 a command line or configuration that cannot work."

const helpColumnsMax = 100

// explain is a flag's help with what it is when nobody gives it, and the variable that it can be given by.
func explain(value *kong.Value) string {
	text := value.Help
	if value.HasDefault {
		text += " Default: " + value.Default + "."
	}
	if len(value.Tag.Envs) > 0 {
		text += " ($" + value.Tag.Envs[0] + ")"
	}
	return text
}

// Main runs one command and answers the code to exit with.
func Main(process Process) int {
	var cli commands
	exited := false
	parser, err := kong.New(&cli,
		kong.Name("blabber-hive"), kong.Description(description),
		kong.Writers(process.Out, process.Err), kong.Exit(func(int) { exited = true }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: helpColumnsMax}), kong.ValueFormatter(explain),
		kong.Bind(&process),
	)
	if err != nil {
		return process.fail(fmt.Errorf("read the commands: %w", err)) // a mistake in the structs above
	}
	parsed, err := parser.Parse(process.Args)
	if exited {
		return ExitDone // help was asked for and given
	}
	if err != nil {
		return process.fail(&UsageError{err})
	}
	return process.fail(parsed.Run())
}

// fail says what went wrong, if anything did, and answers the exit code.
func (p *Process) fail(err error) int {
	if err == nil {
		return ExitDone
	}
	fmt.Fprintf(p.Err, "blabber-hive: %v\n", err)
	if _, ok := errors.AsType[*UsageError](err); ok {
		fmt.Fprintln(p.Err, "blabber-hive --help lists the commands, blabber-hive COMMAND --help their flags.")
		return ExitUsage
	}
	return ExitFailed
}

// untilSignal gives a context that ends with the first signal, for commands that simply stop then. release must be called.
func (p *Process) untilSignal() (ctx context.Context, release func()) {
	group := run.NewGroup(context.Background())
	group.Go("wait for a signal", func(ctx context.Context) error {
		select {
		case <-p.Signals:
			group.Cancel()
		case <-ctx.Done():
		}
		return nil
	})
	return group.Context(), func() {
		group.Cancel()
		_ = group.Wait() // it cannot fail
	}
}

type versionCommand struct{}

// Run prints the version.
func (versionCommand) Run(p *Process) error {
	fmt.Fprintf(p.Out, "blabber-hive %s\n", p.Version)
	return nil
}

type serveCommand struct {
	Config `embed:""`
}

// Run serves until a signal or a failure.
func (c *serveCommand) Run(p *Process) error {
	if err := c.Check(); err != nil {
		return err
	}
	log, err := obs.NewLogger(p.Err, c.LogFormat, c.LogLevel)
	if err != nil {
		return &UsageError{err}
	}
	starting, release := p.untilSignal() // whoever gives up while it starts need not wait
	server, err := Start(starting, c.Config, p.Version, log)
	release()
	if err != nil {
		return err
	}
	ctx := context.Background()
	log.InfoContext(ctx, "serving", "url", server.url(), "version", p.Version, "config", c.Config)
	select {
	case got := <-p.Signals:
		log.InfoContext(ctx, "stopping; a second signal hurries it", "signal", got.String())
	case <-server.Failed():
		log.ErrorContext(ctx, "a part of the server has failed; stopping")
	}
	err = p.stop(server, c.Config, log)
	if err == nil {
		log.InfoContext(ctx, "stopped")
	}
	return err
}

// stop stops the server in the time that it has, or at once when a second signal comes.
func (p *Process) stop(server *Server, config Config, log *slog.Logger) error {
	patience, cancel := context.WithTimeout(context.Background(), config.ShutdownTimeout)
	defer cancel()
	group := run.NewGroup(patience)
	group.Go("wait for a second signal", func(ctx context.Context) error {
		select {
		case got := <-p.Signals:
			log.WarnContext(ctx, "stopping at once", "signal", got.String())
			cancel()
		case <-ctx.Done():
		}
		return nil
	})
	err := server.Stop(group.Context())
	group.Cancel()
	_ = group.Wait() // it cannot fail
	return err
}

type migrateCommand struct {
	Data   `embed:""`
	NewLog bool `help:"Cluster: the log is lost, or this database is a copy for another cluster: go on with the log that Kafka has, or a new one. What the old one had and the database has not is lost. Stop all servers and empty Redis before."`
}

// Run opens the data, which brings it up to date, and closes it. In a cluster it makes what is missing of the database's
// tables and of the log's topics, which servers never do by themselves.
func (c *migrateCommand) Run(p *Process) error {
	if err := c.Check(); err != nil {
		return err
	}
	ctx, release := p.untilSignal()
	defer release()
	if c.Cluster.on() {
		return c.Cluster.migrate(ctx, p, c.NewLog)
	}
	if c.NewLog {
		return &UsageError{errors.New("--new-log is for a cluster: a server that runs alone has no log beside its data")}
	}
	store, err := c.openStore(ctx)
	if err != nil {
		return err
	}
	if err := store.Close(); err != nil {
		return fmt.Errorf("close the data in %s: %w", c.DataDir, err)
	}
	fmt.Fprintf(p.Out, "The data in %s is up to date.\n", c.DataDir)
	return nil
}
