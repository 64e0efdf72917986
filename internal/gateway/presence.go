package gateway

import (
	"context"
	"sync"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/gateway/socket"
	"github.com/blabber-hive/blabber-hive/internal/run"
	"github.com/blabber-hive/blabber-hive/internal/wire"
)

// presenceEvery is how long comings and goings are gathered after some were shown. When everyone comes back at once,
// after a restart, each is told of many in one write, and of who came and went again of nothing.
const presenceEvery = 100 * time.Millisecond

// presenceAtOnce is of how many people news is gathered in memory before it is written.
const presenceAtOnce = 64

// comings is who came or went and has not been shown yet, each in the newest state.
type comings struct {
	some chan struct{}

	mu    sync.Mutex
	users map[chat.UserID]bool // online
}

func newComings() *comings {
	return &comings{some: make(chan struct{}, 1), users: make(map[chat.UserID]bool)}
}

func (c *comings) note(user chat.UserID, online bool) {
	c.mu.Lock()
	c.users[user] = online
	c.mu.Unlock()
	select {
	case c.some <- struct{}{}:
	default: // whoever shows them has been told
	}
}

func (c *comings) take() map[chat.UserID]bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	taken := c.users
	c.users = make(map[chat.UserID]bool)
	return taken
}

// showComings tells those who share a small room with somebody who comes or goes, until ctx ends.
func (g *Gateway) showComings(ctx context.Context) error {
	var mark uint64
	var waking []*socket.Socket
	for {
		select {
		case <-g.comings.some:
		case <-ctx.Done():
			return ctx.Err()
		}
		for user, online := range g.comings.take() {
			mark++
			waking = g.showComing(ctx, user, online, mark, waking)
			if mark%presenceAtOnce == 0 {
				waking = g.wake(waking)
			}
		}
		waking = g.wake(waking)
		if err := run.Pause(ctx, presenceEvery); err != nil {
			return err
		}
	}
}

// wake has connections written to, and empties the list.
func (g *Gateway) wake(waking []*socket.Socket) []*socket.Socket {
	g.host.Wake(waking...)
	clear(waking)
	return waking[:0]
}

// showComing queues the news of one person, for each connection once: mark is what they remember it by. It adds those
// that must be written to.
func (g *Gateway) showComing(ctx context.Context, user chat.UserID, online bool, mark uint64, waking []*socket.Socket) []*socket.Socket {
	ids, err := g.hub.store.RoomIDs(ctx, user)
	if err != nil {
		return waking // presence may be lost
	}
	frame := socket.Text(wire.PresenceFrame(user, online))
	for _, id := range ids {
		r := g.hub.room(id)
		if r == nil {
			continue
		}
		r.each(smallRoom, func(c *conn) {
			if c.owner != user && c.EnqueueNews(frame, mark) {
				waking = append(waking, &c.Socket)
			}
		})
	}
	return waking
}
