package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// storedEvent is a whole event as a bus keeps it for a while: with all that the product knows of it, not only what a
// client is shown. Every field is optional, so that nodes of two versions can share what is kept.
type storedEvent struct {
	Room     chat.RoomID          `json:"room_id"`
	Seq      chat.Seq             `json:"seq"`
	Kind     chat.Kind            `json:"kind"`
	At       time.Time            `json:"at"`
	Actor    chat.Profile         `json:"actor,omitzero"`
	RecordID chat.MessageID       `json:"id,omitzero"`
	Message  *storedMessage       `json:"message,omitempty"`
	Reaction *chat.ReactionDetail `json:"reaction,omitempty"`
	Member   *chat.MemberDetail   `json:"member,omitempty"`
	Info     *chat.RoomDetail     `json:"room,omitempty"`
}

type storedMessage struct {
	ID          chat.MessageID   `json:"id"`
	Seq         chat.Seq         `json:"seq"`
	ChangedSeq  chat.Seq         `json:"changed_seq,omitempty"`
	Sender      chat.Profile     `json:"sender"`
	Body        string           `json:"body,omitempty"`
	ReplyTo     chat.MessageID   `json:"reply_to,omitzero"`
	Mentions    []chat.UserID    `json:"mentions,omitempty"`
	MentionsAll bool             `json:"mentions_all,omitempty"`
	CreatedAt   time.Time        `json:"created_at"`
	EditedAt    time.Time        `json:"edited_at,omitzero"`
	DeletedAt   time.Time        `json:"deleted_at,omitzero"`
	Reactions   []storedReaction `json:"reactions,omitempty"`
	Mood        chat.Mood        `json:"mood,omitzero"`
	Fingerprint []byte           `json:"fingerprint,omitempty"`
}

type storedReaction struct {
	Emoji string        `json:"emoji"`
	Users []chat.UserID `json:"users"`
}

// EncodeEvent writes a whole event as a bus keeps it.
func EncodeEvent(e *chat.Event) ([]byte, error) {
	if isNewMessage(e) {
		if data, whole := appendStoredMessage(make([]byte, 0, newMessageBytes), e); whole {
			return data, nil
		}
	}
	return marshalStored(e)
}

func marshalStored(e *chat.Event) ([]byte, error) {
	stored := storedEvent{
		Room: e.Room, Seq: e.Seq, Kind: e.Kind, At: e.At, Actor: e.Actor, RecordID: e.RecordID,
		Reaction: e.Reaction, Member: e.Member, Info: e.Info,
	}
	if m := e.Message; m != nil {
		stored.Message = &storedMessage{
			ID: m.ID, Seq: m.Seq, ChangedSeq: m.ChangedSeq, Sender: m.Sender, Body: m.Body, ReplyTo: m.ReplyTo,
			Mentions: m.Mentions, MentionsAll: m.MentionsAll, CreatedAt: m.CreatedAt, EditedAt: m.EditedAt,
			DeletedAt: m.DeletedAt, Mood: m.Mood,
		}
		if m.Fingerprint != (chat.Fingerprint{}) {
			stored.Message.Fingerprint = m.Fingerprint[:]
		}
		for _, r := range m.Reactions {
			stored.Message.Reactions = append(stored.Message.Reactions, storedReaction(r))
		}
	}
	data, err := json.Marshal(stored)
	if err != nil {
		return nil, fmt.Errorf("encode event %d of room %s for keeping: %w", e.Seq, e.Room, err)
	}
	return data, nil
}

// DecodeEvent reads what EncodeEvent wrote.
func DecodeEvent(data []byte) (chat.Event, error) {
	var stored storedEvent
	if err := json.Unmarshal(data, &stored); err != nil {
		return chat.Event{}, fmt.Errorf("decode a kept event: %w", err)
	}
	if stored.Room.IsZero() || stored.Seq == 0 || stored.Kind == "" {
		return chat.Event{}, errors.New("decode a kept event: it lacks its room, number or kind")
	}
	event := chat.Event{
		Room: stored.Room, Seq: stored.Seq, Kind: stored.Kind, At: stored.At, Actor: stored.Actor, RecordID: stored.RecordID,
		Reaction: stored.Reaction, Member: stored.Member, Info: stored.Info,
	}
	m := stored.Message
	if m == nil {
		return event, nil
	}
	event.Message = &chat.Message{
		ID: m.ID, Room: stored.Room, Seq: m.Seq, ChangedSeq: m.ChangedSeq, Sender: m.Sender, Body: m.Body, ReplyTo: m.ReplyTo,
		Mentions: m.Mentions, MentionsAll: m.MentionsAll, CreatedAt: m.CreatedAt, EditedAt: m.EditedAt, DeletedAt: m.DeletedAt,
		Mood: m.Mood,
	}
	switch len(m.Fingerprint) {
	case 0, len(event.Message.Fingerprint):
		copy(event.Message.Fingerprint[:], m.Fingerprint)
	default:
		return chat.Event{}, fmt.Errorf("decode event %d of room %s: its fingerprint has %d bytes", stored.Seq, stored.Room, len(m.Fingerprint))
	}
	for _, r := range m.Reactions {
		event.Message.Reactions = append(event.Message.Reactions, chat.Reaction(r))
	}
	return event, nil
}
