package kafka

import (
	"context"
	"log/slog"

	"github.com/twmb/franz-go/pkg/kgo"
)

// logger passes what the client library has to say on to ours. Its warnings are of brokers that fail and come back; the
// rest is of use only to who looks for a fault in it.
type logger struct{ to *slog.Logger }

// Level implements kgo.Logger.
func (l logger) Level() kgo.LogLevel {
	if l.to.Enabled(context.Background(), slog.LevelDebug) {
		return kgo.LogLevelDebug
	}
	return kgo.LogLevelWarn
}

// Log implements kgo.Logger.
func (l logger) Log(level kgo.LogLevel, message string, pairs ...any) {
	levels := map[kgo.LogLevel]slog.Level{kgo.LogLevelError: slog.LevelError, kgo.LogLevelWarn: slog.LevelWarn}
	at, ok := levels[level]
	if !ok {
		at = slog.LevelDebug
	}
	l.to.Log(context.Background(), at, "kafka: "+message, pairs...) //nolint:sloglint // the words are the library's
}
