package api

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/blabber-hive/blabber-hive/internal/account"
	"github.com/blabber-hive/blabber-hive/internal/adapter/memory"
	"github.com/blabber-hive/blabber-hive/internal/adapter/sqlite"
	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/history"
	"github.com/blabber-hive/blabber-hive/internal/message"
	"github.com/blabber-hive/blabber-hive/internal/mood"
	"github.com/blabber-hive/blabber-hive/internal/presence"
	"github.com/blabber-hive/blabber-hive/internal/room"
	"github.com/blabber-hive/blabber-hive/internal/run"
	"github.com/blabber-hive/blabber-hive/internal/sequencer"
)

// world is a whole server without sockets: the real store, log, sequencer and use cases behind the API.
type world struct {
	t        testing.TB
	server   *Server
	store    *countingStore
	accounts *account.Service
	presence *memory.Presence
	clock    *clock
	logs     *logs
	registry *prometheus.Registry
	log      *gate

	mu      sync.Mutex
	signals []chat.Signal
	people  atomic.Int64

	// elsewhere is the address of another server that is asked in place of this one, and tag makes names new there.
	elsewhere, tag string
	browser        *http.Client
}

// clock is the time of day plus what the test has let pass.
type clock struct{ passed atomic.Int64 }

func (c *clock) now() time.Time { return time.Now().Add(time.Duration(c.passed.Load())) }

func (c *clock) pass(d time.Duration) { c.passed.Add(int64(d)) }

// logs keeps all that is logged, for tests of what must and must not be there.
type logs struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// gate is the log, which a test can hold: records are then taken but not passed on until it is let go.
type gate struct {
	*memory.Log
	mu   sync.Mutex
	held []func()
	hold bool
	down atomic.Bool
	// instant settles everything at once and keeps nothing.
	instant atomic.Bool
}

func (g *gate) Append(ctx context.Context, record *chat.Record, settled func(chat.Receipt, error)) error {
	if g.down.Load() {
		return chat.Away("the log", nil)
	}
	if g.instant.Load() {
		instantly(record, settled)
		return nil
	}
	g.mu.Lock()
	if g.hold {
		g.held = append(g.held, func() { _ = g.Log.Append(context.WithoutCancel(ctx), record, settled) })
		g.mu.Unlock()
		return nil
	}
	g.mu.Unlock()
	return g.Log.Append(ctx, record, settled)
}

func (g *gate) set(hold bool) {
	g.mu.Lock()
	g.hold = hold
	held := g.held
	g.held = nil
	g.mu.Unlock()
	for _, pass := range held {
		pass()
	}
}

// countingStore counts what use cases ask the store, so that two answers can be known to have cost the same.
type countingStore struct {
	*sqlite.Store
	calls sync.Map // of *atomic.Int64 by user
}

func (s *countingStore) count(user chat.UserID) {
	counter, _ := s.calls.LoadOrStore(user, new(atomic.Int64))
	counter.(*atomic.Int64).Add(1)
}

func (s *countingStore) of(user chat.UserID) int64 {
	if counter, ok := s.calls.Load(user); ok {
		return counter.(*atomic.Int64).Load()
	}
	return 0
}

func (s *countingStore) Access(ctx context.Context, room chat.RoomID, user chat.UserID) (chat.Access, error) {
	s.count(user)
	return s.Store.Access(ctx, room, user)
}

func (s *countingStore) RoomOf(ctx context.Context, room chat.RoomID, user chat.UserID) (chat.MemberRoom, error) {
	s.count(user)
	return s.Store.RoomOf(ctx, room, user)
}

func (s *countingStore) Update(ctx context.Context, room chat.RoomID, change func(chat.RoomTx) error) error {
	s.count(requestOf(ctx).who.User.ID)
	return s.Store.Update(ctx, room, change)
}

func (s *countingStore) Message(ctx context.Context, room chat.RoomID, id chat.MessageID) (*chat.Message, error) {
	s.count(requestOf(ctx).who.User.ID)
	return s.Store.Message(ctx, room, id)
}

// testConfig is an account.Config that costs no time and refuses nothing.
func testConfig() account.Config {
	config := account.DefaultConfig()
	config.Hash = account.HashCost{MemoryKiB: 8, Passes: 1, Lanes: 1}
	config.HashesAtOnce, config.HashesQueued = 4, 1000
	config.SignupByAddress, config.LoginByAddress = account.Rate{}, account.Rate{}
	config.LoginByName, config.RefreshByAddress = account.Rate{}, account.Rate{}
	return config
}

type setting func(config *account.Config, options *Options)

// setup makes a world for tests that look inside it or need settings of their own.
func setup(t testing.TB, settings ...setting) *world {
	t.Helper()
	if os.Getenv(addressVariable) != "" {
		t.Skip("this test is about the inside of a server")
	}
	return build(t, settings...)
}

