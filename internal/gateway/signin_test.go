package gateway_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"

	"github.com/blabber-hive/blabber-hive/internal/account"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// bubble runs a test where time passes only when everyone waits, in a world of pipes.
func bubble(t *testing.T, test func(t *testing.T, w *world), change ...option) {
	t.Helper()
	insideOnly(t)
	synctest.Test(t, func(t *testing.T) {
		w := setup(t, append([]option{piped}, change...)...)
		defer w.stop()
		test(t, w)
	})
}

// Promise (PROTOCOL §3): ready names the person, every room with its head, the heartbeat and the connection.
func TestReady(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ann := w.someone(t, "ann")
	room := w.room(t, chat.Private, ann)
	head := w.say(t, ann, room, "hello")

	_, ready := w.connect(t, ann)

	if ready.User.ID != ann.ID.String() || ready.Heartbeat != 25 || ready.Connection == "" {
		t.Errorf("ready is %s", ready)
	}
	if want := (roomFrame{room.String(), uint64(head)}); len(ready.Rooms) != 1 || ready.Rooms[0] != want {
		t.Errorf("ready has rooms %v, want %v", ready.Rooms, want)
	}
}

// Promise (PROTOCOL §3): a first frame that does not sign in ends the connection with the code that says why.
func TestFirstFrame(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		frame []byte
		want  ws.StatusCode
	}{
		"a bad token":                    {textOf(`{"type":"auth","token":"made up"}`), 4401},
		"an empty token":                 {textOf(`{"type":"auth","token":""}`), 4401},
		"no token":                       {textOf(`{"type":"auth"}`), 4401},
		"another frame first":            {textOf(`{"type":"ping"}`), 4401},
		"a send first":                   {textOf(`{"type":"send","body":"x"}`), 4401},
		"no JSON":                        {textOf(`hello`), 4400},
		"no object":                      {textOf(`[]`), 4400},
		"null":                           {textOf(`null`), 4400},
		"nothing":                        {textOf(``), 4400},
		"two objects":                    {textOf(`{"type":"auth"}{"type":"auth"}`), 4400},
		"not UTF-8":                      {textOf("{\"type\":\"auth\",\"token\":\"\xff\"}"), 4400},
		"a position that is no number":   {textOf(`{"type":"auth","positions":{"018f0000-0000-7000-8000-000000000000":"x"}}`), 4400},
		"a negative position":            {textOf(`{"type":"auth","positions":{"018f0000-0000-7000-8000-000000000000":-1}}`), 4400},
		"a position of no room":          {textOf(`{"type":"auth","positions":{"x":1}}`), 4400},
		"binary":                         {masked(ws.NewBinaryFrame([]byte(`{"type":"auth"}`))), 4400},
		"a frame of 64 KiB and a byte":   {masked(ws.NewTextFrame(make([]byte, chat.FrameBytesMax+1))), 4413},
		"a goodbye":                      {masked(ws.NewCloseFrame(ws.NewCloseFrameBody(1001, "leaving"))), 1000},
		"a frame that breaks RFC 6455":   {ws.MustCompileFrame(ws.NewTextFrame([]byte(`{"type":"auth"}`))), 1002},
		"a goodbye that breaks RFC 6455": {masked(ws.NewCloseFrame([]byte{1})), 1002},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			anywhere(t, func(t *testing.T, w *world) {
				c := w.dial(t)
				w.handlers.Go(func() { c.raw(tc.frame) }) // a pipe takes no byte that is not read
				wantClosed(t, c.closed(), tc.want)
			})
		})
	}
}

func textOf(payload string) []byte { return masked(ws.NewTextFrame([]byte(payload))) }

// Promise (PROTOCOL §3): who says nothing for 5 s is closed with 4408, and not earlier.
func TestAuthInTime(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, w *world) {
		began := time.Now()
		c := w.dial(t)
		wantClosed(t, c.closed(), 4408)
		if took := time.Since(began); took <= 5*time.Second || took > 6*time.Second {
			t.Errorf("closed after %v", took)
		}
	})
}

