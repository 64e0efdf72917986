package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gobwas/ws"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/gateway/socket"
	"github.com/blabber-hive/blabber-hive/internal/obs"
	"github.com/blabber-hive/blabber-hive/internal/run"
	"github.com/blabber-hive/blabber-hive/internal/wire"
)

// The times and numbers that the contract gives or leaves to us.
const (
	heartbeat             = 25 * time.Second // clients ping this often; silent for two of them they are gone
	authWithin            = 5 * time.Second
	tokenGrace            = 58 * time.Second // with the sweep's second and some for the goodbye, within the contract's 60
	sweepEvery            = time.Second
	connectionsPerUserMax = 50
	usersOnlineMax        = 1000
	framesPerSecond       = 60 // of one connection; control frames and fragments of messages too
	frameBurst            = 300
)

// Config is what a gateway is told from outside.
type Config struct {
	// AllowOrigin decides whether a browser page of that origin may connect; request is the handshake.
	AllowOrigin func(origin string, request *http.Request) bool
	// Heard is told of every signal before the gateway acts on it, for the caches of other parts.
	Heard func(chat.Signal)
	// Unlimited turns the limit on frames off, for load tests and trusted networks.
	Unlimited bool
	// LookEvery is how often rooms with listeners are compared with the store though the bus is there: as long a room's last
	// event may go unnoticed that the bus lost while its sequencer died. Zero for a bus that loses nothing.
	LookEvery time.Duration
	// Now reads the clock.
	Now func() time.Time
	// Tracer traces messages; nil for none.
	Tracer *obs.Tracer
}

// Gateway keeps the connections of one node. Make it with New; it serves while Run runs.
type Gateway struct {
	bus      Bus
	accounts Accounts
	messages Messages
	reader   Reader
	presence Presence
	config   Config
	metrics  *Metrics
	logger   *slog.Logger

	group    *run.Group
	hub      *hub
	pong     []byte // the frame that answers a ping
	host     *socket.Host
	comings  *comings
	link     link
	numbered atomic.Uint64
	epoch    uint64 // tells this process's connection ids from those of an earlier one
	draining atomic.Bool

	mu    sync.Mutex
	conns map[*conn]struct{}
}

// New makes a gateway whose goroutines live as long as ctx and Run.
func New(ctx context.Context, bus Bus, store Store, accounts Accounts, messages Messages, reader Reader, presence Presence, config Config, metrics *Metrics, logger *slog.Logger) *Gateway {
	g := &Gateway{
		bus: bus, accounts: accounts, messages: messages, reader: reader, presence: presence, config: config,
		metrics: metrics, logger: logger, group: run.NewGroup(ctx), conns: make(map[*conn]struct{}), epoch: rand.Uint64(), //nolint:gosec // tells connections apart, guards nothing
	}
	g.pong = socket.Text(wire.PongFrame())
	g.host, g.comings = socket.NewHost(g.group, g.now, closeSlow, metrics.ended), newComings()
	g.hub = newHub(bus, store, metrics, g.group, g.host)
	return g
}

// Run serves until ctx ends; then it closes every connection and waits for all that it started.
func (g *Gateway) Run(ctx context.Context) error {
	g.host.Start()
	events, people := g.link.watch(), g.link.watch() // before the bus says anything
	g.group.Go("show who comes and goes", g.showComings)
	g.group.Go("listen to the bus", func(inner context.Context) error {
		return g.bus.Listen(inner, g.hub.deliver, g.heard, g.linked)
	})
	g.group.Go("look for what the bus did not bring", func(inner context.Context) error {
		return g.standIn(inner, events, eventsEvery, eventsAfter, g.config.LookEvery, g.lookForEvents)
	})
	g.group.Go("look for people whom the bus did not tell of", func(inner context.Context) error {
		return g.standIn(inner, people, peopleEvery, peopleAfter, 0, g.lookAtPeople)
	})
	g.group.Go("sweep connections", func(inner context.Context) error {
		return run.Every(inner, sweepEvery, g.sweep)
	})
	g.group.Go("close connections at the end", func(inner context.Context) error {
		select {
		case <-ctx.Done():
		case <-inner.Done():
		}
		g.draining.Store(true)
		g.group.Cancel()
		g.eachConn(func(c *conn) { c.Abort() })
		return nil
	})
	if err := g.group.Wait(); err != nil && ctx.Err() == nil {
		return fmt.Errorf("gateway: %w", err)
	}
	return nil
}

func (g *Gateway) now() time.Time { return g.config.Now() }

func (g *Gateway) sweep(context.Context) error {
	now := g.now()
	g.eachConn(func(c *conn) { c.sweep(now) })
	return nil
}

func (g *Gateway) eachConn(fn func(*conn)) {
	g.mu.Lock()
	conns := make([]*conn, 0, len(g.conns))
	for c := range g.conns {
		conns = append(conns, c)
	}
	g.mu.Unlock()
	for _, c := range conns {
		fn(c)
	}
}

