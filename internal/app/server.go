package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/blabber-hive/blabber-hive/internal/account"
	"github.com/blabber-hive/blabber-hive/internal/api"
	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/gateway"
	"github.com/blabber-hive/blabber-hive/internal/history"
	"github.com/blabber-hive/blabber-hive/internal/message"
	"github.com/blabber-hive/blabber-hive/internal/mood"
	"github.com/blabber-hive/blabber-hive/internal/obs"
	"github.com/blabber-hive/blabber-hive/internal/presence"
	"github.com/blabber-hive/blabber-hive/internal/room"
	"github.com/blabber-hive/blabber-hive/internal/run"
	"github.com/blabber-hive/blabber-hive/internal/sequencer"
)

// How long each part may take to stop. Draining takes what the operator gave it.
const (
	stopPatience  = 5 * time.Second
	drainPatience = 10 * time.Second // for the sequencer to store what was appended
	// hurryPatience is what a part still has when nobody wants to wait any more: enough for the sequencer to store what it
	// was given, which its senders would otherwise have to send again.
	hurryPatience = 500 * time.Millisecond
	// storePause bounds the transactions of a cluster to ten a second for each partition while little is said.
	storePause = 100 * time.Millisecond
)

// partition is the one that a server alone has.
const partition = 0

// Server is a running Blabber-Hive. Start makes one; Stop must be called.
type Server struct {
	config   Config
	version  string
	log      *slog.Logger
	registry *prometheus.Registry
	tracer   *obs.Tracer // nil where nothing is traced

	base    context.Context // of all parts; ends only when they were told to, one after the other
	stack   run.Stack
	watch   *run.Group // ends with the first part that fails by itself
	serving atomic.Bool
	addr    net.Addr
	admin   net.Addr

	store    store
	reads    reads
	queue    queue
	bus      bus
	texts    func() (mood.Texts, error)
	limiter  account.Limiter
	online   presence.Store
	accounts *account.Service
	rooms    *room.Service
	history  *history.Service
	messages *message.Service
	presence *presence.Service
	edge     *api.Server
	gateway  *gateway.Gateway
}

// Start opens everything and returns when it serves. The configuration must have been checked. ctx bounds the start only.
func Start(ctx context.Context, config Config, version string, log *slog.Logger) (*Server, error) {
	base := context.WithoutCancel(ctx)
	s := &Server{
		config: config, version: version, log: log, registry: obs.NewRegistry(version),
		base: base, watch: run.NewGroup(base),
	}
	obs.WatchDisk(s.registry, config.DataDir)
	s.stack.Push("parts", stopPatience, func(context.Context) error {
		s.watch.Cancel()
		return s.watch.Wait() // the failure that made everything stop, if there was one
	})
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(err, s.stack.Close(base))
	}
	s.serving.Store(true)
	s.stack.Push("readiness", stopPatience, func(context.Context) error {
		s.serving.Store(false)
		return nil
	})
	return s, nil
}

