package app_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/app"
	"github.com/blabber-hive/blabber-hive/internal/obs"
)

// defaults is what somebody gets who decides nothing, as the command line gives it.
func defaults() app.Config {
	return app.Config{
		Data: app.Data{DataDir: "./data"},
		Addr: "localhost:8080", AdminAddr: "localhost:8090", Signup: "open", RateLimits: "on", Mood: "on", LogFormat: "text", LogLevel: "info",
		DrainSpread: 3 * time.Second, ShutdownTimeout: 20 * time.Second,
	}
}

// project is a Supabase project that would do, but for change.
// cluster is a whole one, and then something is wrong with it.
func cluster(change func(*app.Cluster)) func(*app.Config) {
	return func(c *app.Config) {
		c.Cluster = app.Cluster{
			DatabaseURL: obs.NewSecret("postgres://u:hunter2@db/hive"), Brokers: []string{"kafka:9092"},
			RedisURL: obs.NewSecret("redis://:hunter2@redis:6379"), Roles: []string{"gateway", "sequencer"},
		}
		change(&c.Cluster)
	}
}

func project(change func(s *app.Supabase)) func(c *app.Config) {
	return func(c *app.Config) {
		c.Supabase = app.Supabase{URL: "https://abc.supabase.co", AnonKey: "sb_publishable_abc", Audience: "authenticated"}
		change(&c.Supabase)
	}
}

