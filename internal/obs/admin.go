package obs

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// ProbeTimeout is how long all probes of one request may take together. Below it lies any sensible patience of a load
// balancer, which would otherwise see a time-out where it should see "not ready".
const ProbeTimeout = 2 * time.Second

// Probe asks one part of the process how it is. It returns nil if that part is well, soon after ctx is done at the latest.
type Probe struct {
	Name string
	Ask  func(ctx context.Context) error
}

// Admin is what the admin endpoints show.
type Admin struct {
	Metrics prometheus.Gatherer
	Log     *slog.Logger
	Alive   []Probe // if one fails, only a restart helps
	Ready   []Probe // if one fails, others should serve
}

// NewAdmin makes the admin endpoints: /metrics, /healthz (the Alive probes), /readyz (the Ready ones) and /debug/pprof/.
//
// It asks for no credentials and tells much, so it belongs on an address that only operators reach.
func NewAdmin(admin Admin) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(admin.Metrics, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(admin.Log.Handler(), slog.LevelError),
	}))
	mux.Handle("GET /healthz", probing(admin.Log, admin.Alive))
	mux.Handle("GET /readyz", probing(admin.Log, admin.Ready))

	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("POST /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)

	return mux
}

// probing answers 200 or 503 and a word for each probe. Why one failed is in the log only: errors may name hosts and users.
func probing(log *slog.Logger, probes []Probe) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), ProbeTimeout)
		defer cancel()

		answer := struct {
			Status string            `json:"status"`
			Probes map[string]string `json:"probes"`
		}{"ok", make(map[string]string, len(probes))}
		code := http.StatusOK

		for _, probe := range probes {
			answer.Probes[probe.Name] = "ok"

			if err := probe.Ask(ctx); err != nil {
				answer.Probes[probe.Name], answer.Status = "failed", "failed"
				code = http.StatusServiceUnavailable

				log.WarnContext(ctx, "probe failed", "endpoint", r.URL.Path, "probe", probe.Name, "error", err)
			}
		}

		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(answer) // the caller has gone: nobody to tell
	})
}
