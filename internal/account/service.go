package account

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Limits that are not configured.
const (
	// LiveFor is how long this node believes a session to be alive without asking the store again, and so how late it
	// notices an end that it was not told of.
	LiveFor = 5 * time.Second

	liveSessionsMax   = 1 << 16 // sessions remembered; beyond it the half that was asked for longest ago is forgotten
	verifiedMax       = 1 << 16 // tokens whose signature need not be checked again; likewise
	sessionsPerUser   = 100     // signed-in devices of one person; beyond it the longest unused ends
	userAgentBytesMax = 256     // what is kept of a device's name; the rest is cut
	signalPatience    = 2 * time.Second
)

// Config is what an operator decides.
type Config struct {
	Issuer     string // the iss and aud of access tokens
	SignupOpen bool   // whether strangers may make accounts

	AccessLife  time.Duration     // of an access token
	SessionLife time.Duration     // of a session that is not refreshed
	Grace       chat.RefreshGrace // for spent refresh tokens

	Hash         HashCost
	HashesAtOnce int // password hashes computed at the same time
	HashesQueued int // sign-ins that wait for their turn; more are sent away

	SignupByAddress, LoginByAddress, LoginByName, RefreshByAddress Rate
}

// Rate bounds how often something may happen: Burst at once and PerSecond after that. A zero Burst is no bound.
type Rate struct {
	PerSecond float64
	Burst     int
}

// DefaultConfig is what an operator who decides nothing gets.
func DefaultConfig() Config {
	return Config{
		Issuer:      "blabber-hive",
		SignupOpen:  true,
		AccessLife:  15 * time.Minute,
		SessionLife: 30 * 24 * time.Hour,
		Grace:       chat.RefreshGrace{Race: time.Second, Lost: 2 * time.Minute},

		Hash:         HashCost{MemoryKiB: 46 << 10, Passes: 1, Lanes: 1}, // OWASP's first choice: 46 MiB and about 50 ms
		HashesAtOnce: 2,
		HashesQueued: 64,

		SignupByAddress:  Rate{PerSecond: 0.5, Burst: 50},
		LoginByAddress:   Rate{PerSecond: 1, Burst: 60},
		LoginByName:      Rate{PerSecond: 0.1, Burst: 20},
		RefreshByAddress: Rate{PerSecond: 5, Burst: 200},
	}
}

func (c Config) check() error {
	switch {
	case c.Issuer == "":
		return fmt.Errorf("account: access tokens need an issuer")
	case c.AccessLife < time.Second || c.SessionLife <= c.AccessLife:
		return fmt.Errorf("account: an access token lives %v and a session %v; a session must live longer", c.AccessLife, c.SessionLife)
	case c.HashesAtOnce < 1 || c.HashesQueued < 0:
		return fmt.Errorf("account: %d password hashes at once and %d waiting are too few", c.HashesAtOnce, c.HashesQueued)
	}
	return c.Hash.check()
}

// World is what the service needs of the process.
type World struct {
	Users    Users
	Sessions Sessions
	Living   Living
	Keys     Keys
	Signals  Signals
	Limiter  Limiter
	Provider Provider // another service that signs people in; nil: this one does
	Clock    func() time.Time
	Rand     io.Reader       // cryptographic
	NewID    func() [16]byte // UUIDv7
	Log      *slog.Logger
}

// Service is the use cases of accounts. Its methods may be called concurrently.
type Service struct {
	World
	config   Config
	hasher   *hasher
	live     *liveSessions
	parser   *jwt.Parser
	verified *halves[[32]byte, verifiedToken] // by the token's SHA-256

	mu  sync.Mutex
	key []byte // of access tokens; nil until the store has been asked
}

// New makes the service. It does no I/O: the signing key is read when first needed, so that a process may start while
// its store is down.
func New(config Config, world World) (*Service, error) {
	if err := config.check(); err != nil {
		return nil, err
	}
	hasher, err := newHasher(config.Hash, config.HashesAtOnce, config.HashesQueued, world.Rand)
	if err != nil {
		return nil, err
	}
	return &Service{
		World:    world,
		config:   config,
		hasher:   hasher,
		live:     newLiveSessions(liveSessionsMax, LiveFor),
		parser:   newParser(config.Issuer, world.Clock),
		verified: newHalves[[32]byte, verifiedToken](verifiedMax),
	}, nil
}

// SignupOpen reports whether strangers may make accounts.
func (s *Service) SignupOpen() bool { return s.config.SignupOpen }

func (s *Service) allow(ctx context.Context, what, who string, rate Rate) error {
	if rate.Burst == 0 {
		return nil
	}
	wait, ok := s.Limiter.Allow(ctx, what+":"+who, rate.PerSecond, rate.Burst)
	if ok {
		return nil
	}
	seconds := math.Ceil(wait.Seconds())
	return &chat.Error{
		Code: chat.RateLimited, RetryAfter: wait,
		Detail: fmt.Sprintf("too many attempts; try again in %.0f seconds", max(seconds, 1)),
	}
}

// tell passes a signal on after what it tells of is committed: forgotten here at once, and on other nodes when they hear
// it. The caller's context may already be done, for the client may have gone, and must not keep the news from anyone.
func (s *Service) tell(ctx context.Context, signal chat.Signal) {
	s.Heard(signal)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), signalPatience)
	defer cancel()
	if err := s.Signals.Signal(ctx, signal); err != nil {
		s.Log.WarnContext(ctx, "a signal was lost; other nodes will notice by themselves",
			"kind", signal.Kind, "user_id", signal.User, "error", err)
	}
}

// Heard takes note of a signal from anywhere, so that what it ended is not believed to live on. Signals that are not
// about sessions and profiles are ignored.
func (s *Service) Heard(signal chat.Signal) {
	switch signal.Kind {
	case chat.SignalSessionEnded:
		if signal.Session.IsZero() {
			s.live.forgetUser(signal.User, signal.Except)
			return
		}
		s.live.forget(signal.Session)
	case chat.SignalProfileChanged:
		s.live.forgetUser(signal.User, chat.SessionID{})
	}
}
