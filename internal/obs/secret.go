package obs

import (
	"fmt"
	"io"
	"log/slog"
)

const redacted = "[redacted]"

// Secret is a value that is used but never shown: a password, a key, a URL with credentials.
//
// Printing, encoding or logging it, also as part of a larger value, gives "[redacted]", or "" if it is empty. The zero
// value is the empty secret.
type Secret struct {
	// A pointer, since fmt prints unexported fields of a surrounding struct without asking their methods: it then
	// shows an address.
	value *string
}

// NewSecret wraps a value.
func NewSecret(value string) Secret {
	if value == "" {
		return Secret{}
	}

	return Secret{&value}
}

// Reveal is the value itself: for the call that needs it, never to be kept or printed.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}

	return *s.value
}

// IsZero reports whether the secret is empty.
func (s Secret) IsZero() bool { return s.value == nil }

// String is "[redacted]", or "" if the secret is empty.
func (s Secret) String() string {
	if s.IsZero() {
		return ""
	}

	return redacted
}

// Format makes every verb of fmt, also the wrong ones, print String.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue makes slog print String.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText makes encoders write String.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText takes the text as the value, so that flags, environment and JSON can hold secrets.
func (s *Secret) UnmarshalText(text []byte) error {
	*s = NewSecret(string(text))
	return nil
}
