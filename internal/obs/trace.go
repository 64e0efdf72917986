package obs

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// SpanKind is the part that a span plays in its trace.
type SpanKind = trace.SpanKind

// The kinds of spans.
const (
	SpanServer   = trace.SpanKindServer   // answers somebody outside
	SpanProducer = trace.SpanKindProducer // leaves something for others to take up
	SpanConsumer = trace.SpanKindConsumer // takes it up
)

// Attribute is something that a span says: an id or a count, never what people wrote.
type Attribute = attribute.KeyValue

// Text is an attribute of words, and Number one that is counted.
func Text(key, value string) Attribute { return attribute.String(key, value) }

// Number is an attribute that is counted.
func Number(key string, value int64) Attribute { return attribute.Int64(key, value) }

// traceparent is the name of the field by which a trace is carried from process to process, of W3C's Trace Context.
const traceparent = "traceparent"

// Tracer makes spans. The nil Tracer makes none: it takes no memory and hardly any time, so that nobody has to ask whether
// there is one, except before making something up for it.
type Tracer struct {
	provider *sdktrace.TracerProvider
	tracer   trace.Tracer
	giveUp   context.CancelFunc // ends what is being exported
}

// On reports whether there is anything to make spans for.
func (t *Tracer) On() bool { return t != nil }

// Start begins a span below the one in ctx, or a trace of its own, and answers a context with it. End must be called.
func (t *Tracer) Start(ctx context.Context, name string, kind SpanKind) (context.Context, Span) {
	if t == nil {
		return ctx, Span{}
	}
	ctx, span := t.tracer.Start(ctx, name, trace.WithSpanKind(kind))
	return ctx, Span{span}
}

// Span is something that is being done. The zero Span is that of the nil Tracer.
type Span struct{ span trace.Span }

// On reports whether the span is kept. One that was not sampled is not.
func (s Span) On() bool { return s.span != nil && s.span.IsRecording() }

// Say adds to what the span tells. Nobody need be asked to make attributes of a span that is not On.
func (s Span) Say(attributes ...Attribute) {
	if s.span != nil {
		s.span.SetAttributes(attributes...)
	}
}

// Carry is the span for those who go on in another place, see Past; empty where it is not kept.
func (s Span) Carry() string {
	if !s.On() {
		return ""
	}
	carrier := make(propagation.MapCarrier, 1)
	propagation.TraceContext{}.Inject(trace.ContextWithSpan(context.Background(), s.span), carrier)
	return carrier[traceparent]
}

// End ends the span. A failure is named by its code, never by its text, which may hold what people wrote.
func (s Span) End(failure string) {
	if s.span == nil {
		return
	}
	fail(s.span, failure)
	s.span.End()
}

func fail(span trace.Span, failure string) {
	if failure != "" {
		span.SetStatus(codes.Error, failure)
	}
}

// Past is something that has been done already, from Began to Ended.
type Past struct {
	Name         string
	Kind         SpanKind
	Began, Ended time.Time
	Failure      string
	Attributes   []Attribute
}

// Tell makes a span of what has been done below a span that was carried here, and none where that is none.
func (t *Tracer) Tell(carried string, past Past) {
	if t != nil {
		t.tell(parse(carried), past, nil)
	}
}

// linksMax is how many traces the span of a batch names.
const linksMax = 128

// TellBatch makes spans of what has been done once for many: one in each trace. The first names the others, and each of
// those the first.
func (t *Tracer) TellBatch(carried []string, past Past) {
	if t == nil {
		return
	}
	var parents []trace.SpanContext
	for _, text := range carried {
		if parent := parse(text); parent.IsValid() {
			parents = append(parents, parent)
		}
	}
	if len(parents) == 0 {
		return
	}
	others := make([]trace.Link, 0, min(len(parents)-1, linksMax))
	for _, parent := range parents[1:min(len(parents), linksMax+1)] {
		others = append(others, trace.Link{SpanContext: parent})
	}
	first := t.tell(parents[0], past, others)
	for _, parent := range parents[1:] {
		t.tell(parent, past, []trace.Link{{SpanContext: first}})
	}
}

func (t *Tracer) tell(parent trace.SpanContext, past Past, links []trace.Link) trace.SpanContext {
	if !parent.IsValid() {
		return trace.SpanContext{}
	}
	_, span := t.tracer.Start(trace.ContextWithRemoteSpanContext(context.Background(), parent), past.Name,
		trace.WithSpanKind(past.Kind), trace.WithTimestamp(past.Began), trace.WithAttributes(past.Attributes...), trace.WithLinks(links...))
	fail(span, past.Failure)
	span.End(trace.WithTimestamp(past.Ended))
	return span.SpanContext()
}

// parse reads what Carry wrote; what is nothing of the kind is no span.
func parse(carried string) trace.SpanContext {
	if carried == "" {
		return trace.SpanContext{}
	}
	ctx := propagation.TraceContext{}.Extract(context.Background(), propagation.MapCarrier{traceparent: carried})
	return trace.SpanContextFromContext(ctx)
}

// SamplerDefault keeps every trace.
const SamplerDefault = "parentbased_always_on"

// Sampler chooses which traces are kept, by the names that OpenTelemetry has for the ways of choosing. Ways by ratio take a
// share between 0 and 1, all where it is empty.
func Sampler(name, share string) (sdktrace.Sampler, error) {
	ratio := 1.0
	if share != "" {
		var err error
		if ratio, err = strconv.ParseFloat(share, 64); err != nil || !(ratio >= 0 && ratio <= 1) {
			return nil, fmt.Errorf("share is %q, want a number between 0 and 1", share)
		}
	}
	base, parentBased := strings.CutPrefix(name, "parentbased_")
	var sampler sdktrace.Sampler
	switch base {
	case "always_on":
		sampler = sdktrace.AlwaysSample()
	case "always_off":
		sampler = sdktrace.NeverSample()
	case "traceidratio":
		sampler = sdktrace.TraceIDRatioBased(ratio)
	default:
		return nil, fmt.Errorf("sampler is %q, want always_on, always_off or traceidratio, or one of these after parentbased_", name)
	}
	if parentBased {
		sampler = sdktrace.ParentBased(sampler)
	}
	return sampler, nil
}
