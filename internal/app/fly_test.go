package app_test

import (
	"bytes"
	"net"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/blabber-hive/blabber-hive/internal/app"
)

// flyConfig is what we use of Fly.io's fly.toml, by the names of its reference. Anything else in the file is a misspelling.
type flyConfig struct {
	App           string `toml:"app"`
	PrimaryRegion string `toml:"primary_region"`
	KillSignal    string `toml:"kill_signal"`
	KillTimeout   string `toml:"kill_timeout"`
	Build         struct {
		Dockerfile string            `toml:"dockerfile"`
		Args       map[string]string `toml:"args"`
	} `toml:"build"`
	Env    map[string]string `toml:"env"`
	Mounts []struct {
		Source            string `toml:"source"`
		Destination       string `toml:"destination"`
		InitialSize       string `toml:"initial_size"`
		SnapshotRetention int    `toml:"snapshot_retention"`
	} `toml:"mounts"`
	Deploy struct {
		Strategy string `toml:"strategy"`
	} `toml:"deploy"`
	HTTPService struct {
		InternalPort       int    `toml:"internal_port"`
		ForceHTTPS         bool   `toml:"force_https"`
		AutoStopMachines   string `toml:"auto_stop_machines"`
		AutoStartMachines  bool   `toml:"auto_start_machines"`
		MinMachinesRunning int    `toml:"min_machines_running"`
		Concurrency        struct {
			Type      string `toml:"type"`
			SoftLimit int    `toml:"soft_limit"`
			HardLimit int    `toml:"hard_limit"`
		} `toml:"concurrency"`
	} `toml:"http_service"`
	Checks map[string]struct {
		Type        string `toml:"type"`
		Port        int    `toml:"port"`
		Path        string `toml:"path"`
		Interval    string `toml:"interval"`
		Timeout     string `toml:"timeout"`
		GracePeriod string `toml:"grace_period"`
	} `toml:"checks"`
	Metrics struct {
		Port int    `toml:"port"`
		Path string `toml:"path"`
	} `toml:"metrics"`
	VM []struct {
		Size   string `toml:"size"`
		Memory string `toml:"memory"`
	} `toml:"vm"`
}

// Promise: what fly.toml says is what the server does: each variable is one of its own and can work, its ports are those
// where it listens, its paths answer, the volume is where the data is, and nobody kills it before it has stopped.
func TestFly(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../fly.toml")
	if err != nil {
		t.Fatal(err)
	}
	var fly flyConfig
	if err := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields().Decode(&fly); err != nil {
		t.Fatal(err)
	}
	_, help, _ := blabberHive(t, "", "serve", "--help")
	known := map[string]bool{"GOMEMLIMIT": true} // Go's own
	for _, match := range regexp.MustCompile(`\(\$([A-Z_]+)\)`).FindAllStringSubmatch(help, -1) {
		known[match[1]] = true
	}
	for name := range fly.Env {
		if !known[name] {
			t.Errorf("%s is no variable of the server's", name)
		}
	}
	config := app.Config{
		Data: app.Data{DataDir: fly.Env["DATA_DIR"]}, Addr: fly.Env["ADDR"], AdminAddr: fly.Env["ADMIN_ADDR"], PublicURL: fly.Env["PUBLIC_URL"],
		TrustedProxies: strings.Split(fly.Env["TRUSTED_PROXIES"], ","), Signup: "open", Mood: "on", RateLimits: "on",
		LogFormat: fly.Env["LOG_FORMAT"], LogLevel: "info", DrainSpread: 3 * time.Second, ShutdownTimeout: duration(t, fly.Env["SHUTDOWN_TIMEOUT"]),
	}
	if err := config.Check(); err != nil {
		t.Error(err)
	}
	if public, _ := net.LookupPort("tcp", strings.TrimPrefix(config.Addr, ":")); public != fly.HTTPService.InternalPort {
		t.Errorf("people are sent to port %d, and the server listens on %q", fly.HTTPService.InternalPort, config.Addr)
	}
	admin, _ := net.LookupPort("tcp", strings.TrimPrefix(config.AdminAddr, ":"))
	server := start(t, nil)
	ready := fly.Checks["ready"]
	for path, port := range map[string]int{ready.Path: ready.Port, fly.Metrics.Path: fly.Metrics.Port} {
		if status, _ := call(t, "GET", server.AdminAddr(), path, "", ""); port != admin || status != 200 {
			t.Errorf("%s is asked for on port %d, and the server has it on %q and answers %d", path, port, config.AdminAddr, status)
		}
	}
	if len(fly.Mounts) != 1 || fly.Mounts[0].Destination != config.DataDir {
		t.Errorf("the data is in %s, and the volumes are %v", config.DataDir, fly.Mounts)
	}
	if fly.KillSignal != "SIGTERM" || duration(t, fly.KillTimeout) <= config.ShutdownTimeout {
		t.Errorf("it is told to stop by %s and killed after %s, and may take %v", fly.KillSignal, fly.KillTimeout, config.ShutdownTimeout)
	}
	if fly.HTTPService.AutoStopMachines != "off" || fly.HTTPService.Concurrency.Type != "connections" || !fly.HTTPService.ForceHTTPS {
		t.Errorf("people stay connected, over TLS; the service is %+v", fly.HTTPService)
	}
	dockerfile, err := os.ReadFile("../../" + fly.Build.Dockerfile)
	if err != nil {
		t.Fatal(err)
	}
	for name := range fly.Build.Args {
		if !strings.Contains(string(dockerfile), "ARG "+name) {
			t.Errorf("%s is no argument of %s", name, fly.Build.Dockerfile)
		}
	}
}

func duration(t *testing.T, text string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
