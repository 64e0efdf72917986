package app

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/app/setting"
)

const healthPatience = 5 * time.Second

type healthcheckCommand struct {
	AdminAddr string `env:"ADMIN_ADDR" default:"localhost:8090" placeholder:"HOST:PORT" help:"The server's admin address."`
}

// Run asks /readyz of the admin address.
func (c *healthcheckCommand) Run(p *Process) error {
	if err := check([]row{{"admin-addr", "ADMIN_ADDR", setting.Address(c.AdminAddr)}}); err != nil {
		return err
	}
	interrupted, release := p.untilSignal()
	defer release()
	ctx, cancel := context.WithTimeout(interrupted, healthPatience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+reachable(c.AdminAddr)+"/readyz", http.NoBody)
	if err != nil {
		return fmt.Errorf("ask %s: %w", c.AdminAddr, err)
	}
	transport := &http.Transport{DisableKeepAlives: true}
	answer, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return fmt.Errorf("the server does not answer: %w", err)
	}
	defer answer.Body.Close()
	const enough = 4 << 10
	body, err := io.ReadAll(io.LimitReader(answer.Body, enough))
	if err != nil {
		return fmt.Errorf("the server's answer did not arrive whole: %w", err)
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the server is not ready (%s): %s", answer.Status, strings.TrimSpace(string(body)))
	}
	fmt.Fprintln(p.Out, "ready")
	return nil
}

// reachable turns an address to listen on into one to call: every address of a machine includes its own.
func reachable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	if ip, err := netip.ParseAddr(host); host == "" || (err == nil && ip.IsUnspecified()) {
		return net.JoinHostPort("localhost", port)
	}
	return addr
}
