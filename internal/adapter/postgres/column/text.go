package column

import (
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgtype"
)

// Text is a text that a person wrote, or nothing where a join left it out. PostgreSQL keeps any text but one with a zero
// byte or with bytes that are not UTF-8. The edges refuse such texts; a log that is older than their rules may hold them all
// the same, and a search may ask for them. A batch that could not be stored would block its partition for ever, so what does
// not fit is escaped: U+FFFE, a code point that is promised never to be a character, and two hexadecimal digits for a
// byte, or itself once more.
type Text string

const (
	escape    = '\uFFFE'
	escapeUTF = string(escape)
	hexDigits = "0123456789abcdef"
)

// Escape is a text as a parameter has it. Nearly always it is the text itself.
func Escape(text string) string {
	if utf8.ValidString(text) && strings.IndexByte(text, 0) < 0 && !strings.Contains(text, escapeUTF) {
		return text
	}
	var b strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		switch {
		case r == escape:
			b.WriteString(escapeUTF + escapeUTF)
		case r == 0 || (r == utf8.RuneError && size == 1):
			b.WriteString(escapeUTF)
			b.WriteByte(hexDigits[text[0]>>4])
			b.WriteByte(hexDigits[text[0]&15])
		default:
			b.WriteString(text[:size])
		}
		text = text[size:]
	}
	return b.String()
}

// unescape is what Escape was given. What Escape never gives stays as it is.
func unescape(text string) string {
	if !strings.Contains(text, escapeUTF) {
		return text
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, escapeUTF)
		b.WriteString(before)
		if !found {
			return b.String()
		}
		text = rest
		if after, twice := strings.CutPrefix(rest, escapeUTF); twice {
			b.WriteString(escapeUTF)
			text = after
			continue
		}
		high, low := -1, -1
		if len(rest) >= 2 {
			high, low = strings.IndexByte(hexDigits, rest[0]), strings.IndexByte(hexDigits, rest[1])
		}
		if high < 0 || low < 0 {
			b.WriteString(escapeUTF)
			continue
		}
		b.WriteByte(byte(high<<4 | low)) //nolint:gosec // two digits
		text = rest[2:]
	}
}

// ScanText reads a text that a join may have left out.
func (t *Text) ScanText(value pgtype.Text) error {
	*t = Text(unescape(value.String))
	return nil
}