// Connections is how many there are.
func (g *Gateway) Connections() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.conns)
}

// Drain refuses new connections and asks the others to come back at times spread over spread, when those that are still
// here are closed. It returns when all are gone, or with ctx's error.
func (g *Gateway) Drain(ctx context.Context, spread time.Duration) error {
	g.draining.Store(true)
	now := g.now()
	g.eachConn(func(c *conn) {
		in := time.Duration(rand.Int64N(int64(spread) + 1)) //nolint:gosec // spreads load, guards nothing
		c.sendText(wire.DrainingFrame(in.Milliseconds()))
		c.mu.Lock()
		c.drainAt = now.Add(in)
		c.mu.Unlock()
	})
	err := run.Every(ctx, 50*time.Millisecond, func(context.Context) error {
		now := g.now()
		g.eachConn(func(c *conn) { c.sweep(now) })
		if g.Connections() == 0 {
			return errDrained
		}
		return nil
	})
	if errors.Is(err, errDrained) {
		return nil
	}
	return err
}

var errDrained = errors.New("every connection is gone")

// ServeHTTP upgrades a request to a connection and returns; the connection lives on in a goroutine of the gateway.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if g.draining.Load() {
		w.Header().Set("Retry-After", "1")
		http.Error(w, "this node is going away", http.StatusServiceUnavailable)
		return
	}
	upgraded, buffered, _, err := ws.UpgradeHTTP(r, w)
	if err != nil {
		if upgraded != nil { // the upgrader has answered; the socket is no longer the server's
			_ = upgraded.Close()
		}
		return
	}
	now := g.now()
	c := &conn{
		gateway: g, opened: now, meanwhile: &meanwhile{}, tokens: frameBurst, tokensAt: now,
		id: fmt.Sprintf("%016x-%x", g.epoch, g.numbered.Add(1)),
	}
	c.Open(g.host, c, upgraded)
	c.heardAt.Store(now.Unix())
	var early []byte                                                  // frames that came right behind the handshake
	if n := min(buffered.Reader.Buffered(), socket.EarlyMax); n > 0 { // as much as net/http's buffer holds
		early = make([]byte, n)
		_, _ = buffered.Read(early) // it holds n bytes
	}
	if !g.allowed(r) {
		c.End(closeOrigin)
	}
	g.remember(c)
	started := g.group.Go("serve a connection", func(ctx context.Context) error {
		err := run.Protect(ctx, func(ctx context.Context) error { return c.serve(ctx, early) })
		g.served(ctx, c, err)
		return nil
	})
	switch {
	case !started:
		g.unremember(c)
		c.Abort()
	case g.group.Context().Err() != nil:
		c.Abort() // Run has ended the connections that it found, before this one was among them
	case g.draining.Load():
		c.End(closeDraining) // likewise Drain
	}
}

// served ends a connection whose serving has ended, which it may have by a panic.
func (g *Gateway) served(ctx context.Context, c *conn, err error) {
	if panicked, ok := errors.AsType[*run.PanicError](err); ok {
		g.logger.ErrorContext(ctx, "a connection panicked", "connection", c.id, "error", panicked)
		c.End(closeInternal)
		c.Discard() // until the client has read why, or the sweep ends it
	}
	g.forget(ctx, c)
}

func (g *Gateway) remember(c *conn) {
	g.metrics.connections.Inc()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.conns[c] = struct{}{}
}

func (g *Gateway) unremember(c *conn) {
	g.metrics.connections.Dec()
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.conns, c)
}

// allowed judges where a handshake comes from. Programs other than browsers send no Origin and are free to connect: what
// it guards against is a browser that is led to another site and brings its user's rights along (CWE-1385).
func (g *Gateway) allowed(r *http.Request) bool {
	origins := r.Header.Values("Origin")
	switch len(origins) {
	case 0:
		return !strings.Contains(r.UserAgent(), "Mozilla/")
	case 1:
		return g.config.AllowOrigin(origins[0], r)
	}
	return false
}

// forget cleans up after a connection.
func (g *Gateway) forget(ctx context.Context, c *conn) {
	c.Forget()
	c.mu.Lock()
	c.gone = true
	user, listeners := c.user.ID, c.listeners
	c.listeners = nil
	c.mu.Unlock()
	for _, l := range listeners {
		l.room.mu.Lock()
		l.room.endLocked(l)
		l.room.mu.Unlock()
		g.hub.release(l.room)
	}
	if !user.IsZero() {
		g.hub.dismiss(user, c)
	}
	if c.present {
		if err := g.presence.Disconnected(context.WithoutCancel(ctx), user); err != nil {
			g.logger.WarnContext(ctx, "presence was not told of a connection's end", "user", user, "error", err)
		}
	}
	g.unremember(c)
}
