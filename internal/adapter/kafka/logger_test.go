package kafka

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Promise: a sentence that the client library says again and again is in the log once in a while, with how often it was
// left out.
func TestTheLibraryIsNotHeardTooOften(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		l := newLogger(slog.New(slog.NewTextHandler(&out, nil)))
		for range 1000 {
			l.Log(kgo.LogLevelWarn, "no broker", "broker", 1)
			l.Log(kgo.LogLevelInfo, "this is of no use to anybody")
			<-time.After(15 * time.Millisecond)
		}
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if len(lines) != 2 || !strings.Contains(lines[1], "more_since=666") {
			t.Errorf("in 15 s the log got\n%s", out.String())
		}
	})
}
