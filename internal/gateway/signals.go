package gateway

import (
	"context"
	"errors"
	"slices"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/gateway/socket"
	"github.com/blabber-hive/blabber-hive/internal/wire"
)

// smallRoom is the most listeners that a room may have on this node for its members to be told who is typing and who
// comes and goes: news that costs a frame to everyone for each of everyone.
const smallRoom = 200

// reasonDeleted is why a room ended for everyone in it.
const reasonDeleted = "deleted"

// heard deals with a signal. It does no I/O: what needs some is done by a goroutine of its own.
func (g *Gateway) heard(signal chat.Signal) {
	g.config.Heard(signal)
	switch signal.Kind {
	case chat.SignalJoined:
		for _, c := range g.hub.connections(signal.User) {
			if c.defers(signal.Room) {
				continue
			}
			g.group.Go("show a joined room", func(ctx context.Context) error {
				g.showJoined(ctx, c, signal.Room)
				return nil
			})
		}
	case chat.SignalLeft:
		for _, c := range g.hub.connections(signal.User) {
			g.hub.leave(c, signal.Room, string(signal.Change))
		}
	case chat.SignalRoomDeleted:
		g.endRoom(signal.Room)
	case chat.SignalSessionEnded:
		for _, c := range g.hub.connections(signal.User) {
			if session := c.sessionID(); session == signal.Session || (signal.Session.IsZero() && session != signal.Except) {
				c.End(closeAuth)
			}
		}
	case chat.SignalProfileChanged:
		for _, c := range g.hub.connections(signal.User) {
			c.rename(signal.Profile)
		}
	case chat.SignalRead:
		for _, c := range g.hub.connections(signal.User) {
			if c.id != signal.Connection && signal.Read != nil {
				c.tell(wire.ReadFrame(signal.Room, *signal.Read))
			}
		}
	case chat.SignalTyping:
		g.showTyping(signal)
	case chat.SignalPresence:
		g.comings.note(signal.User, signal.Online)
	case chat.SignalRefused:
		frame := wire.ErrorFrame(signal.Message, &chat.Error{Code: signal.Code, Detail: signal.Detail})
		for _, c := range g.hub.connections(signal.User) {
			c.tell(frame)
		}
	case chat.SignalMember:
	}
}

// showJoined adds a room to a connection whose user has just become its member.
func (g *Gateway) showJoined(ctx context.Context, c *conn, id chat.RoomID) {
	r, err := g.hub.acquire(ctx, id)
	switch {
	case errors.Is(err, chat.ErrNotFound):
		return // it was deleted already
	case err != nil:
		g.reconnectAfter(ctx, c, err)
		return
	}
	l := c.enter(r)
	if l == nil {
		g.hub.release(r)
		return
	}
	room, err := g.hub.store.RoomOf(ctx, id, c.owner)
	if err == nil {
		c.sendText(wire.JoinedFrame(room))
		err = r.join(ctx, l, room.Head)
	}
	if err != nil {
		g.hub.quit(l, "")
		if !errors.Is(err, chat.ErrNotFound) { // else they have left again already
			g.reconnectAfter(ctx, c, err)
		}
	}
}

// reconnectAfter ends a connection that cannot be told what it must know; it learns it when it comes back.
func (g *Gateway) reconnectAfter(ctx context.Context, c *conn, err error) {
	if ctx.Err() != nil {
		return
	}
	g.logger.WarnContext(ctx, "a connection must come back to learn its rooms", "connection", c.id, "error", err)
	c.End(closeTryLater)
}

func (g *Gateway) endRoom(id chat.RoomID) {
	r := g.hub.room(id)
	if r == nil {
		return
	}
	r.mu.Lock()
	r.deleted = true
	listening := slices.Clone(r.listeners)
	r.mu.Unlock()
	for _, l := range listening {
		g.hub.quit(l, reasonDeleted)
	}
}

func (g *Gateway) showTyping(signal chat.Signal) {
	r := g.hub.room(signal.Room)
	if r == nil || signal.Profile == nil {
		return
	}
	frame := socket.Text(wire.TypingFrame(signal.Room, *signal.Profile))
	r.each(smallRoom, func(c *conn) {
		if c.owner != signal.Profile.ID && c.EnqueueNews(frame, 0) {
			g.host.Wake(&c.Socket)
		}
	})
}

// onlineAround is who else is connected here and shares one of the small rooms, at most usersOnlineMax.
func (g *Gateway) onlineAround(rooms []chat.MemberRoom) []chat.UserID {
	seen := make(map[chat.UserID]struct{})
	var online []chat.UserID
	for i := range rooms {
		r := g.hub.room(rooms[i].ID)
		if r == nil {
			continue
		}
		r.each(smallRoom, func(c *conn) {
			if _, already := seen[c.owner]; already || len(online) >= usersOnlineMax {
				return
			}
			seen[c.owner] = struct{}{}
			online = append(online, c.owner)
		})
	}
	return online
}
