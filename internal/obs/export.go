package obs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// Tracing says where spans go.
type Tracing struct {
	// Endpoint is the address of a collector that takes OTLP over HTTP, without /v1/traces.
	Endpoint string
	// Sampler and Share say which traces are kept, see Sampler.
	Sampler, Share string
	Version        string
	Log            *slog.Logger
	Registry       prometheus.Registerer
}

const (
	serviceName = "blabber-hive"
	tracesPath  = "/v1/traces"
	// exportPatience is how long one batch of spans may take to be exported, with all that is tried again.
	exportPatience = 10 * time.Second
)

// NewTracer makes a tracer that exports what it is told in batches, behind everybody's back: a collector that is away costs
// nobody any time, only spans. Close must be called.
//
// What it says of this process can be changed and added to by OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES, and how it
// exports by the variables that OpenTelemetry has for that (OTEL_EXPORTER_OTLP_HEADERS, …_CERTIFICATE, OTEL_BSP_…).
func NewTracer(ctx context.Context, tracing Tracing) (*Tracer, error) {
	sampler, err := Sampler(tracing.Sampler, tracing.Share)
	if err != nil {
		return nil, err
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(strings.TrimRight(tracing.Endpoint, "/")+tracesPath))
	if err != nil {
		return nil, fmt.Errorf("make an exporter of traces: %w", err)
	}
	// Not what it was started with: a command line may hold a password.
	about, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithHost(),
		resource.WithAttributes(attribute.String("service.name", serviceName), attribute.String("service.version", tracing.Version)),
		resource.WithFromEnv())
	if err != nil && !errors.Is(err, resource.ErrPartialResource) {
		return nil, fmt.Errorf("say whose traces they are: %w", err)
	}
	exports := newExports(exporter, tracing.Log, tracing.Registry)
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithSampler(sampler), sdktrace.WithResource(about),
		sdktrace.WithBatcher(exports, sdktrace.WithExportTimeout(exportPatience)),
	)
	return &Tracer{provider: provider, tracer: provider.Tracer("github.com/blabber-hive/blabber-hive"), giveUp: exports.end}, nil
}

// Close exports what is left, until ctx ends.
func (t *Tracer) Close(ctx context.Context) error {
	if t == nil {
		return nil
	}
	defer t.giveUp()
	stop := context.AfterFunc(ctx, t.giveUp)
	defer stop()
	if err := t.provider.Shutdown(ctx); err != nil {
		return fmt.Errorf("export the last traces: %w", err)
	}
	return nil
}

// exports hears what becomes of spans. It says so once when the collector goes away and once when it is back.
type exports struct {
	sdktrace.SpanExporter

	log   *slog.Logger
	spans *prometheus.CounterVec
	away  atomic.Bool

	ctx context.Context //nolint:containedctx // ends what is being exported when nobody waits for it any more
	end context.CancelFunc
}

func newExports(exporter sdktrace.SpanExporter, log *slog.Logger, registry prometheus.Registerer) *exports {
	e := &exports{SpanExporter: exporter, log: log, spans: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "blabber_trace_spans_total", Help: "Spans of traces, by what became of them: exported, lost (the collector did not take them).",
	}, []string{"outcome"})}
	for _, outcome := range []string{"exported", "lost"} {
		e.spans.WithLabelValues(outcome)
	}
	registry.MustRegister(e.spans)
	e.ctx, e.end = context.WithCancel(context.Background()) //nolint:gosec // the tracer calls it when it is closed
	return e
}

// ExportSpans implements sdktrace.SpanExporter.
func (e *exports) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(e.ctx, cancel)
	defer stop()
	err := e.SpanExporter.ExportSpans(ctx, spans)
	if err != nil {
		e.spans.WithLabelValues("lost").Add(float64(len(spans)))
		if !e.away.Swap(true) {
			e.log.WarnContext(ctx, "traces are lost: the collector does not take them", "error", err)
		}
		return nil // the library would print it
	}
	e.spans.WithLabelValues("exported").Add(float64(len(spans)))
	if e.away.Swap(false) {
		e.log.InfoContext(ctx, "the collector takes traces again")
	}
	return nil
}
