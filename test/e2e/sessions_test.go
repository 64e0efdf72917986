package e2e_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/run"
	"github.com/blabber-hive/blabber-hive/test/e2e/client"
)

const (
	// endsWithin is how long the contract gives the end of a session to reach every node.
	endsWithin = 5 * time.Second
	// refreshRace is a little more than the time in which a refresh token that is used twice is a race of two tabs.
	refreshRace = 2 * time.Second
)

// sessionScene is somebody with two devices, each connected to every node, in a room where a crowd talks.
type sessionScene struct {
	c        *cluster
	node     *installation // where it is done
	one, two *client.Person
}

// Promise (PROTOCOL §3, FIGURES §4 tests 2 and 3): what ends a session on one node closes its connections on every node with
// 4401 within 5 s and makes every node refuse its token, under load; the session that stays goes on.
//
//nolint:paralleltest // it needs the machine for itself
func TestSessionsEndEverywhere(t *testing.T) {
	c := borrow(t)
	crowd := gather(t, c.door(), 12, 6, 3)
	crowd.talk()
	room := crowd.rooms[0]
	for n, row := range []struct {
		what  string
		end   func(ctx context.Context, s sessionScene) error // of the first device's session
		stays bool                                            // the second device's
	}{
		{"signing out", func(ctx context.Context, s sessionScene) error {
			_, err := s.one.Call(ctx, http.MethodPost, "/auth/logout", nil, nil)
			return err
		}, true},
		{"signing out everywhere else", func(ctx context.Context, s sessionScene) error {
			_, err := s.two.Call(ctx, http.MethodDelete, "/me/sessions", nil, nil)
			return err
		}, true},
		{"a new password", func(ctx context.Context, s sessionScene) error {
			words := map[string]string{"current_password": s.two.Password, "new_password": s.two.Password + "-new"}
			_, err := s.two.Call(ctx, http.MethodPost, "/auth/password", words, nil)
			return err
		}, true},
		{"a disabled account", func(_ context.Context, s sessionScene) error {
			if out, code := s.node.command("", "user", "disable", s.one.Username); code != 0 {
				return errors.New(out)
			}
			return nil
		}, false},
		{"a password reset by the operator", func(_ context.Context, s sessionScene) error {
			if out, code := s.node.command(secretMark+"-reset\n", "user", "reset-password", s.one.Username, "--password-stdin"); code != 0 {
				return errors.New(out)
			}
			return nil
		}, false},
		{"a refresh token that is used twice", func(ctx context.Context, s sessionScene) error {
			next, err := s.one.At(s.c.nodes[0].url()).Refresh(ctx)
			if err != nil {
				return err
			}
			if _, err := next.At(s.c.nodes[2].url()).Refresh(ctx); err != nil { // so the answer was not lost
				return err
			}
			if err := run.Pause(ctx, refreshRace); err != nil {
				return err
			}
			if _, err := s.one.At(s.c.nodes[1].url()).Refresh(ctx); client.CodeOf(err) != "unauthenticated" {
				return errors.New("a spent refresh token was not refused")
			}
			return nil
		}, true},
	} {
		t.Run(row.what, func(t *testing.T) {
			ctx := t.Context()
			s := sessionScene{c: c, node: c.nodes[n%len(c.nodes)]}
			s.one = c.newcomer(t, room)
			two, err := client.LogIn(ctx, "http://"+c.front, s.one.Username, s.one.Password)
			must(t, err)
			t.Cleanup(two.Close)
			s.one, s.two = s.one.At(s.node.url()), two.At(s.node.url())
			ended, others := c.listen(t, s.one), c.listen(t, s.two)
			for _, e := range append(ended, others...) {
				e.hears(room)
			}
			for _, node := range c.nodes { // so that each remembers the session
				_, err := s.one.At(node.url()).Call(ctx, http.MethodGet, "/me", nil, nil)
				must(t, err)
			}

			must(t, row.end(ctx, s))
			began := time.Now()

			if !row.stays {
				ended = append(ended, others...)
			}
			for _, e := range ended {
				e.closed(began)
			}
			for n, node := range c.nodes {
				refused(t, began, n, "unauthenticated", func() error {
					_, err := s.one.At(node.url()).Call(ctx, http.MethodGet, "/me", nil, nil)
					return err
				})
			}
			if !row.stays {
				return
			}
			for _, e := range others {
				e.hears(room)
				_, err := s.two.At(c.nodes[e.node].url()).Call(ctx, http.MethodGet, "/me", nil, nil)
				must(t, err)
			}
		})
	}
	crowd.hush()
	crowd.judge()
}