// Promise: a configuration that cannot work is refused, by the names of its flag and its variable, with what to change.
func TestConfigIsRefused(t *testing.T) {
	t.Parallel()
	secret := obs.NewSecret("postgres://user:hunter2@db/chat")
	for name, tc := range map[string]struct {
		change func(c *app.Config)
		want   []string
	}{
		"no folder":           {func(c *app.Config) { c.DataDir = " " }, []string{"--data-dir (DATA_DIR)", "name a folder"}},
		"no port":             {func(c *app.Config) { c.Addr = "localhost" }, []string{"--addr (ADDR)", `"localhost"`, "a host and a port"}},
		"a port too high":     {func(c *app.Config) { c.Addr = ":80800" }, []string{"--addr (ADDR)", "whose port is not one"}},
		"an empty port":       {func(c *app.Config) { c.Addr = "localhost:" }, []string{"whose port is not one"}},
		"a URL as address":    {func(c *app.Config) { c.Addr = "http://localhost:8080" }, []string{"--addr (ADDR)", "a host and a port"}},
		"one address for all": {func(c *app.Config) { c.AdminAddr = c.Addr }, []string{"--admin-addr (ADMIN_ADDR)", "a port of its own"}},
		"admin without port":  {func(c *app.Config) { c.AdminAddr = "localhost" }, []string{"--admin-addr (ADMIN_ADDR)"}},
		"public URL with a path": {
			func(c *app.Config) { c.PublicURL = "https://example.com/chat" },
			[]string{"--public-url (PUBLIC_URL)", "no path"},
		},
		"public URL without a scheme": {func(c *app.Config) { c.PublicURL = "chat.example.com" }, []string{"--public-url (PUBLIC_URL)", "https://chat.example.com"}},
		"public URL with a password":  {func(c *app.Config) { c.PublicURL = "https://me:pw@example.com" }, []string{"--public-url (PUBLIC_URL)"}},
		"an origin that is none": {
			func(c *app.Config) { c.AllowedOrigins = []string{"https://a.example", "b.example"} },
			[]string{"--allowed-origins (ALLOWED_ORIGINS)", `"b.example"`},
		},
		"an extra comma":           {func(c *app.Config) { c.AllowedOrigins = []string{"https://a.example", ""} }, []string{"extra comma"}},
		"a proxy by name":          {func(c *app.Config) { c.TrustedProxies = []string{"proxy.local"} }, []string{"--trusted-proxies (TRUSTED_PROXIES)", "10.0.0.0/8"}},
		"another word for signup":  {func(c *app.Config) { c.Signup = "yes" }, []string{"--signup (SIGNUP)", "open or closed"}},
		"another word for limits":  {func(c *app.Config) { c.RateLimits = "false" }, []string{"--rate-limits (RATE_LIMITS)", "on or off"}},
		"an unknown log format":    {func(c *app.Config) { c.LogFormat = "xml" }, []string{"--log-format (LOG_FORMAT)", "text or json"}},
		"an unknown log level":     {func(c *app.Config) { c.LogLevel = "loud" }, []string{"--log-level (LOG_LEVEL)", "debug, info, warn or error"}},
		"a collector that is none": {func(c *app.Config) { c.Tracing.Endpoint = "collector:4318" }, []string{"--otel-exporter-otlp-endpoint (OTEL_EXPORTER_OTLP_ENDPOINT)", "http://localhost:4318"}},
		"another way of sampling":  {func(c *app.Config) { c.Tracing = app.Tracing{Endpoint: "http://c:4318", Sampler: "some"} }, []string{"--otel-traces-sampler (OTEL_TRACES_SAMPLER)", "parentbased_traceidratio"}},
		"a share of more than all": {func(c *app.Config) {
			c.Tracing = app.Tracing{Endpoint: "http://c:4318", Sampler: "traceidratio", Share: "10"}
		}, []string{"--otel-traces-sampler-arg (OTEL_TRACES_SAMPLER_ARG)", "between 0 and 1"}},
		"another way to the collector": {func(c *app.Config) {
			c.Tracing = app.Tracing{Endpoint: "http://c:4317", Sampler: "always_on", Protocol: "grpc"}
		}, []string{"OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"}},
		"a spread too long": {func(c *app.Config) { c.DrainSpread = time.Hour }, []string{"--drain-spread (DRAIN_SPREAD)", "from 0s to 1m0s"}},
		"no time to stop":   {func(c *app.Config) { c.ShutdownTimeout = 0 }, []string{"--shutdown-timeout (SHUTDOWN_TIMEOUT)"}},
		"stopping before draining": {
			func(c *app.Config) { c.ShutdownTimeout = 2 * time.Second },
			[]string{"--shutdown-timeout (SHUTDOWN_TIMEOUT)", "more than --drain-spread, which is 3s"},
		},
		"a database and nothing else": {
			func(c *app.Config) { c.Cluster.DatabaseURL = obs.NewSecret("postgres://u:hunter2@db/hive") },
			[]string{"--kafka-broker-url (KAFKA_BROKER_URL)", "--redis-url (REDIS_URL)", "is missing", "or none to run alone"},
		},
		"a log without what is behind it": {
			func(c *app.Config) { c.Cluster.Brokers = []string{"kafka:9092"} },
			[]string{"--database-url (DATABASE_URL)", "a PostgreSQL database", "--redis-url (REDIS_URL)"},
		},
		"a database that is none": {
			cluster(func(c *app.Cluster) { c.DatabaseURL = obs.NewSecret("mysql://u:hunter2@db/hive") }),
			[]string{"--database-url (DATABASE_URL)", "postgres://user:password@host/name"},
		},
		"a broker without a port": {
			cluster(func(c *app.Cluster) { c.Brokers = []string{"kafka-1:9092", "kafka-2"} }),
			[]string{"--kafka-broker-url (KAFKA_BROKER_URL)", `"kafka-2"`, "kafka-1:9092,kafka-2:9092"},
		},
		"a bus that is none": {
			cluster(func(c *app.Cluster) { c.RedisURL = obs.NewSecret("http://:hunter2@redis") }),
			[]string{"--redis-url (REDIS_URL)", "redis://host:6379"},
		},
		"a role that is none": {
			cluster(func(c *app.Cluster) { c.Roles = []string{"gateway", "king"} }), []string{"--roles (ROLES)", `"king"`, "gateway, sequencer"},
		},
		"another way to sign in to Kafka": {
			cluster(func(c *app.Cluster) { c.SASLMechanism = "GSSAPI" }), []string{"KAFKA_SASL_MECHANISM", "PLAIN"},
		},
		"a project by its path": {
			project(func(s *app.Supabase) { s.URL = "https://abc.supabase.co/auth/v1" }),
			[]string{"--supabase-url (SUPABASE_URL)", "no path"},
		},
		"a project that changes the content policy": {
			project(func(s *app.Supabase) { s.URL = "https://abc.supabase.co;script-src" }),
			[]string{"--supabase-url (SUPABASE_URL)", "signs that no host has"},
		},
		"a project without its public key": {
			project(func(s *app.Supabase) { s.AnonKey = "" }),
			[]string{"--supabase-anon-key (SUPABASE_ANON_KEY)", "is missing"},
		},
		"a project with its secret key": {
			project(func(s *app.Supabase) { s.AnonKey = "sb_secret_hunter2" }),
			[]string{"--supabase-anon-key (SUPABASE_ANON_KEY)", "secret key"},
		},
		"a project with its service role's key": {
			project(func(s *app.Supabase) {
				s.AnonKey = "e30." + base64.RawURLEncoding.EncodeToString([]byte(`{"role":"service_role"}`)) + ".hunter2"
			}),
			[]string{"--supabase-anon-key (SUPABASE_ANON_KEY)", "secret key"},
		},
		"a secret that can be guessed": {
			project(func(s *app.Supabase) { s.JWTSecret = obs.NewSecret("hunter2") }),
			[]string{"SUPABASE_JWT_SECRET", "shorter than 32 bytes"},
		},
		"a secret that everybody has": {
			project(func(s *app.Supabase) {
				s.AnonKey = "the public key, which anybody may read in a browser"
				s.JWTSecret = obs.NewSecret(s.AnonKey)
			}),
			[]string{"SUPABASE_JWT_SECRET", "is the public key"},
		},
		"tokens for anybody": {
			project(func(s *app.Supabase) { s.Audience = "" }),
			[]string{"--supabase-jwt-audience (SUPABASE_JWT_AUDIENCE)", "is empty"},
		},
		"keys of no project": {
			project(func(s *app.Supabase) {
				s.URL, s.JWTSecret, s.Issuer = "", obs.NewSecret("a secret of the project, forty bytes long"), "https://abc.supabase.co/auth/v1"
			}),
			[]string{"--supabase-anon-key (SUPABASE_ANON_KEY) is given, and SUPABASE_URL is not", "SUPABASE_JWT_SECRET is given", "--supabase-jwt-issuer (SUPABASE_JWT_ISSUER) is given"},
		},
		"a model server that is none": {
			func(c *app.Config) { c.SentimentURL = secret }, []string{"--sentiment-url (SENTIMENT_URL)", "http://localhost:8000"},
		},
		"a mood that is none": {func(c *app.Config) { c.Mood = "good" }, []string{"--mood (MOOD)", "on or off"}},
		"several at once": {
			func(c *app.Config) { c.Addr, c.Signup, c.DataDir = "", "", "" },
			[]string{"--addr (ADDR)", "--signup (SIGNUP)", "--data-dir (DATA_DIR)"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := defaults()
			tc.change(&config)
			err := config.Check()
			if _, ok := errors.AsType[*app.UsageError](err); !ok {
				t.Fatalf("Check() = %v, want a UsageError", err)
			}
			for _, want := range tc.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("Check() = %q, want it to say %q", err, want)
				}
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("Check() = %q, which shows a password", err)
			}
		})
	}
}

