package obs_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/blabber-hive/blabber-hive/internal/obs"
)

// Promise: only the formats and levels that the documentation names are taken, and a refusal says what they are.
func TestNewLoggerRefuses(t *testing.T) {
	t.Parallel()

	for name, tc := range map[string]struct{ format, level, want string }{
		"an unknown format": {"xml", "info", "text or json"},
		"no format":         {"", "info", "text or json"},
		"an unknown level":  {"text", "loud", "debug, info, warn or error"},
		"no level":          {"text", "", "debug, info, warn or error"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			if _, err := obs.NewLogger(&bytes.Buffer{}, tc.format, tc.level); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("NewLogger(%q, %q) = %v, want a sentence with %q", tc.format, tc.level, err, tc.want)
			}
		})
	}
}

// Promise: below its level nothing is logged; above it, values under secret keys, URL passwords and headers are not.
func TestLoggerRedacts(t *testing.T) {
	t.Parallel()

	address, err := url.Parse("postgres://chat:hunter2@db/chat")
	if err != nil {
		t.Fatal(err)
	}

	var out bytes.Buffer

	log, err := obs.NewLogger(&out, "json", "info")
	if err != nil {
		t.Fatal(err)
	}

	log.Debug("quiet", "detail", "x")
	log.WithGroup("request").Info("connected",
		"password", hidden, "refresh_token", hidden, "jwt_secret", hidden, "token_bytes", 7,
		"database", address, "headers", http.Header{"Authorization": {hidden}})

	var line struct {
		Msg     string
		Request map[string]any
	}
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatalf("want exactly one JSON line, got %v in:\n%s", err, &out)
	}

	if strings.Contains(out.String(), hidden) {
		t.Errorf("the secret is shown in %s", &out)
	}

	if line.Request["token_bytes"] != 7.0 || line.Request["database"] != "postgres://chat:xxxxx@db/chat" {
		t.Errorf("harmless values are gone from %s", &out)
	}
}
