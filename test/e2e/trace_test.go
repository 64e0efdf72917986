package e2e_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/test/e2e/client"
)

// otlp is a collector: it takes traces by OTLP over HTTP and keeps them.
type otlp struct {
	url string

	mu     sync.Mutex
	bodies bytes.Buffer
	traces map[string][]*tracepb.Span // by their ids
	news   chan struct{}              // holds a token after something came
}

func startOTLP(t *testing.T) *otlp {
	t.Helper()
	o := &otlp{traces: make(map[string][]*tracepb.Span), news: make(chan struct{}, 1)}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		request := new(collector.ExportTraceServiceRequest)
		if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(body, request) != nil {
			t.Errorf("%s %s is no export of traces: %v", r.Method, r.URL.Path, err)
		}
		o.take(body, request)
	}))
	t.Cleanup(server.Close)
	o.url = server.URL
	return o
}

func (o *otlp) take(body []byte, request *collector.ExportTraceServiceRequest) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.bodies.Write(body)
	for _, resource := range request.GetResourceSpans() {
		for _, scope := range resource.GetScopeSpans() {
			for _, span := range scope.GetSpans() {
				id := hex.EncodeToString(span.GetTraceId())
				o.traces[id] = append(o.traces[id], span)
			}
		}
	}
	select {
	case o.news <- struct{}{}:
	default:
	}
}

// of are the traces that begin with a span of that name.
func (o *otlp) of(root string) map[string][]*tracepb.Span {
	o.mu.Lock()
	defer o.mu.Unlock()
	found := make(map[string][]*tracepb.Span)
	for id, spans := range o.traces {
		if slices.ContainsFunc(spans, func(span *tracepb.Span) bool { return span.GetName() == root && len(span.GetParentSpanId()) == 0 }) {
			found[id] = slices.Clone(spans)
		}
	}
	return found
}

// message waits for the one trace that begins like that to be whole, and answers its id.
func (o *otlp) message(t *testing.T, root string, more ...string) string {
	t.Helper()
	want := append([]string{root, "log append", "sequencer number", "bus publish", "store insert"}, more...)
	slices.Sort(want)
	patience := time.After(readPatience)
	for {
		traces := o.of(root)
		for id, spans := range traces {
			if len(traces) == 1 && slices.Equal(namesOf(spans), want) {
				checkTree(t, root, spans)
				return id
			}
		}
		select {
		case <-o.news:
		case <-patience:
			for id, spans := range traces {
				t.Errorf("trace %s has %q, want %q", id, namesOf(spans), want)
			}
			t.Fatalf("%d traces begin with %q, want one whole one", len(traces), root)
		}
	}
}

func namesOf(spans []*tracepb.Span) []string {
	var names []string
	for _, span := range spans {
		names = append(names, span.GetName())
	}
	slices.Sort(names)
	return names
}

// checkTree wants the append below the root and all that became of it below the append, and no span to end before it began.
func checkTree(t *testing.T, root string, spans []*tracepb.Span) {
	t.Helper()
	ids := make(map[string]string)
	for _, span := range spans {
		ids[span.GetName()] = string(span.GetSpanId())
	}
	for _, span := range spans {
		parent := ids["log append"]
		switch span.GetName() {
		case root:
			parent = ""
		case "log append":
			parent = ids[root]
		}
		if string(span.GetParentSpanId()) != parent {
			t.Errorf("%q hangs in the wrong place", span.GetName())
		}
		if span.GetEndTimeUnixNano() < span.GetStartTimeUnixNano() || span.GetStatus().GetMessage() != "" {
			t.Errorf("%q took from %d to %d and ended with %q", span.GetName(), span.GetStartTimeUnixNano(), span.GetEndTimeUnixNano(), span.GetStatus().GetMessage())
		}
	}
}

// tellNothing searches all that was exported for what people said, their passwords, tokens and addresses.
func (o *otlp) tellNothing(t *testing.T) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, secret := range []string{secretMark, "eyJ", "@example.com"} {
		if at := bytes.Index(o.bodies.Bytes(), []byte(secret)); at >= 0 {
			t.Errorf("the traces have %q in them: …%q…", secret, o.bodies.Bytes()[max(0, at-100):min(o.bodies.Len(), at+100)])
		}
	}
}

