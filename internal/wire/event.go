package wire

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Event is one numbered thing that happened in a room.
type Event struct {
	RoomID   chat.RoomID          `json:"room_id"`
	Seq      chat.Seq             `json:"seq"`
	Kind     chat.Kind            `json:"kind"`
	At       Time                 `json:"at"`
	Actor    *User                `json:"actor"`
	Message  *Message             `json:"message,omitempty"`
	Reaction *chat.ReactionDetail `json:"reaction,omitempty"`
	Member   *MemberChange        `json:"member,omitempty"`
	Room     *Room                `json:"room,omitempty"`
	Change   chat.RoomChange      `json:"change,omitempty"`
}

// MemberChange is what a member event tells.
type MemberChange struct {
	User       User              `json:"user"`
	Role       chat.Role         `json:"role"`
	JoinedAt   *Time             `json:"joined_at"`
	MutedUntil *Time             `json:"muted_until"`
	Change     chat.MemberChange `json:"change"`
}

// EventFor writes an event for one reader.
func EventFor(e *chat.Event, reader chat.UserID) Event {
	event := eventOf(e)
	if e.Message != nil {
		message := MessageFor(e.Message, reader)
		event.Message = &message
	}
	return event
}

func eventOf(e *chat.Event) Event {
	event := Event{RoomID: e.Room, Seq: e.Seq, Kind: e.Kind, At: Time{e.At}, Reaction: e.Reaction}
	if !e.Actor.ID.IsZero() {
		actor := UserOf(e.Actor)
		event.Actor = &actor
	}
	if e.Member != nil {
		event.Member = &MemberChange{
			User: UserOf(e.Member.User), Role: e.Member.Role, JoinedAt: At(e.Member.JoinedAt),
			MutedUntil: At(e.Member.MutedUntil), Change: e.Member.Change,
		}
	}
	if e.Info != nil {
		room := RoomOf(e.Info.Room)
		room.Head = e.Seq
		event.Room, event.Change = &room, e.Info.Change
	}
	return event
}

// Envelope encodes an event once for everyone who will receive it. The event must not change afterwards.
func Envelope(e *chat.Event) (chat.Envelope, error) {
	envelope := chat.Envelope{Room: e.Room, Seq: e.Seq, Kind: e.Kind, Event: e}
	if isNewMessage(e) {
		envelope.Body = appendNewMessage(make([]byte, 0, newMessageBytes+len(e.Message.Body)), e)
		return envelope, nil
	}
	var err error
	if envelope.Body, err = marshalEvent(e); err != nil {
		return chat.Envelope{}, fmt.Errorf("encode event %d of room %s: %w", e.Seq, e.Room, err)
	}
	if e.Member != nil {
		envelope.Subject, envelope.Change = e.Member.User.ID, e.Member.Change
	}
	return envelope, nil
}

// marshalEvent encodes an event of any kind.
func marshalEvent(e *chat.Event) ([]byte, error) {
	event := eventOf(e)
	if e.Message != nil {
		message := messageOf(e.Message)
		event.Message = &message
	}
	return json.Marshal(event)
}

// EncodeRecord writes a record as it stands in the log and in the outbox.
func EncodeRecord(record *chat.Record) ([]byte, error) {
	data, err := json.Marshal(record)
	if err != nil {
		return nil, fmt.Errorf("encode record %s: %w", record.ID, err)
	}
	return data, nil
}

// DecodeRecord reads what EncodeRecord wrote, by this version or an earlier one. What is not a record, or is of a kind
// that this version does not know, is an error: it belongs among the dead letters.
func DecodeRecord(data []byte) (*chat.Record, error) {
	var record chat.Record
	if !readMessage(data, &record) {
		record = chat.Record{} // of which a part may have been read
		if err := json.Unmarshal(data, &record); err != nil {
			return nil, fmt.Errorf("decode record: %w", err)
		}
	}
	if record.ID.IsZero() || record.Room.IsZero() {
		return nil, errors.New("decode record: it lacks an id or a room")
	}
	lacks := ""
	switch record.Kind {
	case chat.KindMessage:
	case chat.KindEdit, chat.KindDelete, chat.KindReaction:
		if record.Target.IsZero() {
			lacks = "target"
		}
	case chat.KindMood:
		switch {
		case record.Target.IsZero():
			lacks = "target"
		case !record.Mood.Valid():
			lacks = "mood"
		}
	case chat.KindMember:
		if record.Member == nil {
			lacks = "member"
		}
	case chat.KindRoom:
		if record.Info == nil {
			lacks = "room"
		}
	default:
		return nil, fmt.Errorf("decode record %s: its kind %q is unknown", record.ID, record.Kind)
	}
	if lacks != "" {
		return nil, fmt.Errorf("decode record %s of kind %s: it lacks its %s", record.ID, record.Kind, lacks)
	}
	return &record, nil
}
