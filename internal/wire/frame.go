package wire

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// The types of frames that a client sends.
const (
	FrameAuth   = "auth"
	FrameSend   = "send"
	FrameTyping = "typing"
	FrameRead   = "read"
	FramePing   = "ping"
)

// ClientFrame is any frame from a client; which fields count follows from Type.
type ClientFrame struct {
	Type          string                   `json:"type"`
	Token         string                   `json:"token"`
	Positions     map[chat.RoomID]chat.Seq `json:"positions"`
	RoomID        chat.RoomID              `json:"room_id"`
	ID            chat.MessageID           `json:"id"`
	Body          string                   `json:"body"`
	ReplyTo       chat.MessageID           `json:"reply_to"`
	AttachmentIDs []string                 `json:"attachment_ids"`
	Resend        bool                     `json:"resend"`
	Seq           chat.Seq                 `json:"seq"`
}

// DecodeFrame reads a client's frame. Where it is refused, the id that the frame named, if it can be made out, is still
// in the answer, so that the client learns which of its sends it was.
func DecodeFrame(data []byte) (ClientFrame, error) {
	if !utf8.Valid(data) {
		return ClientFrame{}, chat.Refuse(chat.BadRequest, "a frame is UTF-8 text")
	}
	var frame ClientFrame
	if err := json.Unmarshal(data, &frame); err != nil {
		var named struct {
			ID chat.MessageID `json:"id"`
		}
		_ = json.Unmarshal(data, &named) // only to name the refused frame; its error is the one above
		return ClientFrame{ID: named.ID}, &chat.Error{Code: chat.BadRequest, Detail: "a frame is one JSON object as the protocol describes", Err: err}
	}
	if first := bytes.TrimLeft(data, " \t\r\n"); len(first) == 0 || first[0] != '{' {
		return ClientFrame{}, chat.Refuse(chat.BadRequest, "a frame is one JSON object")
	}
	if len(frame.Positions) > chat.PositionsMax {
		return frame, chat.Refuse(chat.BadRequest, "at most %d positions", chat.PositionsMax)
	}
	return frame, nil
}

// EventFrame wraps an envelope's body.
func EventFrame(body []byte) []byte {
	const head, tail = `{"type":"event","event":`, `}`
	frame := make([]byte, 0, len(head)+len(body)+len(tail))
	frame = append(frame, head...)
	frame = append(frame, body...)
	return append(frame, tail...)
}

// EventAt reads when an event was taken from its frame, without reading the rest: what stands before it in every event
// holds no text that anybody wrote.
func EventAt(frame []byte) (at time.Time, found bool) {
	const mark = `"at":"`
	_, rest, _ := bytes.Cut(frame, []byte(mark))
	text, _, whole := bytes.Cut(rest, []byte{'"'})
	at, err := time.Parse(time.RFC3339, string(text))
	return at, whole && err == nil
}

// Ready is the answer to the first auth frame.
type Ready struct {
	Type             string        `json:"type"`
	User             Me            `json:"user"`
	Rooms            []MemberRoom  `json:"rooms"`
	UsersOnline      []chat.UserID `json:"users_online"`
	HeartbeatSeconds int           `json:"heartbeat_seconds"`
	ConnectionID     string        `json:"connection_id"`
}

// ReadyFrame encodes the answer to the first auth frame.
func ReadyFrame(user chat.User, rooms []chat.MemberRoom, online []chat.UserID, heartbeatSeconds int, connection string) []byte {
	ready := Ready{
		Type: "ready", User: MeOf(user), Rooms: make([]MemberRoom, len(rooms)), UsersOnline: orEmpty(online),
		HeartbeatSeconds: heartbeatSeconds, ConnectionID: connection,
	}
	for i, room := range rooms {
		ready.Rooms[i] = MemberRoomOf(room)
	}
	return must(ready)
}

// AckFrame says that a message is durable; seq is left out while it is zero.
func AckFrame(room chat.RoomID, id chat.MessageID, seq chat.Seq) []byte {
	b := append(make([]byte, 0, 160), `{"type":"ack","id":`...)
	b = appendID(b, id)
	b = append(b, `,"room_id":`...)
	b = appendID(b, room)
	if seq != 0 {
		b = append(b, `,"seq":`...)
		b = strconv.AppendUint(b, uint64(seq), 10)
	}
	return append(b, '}')
}

// ErrorFrame refuses a frame; id is left out while it is zero.
func ErrorFrame(id chat.MessageID, err error) []byte {
	problem := ProblemOf(err)
	return must(struct {
		Type         string            `json:"type"`
		ID           chat.MessageID    `json:"id,omitzero"`
		Code         chat.Code         `json:"code"`
		Detail       string            `json:"detail"`
		Errors       []chat.FieldError `json:"errors,omitempty"`
		RetryAfterMS int64             `json:"retry_after_ms,omitempty"`
	}{"error", id, problem.Code, problem.Detail, problem.Errors, problem.RetryAfter.Milliseconds()})
}

// ResetFrame tells a client that it has missed too much of a room to be sent all of it.
func ResetFrame(room chat.RoomID, head chat.Seq) []byte {
	return must(struct {
		Type   string      `json:"type"`
		RoomID chat.RoomID `json:"room_id"`
		Head   chat.Seq    `json:"head"`
	}{"reset", room, head})
}

// JoinedFrame says that a room's events begin after its head.
func JoinedFrame(room chat.MemberRoom) []byte {
	return must(struct {
		Type string     `json:"type"`
		Room MemberRoom `json:"room"`
	}{"joined", MemberRoomOf(room)})
}

// LeftFrame says that a room's events end here. Reason is a member change, or "deleted".
func LeftFrame(room chat.RoomID, reason string) []byte {
	return must(struct {
		Type   string      `json:"type"`
		RoomID chat.RoomID `json:"room_id"`
		Reason string      `json:"reason"`
	}{"left", room, reason})
}

// TypingFrame says that a person is typing.
func TypingFrame(room chat.RoomID, user chat.Profile) []byte {
	return must(struct {
		Type   string      `json:"type"`
		RoomID chat.RoomID `json:"room_id"`
		User   User        `json:"user"`
	}{"typing", room, UserOf(user)})
}

// PresenceFrame says that a person came or went.
func PresenceFrame(user chat.UserID, online bool) []byte {
	return must(struct {
		Type   string      `json:"type"`
		UserID chat.UserID `json:"user_id"`
		Online bool        `json:"online"`
	}{"presence", user, online})
}

// ReadFrame tells a person's other devices where the read line is.
func ReadFrame(room chat.RoomID, state chat.ReadState) []byte {
	return must(struct {
		Type   string      `json:"type"`
		RoomID chat.RoomID `json:"room_id"`
		ReadState
	}{"read", room, ReadStateOf(state)})
}

// IsPing recognises a ping as clients write it. One with other spaces, or more in it, is one too, but has to be decoded.
func IsPing(data []byte) bool { return string(data) == `{"type":"ping"}` }

// PongFrame answers a ping.
func PongFrame() []byte { return []byte(`{"type":"pong"}`) }

// DrainingFrame tells a client that this node is going away and when to come back.
func DrainingFrame(reconnectInMS int64) []byte {
	return must(struct {
		Type          string `json:"type"`
		ReconnectInMS int64  `json:"reconnect_in_ms"`
	}{"draining", reconnectInMS})
}

// must encodes shapes made of strings, numbers and times, whose encoding cannot fail.
func must(shape any) []byte {
	data, err := json.Marshal(shape)
	if err != nil {
		panic("wire: encode " + err.Error())
	}
	return data
}
