package column

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// What an event tells beside its columns, as JSON in events.payload. These shapes are the store's own: rows written
// years ago are read by them, so fields are added and never renamed.
type (
	reactionPayload struct {
		Emoji string `json:"emoji"`
		Added bool   `json:"added"`
	}
	memberPayload struct {
		Change       chat.MemberChange `json:"change"`
		Role         chat.Role         `json:"role"`
		JoinedAtMS   int64             `json:"joined_at_ms"`
		MutedUntilMS int64             `json:"muted_until_ms,omitempty"`
	}
	roomPayload struct {
		Change      chat.RoomChange `json:"change"`
		Name        string          `json:"name"`
		Topic       string          `json:"topic"`
		Visibility  chat.Visibility `json:"visibility"`
		CreatedBy   chat.UserID     `json:"created_by"`
		CreatedAtMS int64           `json:"created_at_ms"`
		Head        chat.Seq        `json:"head"`
		Members     int             `json:"members"`
		MoodEnabled bool            `json:"mood_enabled,omitempty"`
	}
)

// Payload encodes what the event tells; nil for kinds whose columns say all.
func Payload(event *chat.Event) (any, error) {
	var payload any
	switch {
	case event.Kind == chat.KindReaction && event.Reaction != nil:
		payload = reactionPayload(*event.Reaction)
	case event.Kind == chat.KindMember && event.Member != nil:
		m := event.Member
		payload = memberPayload{Change: m.Change, Role: m.Role, JoinedAtMS: msOrZero(m.JoinedAt), MutedUntilMS: msOrZero(m.MutedUntil)}
	case event.Kind == chat.KindRoom && event.Info != nil:
		r := event.Info.Room
		payload = roomPayload{
			Change: event.Info.Change, Name: r.Name, Topic: r.Topic, Visibility: r.Visibility, CreatedBy: r.CreatedBy,
			CreatedAtMS: msOrZero(r.CreatedAt), Head: r.Head, Members: r.Members, MoodEnabled: r.MoodEnabled,
		}
	case event.Kind == chat.KindEdit, event.Kind == chat.KindDelete, event.Kind == chat.KindMood, event.Kind == chat.KindVoid:
		return nil, nil //nolint:nilnil // null in the column
	default:
		return nil, fmt.Errorf("an event of kind %q without what it tells", event.Kind)
	}
	text, err := json.Marshal(payload)
	if err != nil {
		return nil, fmt.Errorf("encode what the event tells: %w", err)
	}
	return string(text), nil
}

// ReadPayload gives an event what its payload tells; subject is the person of a member event.
func ReadPayload(event *chat.Event, payload string, subject chat.Profile) error {
	switch event.Kind {
	case chat.KindReaction:
		var p reactionPayload
		if err := json.Unmarshal([]byte(payload), &p); err != nil {
			return fmt.Errorf("decode reaction: %w", err)
		}
		detail := chat.ReactionDetail(p)
		event.Reaction = &detail
	case chat.KindMember:
		var p memberPayload
		if err := json.Unmarshal([]byte(payload), &p); err != nil {
			return fmt.Errorf("decode member: %w", err)
		}
		event.Member = &chat.MemberDetail{
			User: subject, Role: p.Role, JoinedAt: timeOrZero(p.JoinedAtMS), MutedUntil: timeOrZero(p.MutedUntilMS), Change: p.Change,
		}
	case chat.KindRoom:
		var p roomPayload
		if err := json.Unmarshal([]byte(payload), &p); err != nil {
			return fmt.Errorf("decode room: %w", err)
		}
		event.Info = &chat.RoomDetail{Change: p.Change, Room: chat.Room{
			ID: event.Room, Name: p.Name, Topic: p.Topic, Visibility: p.Visibility, CreatedBy: p.CreatedBy,
			CreatedAt: timeOrZero(p.CreatedAtMS), Head: p.Head, Members: p.Members, MoodEnabled: p.MoodEnabled,
		}}
	case chat.KindMessage, chat.KindEdit, chat.KindDelete, chat.KindMood, chat.KindVoid:
	}
	return nil
}

func msOrZero(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func timeOrZero(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
