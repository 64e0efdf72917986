package app

import (
	"context"
	"log/slog"
	"net"
)

// StartBroken starts a server of which one part fails at once.
func StartBroken(ctx context.Context, config Config, failure error) (*Server, error) {
	server, err := Start(ctx, config, "test", slog.New(slog.DiscardHandler))
	if err == nil {
		server.start("a broken part", stopPatience, func(context.Context) error { return failure }, nil)
	}
	return server, err
}

// URLOf is what a server says of itself that serves people, or nobody.
func URLOf(addr net.Addr) string { return (&Server{addr: addr}).url() }
