package chat

import (
	"errors"
	"fmt"
)

// ID is a 128-bit identifier, a UUIDv7 wherever this product makes one. The type parameter only tells kinds of
// identifiers apart, so that a user's id cannot be passed where a room's is meant.
type ID[Of any] [16]byte

type (
	roomKind    struct{}
	userKind    struct{}
	messageKind struct{}
	sessionKind struct{}
)

type (
	// RoomID names a room.
	RoomID = ID[roomKind]
	// UserID names a person's account.
	UserID = ID[userKind]
	// MessageID names a message, or any other record of a room's log; the client that sends a message makes it.
	MessageID = ID[messageKind]
	// SessionID names a signed-in device.
	SessionID = ID[sessionKind]
)

var errID = errors.New("an id is a UUID in its 36-character form")

const hexDigits = "0123456789abcdef"

// String gives the canonical lower-case form of 36 characters.
func (id ID[Of]) String() string {
	var b [36]byte
	return string(id.append(b[:0]))
}

func (id ID[Of]) append(b []byte) []byte {
	for i, v := range id {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			b = append(b, '-')
		}
		b = append(b, hexDigits[v>>4], hexDigits[v&15])
	}
	return b
}

// IsZero reports whether the id was never set.
func (id ID[Of]) IsZero() bool { return id == ID[Of]{} }

// MarshalText gives the canonical form; it never fails.
func (id ID[Of]) MarshalText() ([]byte, error) { return id.append(make([]byte, 0, 36)), nil }

// AppendText appends the canonical form; it never fails.
func (id ID[Of]) AppendText(b []byte) ([]byte, error) { return id.append(b), nil }

// UnmarshalText accepts the 36-character form in either case, and nothing else.
func (id *ID[Of]) UnmarshalText(text []byte) error {
	parsed, err := parseID(string(text))
	if err != nil {
		return err
	}
	*id = parsed
	return nil
}

// UnixMilli is the creation time that a UUIDv7 carries, in milliseconds since 1970 (RFC 9562, section 5.7).
// ok is false for other versions.
func (id ID[Of]) UnixMilli() (ms int64, ok bool) {
	if id[6]>>4 != 7 {
		return 0, false
	}
	for _, v := range id[:6] {
		ms = ms<<8 | int64(v)
	}
	return ms, true
}

// ParseRoomID reads a room id in its canonical form.
func ParseRoomID(s string) (RoomID, error) { return parse[roomKind]("room", s) }

// ParseUserID reads a user id in its canonical form.
func ParseUserID(s string) (UserID, error) { return parse[userKind]("user", s) }

// ParseMessageID reads a message id in its canonical form.
func ParseMessageID(s string) (MessageID, error) { return parse[messageKind]("message", s) }

// ParseSessionID reads a session id in its canonical form.
func ParseSessionID(s string) (SessionID, error) { return parse[sessionKind]("session", s) }

func parse[Of any](what, s string) (ID[Of], error) {
	raw, err := parseID(s)
	if err != nil {
		return ID[Of]{}, fmt.Errorf("%s id: %w", what, err)
	}
	return raw, nil
}

func parseID(s string) (id [16]byte, err error) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return id, errID
	}
	at := 0
	for i := range id {
		if at == 8 || at == 13 || at == 18 || at == 23 {
			at++
		}
		high, okHigh := nibble(s[at])
		low, okLow := nibble(s[at+1])
		if !okHigh || !okLow {
			return [16]byte{}, errID
		}
		id[i] = high<<4 | low
		at += 2
	}
	return id, nil
}

func nibble(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}
