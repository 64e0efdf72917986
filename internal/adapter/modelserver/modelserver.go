// Package modelserver asks the sentiment service (sentiment/ in this repository) how texts sound, over HTTP.
//
// What it owns: the client, its bounds, and a circuit breaker that spares a service which is down from all who would ask
// it.
//
// What it does when its dependency dies: each call says unavailable, after callMax at the latest, and at once while the
// breaker is open. Whoever calls tries again.
package modelserver

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sony/gobreaker/v2"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/obs"
)

const (
	// callMax is how long one call may take: a batch takes the default model some milliseconds, a large one seconds.
	callMax = 30 * time.Second
	// connectMax is how long a connection may take to be made.
	connectMax = 2 * time.Second
	// answerBytesMax is how much of an answer is read: 256 moods take 40 KiB.
	answerBytesMax = 1 << 20
	// TextRunesMax is how much of a text the service takes; the rest of it is not read.
	TextRunesMax = 4000
	// failuresMax is after how many failures in a row the service is left alone, for openFor.
	failuresMax = 5
	openFor     = 5 * time.Second
)

// Options say where the service is.
type Options struct {
	// URL is the service's, like http://fastapi:8000. It may hold a user and a password.
	URL      obs.Secret
	Registry prometheus.Registerer
}

// Model reads texts. All methods may be called concurrently.
type Model struct {
	endpoint string
	client   *http.Client
	breaker  *gobreaker.CircuitBreaker[[]chat.Mood]
}

// New makes a client. It does not wait for the service: what is asked of it does. Close must be called.
func New(options Options) (*Model, error) {
	base, err := url.Parse(options.URL.Reveal())
	if err != nil || (base.Scheme != "http" && base.Scheme != "https") || base.Host == "" {
		return nil, errors.New("the address of the model server is not one like http://fastapi:8000") // what it is may hold a password
	}
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, MaxIdleConns: 4, MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute,
		TLSHandshakeTimeout: connectMax, DialContext: (&net.Dialer{Timeout: connectMax}).DialContext, ExpectContinueTimeout: time.Second, MaxResponseHeaderBytes: 64 << 10,
	}
	m := &Model{
		endpoint: base.JoinPath("v1", "analyze").String(),
		client: &http.Client{Transport: transport, Timeout: callMax, CheckRedirect: func(*http.Request, []*http.Request) error {
			return errors.New("the model server sends us elsewhere, which it has no reason to")
		}},
	}
	open := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "blabber_mood_breaker_open", Help: "Whether the model server is left alone for a while because it has failed again and again: 1 or 0.",
	})
	options.Registry.MustRegister(open)
	m.breaker = gobreaker.NewCircuitBreaker[[]chat.Mood](gobreaker.Settings{
		Name: "model server", Timeout: openFor,
		ReadyToTrip: func(counts gobreaker.Counts) bool { return counts.ConsecutiveFailures >= failuresMax },
		// Refused texts and a caller who has gone say nothing of the service.
		IsSuccessful: func(err error) bool {
			return err == nil || chat.CodeOf(err) == chat.Invalid || errors.Is(err, context.Canceled)
		},
		OnStateChange: func(_ string, _, to gobreaker.State) {
			open.Set(map[gobreaker.State]float64{gobreaker.StateOpen: 1}[to])
		},
	})
	return m, nil
}

// Close lets go of idle connections.
func (m *Model) Close() { m.client.CloseIdleConnections() }

type request struct {
	Texts []string `json:"texts"`
}

type answer struct {
	Results []struct {
		Label chat.MoodLabel `json:"label"`
		Score *float64       `json:"score"`
	} `json:"results"`
}

// Read implements mood.Model.
func (m *Model) Read(ctx context.Context, texts []string) ([]chat.Mood, error) {
	moods, err := m.breaker.Execute(func() ([]chat.Mood, error) { return m.ask(ctx, texts) })
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		return nil, chat.Away("the model server", err)
	}
	return moods, err
}

func (m *Model) ask(ctx context.Context, texts []string) ([]chat.Mood, error) {
	cuts := make([]string, len(texts))
	for i, text := range texts {
		cuts[i] = cut(text)
	}
	body, err := json.Marshal(request{cuts})
	if err != nil {
		return nil, fmt.Errorf("encode %d texts: %w", len(texts), err)
	}
	ask, err := http.NewRequestWithContext(ctx, http.MethodPost, m.endpoint, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("ask the model server: %w", err)
	}
	ask.Header.Set("Content-Type", "application/json")
	response, err := m.client.Do(ask)
	if err != nil {
		if inner, ok := errors.AsType[*url.Error](err); ok {
			err = inner.Err // without the address
		}
		return nil, chat.Away("the model server", err)
	}
	defer func() { _ = response.Body.Close() }() // it was read as far as it was wanted
	text, err := io.ReadAll(io.LimitReader(response.Body, answerBytesMax+1))
	switch {
	case err != nil:
		return nil, chat.Away("the model server", fmt.Errorf("read its answer: %w", err))
	case len(text) > answerBytesMax:
		return nil, chat.Away("the model server", errors.New("its answer has no end"))
	}
	switch response.StatusCode {
	case http.StatusOK:
		return moodsOf(text, len(texts))
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		return nil, chat.Refuse(chat.Invalid, "the model server refuses the texts with status %d", response.StatusCode)
	}
	return nil, chat.Away("the model server", fmt.Errorf("it answers with status %d", response.StatusCode))
}

// moodsOf reads an answer.
func moodsOf(text []byte, count int) ([]chat.Mood, error) {
	var a answer
	if err := json.Unmarshal(text, &a); err != nil {
		return nil, chat.Away("the model server", fmt.Errorf("its answer is none: %w", err))
	}
	if len(a.Results) != count {
		return nil, chat.Away("the model server", fmt.Errorf("it answers %d texts with %d moods", count, len(a.Results)))
	}
	moods := make([]chat.Mood, count)
	for i, result := range a.Results {
		if result.Score == nil || math.Abs(*result.Score) > 1 {
			return nil, chat.Away("the model server", errors.New("it gives a score that is none"))
		}
		moods[i] = chat.Mood{Label: result.Label, Thousandths: int(math.Round(1000 * *result.Score))}
		if !moods[i].Valid() {
			return nil, chat.Away("the model server", fmt.Errorf("it calls a text %.20q", result.Label))
		}
	}
	return moods, nil
}

// cut is what the service takes of a text: its beginning, and never bytes that are no text, which JSON has no way to say.
func cut(text string) string {
	return chat.Cut(strings.ToValidUTF8(text, "\uFFFD"), TextRunesMax)
}
