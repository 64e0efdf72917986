package app

import (
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/adapter/supabase"
	"github.com/blabber-hive/blabber-hive/internal/api"
	"github.com/blabber-hive/blabber-hive/internal/app/setting"
	"github.com/blabber-hive/blabber-hive/internal/obs"
)

// Supabase is the project that signs people in, where one does.
type Supabase struct {
	URL       string     `env:"SUPABASE_URL" name:"supabase-url" placeholder:"URL" help:"Supabase project that signs people in, in place of accounts of this server, like https://abc.supabase.co."`
	AnonKey   string     `env:"SUPABASE_ANON_KEY" name:"supabase-anon-key" placeholder:"KEY" help:"The project's public key (anon or publishable), which web clients are given."`
	JWTSecret obs.Secret `env:"SUPABASE_JWT_SECRET" name:"supabase-jwt-secret" hidden:""` // every user of the machine can read arguments
	Audience  string     `env:"SUPABASE_JWT_AUDIENCE" name:"supabase-jwt-audience" default:"authenticated" placeholder:"NAME" help:"Whom the project's tokens must be for."`
	Issuer    string     `env:"SUPABASE_JWT_ISSUER" name:"supabase-jwt-issuer" placeholder:"URL" help:"What the project's tokens call their issuer, if not the project's URL with /auth/v1."`
}

// jwtSecretBytesMin is what HS256 needs to be as strong as it is long (RFC 7518, section 3.2).
const jwtSecretBytesMin = 32

func (s Supabase) rows() []row {
	return []row{
		{"supabase-url", "SUPABASE_URL", s.wrongURL()},
		{"supabase-anon-key", "SUPABASE_ANON_KEY", s.wrongAnonKey()},
		{"", "SUPABASE_JWT_SECRET", s.wrongSecret()},
		{"supabase-jwt-audience", "SUPABASE_JWT_AUDIENCE", s.wrongAudience()},
		{"supabase-jwt-issuer", "SUPABASE_JWT_ISSUER", s.wrongAlone(s.Issuer != "")},
	}
}

func (s Supabase) wrongURL() string {
	if wrong := setting.Origin(s.URL); wrong != "" {
		return wrong
	}
	if strings.ContainsAny(s.URL, ";,'\"*") { // it becomes a part of the content policy
		return "has signs that no host has: give the project's URL, like https://abc.supabase.co"
	}
	return ""
}

// wrongAlone refuses what is given for a project that is not named.
func (s Supabase) wrongAlone(given bool) string {
	if given && s.URL == "" {
		return "is given, and SUPABASE_URL is not: give both or none"
	}
	return ""
}

func (s Supabase) wrongAnonKey() string {
	switch {
	case s.URL == "" || s.AnonKey == "":
		if s.URL != "" {
			return "is missing: give the project's anon or publishable key, with which web clients sign in"
		}
		return s.wrongAlone(s.AnonKey != "")
	case isServiceKey(s.AnonKey):
		return "is the project's secret key, which opens everything in it, and web clients would be given it: give the anon or publishable key"
	}
	return ""
}

// isServiceKey recognises the key that must never leave a server: by its prefix, or as a token by its role.
func isServiceKey(key string) bool {
	if strings.HasPrefix(key, "sb_secret_") {
		return true
	}
	parts := strings.Split(key, ".")
	if len(parts) != 3 {
		return false
	}
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return false
	}
	var said struct {
		Role string `json:"role"`
	}
	return json.Unmarshal(claims, &said) == nil && said.Role == "service_role"
}

func (s Supabase) wrongSecret() string {
	switch secret := s.JWTSecret.Reveal(); {
	case secret == "":
		return ""
	case s.URL == "":
		return s.wrongAlone(true)
	case secret == s.AnonKey:
		return "is the public key, with which anybody could make tokens: give the project's JWT secret, or nothing where it signs with ES256 or RS256"
	case len(secret) < jwtSecretBytesMin:
		return "is shorter than 32 bytes and could be guessed: give the project's JWT secret"
	}
	return ""
}

func (s Supabase) wrongAudience() string {
	if s.URL != "" && s.Audience == "" {
		return "is empty, and tokens for anybody would do: leave it away, or name whom they are for"
	}
	return ""
}

// The methods below read a configuration that was checked.

// origin is the project's address without an end.
func (s Supabase) origin() string { return strings.TrimRight(s.URL, "/") }

// signIn is what web clients are told; nil where accounts are local.
func (s Supabase) signIn() *api.Supabase {
	if s.URL == "" {
		return nil
	}
	return &api.Supabase{URL: s.origin(), AnonKey: s.AnonKey}
}

// isOpen reports whether what people sign in with crosses a network in the clear.
func (s Supabase) isOpen() bool {
	parsed, err := url.Parse(s.URL)
	if err != nil || parsed.Scheme != "http" {
		return false
	}
	address := net.ParseIP(parsed.Hostname())
	return parsed.Hostname() != "localhost" && (address == nil || !address.IsLoopback())
}

func (s Supabase) verifier(log *slog.Logger) *supabase.Verifier {
	issuer := s.Issuer
	if issuer == "" {
		issuer = s.origin() + "/auth/v1"
	}
	return supabase.New(supabase.Options{
		URL: s.origin(), AnonKey: s.AnonKey, JWTSecret: s.JWTSecret, Audience: s.Audience, Issuer: issuer,
		Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true}, // it is asked every few minutes
		Clock:     time.Now, Log: log,
	})
}
