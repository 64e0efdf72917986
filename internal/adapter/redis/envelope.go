package redis

import (
	"encoding/binary"
	"errors"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// An envelope on the bus: version, seq (8 bytes, big-endian), subject (16 bytes), kind and change, each with its length
// before it in a byte, and the body. The channel names the room.
const (
	envelopeVersion = 1
	envelopeFixed   = 1 + 8 + 16
)

var errEnvelope = errors.New("this is no envelope of a version that is known here")

func encode(e *chat.Envelope) []byte {
	b := make([]byte, 0, envelopeFixed+2+len(e.Kind)+len(e.Change)+len(e.Body))
	b = append(b, envelopeVersion)
	b = binary.BigEndian.AppendUint64(b, uint64(e.Seq))
	b = append(b, e.Subject[:]...)
	b = append(append(b, byte(len(e.Kind))), e.Kind...)     // words of ours, a few letters each
	b = append(append(b, byte(len(e.Change))), e.Change...) // likewise
	return append(b, e.Body...)
}

func decode(room chat.RoomID, b []byte) (chat.Envelope, error) {
	if len(b) < envelopeFixed+2 || b[0] != envelopeVersion {
		return chat.Envelope{}, errEnvelope
	}
	e := chat.Envelope{Room: room, Seq: chat.Seq(binary.BigEndian.Uint64(b[1:])), Subject: chat.UserID(b[9:25])}
	kind, rest, ok := word(b[envelopeFixed:])
	if !ok {
		return chat.Envelope{}, errEnvelope
	}
	change, body, ok := word(rest)
	if !ok {
		return chat.Envelope{}, errEnvelope
	}
	e.Kind, e.Change = chat.Kind(kind), chat.MemberChange(change)
	if len(body) > 0 {
		e.Body = body
	}
	return e, nil
}

// word reads a text that has its length before it.
func word(b []byte) (text string, rest []byte, ok bool) {
	if len(b) == 0 || len(b)-1 < int(b[0]) {
		return "", nil, false
	}
	n := 1 + int(b[0])
	return string(b[1:n]), b[n:], true
}
