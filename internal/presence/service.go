package presence

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/run"
)

// Grace is how long a person without a connection is still here.
const Grace = 5 * time.Second

// Service counts connections and tells who came and went. Its methods may be called concurrently.
type Service struct {
	store   Store
	signals Signals
	clock   func() time.Time
	log     *slog.Logger
	woken   chan struct{}

	mu sync.Mutex
	// Who lost the last connection and when, oldest first, and the same as a set. A person who comes back leaves the set;
	// their place in the line is then skipped. Both are bounded by the connections that can close within Grace.
	line    []departure
	leaving map[chat.UserID]time.Time
}

type departure struct {
	user chat.UserID
	at   time.Time
}

// New makes the service; Run must run for anybody to go.
func New(store Store, signals Signals, clock func() time.Time, log *slog.Logger) *Service {
	return &Service{
		store: store, signals: signals, clock: clock, log: log,
		woken: make(chan struct{}, 1), leaving: map[chat.UserID]time.Time{},
	}
}

// Connected counts a new connection of a person, and tells of it if that person was not here.
func (s *Service) Connected(ctx context.Context, user chat.UserID) error {
	first, err := s.store.Connected(ctx, user)
	if err != nil {
		return fmt.Errorf("count a connection of user %s: %w", user, err)
	}
	s.mu.Lock()
	_, back := s.leaving[user]
	delete(s.leaving, user)
	s.mu.Unlock()
	if !first || back {
		return nil
	}
	return s.tell(ctx, user, true)
}

// Disconnected counts a connection less. If it was the last, others are told after Grace, unless the person is back.
func (s *Service) Disconnected(ctx context.Context, user chat.UserID) error {
	last, err := s.store.Disconnected(ctx, user)
	if err != nil {
		return fmt.Errorf("count a closed connection of user %s: %w", user, err)
	}
	if !last {
		return nil
	}
	now := s.clock()
	s.mu.Lock()
	s.line = append(s.line, departure{user, now})
	s.leaving[user] = now
	s.mu.Unlock()
	select {
	case s.woken <- struct{}{}:
	default: // Run is awake
	}
	return nil
}

// Online reports for each person whether they are here, in the order asked.
func (s *Service) Online(ctx context.Context, users []chat.UserID) ([]bool, error) {
	if len(users) == 0 {
		return nil, nil
	}
	online, err := s.store.Online(ctx, users)
	if err != nil {
		return nil, fmt.Errorf("ask which of %d people are online: %w", len(users), err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, user := range users {
		if _, within := s.leaving[user]; within {
			online[i] = true // as long as nobody was told otherwise
		}
	}
	return online, nil
}

// Run tells of people who have gone, and of those who came or went with a whole node, until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	group := run.NewGroup(ctx)
	group.Go("tell who has gone", s.tellDepartures)
	group.Go("watch the nodes", func(ctx context.Context) error {
		return s.store.Watch(ctx, func(users []chat.UserID) { s.changed(ctx, users) })
	})
	return group.Wait()
}

// changed tells of people who came or went otherwise than by a connection of this node. They are asked for once more after
// the telling, as in depart.
func (s *Service) changed(ctx context.Context, users []chat.UserID) {
	told, err := s.store.Online(ctx, users)
	for i := 0; err == nil && i < len(users); i++ {
		err = s.tell(ctx, users[i], told[i])
	}
	if err == nil {
		var now []bool
		now, err = s.store.Online(ctx, users)
		for i := 0; err == nil && i < len(users); i++ {
			if now[i] != told[i] {
				err = s.tell(ctx, users[i], now[i])
			}
		}
	}
	if err != nil && ctx.Err() == nil {
		s.log.WarnContext(ctx, "not everybody was told who came and went with a node", "people", len(users), "error", err)
	}
}

func (s *Service) tellDepartures(ctx context.Context) error {
	for {
		wait, somebody := s.untilNext()
		if !somebody {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-s.woken:
			}
			continue
		}
		if err := run.Pause(ctx, wait); err != nil {
			return err
		}
		for _, user := range s.due() {
			s.depart(ctx, user)
		}
	}
}

func (s *Service) untilNext() (time.Duration, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.line) == 0 {
		s.line = nil // let go of the array that a storm left behind
		return 0, false
	}
	return max(s.line[0].at.Add(Grace).Sub(s.clock()), 0), true
}

// due takes those out of the line whose grace is over and who have not come back since.
func (s *Service) due() []chat.UserID {
	now := s.clock()
	s.mu.Lock()
	defer s.mu.Unlock()
	var users []chat.UserID
	for len(s.line) > 0 && !now.Before(s.line[0].at.Add(Grace)) {
		first := s.line[0]
		s.line = s.line[1:]
		// Somebody who came back and left again stands in the line twice; the set has the later time.
		if at, still := s.leaving[first.user]; still && at.Equal(first.at) {
			delete(s.leaving, first.user)
			users = append(users, first.user)
		}
	}
	return users
}

// depart asks once more before it tells: the person may have come back on another node.
func (s *Service) depart(ctx context.Context, user chat.UserID) {
	online, err := s.isOnline(ctx, user)
	if err == nil && !online {
		err = s.tell(ctx, user, false)
		// Somebody who connects between the question and the telling is told of first and then wrongly said to have gone.
		if err == nil {
			online, err = s.isOnline(ctx, user)
		}
		if err == nil && online {
			err = s.tell(ctx, user, true)
		}
	}
	if err != nil && ctx.Err() == nil {
		s.log.WarnContext(ctx, "nobody was told that a person has gone", "user_id", user, "error", err)
	}
}

func (s *Service) isOnline(ctx context.Context, user chat.UserID) (bool, error) {
	online, err := s.store.Online(ctx, []chat.UserID{user})
	if err != nil {
		return false, fmt.Errorf("ask whether user %s is online: %w", user, err)
	}
	return online[0], nil
}

func (s *Service) tell(ctx context.Context, user chat.UserID, online bool) error {
	if err := s.signals.Signal(ctx, chat.Signal{Kind: chat.SignalPresence, User: user, Online: online}); err != nil {
		return fmt.Errorf("tell that user %s is online (%t): %w", user, online, err)
	}
	return nil
}
