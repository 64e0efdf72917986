package message

import (
	"context"
	"errors"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/numbering"
	"github.com/blabber-hive/blabber-hive/internal/obs"
)

// Request is a message as its sender wrote it. ID is the client's. Resend says that it may have been sent before. At is
// when it came in, and now where that is zero.
type Request struct {
	Room    chat.RoomID
	ID      chat.MessageID
	Body    string
	ReplyTo chat.MessageID
	Resend  bool
	At      time.Time
}

// Service takes messages and changes to messages. All of it may be called concurrently.
type Service struct {
	log     Log
	store   Store
	limiter Limiter
	now     func() time.Time
	newID   func() chat.MessageID
	access  *accessCache
	metrics *Metrics
	tracer  *obs.Tracer
}

// NewService makes the service. newID makes ids for records that are not messages; limiter may be nil for no limits,
// and tracer where nothing is traced.
func NewService(log Log, store Store, limiter Limiter, now func() time.Time, newID func() chat.MessageID, metrics *Metrics, tracer *obs.Tracer) *Service {
	return &Service{log: log, store: store, limiter: limiter, now: now, newID: newID, access: newAccessCache(store, now), metrics: metrics, tracer: tracer}
}

// Heard makes the service forget what a signal says is no longer so.
func (s *Service) Heard(signal chat.Signal) { s.access.heard(signal) }

// Send takes a message. It returns a refusal at once where there is one; otherwise settled is called once, perhaps
// before Send returns: with a receipt when the message is durable (Repeat if it was before), or with a refusal.
// Messages that one goroutine sends keep their order. settled must not block.
func (s *Service) Send(ctx context.Context, sender chat.Profile, request Request, settled func(chat.Receipt, error)) error {
	began := s.now()
	err := s.take(ctx, sender, request, func(receipt chat.Receipt, err error) {
		s.metrics.settled(began, s.now(), receipt, err)
		settled(receipt, err)
	})
	if err != nil && ctx.Err() == nil { // who has gone is told nothing, and it says nothing of us
		s.metrics.refused(err)
	}
	return err
}

// take is Send that counts nothing.
func (s *Service) take(ctx context.Context, sender chat.Profile, request Request, settled func(chat.Receipt, error)) error {
	if err := s.mayWrite(ctx, request.Room, sender.ID); err != nil {
		return err
	}
	if err := chat.CheckBody(request.Body); err != nil {
		return err
	}
	now := request.At
	if now.IsZero() {
		now = s.now()
	}
	made, versioned := request.ID.UnixMilli()
	if !versioned {
		return chat.InvalidField("id", "a message id is a UUIDv7 made by its sender")
	}
	fingerprint := chat.FingerprintOf(sender.ID, request.Body, request.ReplyTo)
	resend := request.Resend || now.Sub(time.UnixMilli(made)) > chat.ResendAge
	if resend {
		known, err := s.sentBefore(ctx, request, fingerprint)
		switch {
		case err != nil:
			return err
		case known != nil:
			settled(chat.Receipt{Seq: known.Seq, Repeat: true}, nil)
			return nil
		}
	}
	if err := s.withinRate(ctx, sender.ID); err != nil {
		return err
	}
	if err := s.checkReply(ctx, request); err != nil {
		return err
	}
	record := &chat.Record{
		ID: request.ID, Room: request.Room, Kind: chat.KindMessage, At: now.Truncate(time.Millisecond), Actor: sender,
		Body: request.Body, ReplyTo: request.ReplyTo, Fingerprint: fingerprint, Resend: resend,
	}
	var err error
	if record.Mentions, record.MentionsAll, err = s.mentions(ctx, request.Room, request.Body); err != nil {
		return err
	}
	return s.append(ctx, record, settled)
}

// append hands a record to the log. Its trace, where there is one, goes with it: what becomes of it is told below this span.
func (s *Service) append(ctx context.Context, record *chat.Record, settled func(chat.Receipt, error)) error {
	_, span := s.tracer.Start(ctx, "log append", obs.SpanProducer)
	if !span.On() {
		return s.log.Append(ctx, record, settled)
	}
	span.Say(obs.Text("blabber.room_id", record.Room.String()), obs.Text("blabber.record_id", record.ID.String()), obs.Text("blabber.kind", string(record.Kind)))
	record.Trace = span.Carry()
	err := s.log.Append(ctx, record, func(receipt chat.Receipt, err error) {
		span.End(chat.FailureOf(err))
		settled(receipt, err)
	})
	if err != nil {
		span.End(chat.FailureOf(err))
	}
	return err
}

