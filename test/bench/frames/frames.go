//go:build linux

// Package frames is what a benchmark's clients say to a server, made once and sent again and again.
package frames

import (
	"encoding/binary"
	"encoding/json"
	"math/rand/v2"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Body is what everybody says: about as long as messages are.
const Body = "The quick brown fox jumps over the lazy dog, and 다람쥐 헌 쳇바퀴에 타고파 is what the dog says."

// Masked is a client's text frame. Its mask is all zeros, which is a mask, so that its payload can be changed in place.
func Masked(payload []byte) []byte {
	frame := []byte{0x81}
	if len(payload) < 126 {
		frame = append(frame, 0x80|byte(len(payload))) //nolint:gosec // below 126
	} else {
		frame = append(frame, 0x80|126)
		frame = binary.BigEndian.AppendUint16(frame, uint16(len(payload))) //nolint:gosec // ours are short
	}
	frame = append(frame, 0, 0, 0, 0)
	return append(frame, payload...)
}

// Greeting is a client's handshake.
func Greeting() []byte {
	return []byte("GET /ws HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
}

// Auth signs in, from a position in each of the rooms.
func Auth(token string, rooms []chat.RoomID, position chat.Seq) []byte {
	positions := make(map[chat.RoomID]chat.Seq, len(rooms))
	for _, id := range rooms {
		positions[id] = position
	}
	payload, err := json.Marshal(map[string]any{"type": "auth", "token": token, "positions": positions})
	if err != nil {
		panic(err) // strings and numbers have no error
	}
	return Masked(payload)
}

// Send is a send that can be sent again and again, each time with another id.
type Send struct {
	frame  []byte
	id     []byte // inside frame
	random uint64
	sent   uint32
}

// NewSend makes one for a room.
func NewSend(room chat.RoomID) *Send {
	const before, between = `{"type":"send","id":"`, `","room_id":"`
	payload := before + chat.MessageID{}.String() + between + room.String() + `","body":"` + Body + `"}`
	s := &Send{frame: Masked([]byte(payload)), random: rand.Uint64()} //nolint:gosec // tells senders apart, guards nothing
	at := len(s.frame) - len(payload) + len(before)
	s.id = s.frame[at : at+36]
	return s
}

// Next is the frame with a fresh id; it is good until the next call.
func (s *Send) Next(now time.Time) []byte {
	var id chat.MessageID
	ms := uint64(now.UnixMilli())
	binary.BigEndian.PutUint64(id[:], ms<<16)
	binary.BigEndian.PutUint64(id[8:], s.random)
	s.sent++
	binary.BigEndian.PutUint32(id[10:], s.sent)
	id[6] = 0x70 | byte(s.sent>>28)
	id[8] = 0x80 | id[8]&0x3f
	_, _ = id.AppendText(s.id[:0])
	return s.frame
}

// Kind of a server's frame, by the first letters of its type: the shortest that tell them apart.
func Kind(head []byte) string {
	const before = len(`{"type":"`)
	if len(head) < before+3 {
		return ""
	}
	switch string(head[before : before+3]) {
	case "ack":
		return "ack"
	case "eve":
		return "event"
	case "err":
		return "error"
	case "rea":
		if len(head) > before+5 && string(head[before:before+5]) == "ready" {
			return "ready"
		}
	case "pon":
		return "pong"
	case "res":
		return "reset"
	}
	return "other"
}
