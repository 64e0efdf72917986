package obs_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/blabber-hive/blabber-hive/internal/obs"
)

// collected takes what a tracer exports.
func collected(t *testing.T) (url string, requests <-chan *collector.ExportTraceServiceRequest) {
	t.Helper()
	taken := make(chan *collector.ExportTraceServiceRequest, 100)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		request := new(collector.ExportTraceServiceRequest)
		if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(body, request) != nil {
			t.Errorf("%s %s is no export of traces", r.Method, r.URL.Path)
		}
		taken <- request
	}))
	t.Cleanup(server.Close)
	return server.URL, taken
}

func newTracer(t *testing.T, endpoint, sampler, share string, log io.Writer) *obs.Tracer {
	t.Helper()
	tracer, err := obs.NewTracer(t.Context(), obs.Tracing{
		Endpoint: endpoint, Sampler: sampler, Share: share, Version: "1.2.3",
		Log: slog.New(slog.NewTextHandler(log, nil)), Registry: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return tracer
}

// Promise: a trace goes on where it was carried to; what was done for many is in the trace of each, with links; and all of it
// is exported by the time that Close returns.
func TestTraceIsCarried(t *testing.T) {
	t.Parallel()
	url, requests := collected(t)
	tracer := newTracer(t, url+"/", obs.SamplerDefault, "", io.Discard)
	var carried []string
	for range 3 {
		_, span := tracer.Start(t.Context(), "gateway", obs.SpanServer)
		carried = append(carried, span.Carry())
		span.End("")
	}
	began := time.UnixMilli(1_000_000)
	past := obs.Past{Name: "insert", Kind: obs.SpanConsumer, Began: began, Ended: began.Add(time.Second), Failure: "unavailable"}
	tracer.TellBatch(append(carried, "", "rubbish"), past)
	tracer.Tell("", past)
	tracer.Tell("rubbish", past)
	if err := tracer.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	traces, links := make(map[string][]string), 0
	request := <-requests
	for _, resource := range request.GetResourceSpans() {
		if text := resource.GetResource().String(); !strings.Contains(text, `"blabber-hive"`) || !strings.Contains(text, `"1.2.3"`) {
			t.Errorf("the traces are of %s", text)
		}
		for _, scope := range resource.GetScopeSpans() {
			for _, span := range scope.GetSpans() {
				traces[string(span.GetTraceId())] = append(traces[string(span.GetTraceId())], span.GetName())
				links += len(span.GetLinks())
				if span.GetName() == "insert" && (span.GetEndTimeUnixNano()-span.GetStartTimeUnixNano() != 1e9 || span.GetStatus().GetMessage() != "unavailable") {
					t.Errorf("the insert is %v", span)
				}
			}
		}
	}
	for id, names := range traces {
		if strings.Join(names, " ") != "gateway insert" {
			t.Errorf("trace %x is %q", id, names)
		}
	}
	if len(traces) != 3 || links != 4 {
		t.Errorf("%d traces with %d links, want 3 with 4", len(traces), links)
	}
}

// Promise: what is not sampled is not carried, and what others have sampled goes on here.
func TestSamplers(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		sampler, share string
		kept           bool
	}{
		"all":          {"always_on", "", true},
		"none":         {"always_off", "", false},
		"a share of 0": {"parentbased_traceidratio", "0", false},
		"a share of 1": {"traceidratio", "1", true},
		"no share":     {"parentbased_traceidratio", "", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, _ := collected(t)
			tracer := newTracer(t, url, tc.sampler, tc.share, io.Discard)
			_, span := tracer.Start(t.Context(), "gateway", obs.SpanServer)
			if span.On() != tc.kept || (span.Carry() != "") != tc.kept {
				t.Errorf("kept: %t, carried: %q; want kept: %t", span.On(), span.Carry(), tc.kept)
			}
			span.End("")
			if err := tracer.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	for _, wrong := range [][2]string{{"sometimes", ""}, {"parentbased_", ""}, {"traceidratio", "2"}, {"traceidratio", "NaN"}, {"traceidratio", "much"}} {
		if _, err := obs.Sampler(wrong[0], wrong[1]); err == nil {
			t.Errorf("sampler %q with share %q is taken", wrong[0], wrong[1])
		}
	}
}

// Promise: a collector that never answers holds up Close until its context ends and no longer, and is named in the log.
func TestCloseIsBounded(t *testing.T) {
	t.Parallel()
	gone := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // so that net/http notices when the caller goes
		<-r.Context().Done()
		close(gone)
	}))
	defer server.Close()
	var log bytes.Buffer
	tracer := newTracer(t, server.URL, obs.SamplerDefault, "", &log)
	_, span := tracer.Start(t.Context(), "gateway", obs.SpanServer)
	span.End("")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := tracer.Close(ctx); err == nil {
		t.Error("Close says that all is exported")
	}
	<-gone
}

