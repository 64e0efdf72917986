package gateway

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/run"
)

// While the bus is away the store is asked for what the bus would have brought, and again after it is back: what was said
// shortly before may have been lost, and the store may be behind. Events are looked for often, since people wait for them;
// people's places less, but often enough that a sign-out or a ban holds within the contract's five seconds.
const (
	eventsEvery = 500 * time.Millisecond
	eventsAfter = 10 // looks after the bus is back
	peopleEvery = 3 * time.Second
	peopleAfter = 2

	lookPatience = 5 * time.Second // of one question to the store
	roomsAtOnce  = 1000
	loginsAtOnce = 500
	usersAtOnce  = 200
)

// link is whether the bus is reached. Each look waits on its own channel for that to change.
type link struct {
	mu      sync.Mutex
	up      bool
	watched []chan struct{}
}

// watch gives a channel that holds a token after each change.
func (l *link) watch() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	changed := make(chan struct{}, 1)
	l.watched = append(l.watched, changed)
	return changed
}

func (l *link) set(up bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.up = up
	for _, changed := range l.watched {
		select {
		case changed <- struct{}{}:
		default: // it has not seen the change before
		}
	}
}

func (l *link) isUp() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.up
}

// linked takes the news whether the bus is reached.
func (g *Gateway) linked(up bool) {
	g.metrics.linked(up)
	g.link.set(up)
}

// standIn looks at once and then once a period while the bus is away, and as often as after says, not counting looks that
// failed, once it is back; then once in quiet, unless that is zero. It returns when ctx ends.
func (g *Gateway) standIn(ctx context.Context, changed <-chan struct{}, every time.Duration, after int, quiet time.Duration, look func(ctx context.Context) error) error {
	owed := 0
	for {
		if owed == 0 {
			owed = after
			if !await(ctx, changed, quiet) {
				owed = 1
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		// Asked before looking: what was lost before an up is only found by a look that begins after it.
		up := g.link.isUp()
		err := look(ctx)
		switch {
		case !up:
			owed = after
		case err == nil:
			owed--
		}
		if owed > 0 && await(ctx, changed, every) {
			owed = after
		}
	}
}

// await waits until the link has changed, and reports whether it has; for no longer than a time that is not zero.
func await(ctx context.Context, changed <-chan struct{}, atMost time.Duration) bool {
	if atMost > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, atMost)
		defer cancel()
	}
	select {
	case <-changed:
		return true
	case <-ctx.Done():
		return false
	}
}

// lookForEvents compares the rooms that have listeners here with the store.
func (g *Gateway) lookForEvents(ctx context.Context) error {
	for ids := range slices.Chunk(g.hub.roomIDs(), roomsAtOnce) {
		heads, err := ask(ctx, func(ctx context.Context) (map[chat.RoomID]chat.Seq, error) { return g.hub.store.Heads(ctx, ids) })
		if err != nil {
			return err
		}
		for _, id := range ids {
			head, there := heads[id]
			if !there {
				g.endRoom(id)
			} else if r := g.hub.room(id); r != nil {
				r.reached(head)
			}
		}
	}
	return nil
}

// lookAtPeople ends what is over: connections whose sessions have ended, and places in rooms whose people have left them;
// and it begins what has begun.
func (g *Gateway) lookAtPeople(ctx context.Context) error {
	byLogin, byUser := make(map[chat.Login][]*conn), make(map[chat.UserID][]*conn)
	g.eachConn(func(c *conn) {
		if login, ok := c.login(); ok {
			byLogin[login] = append(byLogin[login], c)
			byUser[login.User] = append(byUser[login.User], c)
		}
	})
	for logins := range slices.Chunk(keys(byLogin), loginsAtOnce) {
		ended, err := ask(ctx, func(ctx context.Context) ([]chat.Login, error) { return g.accounts.Ended(ctx, logins) })
		if err != nil {
			return err
		}
		for _, login := range ended {
			for _, c := range byLogin[login] {
				if now, _ := c.login(); now == login { // else it has signed in anew meanwhile
					c.End(closeAuth)
				}
			}
		}
	}
	for users := range slices.Chunk(keys(byUser), usersAtOnce) {
		rooms, err := ask(ctx, func(ctx context.Context) (map[chat.UserID][]chat.RoomID, error) {
			return g.hub.store.RoomIDsOf(ctx, users)
		})
		if err != nil {
			return err
		}
		for _, user := range users {
			for _, c := range byUser[user] {
				if err := g.align(ctx, c, rooms[user]); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// align brings a connection's places in line with the rooms of its person. Both lists are of some moment in the past, and
// signals may have done it since; so nothing is believed that the store, asked about that one room, does not say again.
func (g *Gateway) align(ctx context.Context, c *conn, rooms []chat.RoomID) error {
	places, settled := c.places()
	if !settled {
		return nil // it has just read its rooms itself; the next look sees it
	}
	is := make(map[chat.RoomID]struct{}, len(rooms))
	for _, id := range rooms {
		is[id] = struct{}{}
		if _, has := places[id]; !has {
			g.showJoined(ctx, c, id)
		}
	}
	for id := range places {
		if _, stays := is[id]; stays {
			continue
		}
		_, err := g.hub.store.RoomOf(ctx, id, c.owner)
		switch {
		case chat.CodeOf(err) == chat.NotFound:
			g.hub.leave(c, id, string(chat.MemberRemoved))
			g.showJoined(ctx, c, id) // for who came back between the question and its answer; nobody else is let in
		case err != nil:
			return err
		}
	}
	return nil
}

// ask bounds how long a question may take, so that a store that hangs does not end the looking.
func ask[T any](ctx context.Context, question func(ctx context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, lookPatience)
	defer cancel()
	return question(ctx)
}

func keys[K comparable, V any](m map[K]V) []K {
	all := make([]K, 0, len(m))
	for key := range m {
		all = append(all, key)
	}
	return all
}

// behindWaits is how often somebody who joins waits for a store that is behind, some seconds in all; then the client comes
// back later.
const behindWaits = 8

// behind is how a reader waits that finds the store away, or behind what the bus has told of.
func behind() run.Backoff { return run.Backoff{First: 100 * time.Millisecond, Max: 2 * time.Second} }
