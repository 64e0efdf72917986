// Command blabber-hive serves a chat, and looks after its data. `blabber-hive --help` lists what it can do.
package main

import (
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // machines without a database of time zones, like containers, have days too

	"github.com/blabber-hive/blabber-hive/internal/app"
)

// version is set by the linker.
var version = "unknown"

func main() {
	signals := make(chan os.Signal, 2) // one to stop, one to hurry
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	os.Exit(app.Main(app.Process{
		Args: os.Args[1:], In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Signals: signals, Version: version,
	}))
}
