package gateway

import (
	"context"
	"errors"
	"time"

	"github.com/gobwas/ws"

	"github.com/blabber-hive/blabber-hive/internal/account"
	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/gateway/socket"
	"github.com/blabber-hive/blabber-hive/internal/message"
	"github.com/blabber-hive/blabber-hive/internal/obs"
	"github.com/blabber-hive/blabber-hive/internal/wire"
)

const (
	// typingEvery is how often a person's typing in a room counts.
	typingEvery = 3 * time.Second
	// typingElsewhere is how soon typing in another room counts: enough to switch rooms, too little to be a nuisance in
	// two by turns.
	typingElsewhere = time.Second
)

// serve deals with the client's frames until the connection ends. Messages of one connection are handed to the log one
// after the other, which keeps their order. early is what came with the handshake. Keep its frame small; see socket.Serve.
func (c *conn) serve(ctx context.Context, early []byte) error {
	c.ctx = ctx
	return c.hangUp(c.Serve(early))
}

// hangUp tells a client whose frames cannot be read on why.
func (c *conn) hangUp(err error) error {
	switch {
	case errors.Is(err, socket.ErrTooLarge):
		c.End(closeTooLarge)
	case errors.Is(err, socket.ErrTooMany):
		c.End(closeRate)
	case errors.Is(err, socket.ErrProtocol):
		c.End(closeProtocol)
	case errors.Is(err, socket.ErrBinary):
		c.End(closeBadFrame)
	case errors.Is(err, socket.ErrGoodbye):
		c.End(closeAsAsked)
	default:
		return err // the socket has ended
	}
	c.Discard()
	return nil
}

// Pong implements socket.Client.
func (c *conn) Pong(payload []byte) { c.Send(ws.MustCompileFrame(ws.NewPongFrame(payload))) }

// Hear implements socket.Client: it notes that the client is alive and counts a frame against its rate; false means one too many.
func (c *conn) Hear() bool {
	now := c.gateway.now()
	c.heardAt.Store(now.Unix())
	if c.gateway.config.Unlimited {
		return true
	}
	c.tokens = min(frameBurst, c.tokens+now.Sub(c.tokensAt).Seconds()*framesPerSecond)
	c.tokensAt = now
	if c.tokens < 1 {
		return false
	}
	c.tokens--
	return true
}

// Take implements socket.Client: it deals with one frame.
func (c *conn) Take(payload []byte) {
	ctx := c.ctx
	if c.Ending() {
		return
	}
	if c.authorized && wire.IsPing(payload) {
		c.Send(c.gateway.pong) // most of what silent clients say: without decoding it their stacks stay small
		return
	}
	frame, err := wire.DecodeFrame(payload)
	switch {
	case err != nil && !c.authorized:
		c.End(closeBadFrame)
	case err != nil:
		c.refuse(ctx, frame.ID, err)
	case frame.Type == wire.FrameAuth:
		c.auth(ctx, frame)
	case !c.authorized:
		c.End(closeAuth)
	default:
		c.dispatch(ctx, frame)
	}
}

func (c *conn) dispatch(ctx context.Context, frame wire.ClientFrame) {
	switch frame.Type {
	case wire.FrameSend:
		c.takeMessage(ctx, frame)
	case wire.FrameTyping:
		c.typing(ctx, frame.RoomID)
	case wire.FrameRead:
		if _, err := c.gateway.reader.MarkRead(ctx, c.owner, frame.RoomID, frame.Seq, c.id); err != nil {
			c.refuse(ctx, chat.MessageID{}, err)
		}
	case wire.FramePing:
		c.Send(c.gateway.pong)
	default:
		c.refuse(ctx, frame.ID, chat.Refuse(chat.BadRequest, "there is no frame of type %q", clip(frame.Type)))
	}
}

func clip(s string) string { return s[:min(len(s), 40)] }

func (c *conn) takeMessage(ctx context.Context, frame wire.ClientFrame) {
	if len(frame.AttachmentIDs) > 0 {
		c.refuse(ctx, frame.ID, chat.InvalidField("attachment_ids", "this server takes no attachments"))
		return
	}
	// What a client says of a trace of its own is not heard: strangers could have everything traced.
	ctx, span := c.gateway.config.Tracer.Start(ctx, "gateway send", obs.SpanServer)
	request := message.Request{Room: frame.RoomID, ID: frame.ID, Body: frame.Body, ReplyTo: frame.ReplyTo, Resend: frame.Resend}
	err := c.gateway.messages.Send(ctx, c.profile(), request, func(receipt chat.Receipt, err error) {
		if err != nil {
			c.refuse(ctx, request.ID, err)
		} else {
			c.sendText(wire.AckFrame(request.Room, request.ID, receipt.Seq))
		}
		span.End(chat.FailureOf(err))
	})
	if err != nil {
		c.refuse(ctx, frame.ID, err)
		span.End(chat.FailureOf(err))
	}
}

func (c *conn) typing(ctx context.Context, room chat.RoomID) {
	now := c.gateway.now()
	wait := typingElsewhere
	if room == c.typedRoom {
		wait = typingEvery
	}
	if now.Sub(c.typedAt) < wait {
		return
	}
	if err := c.gateway.messages.Typing(ctx, room, c.owner); err != nil {
		c.refuse(ctx, chat.MessageID{}, err)
		return
	}
	c.typedRoom, c.typedAt = room, now
	profile := c.profile()
	signal := chat.Signal{Kind: chat.SignalTyping, Room: room, User: profile.ID, Profile: &profile}
	_ = c.gateway.bus.Signal(ctx, signal) // typing may be lost
}

