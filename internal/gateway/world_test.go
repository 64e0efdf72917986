package gateway_test

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/blabber-hive/blabber-hive/internal/account"
	"github.com/blabber-hive/blabber-hive/internal/adapter/memory"
	"github.com/blabber-hive/blabber-hive/internal/adapter/sqlite"
	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/gateway"
	"github.com/blabber-hive/blabber-hive/internal/history"
	"github.com/blabber-hive/blabber-hive/internal/message"
	"github.com/blabber-hive/blabber-hive/internal/presence"
	"github.com/blabber-hive/blabber-hive/internal/room"
	"github.com/blabber-hive/blabber-hive/internal/run"
	"github.com/blabber-hive/blabber-hive/internal/sequencer"
)

// origin is the one that the world's gateway allows.
const origin = "https://chat.example"

// world is one node as the server wires it, around a gateway: the real store, log, sequencer, bus and use cases. Only the
// accounts are made up: everyone's token is known.
type world struct {
	store    *store
	log      *memory.Log
	bus      *bus
	accounts *accounts
	messages *messages
	rooms    *room.Service
	history  *history.Service
	gateway  *gateway.Gateway
	logs     *strings.Builder // of the gateway; read it after stop
	server   *httptest.Server // nil where piped
	stop     func()           // ends all of it; called again it does nothing

	far *far // a server elsewhere, in place of all of the above

	handlers sync.WaitGroup          // handshakes of piped clients, and whatever else a test starts
	wrap     func(net.Conn) net.Conn // the server's end of a pipe
}

// option changes a world before it begins.
type option func(*options)

type options struct {
	piped     bool
	unlimited bool
	lookEvery time.Duration
	limiter   message.Limiter
	now       func() time.Time
	heard     func(chat.Signal)
	listener  func(*httptest.Server)
}

// piped makes clients talk through pipes in memory, for tests in a bubble of testing/synctest: there time passes only
// when everyone waits, which a real socket never is seen to do.
func piped(o *options) { o.piped = true }

// unlimited turns the limit on frames off.
func unlimited(o *options) { o.unlimited = true }

