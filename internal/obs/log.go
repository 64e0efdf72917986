package obs

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"go.opentelemetry.io/otel/trace"
)

// NewLogger makes the process's logger.
//
// The format is "text" (for people) or "json" (for collectors), the level "debug", "info", "warn" or "error"; anything
// else is refused with a sentence. Attributes whose key says that they are secret are redacted, as a second line behind
// Secret: a value that was logged once can never be taken back. A line that is logged in a trace names it as trace_id.
func NewLogger(w io.Writer, format, level string) (*slog.Logger, error) {
	var least slog.Level
	if err := least.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("log level is %q, want debug, info, warn or error", level)
	}

	options := &slog.HandlerOptions{Level: least, ReplaceAttr: redact}

	switch format {
	case "text":
		return slog.New(traced{slog.NewTextHandler(w, options)}), nil
	case "json":
		return slog.New(traced{slog.NewJSONHandler(w, options)}), nil
	default:
		return nil, fmt.Errorf("log format is %q, want text or json", format)
	}
}

// traced adds to each line the trace in which it was logged, if there is one.
type traced struct{ slog.Handler }

// Handle implements slog.Handler.
func (h traced) Handle(ctx context.Context, line slog.Record) error {
	if span := trace.SpanContextFromContext(ctx); span.IsValid() {
		line = line.Clone() // other handlers may have the same
		line.AddAttrs(slog.String("trace_id", span.TraceID().String()))
	}
	return h.Handler.Handle(ctx, line)
}

// WithAttrs implements slog.Handler.
func (h traced) WithAttrs(attributes []slog.Attr) slog.Handler {
	return traced{h.Handler.WithAttrs(attributes)}
}

// WithGroup implements slog.Handler.
func (h traced) WithGroup(name string) slog.Handler { return traced{h.Handler.WithGroup(name)} }

func redact(_ []string, attr slog.Attr) slog.Attr {
	if isSecretKey(attr.Key) {
		return slog.String(attr.Key, redacted)
	}

	switch value := attr.Value.Any().(type) {
	case *url.URL:
		return slog.String(attr.Key, value.Redacted())
	case http.Header:
		// Header names arrive as values, where no key warns of Authorization or Cookie.
		return slog.String(attr.Key, redacted)
	}

	return attr
}

// isSecretKey goes by the end of the key: "refresh_token" is one, "token_bytes" is not.
func isSecretKey(key string) bool {
	key = strings.ToLower(key)
	for _, end := range []string{"password", "secret", "token", "authorization", "cookie", "api_key", "apikey", "dsn"} {
		if strings.HasSuffix(key, end) {
			return true
		}
	}

	return false
}
