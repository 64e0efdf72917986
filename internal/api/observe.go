package api

import (
	"context"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/blabber-hive/blabber-hive/internal/account"
	"github.com/blabber-hive/blabber-hive/internal/api/peer"
	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/obs"
	"github.com/blabber-hive/blabber-hive/internal/wire"
)

// request is what is known of a request beside what it says.
type request struct {
	id     string
	device account.Device
	origin string // scheme and host under which the client asked
	secure bool   // whether that was over TLS

	crossSite bool   // whether a browser says that the page which asks is of another site
	route     string // its template, never its path
	who       account.Identity
}

// attributes are what a line of the log says of a request: which it was, and whose, where somebody is signed in.
func (r *request) attributes() []any {
	attributes := append(make([]any, 0, 8), slog.String("request_id", r.id), slog.String("route", r.route))
	if user := r.who.User.ID; !user.IsZero() {
		attributes = append(attributes, slog.Any("user_id", user))
	}
	return attributes
}

type requestKey struct{}

// requestOf gives the request that a context belongs to, and an empty one to a context of none.
func requestOf(ctx context.Context) *request {
	if req, ok := ctx.Value(requestKey{}).(*request); ok {
		return req
	}
	return &request{}
}

type metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

func newMetrics(registry prometheus.Registerer) *metrics {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "blabber_http_requests_total", Help: "Requests answered.",
		}, []string{"method", "route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "blabber_http_request_seconds", Help: "Time from a request's head to the end of its answer.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 15),
		}, []string{"method", "route"}),
	}
	registry.MustRegister(m.requests, m.seconds)
	return m
}

// observe gives a request its id and its time, counts and logs it, and turns a panic into a refusal.
func (s *Server) observe(c *gin.Context) {
	start := s.Clock()
	req := s.newRequest(c)
	ctx, cancel := context.WithTimeout(context.WithValue(c.Request.Context(), requestKey{}, req), requestPatient)
	defer cancel()
	ctx, traced := s.trace(ctx, c, req)
	defer traced()
	c.Request = c.Request.WithContext(ctx)
	c.Header("X-Request-Id", req.id)
	if c.Request.ContentLength != 0 {
		// Also where no handler reads the body: net/http reads what is left of it before it lets an answer go, and would
		// wait for ever for who sends a byte now and then. Once all of it has come net/http takes the deadline back.
		_ = http.NewResponseController(c.Writer).SetReadDeadline(start.Add(bodyPatience)) // only tests' writers cannot
	}

	defer func() {
		s.observed(ctx, c, req, s.Clock().Sub(start))
	}()
	defer func() {
		if value := recover(); value != nil {
			s.panicked(c, value)
		}
	}()
	c.Next()
}

// trace begins the span of a request for data; traced ends it. What a client says of a trace of its own is not heard:
// strangers could have everything traced.
func (s *Server) trace(ctx context.Context, c *gin.Context, req *request) (_ context.Context, traced func()) {
	if !s.Tracer.On() || !isAPI(c.Request.URL.Path) {
		return ctx, func() {}
	}
	method := methodLabel(c.Request.Method)
	ctx, span := s.Tracer.Start(ctx, method+" "+req.route, obs.SpanServer)
	return ctx, func() {
		status := c.Writer.Status()
		span.Say(obs.Text("http.request.method", method), obs.Text("http.route", req.route),
			obs.Number("http.response.status_code", int64(status)), obs.Text("blabber.request_id", req.id))
		failure := ""
		if status >= http.StatusInternalServerError {
			failure = strconv.Itoa(status)
		}
		span.End(failure)
	}
}

func (s *Server) newRequest(c *gin.Context) *request {
	id := s.NewID()
	address, secure := s.proxies.Client(c.Request)
	route := c.FullPath()
	if route == "" {
		route = "other"
		if isAPI(c.Request.URL.Path) {
			route = "unknown"
		}
	}
	scheme := "http://"
	if secure {
		scheme = "https://"
	}
	return &request{
		id: hex.EncodeToString(id[:]), route: route, secure: secure, crossSite: c.GetHeader("Sec-Fetch-Site") == "cross-site", origin: scheme + c.Request.Host,
		device: account.Device{Address: peer.Key(address), UserAgent: c.Request.UserAgent()},
	}
}

// panicked answers for a handler that panicked. Where the answer had begun, it is cut off, so that nobody takes it for a
// whole one.
func (s *Server) panicked(c *gin.Context, value any) {
	if err, ok := value.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(value)
	}
	req := requestOf(c.Request.Context())
	s.Log.ErrorContext(c.Request.Context(), "a handler panicked", append(req.attributes(), "panic", value, "stack", string(debug.Stack()))...)
	if c.Writer.Written() {
		panic(http.ErrAbortHandler)
	}
	s.write(c, &problem{Problem: *wire.ProblemOf(chat.Refuse(chat.Internal, "something went wrong on the server; it was logged"))})
}

func (s *Server) observed(ctx context.Context, c *gin.Context, req *request, took time.Duration) {
	status, method := c.Writer.Status(), methodLabel(c.Request.Method)
	s.metrics.requests.WithLabelValues(method, req.route, strconv.Itoa(status)).Inc()
	s.metrics.seconds.WithLabelValues(method, req.route).Observe(took.Seconds())

	level := slog.LevelDebug // a busy server has thousands of successes a second
	switch {
	case status >= http.StatusInternalServerError:
		level = slog.LevelWarn
	case status >= http.StatusBadRequest:
		level = slog.LevelInfo
	}
	if !s.Log.Enabled(ctx, level) {
		return
	}
	s.Log.Log(ctx, level, "request", append(req.attributes(),
		slog.String("method", method), slog.Int("status", status), slog.Int("bytes", max(c.Writer.Size(), 0)),
		slog.Duration("took", took), slog.String("address", req.device.Address))...)
}

// methodLabel keeps the number of series, and what a stranger can write into a log, bounded.
func methodLabel(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "other"
}