// refuse tells the client why a frame was not taken. What is not a refusal is a fault of ours and logged here, once.
func (c *conn) refuse(ctx context.Context, id chat.MessageID, err error) {
	if ctx.Err() != nil {
		err = chat.Away("this server is stopping, which", err)
	}
	if chat.CodeOf(err) == chat.Internal {
		c.gateway.logger.ErrorContext(ctx, "a frame failed", "connection", c.id, "error", err)
	}
	c.sendText(wire.ErrorFrame(id, err))
}

// auth signs the connection in, or replaces the token of one that is.
func (c *conn) auth(ctx context.Context, frame wire.ClientFrame) {
	identity, ok := c.authenticate(ctx, frame.Token)
	switch {
	case !ok:
	case !c.authorized:
		c.signIn(ctx, identity, frame)
	case identity.User.ID != c.owner:
		c.End(closeAuth)
	default:
		c.mu.Lock()
		c.session, c.expires = identity.Session, identity.ExpiresAt
		c.mu.Unlock()
		// If that session ended after the answer above, its signal looked for it here before this connection was its own,
		// and passed by. So the token is looked at once more.
		c.authenticate(ctx, frame.Token)
	}
}

// authenticate asks whose token it is, and ends the connection where it is nobody's, or of somebody who may not come in. While accounts cannot be asked a new
// connection is sent away; one that is signed in stays, as long as its old token lets it.
func (c *conn) authenticate(ctx context.Context, token string) (account.Identity, bool) {
	identity, err := c.gateway.accounts.Authenticate(ctx, token)
	switch {
	case err == nil:
		return identity, true
	case errors.Is(err, &chat.Error{Code: chat.Unauthenticated}):
		c.End(closeAuth)
	case errors.Is(err, &chat.Error{Code: chat.Forbidden}): // known, and not let in: who comes back is told the same
		c.refuse(ctx, chat.MessageID{}, err)
		c.End(closeAuth)
	default:
		c.refuse(ctx, chat.MessageID{}, err)
		if !c.authorized {
			c.End(closeTryLater)
		}
	}
	return account.Identity{}, false
}

// signIn makes the connection its user's, answers ready, and brings every room to its live end: the rooms that the
// client named from where it stands, the others from their heads.
func (c *conn) signIn(ctx context.Context, identity account.Identity, frame wire.ClientFrame) {
	g := c.gateway
	c.owner = identity.User.ID
	c.mu.Lock()
	c.user, c.session, c.expires = identity.User, identity.Session, identity.ExpiresAt
	c.mu.Unlock()
	// From here on signals find the connection: a room that is left or joined, or a session that ends, while the rooms
	// are read is remembered.
	if !g.hub.admit(identity.User.ID, c) {
		c.End(closeTooMany)
		return
	}
	// A session that ended, or a name that changed, between the look at the token and admit has sent its signal to
	// nobody, so the token is looked at once more.
	identity, ok := c.authenticate(ctx, frame.Token)
	if !ok {
		return
	}
	c.named(identity.User)
	c.authorized = true
	if err := g.presence.Connected(ctx, identity.User.ID); err != nil {
		g.logger.WarnContext(ctx, "presence was not told of a connection", "user", identity.User.ID, "error", err)
	} else {
		c.present = true
	}
	rooms, err := g.hub.store.RoomsOf(ctx, identity.User.ID)
	if err != nil {
		c.refuse(ctx, chat.MessageID{}, err)
		c.End(closeTryLater)
		return
	}
	c.sendText(wire.ReadyFrame(identity.User, rooms, g.onlineAround(rooms), int(heartbeat/time.Second), c.id))
	c.expect(len(rooms))
	for i := range rooms {
		id := rooms[i].ID
		position, named := frame.Positions[id]
		if !named {
			position = rooms[i].Head
		}
		delete(frame.Positions, id)
		if err := g.setUp(ctx, c, id, position); err != nil {
			g.reconnectAfter(ctx, c, err)
			return
		}
	}
	for id := range frame.Positions {
		c.sendText(wire.LeftFrame(id, string(chat.MemberRemoved)))
	}
	for _, id := range c.settled() {
		g.showJoined(ctx, c, id)
	}
	g.metrics.ready.Inc()
}

// setUp joins a connection that signs in to one of its rooms, unless that room was left or deleted since the rooms were
// read: then the client, whom ready told of it, is told that too.
func (g *Gateway) setUp(ctx context.Context, c *conn, id chat.RoomID, position chat.Seq) error {
	err := g.hub.join(ctx, c, id, position)
	if errors.Is(err, chat.ErrNotFound) {
		g.hub.leave(c, id, "")
		c.sendText(wire.LeftFrame(id, reasonDeleted))
		return nil
	}
	if reason, left := c.leftMeanwhile(id); left {
		c.sendText(wire.LeftFrame(id, reason))
	}
	return err
}

func (c *conn) sessionID() chat.SessionID {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.session
}

// rename takes a new name from a signal.
func (c *conn) rename(profile *chat.Profile) {
	if profile == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.user.Profile, c.renamed = *profile, true
}

// named takes the account as it was read, unless a signal has been quicker.
func (c *conn) named(user chat.User) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.renamed {
		c.user = user
	}
}
