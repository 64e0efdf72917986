package obs_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/obs"
)

func get(t *testing.T, admin http.Handler, path string) (int, string) {
	t.Helper()

	w := httptest.NewRecorder()
	admin.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))

	return w.Code, w.Body.String()
}

// Promise: health and readiness follow their own probes, and why one fails is told to the log alone.
func TestAdminProbes(t *testing.T) {
	t.Parallel()

	var out bytes.Buffer

	admin := obs.NewAdmin(obs.Admin{
		Metrics: obs.NewRegistry("1.2.3"),
		Log:     slog.New(slog.NewTextHandler(&out, nil)),
		Alive:   []obs.Probe{{"loop", func(context.Context) error { return nil }}},
		Ready: []obs.Probe{
			{"store", func(context.Context) error { return errors.New("dial db.internal: refused") }},
			{"bus", func(context.Context) error { return nil }},
		},
	})

	if code, body := get(t, admin, "/healthz"); code != http.StatusOK || body != `{"status":"ok","probes":{"loop":"ok"}}`+"\n" {
		t.Errorf("/healthz = %d %s", code, body)
	}

	code, body := get(t, admin, "/readyz")
	if code != http.StatusServiceUnavailable || body != `{"status":"failed","probes":{"bus":"ok","store":"failed"}}`+"\n" {
		t.Errorf("/readyz = %d %s", code, body)
	}

	if !strings.Contains(out.String(), "probe=store") || !strings.Contains(out.String(), "db.internal") {
		t.Errorf("the log does not say why: %s", &out)
	}
}

// Promise: a probe that hangs is a failed probe within ProbeTimeout.
func TestAdminHangingProbe(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		admin := obs.NewAdmin(obs.Admin{
			Metrics: obs.NewRegistry("1.2.3"),
			Log:     slog.New(slog.DiscardHandler),
			Ready: []obs.Probe{{"store", func(ctx context.Context) error {
				<-ctx.Done()
				return ctx.Err()
			}}},
		})

		start := time.Now()
		if code, _ := get(t, admin, "/readyz"); code != http.StatusServiceUnavailable || time.Since(start) != obs.ProbeTimeout {
			t.Errorf("/readyz = %d after %v, want 503 after %v", code, time.Since(start), obs.ProbeTimeout)
		}
	})
}

// Promise: metrics say what runs, and profiles are there to be taken.
func TestAdminMetricsAndProfiles(t *testing.T) {
	t.Parallel()

	admin := obs.NewAdmin(obs.Admin{Metrics: obs.NewRegistry("1.2.3"), Log: slog.New(slog.DiscardHandler)})

	code, body := get(t, admin, "/metrics")
	for _, want := range []string{`version="1.2.3"`, "blabber_hive_build_info{", "go_goroutines", "process_open_fds"} {
		if code != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("/metrics = %d without %q", code, want)
		}
	}

	if code, body := get(t, admin, "/debug/pprof/goroutine?debug=1"); code != http.StatusOK || !strings.Contains(body, "goroutine profile") {
		t.Errorf("/debug/pprof/goroutine = %d %s", code, body)
	}
}