// Promise: while accounts or rooms cannot be read a sign-in is refused with unavailable, and the client told to come back.
func TestSignInWhileAway(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(w *world){
		"accounts": func(w *world) { w.accounts.away = chat.Away("the account store", errors.New("gone")) },
		"rooms":    func(w *world) { w.store.away.Store(true) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, w *world) {
				ann := w.someone(t, "ann")
				fail(w)
				c := w.dial(t)
				c.auth(ann.token)
				if refusal := c.expect("error"); refusal.Code != "unavailable" || refusal.RetryAfterMS == 0 {
					t.Errorf("refused with %s", refusal)
				}
				wantClosed(t, c.closed(), 1013)
			})
		})
	}
}

// Promise: accounts that go away between the two looks at a token do not tell a client that its token is bad.
func TestAccountsAwayAtTheSecondLook(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, w *world) {
		ann := w.someone(t, "ann")
		w.accounts.asked = func(string) {
			w.accounts.mu.Lock()
			defer w.accounts.mu.Unlock()
			w.accounts.away = chat.Away("the account store", errors.New("gone"))
		}
		c := w.dial(t)
		c.auth(ann.token)
		wantClosed(t, c.closed("error"), 1013)
	})
}

// Promise (PROTOCOL §3): the 51st connection of one person is closed with 4409, and there is room again when one goes.
func TestTooManyConnections(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, w *world) {
		ann := w.someone(t, "ann")
		first := w.sit(t, ann)
		for range 49 {
			w.sit(t, ann)
		}
		c := w.dial(t)
		c.auth(ann.token)
		wantClosed(t, c.closed(), 4409)

		first.raw(masked(ws.NewCloseFrame(ws.NewCloseFrameBody(1000, ""))))
		wantClosed(t, first.closed(), 1000)
		synctest.Wait() // the goodbye is said before the place is given up
		w.sit(t, ann)
	})
}

// Promise (PROTOCOL §3): a connection does not outlive its token by more than 60 s; a new auth frame moves that end.
func TestTokenExpiry(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, w *world) {
		ann := w.someone(t, "ann")
		room := w.room(t, chat.Public, ann)
		short := w.accounts.again(ann.token, 10*time.Minute)
		c := w.dial(t)
		c.auth(short)
		c.expect("ready")
		began := time.Now()
		keepAlive(c, 9*time.Minute)
		c.auth(w.accounts.again(short, 10*time.Minute)) // to 19 minutes
		keepAlive(c, 9*time.Minute)                     // until 18
		w.say(t, ann, room, "still here")
		c.expect("event")

		keepAlive(c, 90*time.Second) // until half a minute into the grace
		wantClosed(t, c.closed(), 4401)
		if lived := time.Since(began); lived > 20*time.Minute || lived < 19*time.Minute+30*time.Second {
			t.Errorf("lived %v with a token of 19 minutes", lived)
		}
		w.say(t, ann, room, "to nobody")
	})
}

// keepAlive pings as a client does until that time has passed.
func keepAlive(c *client, span time.Duration) {
	c.t.Helper()
	for until := time.Now().Add(span); time.Now().Before(until); {
		<-time.After(min(25*time.Second, time.Until(until)))
		c.quiet()
	}
}

// Promise: an auth frame that is not good ends the connection, also of somebody who is signed in.
func TestAuthAgain(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, w *world) {
		ann, bob := w.someone(t, "ann"), w.someone(t, "bob")
		for name, token := range map[string]string{"a bad token": "made up", "another's token": bob.token} {
			c := w.sit(t, ann)
			c.auth(token)
			if code := c.closed(); code != 4401 {
				t.Errorf("%s closes with %d", name, code)
			}
		}
		c := w.sit(t, ann)
		c.auth(w.accounts.issue(ann.User)) // another session of the same person
		c.quiet()
	})
}

// Promise (FIGURES §4, test 2): a session's end closes its connections at once with 4401, no other connection, and no
// event arrives after.
func TestSessionEnds(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, w *world) {
		ann, bob := w.someone(t, "ann"), w.someone(t, "bob")
		room := w.room(t, chat.Public, bob, ann)
		other := person{ann.User, w.accounts.issue(ann.User)}
		third := person{ann.User, w.accounts.issue(ann.User)}
		one, two, three, bobs := w.sit(t, ann), w.sit(t, other), w.sit(t, third), w.sit(t, bob)

		w.signal(t, chat.Signal{Kind: chat.SignalSessionEnded, User: ann.ID, Session: w.accounts.revoke(ann.token)})
		w.say(t, bob, room, "not for the first")
		wantClosed(t, one.closed(), 4401)
		for _, c := range []*client{two, three, bobs} {
			c.events(1)
		}

		keep, _ := w.accounts.find(third.token)
		w.signal(t, chat.Signal{Kind: chat.SignalSessionEnded, User: ann.ID, Except: keep.Session})
		w.say(t, bob, room, "not for the second")
		wantClosed(t, two.closed(), 4401)
		three.events(1)
		bobs.events(1)

		w.signal(t, chat.Signal{Kind: chat.SignalSessionEnded, User: ann.ID})
		w.say(t, bob, room, "for bob alone")
		wantClosed(t, three.closed(), 4401)
		bobs.events(1)
		bobs.quiet()
	})
}

