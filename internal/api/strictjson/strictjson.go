package strictjson

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

const (
	depthMax       = 16 // our deepest body has 2
	namesMax       = 64 // in one object
	namesUsual     = 8  // for which no memory is asked
	numberBytesMax = 40 // a number of ours has 16 digits
)

// Check refuses with chat.BadRequest every body that is not exactly one JSON object that means the same to every reader.
func Check(body []byte) error {
	if !utf8.Valid(body) {
		return chat.Refuse(chat.BadRequest, "the body is not valid UTF-8")
	}
	r := reader{data: body}
	r.space()
	if r.peek() != '{' {
		return chat.Refuse(chat.BadRequest, "the body is not a JSON object")
	}
	if !r.value(0) {
		return chat.Refuse(chat.BadRequest, "%s", r.fault())
	}
	r.space()
	if r.at != len(body) {
		return chat.Refuse(chat.BadRequest, "there is something after the JSON object")
	}
	return nil
}

// reader walks over JSON text (RFC 8259) without building anything. Its methods report whether what they name stands
// here, and move behind it.
type reader struct {
	data   []byte
	at     int
	reason string
}

func (r *reader) fault() string {
	if r.reason != "" {
		return r.reason
	}
	return "the body is not well-formed JSON"
}

func (r *reader) fail(reason string) bool {
	r.reason = reason
	return false
}

// peek is the next byte, or zero at the end, which no JSON begins with.
func (r *reader) peek() byte {
	if r.at < len(r.data) {
		return r.data[r.at]
	}
	return 0
}

func (r *reader) space() {
	for r.at < len(r.data) {
		switch r.data[r.at] {
		case ' ', '\t', '\r', '\n':
			r.at++
		default:
			return
		}
	}
}

func (r *reader) byte(b byte) bool {
	if r.peek() != b {
		return false
	}
	r.at++
	return true
}

func (r *reader) value(depth int) bool {
	if depth > depthMax {
		return r.fail("the body is nested too deeply")
	}
	switch c := r.peek(); {
	case c == '{':
		return r.object(depth)
	case c == '[':
		return r.array(depth)
	case c == '"':
		return r.text()
	case c == '-' || isDigit(c):
		return r.number()
	default:
		return r.word("true") || r.word("false") || r.word("null")
	}
}

func (r *reader) word(word string) bool {
	if !bytes.HasPrefix(r.data[r.at:], []byte(word)) {
		return false
	}
	r.at += len(word)
	return true
}

func (r *reader) object(depth int) bool {
	r.at++
	r.space()
	if r.byte('}') {
		return true
	}
	names := make([][]byte, 0, namesUsual)
	for {
		name, ok := r.name()
		if !ok {
			return false
		}
		for _, before := range names {
			if bytes.EqualFold(before, name) { // encoding/json takes names in any case
				return r.fail("the body has a name more than once")
			}
		}
		if names = append(names, name); len(names) > namesMax {
			return r.fail("the body has too many names")
		}
		r.space()
		if !r.byte(':') {
			return false
		}
		r.space()
		if !r.value(depth + 1) {
			return false
		}
		r.space()
		if r.byte('}') {
			return true
		}
		if !r.byte(',') {
			return false
		}
		r.space()
	}
}

// name reads the name of a field, without its escapes.
func (r *reader) name() (name []byte, ok bool) {
	start := r.at
	if r.peek() != '"' || !r.text() {
		return nil, false
	}
	written := r.data[start:r.at]
	name = written[1 : len(written)-1]
	if bytes.IndexByte(name, '\\') < 0 {
		return name, true
	}
	var plain string
	if err := json.Unmarshal(written, &plain); err != nil {
		return nil, false
	}
	return []byte(plain), true
}

func (r *reader) array(depth int) bool {
	r.at++
	r.space()
	if r.byte(']') {
		return true
	}
	for {
		if !r.value(depth + 1) {
			return false
		}
		r.space()
		if r.byte(']') {
			return true
		}
		if !r.byte(',') {
			return false
		}
		r.space()
	}
}

func (r *reader) text() bool {
	r.at++
	for r.at < len(r.data) {
		switch c := r.data[r.at]; {
		case c == '"':
			r.at++
			return true
		case c < ' ':
			return false
		case c == '\\':
			if !r.escape() {
				return false
			}
		default:
			r.at++
		}
	}
	return false
}

func (r *reader) escape() bool {
	r.at++
	switch r.peek() {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		r.at++
		return true
	case 'u':
	default:
		return false
	}
	unit, ok := r.unit()
	switch {
	case !ok:
		return false
	case unit == 0:
		return r.fail("the body has a NUL character")
	case unit < 0xD800 || unit > 0xDFFF:
		return true
	case unit > 0xDBFF || !r.byte('\\'):
		return r.fail("the body has half a surrogate pair")
	}
	if low, ok := r.unit(); !ok || low < 0xDC00 || low > 0xDFFF {
		return r.fail("the body has half a surrogate pair")
	}
	return true
}

// unit reads uXXXX.
func (r *reader) unit() (unit uint16, ok bool) {
	if !r.byte('u') || r.at+4 > len(r.data) {
		return 0, false
	}
	for _, c := range r.data[r.at : r.at+4] {
		switch {
		case isDigit(c):
			unit = unit<<4 | uint16(c-'0')
		case c >= 'a' && c <= 'f':
			unit = unit<<4 | uint16(c-'a'+10)
		case c >= 'A' && c <= 'F':
			unit = unit<<4 | uint16(c-'A'+10)
		default:
			return 0, false
		}
	}
	r.at += 4
	return unit, true
}

func (r *reader) number() bool {
	start := r.at
	r.byte('-')
	if !r.byte('0') && !r.digits() {
		return false
	}
	if r.byte('.') && !r.digits() {
		return false
	}
	if r.byte('e') || r.byte('E') {
		_ = r.byte('+') || r.byte('-')
		if !r.digits() {
			return false
		}
	}
	if r.at-start > numberBytesMax {
		return r.fail("the body has a number that is too long")
	}
	return true
}

func (r *reader) digits() bool {
	start := r.at
	for isDigit(r.peek()) {
		r.at++
	}
	return r.at > start
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