func setup(t *testing.T, change ...option) *world {
	t.Helper()
	insideOnly(t)
	o := options{now: time.Now, heard: func(chat.Signal) {}}
	for _, fn := range change {
		fn(&o)
	}
	opened, err := sqlite.Open(t.Context(), sqlite.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	stored, err := opened.Position(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	discard := slog.New(slog.DiscardHandler)
	w := &world{
		store: &store{Store: opened}, log: memory.NewLog(stored), bus: &bus{}, logs: &strings.Builder{},
		wrap:     func(conn net.Conn) net.Conn { return conn },
		accounts: &accounts{now: o.now, byToken: make(map[string]account.Identity)},
	}
	registry := prometheus.NewRegistry()
	newID := func() [16]byte { return uuid.Must(uuid.NewV7()) }
	relay := room.NewRelay(opened, w.log, discard, registry)
	w.rooms = room.New(room.World{
		Store: opened, Directory: opened, People: opened, Signals: w.bus, Settler: relay, Clock: o.now, NewID: newID, Log: discard,
	})
	w.history = history.New(history.World{Store: w.store, Marks: opened, Signals: w.bus, Log: discard})
	w.messages = &messages{Service: message.NewService(w.log, opened, o.limiter, o.now, func() chat.MessageID { return newID() }, message.NewMetrics(registry), nil)}
	here := presence.New(&memory.Presence{}, w.bus, o.now, discard)
	numbers := sequencer.New(w.log, w.bus, opened, sequencer.Options{}, sequencer.NewMetrics(registry), discard)

	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	w.gateway = gateway.New(ctx, w.bus, w.store, w.accounts, w.messages, w.history, here, gateway.Config{
		AllowOrigin: func(given string, _ *http.Request) bool { return given == origin },
		Heard:       func(signal chat.Signal) { w.messages.Heard(signal); o.heard(signal) },
		Unlimited:   o.unlimited, LookEvery: o.lookEvery, Now: o.now,
	}, gateway.NewMetrics(registry), slog.New(slog.NewTextHandler(w.logs, nil)))

	group := run.NewGroup(ctx)
	group.Go("number", numbers.Run)
	group.Go("relay", relay.Run)
	group.Go("tell who left", here.Run)
	group.Go("serve", w.gateway.Run)
	if !o.piped {
		w.server = httptest.NewUnstartedServer(w.gateway)
		if o.listener != nil {
			o.listener(w.server)
		}
		w.server.Start()
	}
	w.stop = sync.OnceFunc(func() {
		cancel()
		if err := group.Wait(); err != nil && ctx.Err() == nil {
			t.Errorf("the world ended with %v", err)
		}
		if w.server != nil {
			w.server.Close()
		}
		w.handlers.Wait()
		if err := opened.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	t.Cleanup(w.stop)
	if o.piped {
		synctest.Wait() // the gateway listens: from here on a signal has been heard when its sender goes on
	}
	return w
}

// person is somebody with an account.
type person struct {
	chat.User
	token string
}

// someone makes an account.
func (w *world) someone(t *testing.T, username string) person {
	t.Helper()
	if w.far != nil {
		return w.far.someone(t, username)
	}
	user := chat.User{Profile: chat.Profile{ID: chat.UserID(uuid.Must(uuid.NewV7())), Username: username, DisplayName: username}}
	user.CreatedAt = time.UnixMilli(1_700_000_000_000).UTC()
	if err := w.store.CreateUser(t.Context(), user, "no password"); err != nil {
		t.Fatal(err)
	}
	return person{user, w.accounts.issue(user)}
}

// room makes a room of its members; the first owns it.
func (w *world) room(t *testing.T, visibility chat.Visibility, members ...person) chat.RoomID {
	t.Helper()
	if w.far != nil {
		id := w.far.room(t, members...)
		if visibility != chat.Public {
			w.far.show(t, id, visibility)
		}
		return id
	}
	name := "room " + members[0].Username
	view, err := w.rooms.Create(t.Context(), members[0].Profile, room.NewRoom{Name: name, Visibility: chat.Public})
	if err != nil {
		t.Fatal(err)
	}
	for _, member := range members[1:] {
		w.join(t, member, view.Room.ID)
	}
	if visibility != chat.Public {
		if _, err := w.rooms.Change(t.Context(), members[0].Profile, view.Room.ID, room.Change{Visibility: &visibility}); err != nil {
			t.Fatal(err)
		}
	}
	return view.Room.ID
}

func (w *world) join(t *testing.T, who person, id chat.RoomID) {
	t.Helper()
	if _, err := w.rooms.Join(t.Context(), who.Profile, id); err != nil {
		t.Fatal(err)
	}
}

// say sends a message without any connection and waits until it is settled.
func (w *world) say(t *testing.T, who person, id chat.RoomID, body string) chat.Seq {
	t.Helper()
	if w.far != nil {
		return w.far.say(t, who, id, body)
	}
	settled := make(chan chat.Outcome, 1)
	request := message.Request{Room: id, ID: messageID(), Body: body}
	err := w.messages.Service.Send(t.Context(), who.Profile, request, func(receipt chat.Receipt, err error) {
		settled <- chat.Outcome{Receipt: receipt, Err: err}
	})
	if err != nil {
		t.Fatal(err)
	}
	outcome := <-settled
	if outcome.Err != nil {
		t.Fatal(outcome.Err)
	}
	return outcome.Receipt.Seq
}

// head is the room's highest number.
func (w *world) head(t *testing.T, id chat.RoomID) chat.Seq {
	t.Helper()
	if w.far != nil {
		return w.far.head(t, id)
	}
	page, err := w.store.Store.Changes(t.Context(), id, 1<<40, 1)
	if err != nil {
		t.Fatal(err)
	}
	return page.Head
}

func messageID() chat.MessageID { return chat.MessageID(uuid.Must(uuid.NewV7())) }

// store is the real one, and can be away or be watched.
type store struct {
	*sqlite.Store
	away     atomic.Bool
	changes  atomic.Pointer[func(room chat.RoomID, after chat.Seq)] // told of each reading of changes, before it
	read     atomic.Pointer[func(room chat.RoomID, page chat.Page)] // told of each reading of changes, after it
	listed   atomic.Pointer[func(user chat.UserID)]                 // told when somebody's rooms have been read
	roomOf   atomic.Pointer[func(room chat.RoomID)]                 // told of each reading of a room, before it
	asMember atomic.Pointer[func(found *chat.MemberRoom)]           // may change what RoomOf answers
	pages    atomic.Int64                                           // pages read with events
	looks    atomic.Int64                                           // questions for heads
	aligned  atomic.Pointer[func()]                                 // told when the rooms of many have been read
}

func (s *store) Changes(ctx context.Context, id chat.RoomID, after chat.Seq, limit int) (chat.Page, error) {
	if hook := s.changes.Load(); hook != nil {
		(*hook)(id, after)
	}
	if s.away.Load() {
		return chat.Page{}, chat.Away("the store", nil)
	}
	page, err := s.Store.Changes(ctx, id, after, limit)
	if len(page.Events) > 0 {
		s.pages.Add(1)
	}
	if hook := s.read.Load(); hook != nil {
		(*hook)(id, page)
	}
	return page, err
}

func (s *store) RoomsOf(ctx context.Context, user chat.UserID) ([]chat.MemberRoom, error) {
	if s.away.Load() {
		return nil, chat.Away("the store", nil)
	}
	rooms, err := s.Store.RoomsOf(ctx, user)
	if hook := s.listed.Load(); hook != nil {
		(*hook)(user)
	}
	return rooms, err
}

func (s *store) RoomOf(ctx context.Context, id chat.RoomID, user chat.UserID) (chat.MemberRoom, error) {
	if hook := s.roomOf.Load(); hook != nil {
		(*hook)(id)
	}
	if s.away.Load() {
		return chat.MemberRoom{}, chat.Away("the store", nil)
	}
	found, err := s.Store.RoomOf(ctx, id, user)
	if hook := s.asMember.Load(); hook != nil {
		(*hook)(&found)
	}
	return found, err
}

func (s *store) Heads(ctx context.Context, rooms []chat.RoomID) (map[chat.RoomID]chat.Seq, error) {
	s.looks.Add(1)
	if s.away.Load() {
		return nil, chat.Away("the store", nil)
	}
	return s.Store.Heads(ctx, rooms)
}

func (s *store) RoomIDsOf(ctx context.Context, users []chat.UserID) (map[chat.UserID][]chat.RoomID, error) {
	if s.away.Load() {
		return nil, chat.Away("the store", nil)
	}
	rooms, err := s.Store.RoomIDsOf(ctx, users)
	if hook := s.aligned.Load(); hook != nil {
		(*hook)()
	}
	return rooms, err
}

// bus is the real one, and can lose events and signals, or be away altogether.
type bus struct {
	memory.Bus
	link    func(up bool) // of the listener
	lose    atomic.Pointer[func(chat.Envelope) bool]
	deaf    atomic.Bool                            // loses signals
	entered atomic.Pointer[func(room chat.RoomID)] // told of each subscription, after it
}

func (b *bus) Publish(ctx context.Context, envelopes []chat.Envelope) error {
	lose := b.lose.Load()
	if lose == nil {
		return b.Bus.Publish(ctx, envelopes)
	}
	var left []chat.Envelope
	for _, envelope := range envelopes {
		if !(*lose)(envelope) {
			left = append(left, envelope)
		}
	}
	return b.Bus.Publish(ctx, left)
}

func (b *bus) Listen(ctx context.Context, events func([]chat.Envelope), signals func(chat.Signal), link func(up bool)) error {
	b.link = link
	return b.Bus.Listen(ctx, events, signals, link)
}

// leave takes the bus away: nothing is heard on it any more. back brings it back.
func (b *bus) leave() {
	all := func(chat.Envelope) bool { return true }
	b.lose.Store(&all)
	b.deaf.Store(true)
	b.link(false)
}

func (b *bus) back() {
	b.lose.Store(nil)
	b.deaf.Store(false)
	b.link(true)
}

func (b *bus) Signal(ctx context.Context, signal chat.Signal) error {
	if b.deaf.Load() {
		return nil
	}
	return b.Bus.Signal(ctx, signal)
}

func (b *bus) Subscribe(ctx context.Context, id chat.RoomID) error {
	err := b.Bus.Subscribe(ctx, id)
	if hook := b.entered.Load(); hook != nil {
		(*hook)(id)
	}
	return err
}

// accounts is everyone whose token is good.
type accounts struct {
	now func() time.Time

	mu      sync.Mutex
	byToken map[string]account.Identity
	real    *account.Service // asked for tokens that were not made up, where set
	away    error
	asked   func(token string) // told of each question, after its answer was found
}

// issue signs a person in on one more device for an hour.
func (a *accounts) issue(user chat.User) (token string) { return a.issueFor(user, time.Hour) }

func (a *accounts) issueFor(user chat.User, life time.Duration) (token string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	token = uuid.NewString()
	a.byToken[token] = account.Identity{User: user, Session: chat.SessionID(uuid.New()), ExpiresAt: a.now().Add(life)}
	return token
}

// again gives the session of a token another token.
func (a *accounts) again(token string, life time.Duration) (next string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	next = uuid.NewString()
	identity := a.byToken[token]
	identity.ExpiresAt = a.now().Add(life)
	a.byToken[next] = identity
	return next
}

func (a *accounts) revoke(token string) chat.SessionID {
	a.mu.Lock()
	defer a.mu.Unlock()
	session := a.byToken[token].Session
	for other, identity := range a.byToken {
		if identity.Session == session {
			delete(a.byToken, other)
		}
	}
	return session
}

func (a *accounts) Authenticate(ctx context.Context, token string) (account.Identity, error) {
	identity, err := a.find(token)
	if err != nil && a.real != nil {
		identity, err = a.real.Authenticate(ctx, token)
	}
	a.mu.Lock()
	asked := a.asked
	a.mu.Unlock()
	if asked != nil {
		asked(token)
	}
	return identity, err
}

func (a *accounts) Ended(ctx context.Context, logins []chat.Login) ([]chat.Login, error) {
	if a.real != nil {
		return a.real.Ended(ctx, logins)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.away != nil {
		return nil, a.away
	}
	living := make(map[chat.SessionID]bool)
	for _, identity := range a.byToken {
		living[identity.Session] = true
	}
	return slices.DeleteFunc(slices.Clone(logins), func(login chat.Login) bool { return living[login.Session] }), nil
}

func (a *accounts) find(token string) (account.Identity, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	identity, ok := a.byToken[token]
	switch {
	case a.away != nil:
		return account.Identity{}, a.away
	case !ok || !a.now().Before(identity.ExpiresAt):
		return account.Identity{}, chat.Refuse(chat.Unauthenticated, "no")
	}
	return identity, nil
}

// messages is the real service, and can panic.
type messages struct{ *message.Service }

const panicBody = "make the gateway panic"

func (m *messages) Send(ctx context.Context, sender chat.Profile, request message.Request, settled func(chat.Receipt, error)) error {
	if request.Body == panicBody {
		panic(panicBody)
	}
	return m.Service.Send(ctx, sender, request, settled)
}
