package app

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/obs"
)

// Data is what every command needs that touches the stored data.
type Data struct {
	DataDir string  `env:"DATA_DIR" default:"./data" placeholder:"DIR" help:"Folder that holds everything this server stores, when it runs alone."`
	Cluster Cluster `embed:""`

	SentimentURL obs.Secret `env:"SENTIMENT_URL" hidden:""`
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

	RateLimits string `env:"RATE_LIMITS" default:"on" placeholder:"on|off" help:"Limits on sending, signing in and asking. 'off' is for load tests and trusted networks."`

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
	return check(append(append(c.rows(), c.Supabase.rows()...),
		row{"addr", "ADDR", wrongAddress(c.Addr)},
		row{"admin-addr", "ADMIN_ADDR", wrongAdminAddress(c.AdminAddr, c.Addr)},
		row{"public-url", "PUBLIC_URL", wrongOrigin(c.PublicURL)},
		row{"allowed-origins", "ALLOWED_ORIGINS", firstWrong(c.AllowedOrigins, wrongOrigin)},
		row{"trusted-proxies", "TRUSTED_PROXIES", firstWrong(c.TrustedProxies, wrongNetwork)},
		row{"signup", "SIGNUP", wrongWord(c.Signup, open, closed)},
		row{"rate-limits", "RATE_LIMITS", wrongWord(c.RateLimits, on, off)},
		row{"log-format", "LOG_FORMAT", wrongWord(c.LogFormat, "text", "json")},
		row{"log-level", "LOG_LEVEL", wrongWord(c.LogLevel, "debug", "info", "warn", "error")},
		row{"drain-spread", "DRAIN_SPREAD", wrongDuration(c.DrainSpread, 0, drainSpreadMax)},
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
	sentiment := ""
	if !d.SentimentURL.IsZero() {
		sentiment = "asks for a model server, which this build does not know how to use: unset it"
	}
	return append(append([]row{{"data-dir", "DATA_DIR", wrong}}, d.Cluster.rows()...), row{"", "SENTIMENT_URL", sentiment})
}

func wrongAddress(addr string) string {
	const want = ": give a host and a port, like localhost:8080, or :8080 for every address of this machine"
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Sprintf("is %q%s", addr, want)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Sprintf("is %q, whose port is not one%s", addr, want)
	}
	return ""
}

func wrongAdminAddress(addr, public string) string {
	if addr == off {
		return ""
	}
	if addr == public && !strings.HasSuffix(addr, ":0") {
		return fmt.Sprintf("is %q, where people reach this server: give it a port of its own, or turn it 'off'", addr)
	}
	return wrongAddress(addr)
}

func wrongOrigin(text string) string {
	if text == "" {
		return ""
	}
	parsed, err := url.Parse(text)
	if err != nil || (parsed.Scheme != "http" && parsed.Scheme != "https") || parsed.Host == "" || parsed.User != nil ||
		strings.Trim(parsed.Path, "/") != "" || parsed.RawQuery != "" || parsed.Fragment != "" {
		return fmt.Sprintf("is %q: give a scheme, a host and perhaps a port, and no path, like https://chat.example.com", text)
	}
	return ""
}

func wrongNetwork(text string) string {
	if _, err := network(text); err != nil {
		return fmt.Sprintf("is %q: give addresses or networks, like 10.0.0.7 or 10.0.0.0/8", text)
	}
	return ""
}

func network(text string) (netip.Prefix, error) {
	if address, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(address.Unmap(), address.Unmap().BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("read a network: %w", err)
	}
	return prefix.Masked(), nil
}

func firstWrong(list []string, wrong func(string) string) string {
	for _, text := range list {
		if text == "" {
			return "has an empty entry: take the extra comma out"
		}
		if what := wrong(text); what != "" {
			return what
		}
	}
	return ""
}

func wrongWord(given string, allowed ...string) string {
	if slices.Contains(allowed, given) {
		return ""
	}
	last := len(allowed) - 1
	return fmt.Sprintf("is %q: give %s or %s", given, strings.Join(allowed[:last], ", "), allowed[last])
}

func wrongDuration(given, least, most time.Duration) string {
	if given < least || given > most {
		return fmt.Sprintf("is %v: give a time from %v to %v", given, least, most)
	}
	return ""
}

func wrongShutdown(timeout, spread time.Duration) string {
	if wrong := wrongDuration(timeout, time.Second, shutdownTimeoutMax); wrong != "" {
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
		prefix, err := network(text)
		if err != nil {
			return nil, err
		}
		list = append(list, prefix)
	}
	return list, nil
}

func (c Config) unlimited() bool { return c.RateLimits == off }

// LogValue is the configuration as it is logged at start.
func (c Config) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("addr", c.Addr), slog.String("admin_addr", c.AdminAddr), slog.String("data_dir", c.DataDir),
		slog.String("public_url", c.PublicURL), slog.String("signup", c.Signup), slog.String("supabase_url", c.Supabase.URL), slog.String("rate_limits", c.RateLimits),
		slog.Bool("cluster", c.Cluster.on()),
	)
}