// restRoot begins the trace of a message that is sent by HTTP.
const restRoot = "POST /api/v1/rooms/:room_id/messages"

// Promise: one message is one trace, from the gateway to the insert, also where each is a process of its own; what is left
// of it when a server stops is exported; the log names it; and no trace tells what people wrote or who they are.
//
//nolint:paralleltest // it needs the machine for itself
func TestOneTraceAMessage(t *testing.T) {
	t.Run("alone", func(t *testing.T) {
		collector := startOTLP(t)
		server := install(t, "--mood", "off")
		// Nothing is exported before the server stops.
		server.env = []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + collector.url, "OTEL_BSP_SCHEDULE_DELAY=3600000"}
		server.start()
		sendTwice(t, server)
		if code := server.stop(); code != 0 {
			t.Errorf("the server ended with code %d", code)
		}
		log := server.log.String() // the line may be written after the answer
		collector.message(t, "gateway send")
		if id := collector.message(t, restRoot); !strings.Contains(log, "trace_id="+id) {
			t.Errorf("the log does not name trace %s", id)
		}
		collector.tellNothing(t)
	})
	t.Run("cluster", func(t *testing.T) {
		collector := startOTLP(t)
		s := startSmall(t)
		s.node.env = append(s.node.env, "OTEL_EXPORTER_OTLP_ENDPOINT="+collector.url, "OTEL_BSP_SCHEDULE_DELAY=50", "ROLES=gateway")
		s.node.args = append(s.node.args, "--mood", "on") // the last one counts
		behind := newInstallation(t, filepath.Join(t.TempDir(), "data"))
		behind.env = append(slices.Clone(s.node.env), "ROLES=sequencer,sentiment")
		t.Cleanup(func() {
			behind.kill()
			behind.readLog()
		})
		s.node.start()
		behind.start()
		sendTwice(t, s.node)
		collector.message(t, "gateway send", "mood read")
		collector.message(t, restRoot, "mood read")
		collector.tellNothing(t)
	})
}

// Promise: a collector that is away, or takes nothing, costs nobody a message and no server its orderly end.
//
//nolint:paralleltest // it needs the machine for itself
func TestCollectorAway(t *testing.T) {
	server := install(t, "--drain-spread", "0s")
	server.env = []string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://" + freeAddr(t), "OTEL_BSP_SCHEDULE_DELAY=50"}
	server.start()
	sendTwice(t, server)
	began := time.Now()
	if code := server.stop(); code != 0 {
		t.Errorf("the server ended with code %d", code)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %v to stop", took)
	}
	if !strings.Contains(server.log.String(), "traces are lost") {
		t.Error("the log does not say that traces are lost")
	}
}

// sendTwice has somebody with an e-mail address send one message over the socket and one by HTTP.
func sendTwice(t *testing.T, server *installation) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), readPatience)
	defer cancel()
	name := fmt.Sprintf("ada%d", time.Now().UnixNano())
	ada, err := client.SignUp(ctx, server.url(), name, secretMark+"-password")
	must(t, err)
	defer ada.Close()
	addressed := fmt.Sprintf(`{"username": "%[1]sb", "password": "%[2]s-password", "email": "%[1]s@example.com"}`, name, secretMark)
	answer, err := http.Post(server.url()+"/api/v1/auth/signup", "application/json", strings.NewReader(addressed))
	must(t, err)
	answer.Body.Close()
	if answer.StatusCode != http.StatusCreated {
		t.Fatalf("signing up with an address was answered with %d", answer.StatusCode)
	}
	room, err := ada.CreateRoom(ctx, "traced")
	must(t, err)
	socket, stop := signIn(t, server.addr, ada, map[chat.RoomID]chat.Seq{})
	defer stop()
	for read(t, socket).Type != "ready" {
	}
	must(t, socket.Write(map[string]any{"type": "send", "room_id": room, "id": client.NewMessageID(), "body": secretMark + " over the socket to mina@example.com"}))
	for read(t, socket).Type != "ack" {
	}
	_, err = ada.Send(ctx, room, client.NewMessageID(), secretMark+" by HTTP to mina@example.com")
	must(t, err)
}
