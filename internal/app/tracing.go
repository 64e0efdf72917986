package app

import (
	"context"
	"log/slog"

	"github.com/blabber-hive/blabber-hive/internal/app/setting"
	"github.com/blabber-hive/blabber-hive/internal/obs"
)

// Tracing is where traces go. Its variables are those that OpenTelemetry has.
type Tracing struct {
	Endpoint string `env:"OTEL_EXPORTER_OTLP_ENDPOINT" name:"otel-exporter-otlp-endpoint" placeholder:"URL" help:"The collector that traces go to, by OTLP over HTTP, like http://localhost:4318. Without one nothing is traced."`
	Sampler  string `env:"OTEL_TRACES_SAMPLER" name:"otel-traces-sampler" default:"parentbased_always_on" placeholder:"NAME" help:"Which messages are traced, by OpenTelemetry's names: always_on, always_off or traceidratio, each also after parentbased_."`
	Share    string `env:"OTEL_TRACES_SAMPLER_ARG" name:"otel-traces-sampler-arg" placeholder:"SHARE" help:"With traceidratio, the share of messages that is traced, between 0 and 1. Without it all are."`
	Protocol string `env:"OTEL_EXPORTER_OTLP_PROTOCOL" name:"otel-exporter-otlp-protocol" hidden:"" help:"How spans travel. There is one way here, but a machine may be set up for another."`
}

// protocolHTTP is how spans travel.
const protocolHTTP = "http/protobuf"

func (t Tracing) on() bool { return t.Endpoint != "" }

func (t Tracing) rows() []row {
	if !t.on() {
		return nil
	}
	rows := []row{{"otel-exporter-otlp-endpoint", "OTEL_EXPORTER_OTLP_ENDPOINT", setting.URL(obs.NewSecret(t.Endpoint), "http://localhost:4318", "http", "https")}}
	if _, err := obs.Sampler(t.Sampler, ""); err != nil {
		rows = append(rows, row{"otel-traces-sampler", "OTEL_TRACES_SAMPLER", setting.Word(t.Sampler, "always_on", "always_off", "traceidratio",
			"parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio")})
	} else if _, err := obs.Sampler(t.Sampler, t.Share); err != nil {
		rows = append(rows, row{"otel-traces-sampler-arg", "OTEL_TRACES_SAMPLER_ARG", "is no share: give a number between 0 and 1, like 0.01"})
	}
	if t.Protocol != "" && t.Protocol != protocolHTTP {
		rows = append(rows, row{"", "OTEL_EXPORTER_OTLP_PROTOCOL", "is not what this server speaks: give " + protocolHTTP +
			", and the address where the collector takes that, which is port 4318 in most"})
	}
	return rows
}

// openTracer comes first, so that what other parts do last is exported too.
func (s *Server) openTracer(ctx context.Context) (err error) {
	if !s.config.Tracing.on() {
		return nil
	}
	if s.tracer, err = obs.NewTracer(ctx, obs.Tracing{
		Endpoint: s.config.Tracing.Endpoint, Sampler: s.config.Tracing.Sampler, Share: s.config.Tracing.Share,
		Version: s.version, Log: s.log, Registry: s.registry,
	}); err != nil {
		return err
	}
	s.stack.Push("traces", stopPatience, func(ctx context.Context) error {
		if err := s.tracer.Close(ctx); err != nil {
			s.log.WarnContext(ctx, "the last traces are lost", slog.Any("error", err)) // nobody's messages are
		}
		return nil
	})
	return nil
}
