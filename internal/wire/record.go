package wire

import (
	"bytes"
	"unicode/utf8"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Every record of the log is decoded by whoever owns its partition, and a backlog by the million. So a plain message, which
// nearly all of them are, is read here in the one form in which EncodeRecord writes it; encoding/json measured five times as
// long. Whatever differs from that form by a byte is left to encoding/json. A test holds both to the same result.

// readMessage reads the record of a plain message: one that answers nothing and mentions nobody. It answers false for
// anything else, whether that can be read or not.
func readMessage(data []byte, record *chat.Record) bool {
	r := reader{rest: data}
	r.literal(`{"id":`)
	r.text(record.ID.UnmarshalText)
	r.literal(`,"room_id":`)
	r.text(record.Room.UnmarshalText)
	r.literal(`,"kind":"message","at":`)
	r.text(record.At.UnmarshalText)
	r.literal(`,"actor":{"id":`)
	r.text(record.Actor.ID.UnmarshalText)
	r.literal(`,"username":`)
	record.Actor.Username = r.string()
	r.literal(`,"display_name":`)
	record.Actor.DisplayName = r.string()
	if r.optional(`,"avatar_url":`) {
		record.Actor.AvatarURL = r.string()
	}
	r.literal(`},"body":`)
	record.Body = r.string()
	if r.optional(`,"fingerprint":[`) {
		for i := range record.Fingerprint {
			if i > 0 {
				r.literal(`,`)
			}
			record.Fingerprint[i] = r.byte()
		}
		r.literal(`]`)
	}
	record.Resend = r.optional(`,"resend":true`)
	r.literal(`}`)
	record.Kind = chat.KindMessage
	return !r.failed && len(r.rest) == 0
}

// reader reads what is expected, until something else comes.
type reader struct {
	rest   []byte
	failed bool
}

func (r *reader) optional(text string) bool {
	if r.failed || len(r.rest) < len(text) || string(r.rest[:len(text)]) != text {
		return false
	}
	r.rest = r.rest[len(text):]
	return true
}

func (r *reader) literal(text string) { r.failed = !r.optional(text) }

// quoted reads a text in quotes that stands there as it is.
func (r *reader) quoted() []byte {
	if r.literal(`"`); r.failed {
		return nil
	}
	end := bytes.IndexByte(r.rest, '"')
	if end < 0 {
		r.failed = true
		return nil
	}
	text := r.rest[:end]
	r.rest = r.rest[end+1:]
	for _, c := range text {
		if c < ' ' || c == '\\' {
			r.failed = true
			return nil
		}
	}
	return text
}

func (r *reader) text(into func([]byte) error) {
	if text := r.quoted(); !r.failed {
		r.failed = into(text) != nil
	}
}

func (r *reader) string() string {
	text := r.quoted()
	if !utf8.Valid(text) {
		r.failed = true
	}
	return string(text)
}

func (r *reader) byte() byte {
	value, digits := 0, 0
	for digits < len(r.rest) && digits < 3 && r.rest[digits] >= '0' && r.rest[digits] <= '9' {
		value = value*10 + int(r.rest[digits]-'0')
		digits++
	}
	if digits == 0 || value > 255 || (digits > 1 && r.rest[0] == '0') {
		r.failed = true
		return 0
	}
	r.rest = r.rest[digits:]
	return byte(value)
}
