package app

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/blabber-hive/blabber-hive/internal/api"
)

type openAPICommand struct{}

// Run prints the document. It describes routes and needs no server, and nothing behind one.
func (openAPICommand) Run(p *Process) error {
	edge, err := api.New(api.Options{
		Version: p.Version, Clock: time.Now, NewID: newID, Log: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(),
	})
	if err != nil {
		return err
	}
	if _, err := p.Out.Write(append(edge.OpenAPI(), '\n')); err != nil {
		return fmt.Errorf("print the document: %w", err)
	}
	return nil
}
