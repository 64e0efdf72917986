package app

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/app/setting"
	"github.com/blabber-hive/blabber-hive/internal/obs"
)

// Data is what every command needs that touches the stored data.
type Data struct {
	DataDir string  `env:"DATA_DIR" default:"./data" placeholder:"DIR" help:"Folder that holds everything this server stores, when it runs alone."`
	Cluster Cluster `embed:""`
}

// Config is everything that an operator decides about a running server. Each flag is also an environment variable; what
// is given on the command line wins.
type Config struct {
	Data

	Addr      string `env:"ADDR" default:"localhost:8080" placeholder:"HOST:PORT" help:"Where people reach this server. The default is for this machine and for a proxy on it; :8080 is for everyone who can reach this machine."`
	AdminAddr string `env:"ADMIN_ADDR" default:"localhost:8090" placeholder:"HOST:PORT" help:"Where operators find /metrics, /healthz, /readyz and /debug/pprof. It asks for no credentials, so keep it private. 'off' for none."`

	PublicURL      string   `env:"PUBLIC_URL" name:"public-url" placeholder:"URL" help:"The address that people type, like https://chat.example.com. Invites are written with it. Without it, the address that was asked for counts."`
	AllowedOrigins []string `env:"ALLOWED_ORIGINS" placeholder:"URL" help:"Other sites whose pages may call this server, for a web client that is hosted elsewhere."`
	TrustedProxies []string `env:"TRUSTED_PROXIES" placeholder:"CIDR" help:"Addresses or networks of the reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are believed."`

	Signup   string   `env:"SIGNUP" default:"open" placeholder:"open|closed" help:"Whether strangers may make accounts. When closed, make them with 'user create'."`
	Supabase Supabase `embed:""`

	Mood         string     `env:"MOOD" default:"on" placeholder:"on|off" help:"Whether owners may have the mood of their rooms' messages read."`
	SentimentURL obs.Secret `env:"SENTIMENT_URL" name:"sentiment-url" placeholder:"URL" help:"The model server that reads moods, like http://localhost:8000. Without one this server reads English by itself."`

	RateLimits string `env:"RATE_LIMITS" default:"on" placeholder:"on|off" help:"Limits on sending, signing in and asking. 'off' is for load tests and trusted networks."`

	Tracing Tracing `embed:""`

	LogFormat string `env:"LOG_FORMAT" default:"text" placeholder:"text|json" help:"How the log is written."`
	LogLevel  string `env:"LOG_LEVEL" default:"info" placeholder:"debug|info|warn|error" help:"The least that is logged."`

	DrainSpread     time.Duration `env:"DRAIN_SPREAD" default:"3s" placeholder:"TIME" help:"When stopping, over how long clients are asked to spread their reconnecting."`
	ShutdownTimeout time.Duration `env:"SHUTDOWN_TIMEOUT" default:"20s" placeholder:"TIME" help:"When stopping, how long everything may take before it is cut short. A second signal cuts it short at once."`
}

const (
	on     = "on"
	off    = "off"
	open   = "open"
	closed = "closed"

	drainSpreadMax     = time.Minute
	shutdownTimeoutMax = 10 * time.Minute
)

// row is one line of the table that a configuration is checked by: where a value came from, and what is wrong with it, if
// anything, in words that say what to give instead. flag is empty for what is only looked for in the environment.
type row struct {
	flag, env, wrong string
}

func check(rows []row) error {
	var problems []error
	for _, r := range rows {
		switch {
		case r.wrong == "":
		case r.flag == "":
			problems = append(problems, fmt.Errorf("%s %s", r.env, r.wrong))
		default:
			problems = append(problems, fmt.Errorf("--%s (%s) %s", r.flag, r.env, r.wrong))
		}
	}
	if len(problems) == 0 {
		return nil
	}
	return &UsageError{errors.Join(problems...)}
}

