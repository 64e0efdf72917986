package message

import (
	"context"
	"errors"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/numbering"
	"github.com/blabber-hive/blabber-hive/internal/run"
)

// A log that is durable by itself acks a record before it has its number. Whoever must know what became of it reads
// until that can be seen: first after awaitFirst, then each time twice as long later, up to awaitMax.
const (
	awaitFirst = 2 * time.Millisecond
	awaitMax   = 100 * time.Millisecond
	// changePatience is how long an edit, a deletion or a reaction is waited for.
	changePatience = 5 * time.Second
)

// Await waits until a message that was acked can be read, and refuses where its id stands for another one. repeat says that
// it had come in before this request did.
func (s *Service) Await(ctx context.Context, sender chat.UserID, request Request) (message *chat.Message, repeat bool, err error) {
	fingerprint := chat.FingerprintOf(sender, request.Body, request.ReplyTo)
	err = s.await(ctx, chat.MessageRef{Room: request.Room, ID: request.ID}, func(found *chat.Message) (bool, error) {
		if found.Fingerprint != fingerprint {
			return true, numbering.ErrOtherMessage
		}
		message, repeat = found, !found.CreatedAt.Equal(request.At.Truncate(time.Millisecond))
		return true, nil
	})
	return message, repeat, err
}

// await reads a message until done says that it shows what is waited for.
func (s *Service) await(ctx context.Context, ref chat.MessageRef, done func(*chat.Message) (bool, error)) error {
	for wait := awaitFirst; ; wait = min(2*wait, awaitMax) {
		message, err := s.store.Message(ctx, ref.Room, ref.ID)
		switch {
		case err == nil:
			if shown, err := done(message); shown {
				return err
			}
		case !errors.Is(err, chat.ErrNotFound):
			return err
		}
		if err := run.Pause(ctx, wait); err != nil {
			return chat.Away("the message is on its way, but its number", err)
		}
	}
}

// changed waits until a change that was acked shows in its message.
func (s *Service) changed(ctx context.Context, record *chat.Record) (message *chat.Message, err error) {
	ctx, cancel := context.WithTimeout(ctx, changePatience)
	defer cancel()
	err = s.await(ctx, chat.MessageRef{Room: record.Room, ID: record.Target}, func(found *chat.Message) (bool, error) {
		message = found
		return shows(found, record)
	})
	return message, err
}

// shows reports whether a message is as a record leaves it, or has become one that it can no longer change.
func shows(message *chat.Message, record *chat.Record) (bool, error) {
	deleted := !message.DeletedAt.IsZero()
	switch record.Kind {
	case chat.KindDelete:
		return deleted, nil
	case chat.KindEdit:
		if !deleted {
			return message.Body == record.Body, nil
		}
	case chat.KindReaction:
		if !deleted {
			return message.Reacted(record.Emoji, record.Actor.ID) == record.Added, nil
		}
	}
	return true, chat.Refuse(chat.Conflict, "the message was deleted")
}