// open opens parts in the order in which they need each other. Whoever is opened later is stopped earlier.
func (s *Server) open(ctx context.Context) error {
	steps := []func(context.Context) error{s.openTracer, s.openAdmin, s.openServices, s.openSequencer, s.openMood}
	if s.config.Cluster.has(roleGateway) {
		steps = append(steps, s.openUseCases, s.openEdges, s.openControl, s.openHTTP)
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) openAdmin(ctx context.Context) error {
	if s.config.AdminAddr == off {
		return nil
	}
	listener, err := listen(ctx, s.config.AdminAddr, "admin-addr", "ADMIN_ADDR")
	if err != nil {
		return err
	}
	s.admin = listener.Addr()
	s.serve("admin server", listener, obs.NewAdmin(obs.Admin{
		Metrics: s.registry, Log: s.log,
		Ready: []obs.Probe{
			{Name: "serving", Ask: func(context.Context) error {
				if !s.serving.Load() {
					return errNotServing
				}
				return nil
			}},
			{Name: "store", Ask: s.askStore},
		},
	}))
	return nil
}

// askStore asks whether the store answers. In a cluster that is no reason to send people elsewhere: chat goes on without
// the database, and the other servers have no other one.
func (s *Server) askStore(ctx context.Context) error {
	if !s.serving.Load() || s.config.Cluster.on() {
		return nil // it may not be open yet, or not any more; another probe tells
	}
	_, err := s.store.Position(ctx, partition)
	return err
}

var errNotServing = errors.New("the server is starting or stopping")

// openServices opens what is behind the ports.
func (s *Server) openServices(ctx context.Context) error {
	if s.config.Cluster.on() {
		return s.openCluster(ctx)
	}
	return s.openAlone(ctx)
}

func (s *Server) openSequencer(context.Context) error {
	if !s.config.Cluster.has(roleSequencer) {
		return nil
	}
	options := sequencer.Options{Durable: s.config.Cluster.on(), StorePause: storePause, Tracer: s.tracer}
	numbers := sequencer.New(s.queue, s.bus, s.store, options, sequencer.NewMetrics(s.registry), s.log)
	// Alone it ends by itself, once the log is closed and all that was appended is stored and acked. What a cluster's log
	// keeps is for whoever owns the partitions next.
	var finish func()
	if !s.config.Cluster.on() {
		finish = s.queue.Close
	}
	s.start("sequencer", drainPatience, numbers.Run, finish)
	return nil
}

func (s *Server) openUseCases(context.Context) error {
	config := account.DefaultConfig()
	config.SignupOpen = s.config.Signup == open
	var sends message.Limiter = s.limiter
	if s.config.unlimited() {
		sends = nil
		config.SignupByAddress, config.LoginByAddress = account.Rate{}, account.Rate{}
		config.LoginByName, config.RefreshByAddress = account.Rate{}, account.Rate{}
	}
	accounts, err := newAccounts(config, s.store, s.bus, s.limiter, s.provider(), s.log)
	if err != nil {
		return err
	}
	s.accounts = accounts
	s.messages = message.NewService(s.queue, s.reads, sends, time.Now, func() chat.MessageID { return newID() }, message.NewMetrics(s.registry), s.tracer)
	s.history = history.New(history.World{Store: s.reads, Marks: s.store, Signals: s.bus, Log: s.log})
	s.presence = presence.New(s.online, s.bus, time.Now, s.log)
	s.start("presence", stopPatience, s.presence.Run, nil)

	relay := room.NewRelay(s.store, s.queue, s.log, s.registry)
	s.start("outbox relay", stopPatience, relay.Run, nil)
	rooms := room.World{
		Store: s.store, Directory: s.store, People: s.store, Signals: s.bus, Settler: relay,
		Moods: s.config.moods(), Clock: time.Now, Rand: rand.Reader, NewID: newID, Log: s.log,
	}
	if s.config.Cluster.on() {
		rooms.Store, rooms.Shown = shownRooms{s.reads, s.store}, s.reads
	}
	s.rooms = room.New(rooms)
	return nil
}

// provider is who signs people in, if it is not this server.
func (s *Server) provider() account.Provider {
	if s.config.Supabase.URL == "" {
		return nil
	}
	if s.config.Supabase.isOpen() {
		s.log.Warn("SUPABASE_URL is not https: whoever is on the way can sign in as anybody", "url", s.config.Supabase.URL)
	}
	verifier := s.config.Supabase.verifier(s.log)
	s.start("sign-in keys", stopPatience, verifier.Run, nil)
	return verifier
}

func newAccounts(config account.Config, store store, signals account.Signals, limiter account.Limiter, provider account.Provider, log *slog.Logger) (*account.Service, error) {
	accounts, err := account.New(config, account.World{
		Users: store, Sessions: store, Living: store, Keys: store, Signals: signals, Limiter: limiter, Provider: provider,
		Clock: time.Now, Rand: rand.Reader, NewID: newID, Log: log,
	})
	if err != nil {
		return nil, fmt.Errorf("make the accounts: %w", err)
	}
	return accounts, nil
}

func (s *Server) openEdges(context.Context) error {
	proxies, err := s.config.proxies()
	if err != nil {
		return err
	}
	options := api.Options{
		Accounts: s.accounts, Rooms: s.rooms, History: s.history, Presence: s.presence, Messages: s.messages, Limiter: s.limiter,
		Web: client(), PublicOrigins: s.config.origins(), TrustedProxies: proxies,
		Supabase: s.config.Supabase.signIn(), Version: s.version, Reads: api.DefaultReads(), Writes: api.DefaultWrites(),
		Clock: time.Now, NewID: newID, Log: s.log, Registry: s.registry, Tracer: s.tracer,
	}
	if s.config.moods() {
		options.Moods = mood.NewTimeline(s.store, time.Now)
	}
	if s.config.unlimited() {
		options.Reads, options.Writes = account.Rate{}, account.Rate{}
	}
	if s.edge, err = api.New(options); err != nil {
		return err
	}
	s.gateway = gateway.New(s.base, s.bus, s.reads, s.accounts, s.messages, s.history, s.presence, gateway.Config{
		AllowOrigin: func(_ string, r *http.Request) bool { return s.edge.OriginAllowed(r) },
		Heard:       s.heard,
		Unlimited:   s.config.unlimited(),
		LookEvery:   s.config.Cluster.lookEvery(),
		Now:         time.Now,
		Tracer:      s.tracer,
	}, gateway.NewMetrics(s.registry), s.log)
	s.start("gateway", stopPatience, s.gateway.Run, nil)
	return nil
}

// heard passes a signal on to everybody who remembers what signals make untrue.
func (s *Server) heard(signal chat.Signal) {
	s.accounts.Heard(signal)
	s.messages.Heard(signal)
}

func (s *Server) openHTTP(ctx context.Context) error {
	listener, err := listen(ctx, s.config.Addr, "addr", "ADDR")
	if err != nil {
		return err
	}
	s.addr = listener.Addr()
	mux := http.NewServeMux()
	mux.Handle("/ws", s.gateway) // not through the router, whose contexts would live as long as the connection
	mux.Handle("/", s.edge)
	s.serve("http server", listener, mux)
	s.stack.Push("connections", s.config.ShutdownTimeout, func(ctx context.Context) error {
		if err := s.gateway.Drain(ctx, s.config.DrainSpread); err != nil {
			s.log.WarnContext(ctx, "clients were cut off before they had gone by themselves", "connections", s.gateway.Connections(), "error", err)
		}
		return nil
	})
	return nil
}

// start runs a part of the server until its turn to stop: then finish is called if there is one, and if there is none
// the part's context ends; and the part is waited for.
func (s *Server) start(name string, patience time.Duration, fn func(ctx context.Context) error, finish func()) {
	part := run.NewGroup(s.base)
	if finish == nil {
		finish = part.Cancel
	}
	part.Go("run", fn)
	s.watch.Go(name, func(context.Context) error { return part.Wait() })
	s.stack.Push(name, patience, func(ctx context.Context) error {
		finish()
		cutShort := context.AfterFunc(ctx, func() {
			_ = run.Pause(part.Context(), hurryPatience) // or until it has ended
			part.Cancel()
		})
		defer cutShort()
		_ = part.Wait() // whoever watches has its error
		return nil
	})
}

// Failed is done when a part of the server has failed by itself; Stop then tells why.
func (s *Server) Failed() <-chan struct{} { return s.watch.Context().Done() }

// url is where people reach the server, for the log; empty for one that serves nobody.
func (s *Server) url() string {
	if s.addr == nil {
		return ""
	}
	return "http://" + s.addr.String()
}

// Addr is where people reach the server; nil where it is no gateway.
func (s *Server) Addr() net.Addr { return s.addr }

// AdminAddr is where operators do; nil where they do not.
func (s *Server) AdminAddr() net.Addr { return s.admin }

// Stop ends the server in order, and returns when all of it has ended. When ctx ends nothing is waited for any more that
// can be cut short. The error is that of the part that failed by itself, or of those that could not stop in order.
func (s *Server) Stop(ctx context.Context) error { return s.stack.Close(ctx) }

// newID makes a UUIDv7.
func newID() [16]byte { return uuid.Must(uuid.NewV7()) }
