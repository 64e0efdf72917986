package kafka

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// logEvery is how often the same sentence of the client library is passed on: a broker that is away is tried again many
// times a second, by every client.
const logEvery = 10 * time.Second

// logger passes what the client library has to say on to ours. Its warnings are of brokers that fail and come back; the
// rest is of use only to who looks for a fault in it.
type logger struct {
	to *slog.Logger

	mu   sync.Mutex
	said map[string]*sentence // the library has a few hundred
}

// sentence is one that was passed on, and how often it was not since.
type sentence struct {
	at     time.Time
	unsaid int
}

func newLogger(to *slog.Logger) *logger { return &logger{to: to, said: make(map[string]*sentence)} }

// Level implements kgo.Logger.
func (l *logger) Level() kgo.LogLevel {
	if l.to.Enabled(context.Background(), slog.LevelDebug) {
		return kgo.LogLevelDebug
	}
	return kgo.LogLevelWarn
}

// Log implements kgo.Logger.
func (l *logger) Log(level kgo.LogLevel, message string, pairs ...any) {
	levels := map[kgo.LogLevel]slog.Level{kgo.LogLevelError: slog.LevelError, kgo.LogLevelWarn: slog.LevelWarn}
	at, ok := levels[level]
	if !ok {
		l.to.Log(context.Background(), slog.LevelDebug, "kafka: "+message, pairs...) //nolint:sloglint // the words are the library's
		return
	}
	unsaid, now := l.due(message)
	if !now {
		return
	}
	if unsaid > 0 {
		pairs = append(pairs, "more_since", unsaid)
	}
	l.to.Log(context.Background(), at, "kafka: "+message, pairs...) //nolint:sloglint // the words are the library's
}

// due reports whether a sentence may be said now, and how often it was left out before.
func (l *logger) due(message string) (unsaid int, now bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	one := l.said[message]
	if one == nil {
		one = &sentence{}
		l.said[message] = one
	}
	if time.Since(one.at) < logEvery {
		one.unsaid++
		return 0, false
	}
	unsaid = one.unsaid
	*one = sentence{at: time.Now()}
	return unsaid, true
}