// Promise: without a tracer nothing is allocated.
func TestNoTracerCostsNothing(t *testing.T) { //nolint:paralleltest // it counts what the process allocates
	if allocated := testing.AllocsPerRun(100, func() { offTraced(t.Context()) }); allocated != 0 {
		t.Errorf("a message that is not traced allocates %v times for it", allocated)
	}
}

// offTraced is all that a message does for its trace where there is none.
func offTraced(ctx context.Context) {
	var tracer *obs.Tracer
	ctx, gateway := tracer.Start(ctx, "gateway", obs.SpanServer)
	_, appending := tracer.Start(ctx, "append", obs.SpanProducer)
	if appending.On() {
		panic("it is traced")
	}
	for range 3 { // number, publish, insert
		if tracer.On() {
			panic("it is traced")
		}
	}
	appending.End("")
	gateway.End("")
}

// What tracing costs a message in the process: all five of its spans, or none.
func BenchmarkTrace(b *testing.B) {
	b.Run("off", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			offTraced(b.Context())
		}
	})
	for _, share := range []string{"0", "0.01", "1"} {
		b.Run("share="+share, func(b *testing.B) {
			server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
			defer server.Close()
			tracer, err := obs.NewTracer(b.Context(), obs.Tracing{
				Endpoint: server.URL, Sampler: "parentbased_traceidratio", Share: share,
				Log: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(),
			})
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = tracer.Close(context.WithoutCancel(b.Context())) }()
			b.ReportAllocs()
			for b.Loop() {
				ctx, gateway := tracer.Start(b.Context(), "gateway", obs.SpanServer)
				_, appending := tracer.Start(ctx, "append", obs.SpanProducer)
				if carried := appending.Carry(); carried != "" {
					now := time.Now()
					for _, name := range []string{"number", "publish", "insert"} {
						tracer.Tell(carried, obs.Past{Name: name, Kind: obs.SpanConsumer, Began: now, Ended: now})
					}
				}
				appending.End("")
				gateway.End("")
			}
		})
	}
}

// Promise: a line that is logged while something is traced says which trace that is, and others say nothing of it.
func TestLogNamesTheTrace(t *testing.T) {
	t.Parallel()
	url, _ := collected(t)
	tracer := newTracer(t, url, obs.SamplerDefault, "", io.Discard)
	var out bytes.Buffer
	log, err := obs.NewLogger(&out, "json", "info")
	if err != nil {
		t.Fatal(err)
	}
	log = log.With("part", "test")
	ctx, span := tracer.Start(t.Context(), "gateway", obs.SpanServer)
	log.InfoContext(ctx, "inside")
	inside := out.String()
	out.Reset()
	log.InfoContext(t.Context(), "outside")
	outside := out.String()
	var line struct {
		TraceID string `json:"trace_id"`
		Part    string `json:"part"`
	}
	if err := json.Unmarshal([]byte(inside), &line); err != nil || line.TraceID != strings.Split(span.Carry(), "-")[1] || line.Part != "test" {
		t.Errorf("the line inside %s is %s", span.Carry(), inside)
	}
	if strings.Contains(outside, "trace_id") {
		t.Errorf("the line outside is %s", outside)
	}
	span.End("")
	if err := tracer.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
