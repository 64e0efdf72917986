package app

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/blabber-hive/blabber-hive/web"
)

// The bounds of an HTTP connection. None of them holds for a WebSocket, which has its own.
const (
	headerPatience = 10 * time.Second
	idlePatience   = 2 * time.Minute
	headerBytesMax = 32 << 10
)

// listen opens a listening socket, or says in a sentence why it cannot be had.
func listen(ctx context.Context, addr, flag, env string) (net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	switch {
	case err == nil:
		return listener, nil
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("another program listens on %s: stop it, or give another address with --%s (%s): %w", addr, flag, env, err)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("this user may not listen on %s: give a port above 1023 with --%s (%s): %w", addr, flag, env, err)
	}
	return nil, fmt.Errorf("cannot listen on %s: give another address with --%s (%s): %w", addr, flag, env, err)
}

// serve runs an HTTP server as a part. When stopping it waits for the requests under way.
func (s *Server) serve(name string, listener net.Listener, handler http.Handler) {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerPatience,
		IdleTimeout:       idlePatience,
		MaxHeaderBytes:    headerBytesMax,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug), // what clients do wrong
	}
	s.start(name, stopPatience, func(ctx context.Context) error {
		stop := context.AfterFunc(ctx, func() { _ = server.Close() }) // it is ending either way
		defer stop()
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve: %w", err)
		}
		return nil
	}, nil)
	s.stack.Push(name+"'s requests", stopPatience, func(ctx context.Context) error {
		if err := server.Shutdown(ctx); err != nil {
			s.log.WarnContext(ctx, "requests were cut off before they were answered", "server", name, "error", err)
		}
		return nil
	})
}

//go:embed unbuilt
var unbuilt embed.FS

// client is the web client, or a page that says how to build it.
func client() fs.FS {
	if built, ok := web.Client(); ok {
		return built
	}
	page, err := fs.Sub(unbuilt, "unbuilt")
	if err != nil {
		panic(err) // only a misspelt name can make this fail
	}
	return page
}
