package modelserver_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"github.com/blabber-hive/blabber-hive/internal/adapter/modelserver"
	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/obs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// client asks a server of the test's own.
func client(t *testing.T, answer http.HandlerFunc) (*modelserver.Model, *prometheus.Registry) {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	return clientOf(t, server.URL)
}

func clientOf(t *testing.T, url string) (*modelserver.Model, *prometheus.Registry) {
	t.Helper()
	registry := prometheus.NewRegistry()
	model, err := modelserver.New(modelserver.Options{URL: obs.NewSecret(url), Registry: registry})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(model.Close)
	return model, registry
}

func texts(t *testing.T, r *http.Request) []string {
	t.Helper()
	var body struct {
		Texts []string `json:"texts"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		t.Errorf("the body is no JSON: %v", err)
	}
	return body.Texts
}

// Promise: the moods of texts come back in order, a score in whole thousandths; a text too long for the service is cut, and bytes
// that are no text are replaced.
func TestRead(t *testing.T) {
	t.Parallel()
	var asked []string
	model, _ := client(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.URL.Path != "/v1/analyze" || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("asked with %s %s, %s", r.Method, r.URL, r.Header.Get("Content-Type"))
		}
		asked = texts(t, r)
		fmt.Fprint(w, `{"model":"m@1","results":[{"label":"positive","score":0.87654,"probabilities":{}},{"label":"negative","score":-1},{"label":"neutral","score":0}]}`)
	})
	moods, err := model.Read(t.Context(), []string{"good", strings.Repeat("한", 4001), "\xff"})
	want := []chat.Mood{{Label: chat.Positive, Thousandths: 877}, {Label: chat.Negative, Thousandths: -1000}, {Label: chat.Neutral}}
	if err != nil || !slices.Equal(moods, want) {
		t.Errorf("Read() = %+v, %v, want %+v", moods, err, want)
	}
	if !slices.Equal(asked, []string{"good", strings.Repeat("한", 4000), "\uFFFD"}) {
		t.Errorf("asked for %.40q", asked)
	}
}

// Promise: whatever a service answers, it is moods or an error that says whether the texts are at fault.
func TestAnswers(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		status int
		body   string
		want   chat.Code
	}{
		"refused texts":         {422, `{"detail":[]}`, chat.Invalid},
		"too large":             {413, ``, chat.Invalid},
		"a bad request":         {400, ``, chat.Invalid},
		"an error":              {500, `oops`, chat.Unavailable},
		"full":                  {503, ``, chat.Unavailable},
		"too often":             {429, ``, chat.Unavailable},
		"not there":             {404, ``, chat.Unavailable},
		"elsewhere":             {302, ``, chat.Unavailable},
		"garbage":               {200, `<html>`, chat.Unavailable},
		"nothing":               {200, ``, chat.Unavailable},
		"another shape":         {200, `{"results":{"label":"positive"}}`, chat.Unavailable},
		"too few":               {200, `{"results":[]}`, chat.Unavailable},
		"too many":              {200, `{"results":[{"label":"neutral","score":0},{"label":"neutral","score":0}]}`, chat.Unavailable},
		"an odd label":          {200, `{"results":[{"label":"joy","score":0.5}]}`, chat.Unavailable},
		"no score":              {200, `{"results":[{"label":"positive"}]}`, chat.Unavailable},
		"a score above one":     {200, `{"results":[{"label":"positive","score":1.5}]}`, chat.Unavailable},
		"a score that is text":  {200, `{"results":[{"label":"positive","score":"1"}]}`, chat.Unavailable},
		"an answer without end": {200, strings.Repeat(" ", 2<<20) + `{"results":[{"label":"neutral","score":0}]}`, chat.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			elsewhere := 0
			model, _ := client(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/elsewhere" {
					elsewhere++
				}
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(tc.status)
				_, _ = io.WriteString(w, tc.body) // the client may have gone
			})
			moods, err := model.Read(t.Context(), []string{"good"})
			if chat.CodeOf(err) != tc.want || moods != nil {
				t.Errorf("Read() = %v, %v, want %s", moods, err, tc.want)
			}
			if elsewhere > 0 {
				t.Error("it was followed elsewhere")
			}
		})
	}
}

// Promise: a service that fails again and again is left alone for a while, and refused texts or callers who go say nothing of it.
func TestBreaker(t *testing.T) {
	t.Parallel()
	asked, status := 0, http.StatusUnprocessableEntity
	model, registry := client(t, func(w http.ResponseWriter, _ *http.Request) {
		asked++
		w.WriteHeader(status)
	})
	open := func(want float64) {
		t.Helper()
		if got, err := testutil.GatherAndCount(registry, "blabber_mood_breaker_open"); err != nil || got != 1 {
			t.Fatalf("%d gauges, %v", got, err)
		}
		if err := testutil.GatherAndCompare(registry, strings.NewReader(fmt.Sprintf(`
# HELP blabber_mood_breaker_open Whether the model server is left alone for a while because it has failed again and again: 1 or 0.
# TYPE blabber_mood_breaker_open gauge
blabber_mood_breaker_open %g
`, want)), "blabber_mood_breaker_open"); err != nil {
			t.Error(err)
		}
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	for range 20 {
		_, err := model.Read(t.Context(), []string{"x"})
		if chat.CodeOf(err) != chat.Invalid {
			t.Fatalf("Read() = %v", err)
		}
		if _, err := model.Read(gone, []string{"x"}); err == nil {
			t.Fatal("asked without a caller")
		}
	}
	open(0)
	asked, status = 0, http.StatusInternalServerError
	for range 20 {
		if _, err := model.Read(t.Context(), []string{"x"}); chat.CodeOf(err) != chat.Unavailable {
			t.Fatalf("Read() = %v", err)
		}
	}
	if asked != 5 {
		t.Errorf("a service that fails was asked %d times, want 5", asked)
	}
	open(1)
}

// Promise: a service that is not there, or accepts and says nothing, costs a caller no more time than it gives.
func TestSilence(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() }) // it has accepted nobody
	for name, url := range map[string]string{"silent": "http://" + listener.Addr().String(), "not there": "http://127.0.0.1:1"} {
		model, _ := clientOf(t, url)
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		_, err := model.Read(ctx, []string{"x"})
		cancel()
		if err == nil {
			t.Errorf("%s: it has answered", name)
		}
	}
}

// Promise: an address that is none is refused, and errors never show one.
func TestAddresses(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "fastapi:8000", "ftp://fastapi", "http://", "http://user:hunter2@%"} {
		_, err := modelserver.New(modelserver.Options{URL: obs.NewSecret(url), Registry: prometheus.NewRegistry()})
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("New(%q) = %v", url, err)
		}
	}
	model, _ := clientOf(t, "http://user:hunter2@127.0.0.1:1/base")
	_, err := model.Read(t.Context(), []string{"x"})
	if refusal, ok := errors.AsType[*chat.Error](err); !ok || strings.Contains(err.Error()+refusal.Detail, "hunter2") {
		t.Errorf("Read() = %v", err)
	}
}