// Promise (PROTOCOL §3, FIGURES §4 test 4): whoever is removed, banned or leaves on one node hears nothing of the room on any
// node that came after, at once and under load, and every node refuses them within 5 s; their other rooms go on.
//
//nolint:paralleltest // it needs the machine for itself
func TestRoomsEndEverywhere(t *testing.T) {
	c := borrow(t)
	crowd := gather(t, c.door(), 12, 6, 3)
	crowd.talk()
	room, other := crowd.rooms[0], crowd.rooms[1]
	owner := crowd.readers[room]
	for n, row := range []struct {
		change chat.MemberChange
		code   string // of a refusal afterwards
		end    func(ctx context.Context, owner, eve *client.Person) error
	}{
		{chat.MemberRemoved, "not_member", func(ctx context.Context, owner, eve *client.Person) error {
			_, err := owner.Call(ctx, http.MethodDelete, "/rooms/"+room.String()+"/members/"+eve.ID.String(), nil, nil)
			return err
		}},
		{chat.MemberBanned, "banned", func(ctx context.Context, owner, eve *client.Person) error {
			_, err := owner.Call(ctx, http.MethodPost, "/rooms/"+room.String()+"/bans", map[string]string{"user_id": eve.ID.String()}, nil)
			return err
		}},
		{chat.MemberLeft, "not_member", func(ctx context.Context, _, eve *client.Person) error {
			_, err := eve.Call(ctx, http.MethodPost, "/rooms/"+room.String()+"/leave", nil, nil)
			return err
		}},
	} {
		t.Run(string(row.change), func(t *testing.T) {
			ctx := t.Context()
			eve := c.newcomer(t, room, other)
			ears := c.listen(t, eve)
			for _, e := range ears {
				e.hears(room)
				e.hears(other)
			}
			for _, node := range c.nodes { // so that each remembers her place
				_, err := eve.At(node.url()).Changes(ctx, room, 0)
				must(t, err)
				crowd.sends(eve.At(node.url()), room)
			}
			node := c.nodes[n%len(c.nodes)]

			must(t, row.end(ctx, owner.At(node.url()), eve.At(node.url())))
			began := time.Now()

			for _, e := range ears {
				e.leaves(room, began)
			}
			for n, node := range c.nodes {
				refused(t, began, n, row.code, func() error {
					_, err := eve.At(node.url()).Changes(ctx, room, 0)
					return err
				})
				refused(t, began, n, row.code, func() error {
					_, err := eve.At(node.url()).Send(ctx, room, client.NewMessageID(), secretMark+" after the end")
					return err
				})
			}
			end := endOf(t, owner, room, eve, row.change)
			crowd.poll("the room went on", func() bool {
				page, err := owner.Changes(ctx, room, end)
				must(t, err)
				return page.Head > end+20
			})
			for _, e := range ears {
				e.hears(other)
				e.drained()
				e.mu.Lock()
				if e.last[room] > end {
					t.Errorf("on node %d an event of number %d was heard after the end at %d", e.node, e.last[room], end)
				}
				e.mu.Unlock()
			}
		})
	}
	crowd.hush()
	crowd.judge()
}

// newcomer signs somebody up and lets them join rooms.
func (c *cluster) newcomer(t *testing.T, rooms ...chat.RoomID) *client.Person {
	t.Helper()
	d := c.door()
	person, err := client.SignUp(t.Context(), d.url(), d.who+"eve", secretMark+"-password")
	must(t, err)
	t.Cleanup(person.Close)
	for _, room := range rooms {
		must(t, person.Join(t.Context(), room))
	}
	return person
}

// closed waits for the end of a connection whose session ended when it began.
func (e *ear) closed(began time.Time) {
	e.t.Helper()
	e.mu.Lock()
	before := e.events
	e.mu.Unlock()
	e.until("the connection was closed", func() bool { return !e.ended.IsZero() })
	closed, ok := errors.AsType[*client.CloseError](e.why)
	if !ok || closed.Code != closedAuth {
		e.t.Errorf("on node %d the connection ended with %v, want it closed with %d", e.node, e.why, closedAuth)
	}
	took := max(0, e.ended.Sub(began))
	e.t.Logf("node %d: closed after %v, %d more events heard", e.node, took.Round(time.Millisecond), e.events-before)
	if took > endsWithin {
		e.t.Errorf("on node %d the connection was closed after %v, want %v at most", e.node, took, endsWithin)
	}
}

// leaves waits until a connection is told that its person is no longer in the room.
func (e *ear) leaves(room chat.RoomID, began time.Time) {
	e.t.Helper()
	e.until("the room was left", func() bool { return !e.left[room].IsZero() })
	e.mu.Lock()
	took := max(0, e.left[room].Sub(began))
	e.mu.Unlock()
	e.t.Logf("node %d: told after %v", e.node, took.Round(time.Millisecond))
	if took > endsWithin {
		e.t.Errorf("node %d told after %v, want %v at most", e.node, took, endsWithin)
	}
}

// refused calls until it is refused.
func refused(t *testing.T, began time.Time, node int, code string, call func() error) {
	t.Helper()
	for tries := 1; ; tries++ {
		err := call()
		took := time.Since(began)
		if client.CodeOf(err) == code {
			t.Logf("node %d: refused at attempt %d, after %v", node, tries, took.Round(time.Millisecond))
			return
		}
		if took > endsWithin {
			t.Errorf("node %d: after %v a call is answered %v, want %s", node, took, err, code)
			return
		}
		pause(t, pollEvery)
	}
}

// endOf is the number of the event that tells of somebody's end in a room.
func endOf(t *testing.T, reader *client.Person, room chat.RoomID, who *client.Person, change chat.MemberChange) chat.Seq {
	t.Helper()
	for after := chat.Seq(0); ; {
		page, err := reader.Changes(t.Context(), room, after)
		must(t, err)
		for _, event := range page.Events {
			if event.Member != nil && event.Member.User.ID == who.ID && event.Member.Change == change {
				return event.Seq
			}
		}
		if after = page.Through; !page.More {
			t.Fatalf("nothing tells that %s has %s", who.Username, change)
		}
	}
}