// Check refuses a configuration that cannot work, naming everything that is wrong with it.
func (c Config) Check() error {
	return check(append(slices.Concat(c.rows(), c.Supabase.rows(), c.Tracing.rows()),
		row{"addr", "ADDR", setting.Address(c.Addr)},
		row{"admin-addr", "ADMIN_ADDR", wrongAdminAddress(c.AdminAddr, c.Addr)},
		row{"public-url", "PUBLIC_URL", setting.Origin(c.PublicURL)},
		row{"allowed-origins", "ALLOWED_ORIGINS", setting.First(c.AllowedOrigins, setting.Origin)},
		row{"trusted-proxies", "TRUSTED_PROXIES", setting.First(c.TrustedProxies, setting.Network)},
		row{"signup", "SIGNUP", setting.Word(c.Signup, open, closed)},
		row{"mood", "MOOD", setting.Word(c.Mood, on, off)},
		row{"sentiment-url", "SENTIMENT_URL", setting.URL(c.SentimentURL, "http://localhost:8000", "http", "https")},
		row{"rate-limits", "RATE_LIMITS", setting.Word(c.RateLimits, on, off)},
		row{"log-format", "LOG_FORMAT", setting.Word(c.LogFormat, "text", "json")},
		row{"log-level", "LOG_LEVEL", setting.Word(c.LogLevel, "debug", "info", "warn", "error")},
		row{"drain-spread", "DRAIN_SPREAD", setting.Duration(c.DrainSpread, 0, drainSpreadMax)},
		row{"shutdown-timeout", "SHUTDOWN_TIMEOUT", wrongShutdown(c.ShutdownTimeout, c.DrainSpread)},
	))
}

// Check refuses what commands without a server cannot work with.
func (d Data) Check() error { return check(d.rows()) }

func (d Data) rows() []row {
	wrong := ""
	if strings.TrimSpace(d.DataDir) == "" {
		wrong = "is empty: name a folder, like ./data"
	}
	return append([]row{{"data-dir", "DATA_DIR", wrong}}, d.Cluster.rows()...)
}

func wrongAdminAddress(addr, public string) string {
	if addr == off {
		return ""
	}
	if addr == public && !strings.HasSuffix(addr, ":0") {
		return fmt.Sprintf("is %q, where people reach this server: give it a port of its own, or turn it 'off'", addr)
	}
	return setting.Address(addr)
}

func wrongShutdown(timeout, spread time.Duration) string {
	if wrong := setting.Duration(timeout, time.Second, shutdownTimeoutMax); wrong != "" {
		return wrong
	}
	if timeout <= spread {
		return fmt.Sprintf("is %v, which is over before all clients were told to go: give more than --drain-spread, which is %v", timeout, spread)
	}
	return ""
}

// The methods below read a configuration that was checked.

func (c Config) origins() []string {
	var list []string
	if c.PublicURL != "" {
		list = append(list, c.PublicURL)
	}
	return append(list, c.AllowedOrigins...)
}

func (c Config) proxies() ([]netip.Prefix, error) {
	list := make([]netip.Prefix, 0, len(c.TrustedProxies))
	for _, text := range c.TrustedProxies {
		prefix, err := setting.ParseNetwork(text)
		if err != nil {
			return nil, err
		}
		list = append(list, prefix)
	}
	return list, nil
}

// moods reports whether moods are read, by this server or by another of its cluster.
func (c Config) moods() bool { return c.Mood == on }

func (c Config) unlimited() bool { return c.RateLimits == off }

// LogValue is the configuration as it is logged at start.
func (c Config) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("addr", c.Addr), slog.String("admin_addr", c.AdminAddr), slog.String("data_dir", c.DataDir),
		slog.String("public_url", c.PublicURL), slog.String("signup", c.Signup), slog.String("supabase_url", c.Supabase.URL), slog.String("rate_limits", c.RateLimits),
		slog.String("mood", c.Mood), slog.Bool("model_server", !c.SentimentURL.IsZero()),
		slog.Bool("cluster", c.Cluster.on()), slog.Bool("traced", c.Tracing.on()),
	)
}