func build(t testing.TB, settings ...setting) *world {
	t.Helper()
	w := &world{t: t, clock: &clock{}, logs: &logs{}, registry: prometheus.NewRegistry(), presence: &memory.Presence{}}
	store, err := sqlite.Open(t.Context(), sqlite.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	w.store = &countingStore{Store: store}
	stored, err := store.Position(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	w.log = &gate{Log: memory.NewLog(stored)}
	bus := &memory.Bus{}
	logger := slog.New(slog.NewJSONHandler(w.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	limiter := memory.NewLimiter(w.clock.now)
	relay := room.NewRelay(store, w.log, logger, w.registry)
	numbers := sequencer.New(w.log.Log, bus, store, sequencer.Options{}, sequencer.NewMetrics(w.registry), logger)

	config, options := testConfig(), Options{
		Presence: presence.New(w.presence, bus, w.clock.now, logger), Limiter: limiter, Version: "test",
		Clock: w.clock.now, NewID: w.newID, Log: logger, Registry: w.registry,
		History:  history.New(history.World{Store: w.store, Marks: store, Signals: bus, Log: logger}),
		Messages: message.NewService(w.log, w.store, nil, w.clock.now, func() chat.MessageID { return w.newID() }, message.NewMetrics(prometheus.NewRegistry()), nil),
		Rooms: room.New(room.World{
			Store: w.store, Directory: store, People: store, Signals: bus, Settler: relay, Clock: w.clock.now, Rand: rand.Reader,
			NewID: w.newID, Log: logger, Moods: true,
		}),
		Moods: mood.NewTimeline(w.store, w.clock.now),
	}
	for _, set := range settings {
		set(&config, &options)
	}
	w.accounts, err = account.New(config, account.World{
		Users: store, Sessions: store, Living: store, Keys: store, Signals: bus, Limiter: limiter, Clock: w.clock.now, Rand: rand.Reader,
		NewID: w.newID, Log: logger,
	})
	if err != nil {
		t.Fatal(err)
	}
	options.Accounts = w.accounts
	if w.server, err = New(options); err != nil {
		t.Fatal(err)
	}

	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	group := run.NewGroup(ctx)
	group.Go("number", numbers.Run)
	group.Go("relay", relay.Run)
	group.Go("tell presence", options.Presence.Run)
	listening := make(chan struct{})
	group.Go("listen", func(ctx context.Context) error {
		return bus.Listen(ctx, func([]chat.Envelope) {}, func(signal chat.Signal) {
			if signal.Kind == "" {
				close(listening)
				return
			}
			w.accounts.Heard(signal)
			options.Messages.Heard(signal)
			w.mu.Lock()
			defer w.mu.Unlock()
			w.signals = append(w.signals, signal)
		}, func(bool) {})
	})
	if err := bus.Signal(ctx, chat.Signal{}); err != nil { // kept for the listener, whose first it is
		t.Fatal(err)
	}
	<-listening
	t.Cleanup(func() {
		w.log.Close()
		cancel()
		if err := group.Wait(); err != nil && ctx.Err() == nil {
			t.Errorf("the world ended with %v", err)
		}
		if err := store.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	return w
}

// heard gives the signals of a kind that have been sent so far.
func (w *world) heard(kind chat.SignalKind) (signals []chat.Signal) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, signal := range w.signals {
		if signal.Kind == kind {
			signals = append(signals, signal)
		}
	}
	return signals
}

// newID makes a UUIDv7 of the world's time.
func (w *world) newID() (id [16]byte) {
	_, _ = rand.Read(id[:])
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(w.clock.now().UnixMilli()))
	copy(id[:6], ms[2:])
	id[6], id[8] = 0x70|id[6]&0x0f, 0x80|id[8]&0x3f
	return id
}

func (w *world) messageID() string { return chat.MessageID(w.newID()).String() }

// caller is somebody with a browser: a token, and cookies that are kept.
type caller struct {
	w       *world
	id      chat.UserID
	name    string
	token   string
	cookie  string
	address string
	header  http.Header
}

// nobody is a caller who is not signed in.
func (w *world) nobody() *caller { return &caller{w: w, header: http.Header{}} }

const password = "correct horse battery"

// fresh makes a name that nobody has.
func (w *world) fresh(word string) string { return fmt.Sprintf("%s%s%d", word, w.tag, w.people.Add(1)) }

// person signs somebody up.
func (w *world) person() *caller {
	w.t.Helper()
	c := w.nobody()
	c.name = w.fresh("person")
	c.signedIn(c.do("POST", "/auth/signup", object{"username": c.name, "password": password}), http.StatusCreated)
	return c
}

// signedIn takes what a sign-in gave.
func (c *caller) signedIn(got answer, status int) {
	c.w.t.Helper()
	if got.status != status {
		c.w.t.Fatalf("sign in: %s", got)
	}
	c.token = got.text("access_token")
	id, err := chat.ParseUserID(got.text("user", "id"))
	if err != nil {
		c.w.t.Fatalf("sign in: %v in %s", err, got)
	}
	c.id = id
}

type object map[string]any

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) String() string { return fmt.Sprintf("%d %s", a.status, a.body) }

// at digs a value out of a JSON body; nil where there is none.
func (a answer) at(path ...string) any {
	var value any
	if json.Unmarshal(a.body, &value) != nil {
		return nil
	}
	for _, name := range path {
		switch inner := value.(type) {
		case map[string]any:
			value = inner[name]
		case []any:
			var i int
			if _, err := fmt.Sscan(name, &i); err != nil || i >= len(inner) {
				return nil
			}
			value = inner[i]
		default:
			return nil
		}
	}
	return value
}

func (a answer) text(path ...string) string {
	text, _ := a.at(path...).(string)
	return text
}

func (a answer) number(path ...string) float64 {
	number, _ := a.at(path...).(float64)
	return number
}

func (a answer) list(path ...string) []any {
	list, _ := a.at(path...).([]any)
	return list
}

func (a answer) code() chat.Code { return chat.Code(a.text("code")) }

// do calls the API. A body that is a string or bytes is sent as it is, anything else as JSON.
func (c *caller) do(method, path string, body any) answer {
	c.w.t.Helper()
	var reader io.Reader
	switch body := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(body)
	case []byte:
		reader = bytes.NewReader(body)
	default:
		data, err := json.Marshal(body)
		if err != nil {
			c.w.t.Fatal(err)
		}
		reader = bytes.NewReader(data)
	}
	if !strings.HasPrefix(path, "//") {
		path = basePath + path
	} else {
		path = path[1:] // an address outside the API
	}
	r := httptest.NewRequestWithContext(context.WithoutCancel(c.w.t.Context()), method, path, reader)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	if c.cookie != "" {
		r.AddCookie(&http.Cookie{Name: refreshCookie, Value: c.cookie})
	}
	if c.address != "" {
		r.RemoteAddr = c.address
	}
	maps.Copy(r.Header, c.header)
	got := c.w.ask(r)
	for _, cookie := range (&http.Response{Header: got.header}).Cookies() {
		if cookie.Name == refreshCookie {
			c.cookie = cookie.Value
		}
	}
	return got
}

// must calls the API and ends the test where the status is another.
func (c *caller) must(status int, method, path string, body any) answer {
	c.w.t.Helper()
	got := c.do(method, path, body)
	if got.status != status {
		c.w.t.Fatalf("%s %s = %s, want %d", method, path, got, status)
	}
	return got
}

// with is the same person with another header.
func (c *caller) with(name, value string) *caller {
	other := *c
	other.header = c.header.Clone()
	other.header.Set(name, value)
	return &other
}

// refused checks that an answer is a refusal of that code, written as the contract says.
func refused(t testing.TB, got answer, code chat.Code) {
	t.Helper()
	if got.code() != code {
		t.Fatalf("got %s, want %s", got, code)
	}
	isProblem(t, got)
}

// isProblem checks that an answer is problem+json with a code of the contract and the status of that code.
func isProblem(t testing.TB, got answer) {
	t.Helper()
	want, known := statuses[got.code()]
	if got.status == http.StatusMethodNotAllowed && got.code() == chat.BadRequest {
		want = http.StatusMethodNotAllowed
	}
	switch {
	case got.header.Get("Content-Type") != "application/problem+json":
		t.Errorf("got %s as %q, want application/problem+json", got, got.header.Get("Content-Type"))
	case !known || got.status != want || got.number("status") != float64(want):
		t.Errorf("got %s, want status %d in the answer and in its body", got, want)
	case got.text("type") == "" || got.text("title") == "" || got.text("detail") == "":
		t.Errorf("got %s, want type, title and detail", got)
	case got.code() == chat.Invalid && len(got.list("errors")) == 0:
		t.Errorf("got %s, want errors", got)
	case (got.code() == chat.RateLimited || got.code() == chat.Unavailable) != (got.header.Get("Retry-After") != ""):
		t.Errorf("got %s with Retry-After %q", got, got.header.Get("Retry-After"))
	}
}

// statuses is section 4 of the contract.
var statuses = map[chat.Code]int{
	chat.BadRequest: 400, chat.Unauthenticated: 401, chat.Forbidden: 403, chat.NotFound: 404, chat.NotMember: 403,
	chat.Muted: 403, chat.Banned: 403, chat.Conflict: 409, chat.UsernameTaken: 409, chat.TooLarge: 413,
	chat.UnsupportedMedia: 415, chat.Invalid: 422, chat.RateLimited: 429, chat.Internal: 500, chat.Unavailable: 503,
}