// Promise: what people write in their configuration is accepted.
func TestConfigIsAccepted(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(c *app.Config){
		"the defaults":     func(*app.Config) {},
		"every address":    func(c *app.Config) { c.Addr = ":8080" },
		"an IPv6 address":  func(c *app.Config) { c.Addr = "[::1]:8080" },
		"any free port":    func(c *app.Config) { c.Addr, c.AdminAddr = "localhost:0", "localhost:0" },
		"no admin address": func(c *app.Config) { c.AdminAddr = "off" },
		"a public URL and others": func(c *app.Config) {
			c.PublicURL, c.AllowedOrigins = "https://chat.example.com/", []string{"http://localhost:5173"}
		},
		"proxies":            func(c *app.Config) { c.TrustedProxies = []string{"10.0.0.7", "10.1.0.0/16", "::1", "fd00::/8"} },
		"a Supabase project": project(func(*app.Supabase) {}),
		"one of one's own": project(func(s *app.Supabase) {
			s.URL, s.AnonKey = "http://localhost:8000/", "e30."+base64.RawURLEncoding.EncodeToString([]byte(`{"role":"anon"}`))+".x"
			s.JWTSecret, s.Issuer = obs.NewSecret("a secret of the project, forty bytes long"), "http://auth.internal"
		}),
		"no spread": func(c *app.Config) { c.DrainSpread = 0 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := defaults()
			change(&config)
			if err := config.Check(); err != nil {
				t.Errorf("Check() = %v, want it accepted", err)
			}
		})
	}
}
