package redis

import (
	"encoding/binary"
	"errors"
	"unique"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// An envelope on a channel is a header and the body:
//
//	version 1 · room 16 · number 8, big-endian · length and text of kind · length and text of change · subject 16, where
//	there is a change
//
// Readers refuse a version that they do not know, and fetch what it told of.
const (
	envelopeVersion = 1
	envelopeFixed   = 1 + 16 + 8
)

var errEnvelope = errors.New("this is no envelope")

func appendEnvelope(b []byte, e *chat.Envelope) []byte {
	b = append(b, envelopeVersion)
	b = append(b, e.Room[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(e.Seq))
	b = append(append(b, byte(len(e.Kind))), e.Kind...)     //nolint:gosec // the words of the product are short
	b = append(append(b, byte(len(e.Change))), e.Change...) //nolint:gosec // likewise
	if e.Change != "" {
		b = append(b, e.Subject[:]...)
	}
	return append(b, e.Body...)
}

func decodeEnvelope(data string) (e chat.Envelope, err error) {
	if len(data) < envelopeFixed || data[0] != envelopeVersion {
		return e, errEnvelope
	}
	copy(e.Room[:], data[1:17])
	e.Seq = chat.Seq(binary.BigEndian.Uint64([]byte(data[17:25])))
	rest := data[envelopeFixed:]
	kind, rest, ok := cutText(rest)
	if !ok {
		return e, errEnvelope
	}
	change, rest, ok := cutText(rest)
	if !ok {
		return e, errEnvelope
	}
	// Not parts of data, which would live as long as somebody remembers what the envelope told.
	e.Kind, e.Change = chat.Kind(unique.Make(kind).Value()), chat.MemberChange(unique.Make(change).Value())
	if change != "" {
		if len(rest) < len(e.Subject) {
			return e, errEnvelope
		}
		copy(e.Subject[:], rest)
		rest = rest[len(e.Subject):]
	}
	if rest != "" {
		e.Body = []byte(rest)
	}
	return e, nil
}

func cutText(data string) (text, rest string, ok bool) {
	if data == "" || len(data) < 1+int(data[0]) {
		return "", "", false
	}
	end := 1 + int(data[0])
	return data[1:end], data[end:], true
}
