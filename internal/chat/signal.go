package chat

// SignalKind says what a Signal tells.
type SignalKind string

// The kinds of signals.
const (
	SignalJoined         SignalKind = "joined"          // User is now in Room: its events begin for that user's connections
	SignalLeft           SignalKind = "left"            // User is no longer in Room, because of Change: its events end at once
	SignalMember         SignalKind = "member"          // User's role or mute in Room changed: forget what was cached
	SignalRoomDeleted    SignalKind = "room_deleted"    // Room is gone
	SignalSessionEnded   SignalKind = "session_ended"   // Session, or with a zero Session all of User's, must be closed
	SignalProfileChanged SignalKind = "profile_changed" // User's names changed: forget what was cached
	SignalRead           SignalKind = "read"            // User's read line in Room moved to Read, for that user's other devices
	SignalTyping         SignalKind = "typing"          // Profile is typing in Room
	SignalPresence       SignalKind = "presence"        // User went online or offline
	SignalRefused        SignalKind = "refused"         // User's Message in Room was acked and then, when it was numbered, refused with Code
)

// Signal is news between nodes that is not part of any room's log. It may be lost, so nothing durable rests on it:
// what it hurries along is found out later by itself.
type Signal struct {
	Kind       SignalKind   `json:"kind"`
	Room       RoomID       `json:"room_id,omitzero"`
	User       UserID       `json:"user_id,omitzero"`
	Session    SessionID    `json:"session_id,omitzero"`
	Except     SessionID    `json:"except,omitzero"`      // with a zero Session: the one session that stays
	Connection string       `json:"connection,omitempty"` // the connection that caused it and need not hear of it
	Change     MemberChange `json:"change,omitempty"`
	Profile    *Profile     `json:"profile,omitempty"`
	Read       *ReadState   `json:"read,omitempty"`
	Online     bool         `json:"online,omitempty"`
	Message    MessageID    `json:"message_id,omitzero"`
	Code       Code         `json:"code,omitempty"`
	Detail     string       `json:"detail,omitempty"` // of a refusal, for people
}