// sentBefore finds the message that an id already stands for, and refuses where it is another one.
func (s *Service) sentBefore(ctx context.Context, request Request, fingerprint chat.Fingerprint) (*chat.Message, error) {
	known, err := s.store.Message(ctx, request.Room, request.ID)
	switch {
	case errors.Is(err, chat.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	case known.Fingerprint != fingerprint:
		return nil, numbering.ErrOtherMessage
	}
	return known, nil
}

func (s *Service) checkReply(ctx context.Context, request Request) error {
	if request.ReplyTo.IsZero() {
		return nil
	}
	_, err := s.store.Message(ctx, request.Room, request.ReplyTo)
	if errors.Is(err, chat.ErrNotFound) {
		return chat.InvalidField("reply_to", "there is no such message in this room")
	}
	return err
}

// Get reads one message for a member.
func (s *Service) Get(ctx context.Context, reader chat.UserID, room chat.RoomID, id chat.MessageID) (*chat.Message, error) {
	access, err := s.access.get(ctx, room, reader)
	if err != nil {
		return nil, err
	}
	if err := access.Read(); err != nil {
		return nil, err
	}
	return s.store.Message(ctx, room, id)
}

// Edit replaces the body of one's own message and answers the message as it then is.
func (s *Service) Edit(ctx context.Context, actor chat.Profile, room chat.RoomID, id chat.MessageID, body string) (*chat.Message, error) {
	target, err := s.target(ctx, actor.ID, room, id)
	if err != nil {
		return nil, err
	}
	if target.Sender.ID != actor.ID {
		return nil, chat.Refuse(chat.Forbidden, "only its sender may edit a message")
	}
	if err := chat.CheckBody(body); err != nil {
		return nil, err
	}
	record := &chat.Record{Kind: chat.KindEdit, Body: body}
	if record.Mentions, record.MentionsAll, err = s.mentions(ctx, room, body); err != nil {
		return nil, err
	}
	return s.change(ctx, actor, target, record)
}

// Delete empties a message: one's own, or as a moderator anyone's.
func (s *Service) Delete(ctx context.Context, actor chat.Profile, room chat.RoomID, id chat.MessageID) (*chat.Message, error) {
	target, err := s.target(ctx, actor.ID, room, id)
	if err != nil {
		return nil, err
	}
	record := &chat.Record{Kind: chat.KindDelete}
	if target.Sender.ID != actor.ID {
		access, err := s.access.get(ctx, room, actor.ID)
		if err != nil {
			return nil, err
		}
		if err := access.Do(chat.ActDeleteOthers); err != nil {
			return nil, err
		}
		record.Moderation = true
	}
	return s.change(ctx, actor, target, record)
}

// React gives a message an emoji, or takes it back.
func (s *Service) React(ctx context.Context, actor chat.Profile, room chat.RoomID, id chat.MessageID, emoji string, added bool) (*chat.Message, error) {
	target, err := s.target(ctx, actor.ID, room, id)
	if err != nil {
		return nil, err
	}
	if err := chat.CheckEmoji(emoji); err != nil {
		return nil, err
	}
	return s.change(ctx, actor, target, &chat.Record{Kind: chat.KindReaction, Emoji: emoji, Added: added})
}

// target is the message that someone who may write here wants to change.
func (s *Service) target(ctx context.Context, actor chat.UserID, room chat.RoomID, id chat.MessageID) (*chat.Message, error) {
	if err := s.mayWrite(ctx, room, actor); err != nil {
		return nil, err
	}
	return s.store.Message(ctx, room, id)
}

// change appends a record that changes target and waits for what becomes of it.
func (s *Service) change(ctx context.Context, actor chat.Profile, target *chat.Message, record *chat.Record) (*chat.Message, error) {
	if err := s.withinRate(ctx, actor.ID); err != nil {
		return nil, err
	}
	record.ID, record.Room, record.Target = s.newID(), target.Room, target.ID
	record.At, record.Actor = s.now().Truncate(time.Millisecond), actor
	outcome := make(chan chat.Outcome, 1)
	err := s.append(ctx, record, func(receipt chat.Receipt, err error) { outcome <- chat.Outcome{Receipt: receipt, Err: err} })
	if err != nil {
		return nil, err
	}
	select {
	case settled := <-outcome:
		switch {
		case settled.Err != nil:
			return nil, settled.Err
		case settled.Receipt.Event != nil:
			return settled.Receipt.Event.Message, nil
		case settled.Receipt.Seq == 0: // durable, and numbered elsewhere
			return s.changed(ctx, record)
		}
		return s.store.Message(ctx, target.Room, target.ID) // nothing had to change
	case <-ctx.Done():
		return nil, chat.Away("the message log", ctx.Err())
	}
}

// Typing refuses whoever may not write in a room, and so may not be seen writing either.
func (s *Service) Typing(ctx context.Context, room chat.RoomID, user chat.UserID) error {
	return s.mayWrite(ctx, room, user)
}

func (s *Service) mayWrite(ctx context.Context, room chat.RoomID, user chat.UserID) error {
	access, err := s.access.get(ctx, room, user)
	if err != nil {
		return err
	}
	return access.Talk(s.now())
}

func (s *Service) withinRate(ctx context.Context, user chat.UserID) error {
	if s.limiter == nil {
		return nil
	}
	retryAfter, ok := s.limiter.Allow(ctx, "send:"+user.String(), chat.SendsPerSecond, chat.SendBurst)
	if !ok {
		return &chat.Error{Code: chat.RateLimited, Detail: "you are sending faster than this server allows; wait a moment", RetryAfter: retryAfter}
	}
	return nil
}
