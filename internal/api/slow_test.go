package api

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/blabber-hive/blabber-hive/internal/account"
	"github.com/blabber-hive/blabber-hive/internal/run"
)

// pipes listens for connections inside the process, so that a test decides when time passes.
type pipes struct {
	incoming chan net.Conn
	closed   chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.incoming:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	close(p.closed)
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p *pipes) dial() net.Conn {
	client, server := net.Pipe()
	p.incoming <- server
	return client
}

// Promise (FIGURES §4, frames and bodies): a client that sends a byte now and then holds a connection for a bounded time,
// and what it asked is refused; one that is merely slow is heard.
func TestSlowBody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server, err := New(Options{
			Clock: time.Now, NewID: func() [16]byte { return [16]byte{1} }, Log: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(),
			Accounts: new(account.Service), // nobody has one
		})
		if err != nil {
			t.Fatal(err)
		}
		listener := &pipes{incoming: make(chan net.Conn), closed: make(chan struct{})}
		web := &http.Server{Handler: server, ReadHeaderTimeout: time.Second, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
		group := run.NewGroup(t.Context())
		group.Go("serve", func(context.Context) error {
			if err := web.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		})
		ask := func(path string, pause time.Duration, body string) (status string, took time.Duration) {
			conn := listener.dial()
			defer conn.Close()
			start := time.Now()
			group.Go("drip", func(ctx context.Context) error {
				_, err := fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", path, len(body))
				for i := 0; i < len(body) && err == nil; i++ {
					if err := run.Pause(ctx, pause); err != nil {
						return nil
					}
					_, err = conn.Write([]byte(body[i : i+1]))
				}
				return nil // the server may hang up on us
			})
			answer, err := bufio.NewReader(conn).ReadString('\n')
			if err != nil && !errors.Is(err, io.EOF) {
				t.Error(err)
			}
			return strings.TrimSpace(answer), time.Since(start)
		}
		for path, want := range map[string]string{
			"/api/v1/auth/login": "400", "/api/v1/rooms": "401", "/api/v1/nowhere": "404", "/": "404", "/openapi.json": "405",
		} {
			if status, took := ask(path, time.Second, strings.Repeat(" ", 1000)); !strings.Contains(status, want) || took > bodyPatience {
				t.Errorf("%s, a byte each second: %q after %v, want %s within %v", path, status, took, want, bodyPatience)
			}
		}
		if status, took := ask("/api/v1/auth/login", time.Second, `{"a":1}`); !strings.Contains(status, " 422 ") || took != 7*time.Second {
			t.Errorf("slow and whole: %q after %v, want to be heard", status, took)
		}
		if err := web.Close(); err != nil {
			t.Error(err)
		}
		group.Cancel()
		if err := group.Wait(); err != nil {
			t.Error(err)
		}
	})
}