func (w *world) signal(t *testing.T, signal chat.Signal) {
	t.Helper()
	if err := w.bus.Signal(t.Context(), signal); err != nil {
		t.Fatal(err)
	}
}

// Promise: a session that ends while its token is being looked at, and whose signal so finds no connection, ends the
// connection all the same: at the first auth frame, and at one that replaces a token.
func TestSessionEndsDuringAuth(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]int64{"the first auth frame": 0, "an auth frame that replaces a token": 2} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, w *world) {
				ann := w.someone(t, "ann")
				doomed := w.accounts.issue(ann.User)
				var asked atomic.Int64
				w.accounts.asked = func(token string) {
					// The answer was found good; now the session ends, before the gateway acts on that answer.
					if asked.Add(1) == before+1 {
						session := w.accounts.revoke(token)
						w.signal(t, chat.Signal{Kind: chat.SignalSessionEnded, User: ann.ID, Session: session})
					}
				}
				c := w.dial(t)
				if before > 0 {
					c.auth(ann.token)
					c.expect("ready")
				}
				c.auth(doomed)
				wantClosed(t, c.closed(), 4401)
			})
		})
	}
}

// Promise: a name that changes while its owner signs in is the name that others see.
func TestRenameDuringSignIn(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, w *world) {
		ann := w.someone(t, "ann")
		room := w.room(t, chat.Public, ann)
		var asked atomic.Int64
		w.accounts.asked = func(token string) {
			if asked.Add(1) != 1 {
				return
			}
			renamed := ann.User
			renamed.DisplayName = "Ann the Second"
			w.accounts.mu.Lock()
			identity := w.accounts.byToken[token]
			w.accounts.byToken[token] = account.Identity{User: renamed, Session: identity.Session, ExpiresAt: identity.ExpiresAt}
			w.accounts.mu.Unlock()
			w.signal(t, chat.Signal{Kind: chat.SignalProfileChanged, User: ann.ID, Profile: &renamed.Profile})
		}
		c := w.sit(t, ann)
		c.send(room, "who am I?")
		if got := c.both().Event.Message.Sender.DisplayName; got != "Ann the Second" {
			t.Errorf("sent as %q", got)
		}
	})
}

// Promise: a name that changes is the name of what is sent from then on, over every connection.
func TestRename(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, w *world) {
		ann := w.someone(t, "ann")
		room := w.room(t, chat.Public, ann)
		one, two := w.sit(t, ann), w.sit(t, ann)
		renamed := ann.Profile
		renamed.DisplayName = "앤"
		w.signal(t, chat.Signal{Kind: chat.SignalProfileChanged, User: ann.ID, Profile: &renamed})
		for _, pair := range [][2]*client{{one, two}, {two, one}} {
			pair[0].send(room, "hello")
			if got := pair[0].both().Event.Message.Sender.DisplayName; got != "앤" {
				t.Errorf("sent as %q", got)
			}
			pair[1].expect("event")
		}
	})
}

// Promise (PROTOCOL §3): a client silent for two heartbeats is gone; one that pings stays.
func TestHeartbeat(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, w *world) {
		pinging := w.sit(t, w.someone(t, "bob"))
		keepAlive(pinging, 5*time.Minute)

		silent := w.sit(t, w.someone(t, "ann"))
		<-time.After(49 * time.Second)
		silent.quiet() // the only word in 49 s
		began := time.Now()
		wantClosed(t, silent.closed(), ws.StatusGoingAway)
		if took := time.Since(began); took <= 50*time.Second || took > 53*time.Second {
			t.Errorf("closed after %v of silence", took)
		}
	})
}
