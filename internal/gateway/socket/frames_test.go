package socket

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/gobwas/ws"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// part is one frame of a client, masked unless said otherwise.
func part(op ws.OpCode, fin bool, payload string) []byte {
	return ws.MustCompileFrame(ws.MaskFrameWith(ws.NewFrame(op, fin, []byte(payload)), [4]byte{0xa1, 0xb2, 0xc3, 0xd4}))
}

func text(payload string) []byte { return part(ws.OpText, true, payload) }

// bits sets bits of a frame's first byte.
func bits(frame []byte, set byte) []byte {
	frame[0] |= set
	return frame
}

// bytewise cuts a message into fragments of one byte.
func bytewise(payload string) []byte {
	stream := part(ws.OpText, false, "")
	for i := range len(payload) {
		stream = append(stream, part(ws.OpContinuation, false, payload[i:i+1])...)
	}
	return append(stream, part(ws.OpContinuation, true, "")...)
}

func join(parts ...[]byte) []byte { return slices.Concat(parts...) }

// goodbyeOf is a close frame with that payload.
func goodbyeOf(code uint16, reason string) []byte {
	return part(ws.OpClose, true, string([]byte{byte(code >> 8), byte(code)})+reason)
}

// heard is what an inbound made of a stream.
type heard struct {
	messages, pongs []string
	err             error
}

func (h *heard) Hear() bool { return true }

func (h *heard) Take(payload []byte) { h.messages = append(h.messages, string(payload)) }

func (h *heard) Pong(payload []byte) { h.pongs = append(h.pongs, string(payload)) }

func listen(stream io.Reader) *heard {
	got := &heard{}
	in := newInbound()
	in.begin(got, 0, stream)
	for got.err == nil {
		got.err = in.next()
	}
	return got
}

// Promise (RFC 6455, after the cases of the Autobahn test suite): every legal stream is understood, whatever its pieces,
// and every illegal one ends with the error that says why, after what was legal.
func TestRFC6455(t *testing.T) {
	t.Parallel()
	long, longest := strings.Repeat("ab", 500), strings.Repeat("x", chat.FrameBytesMax)
	one := []string{"hello"}
	for name, tc := range map[string]struct {
		stream []byte
		want   heard
	}{
		// 1: framing
		"an empty message":                      {text(""), heard{[]string{""}, nil, io.EOF}},
		"125 bytes":                             {text(long[:125]), heard{[]string{long[:125]}, nil, io.EOF}},
		"126 bytes":                             {text(long[:126]), heard{[]string{long[:126]}, nil, io.EOF}},
		"4,096 bytes, the buffer":               {text(longest[:4096]), heard{[]string{longest[:4096]}, nil, io.EOF}},
		"4,097 bytes":                           {text(longest[:4097]), heard{[]string{longest[:4097]}, nil, io.EOF}},
		"as long as allowed":                    {text(longest), heard{[]string{longest}, nil, io.EOF}},
		"a byte longer":                         {text(longest + "x"), heard{nil, nil, ErrTooLarge}},
		"binary":                                {part(ws.OpBinary, true, "hello"), heard{nil, nil, ErrBinary}},
		"many messages in one packet":           {join(text("a"), text("b"), text("c")), heard{[]string{"a", "b", "c"}, nil, io.EOF}},
		"a length of 64 bits that fits in 7":    {lengthOf64Bits("hello", 5), heard{one, nil, io.EOF}},
		"a length of 64 bits that lies":         {lengthOf64Bits("hello", 1<<40), heard{nil, nil, ErrTooLarge}},
		"a length with its highest bit set":     {lengthOf64Bits("hello", 1<<63|5), heard{nil, nil, ErrTooLarge}},
		"an announced length that never comes":  {text(longest)[:5000], heard{nil, nil, io.ErrUnexpectedEOF}},
		"half a header":                         {text("hello")[:1], heard{nil, nil, io.ErrUnexpectedEOF}},
		"a header without its mask":             {text("hello")[:4], heard{nil, nil, io.ErrUnexpectedEOF}},
		"a short message without its last byte": {text("hello")[:10], heard{nil, nil, io.EOF}},
		"an unmasked frame":                     {ws.MustCompileFrame(ws.NewTextFrame([]byte("hello"))), heard{nil, nil, ErrProtocol}},

		// 2: pings and pongs
		"a ping without payload":        {part(ws.OpPing, true, ""), heard{nil, []string{""}, io.EOF}},
		"a ping with payload":           {part(ws.OpPing, true, "are you there?"), heard{nil, []string{"are you there?"}, io.EOF}},
		"a ping of 125 bytes":           {part(ws.OpPing, true, long[:125]), heard{nil, []string{long[:125]}, io.EOF}},
		"a ping of bytes that are text": {part(ws.OpPing, true, "\x00\xff\xfe"), heard{nil, []string{"\x00\xff\xfe"}, io.EOF}},
		"a ping of 126 bytes":           {part(ws.OpPing, true, long[:126]), heard{nil, nil, ErrProtocol}},
		"a ping in pieces":              {part(ws.OpPing, false, "are"), heard{nil, nil, ErrProtocol}},
		"an unsolicited pong":           {join(part(ws.OpPong, true, "here"), text("hello")), heard{one, nil, io.EOF}},
		"ten pings at once":             {bytes.Repeat(part(ws.OpPing, true, "?"), 10), heard{nil, strings.Split(strings.Repeat("?", 10), ""), io.EOF}},

		// 3, 4: reserved bits and opcodes
		"the first reserved bit":           {bits(text("hello"), 0x40), heard{nil, nil, ErrProtocol}},
		"the second reserved bit":          {bits(text("hello"), 0x20), heard{nil, nil, ErrProtocol}},
		"the third, after a message":       {join(text("hello"), bits(text("x"), 0x10)), heard{one, nil, ErrProtocol}},
		"a reserved bit on a ping":         {bits(part(ws.OpPing, true, ""), 0x40), heard{nil, nil, ErrProtocol}},
		"a reserved opcode":                {part(3, true, "hello"), heard{nil, nil, ErrProtocol}},
		"a reserved opcode without data":   {part(7, true, ""), heard{nil, nil, ErrProtocol}},
		"a reserved control opcode":        {part(11, true, ""), heard{nil, nil, ErrProtocol}},
		"another, in a fragmented message": {join(part(ws.OpText, false, "he"), part(15, true, "")), heard{nil, nil, ErrProtocol}},

		// 5: fragments
		"two fragments":                         {join(part(ws.OpText, false, "he"), part(ws.OpContinuation, true, "llo")), heard{one, nil, io.EOF}},
		"fragments of one byte":                 {bytewise("hello"), heard{one, nil, io.EOF}},
		"fragments without a byte":              {join(part(ws.OpText, false, ""), part(ws.OpContinuation, false, ""), part(ws.OpContinuation, true, "")), heard{[]string{""}, nil, io.EOF}},
		"a ping between fragments":              {join(part(ws.OpText, false, "he"), part(ws.OpPing, true, "?"), part(ws.OpContinuation, true, "llo")), heard{one, []string{"?"}, io.EOF}},
		"a pong between fragments":              {join(part(ws.OpText, false, "he"), part(ws.OpPong, true, "!"), part(ws.OpContinuation, true, "llo")), heard{one, nil, io.EOF}},
		"a goodbye between fragments":           {join(part(ws.OpText, false, "he"), goodbyeOf(1000, "")), heard{nil, nil, ErrGoodbye}},
		"a continuation of nothing":             {part(ws.OpContinuation, true, "llo"), heard{nil, nil, ErrProtocol}},
		"an unfinished continuation of nothing": {part(ws.OpContinuation, false, "llo"), heard{nil, nil, ErrProtocol}},
		"a continuation after the end":          {join(text("hello"), part(ws.OpContinuation, true, "")), heard{one, nil, ErrProtocol}},
		"a new message inside an unfinished":    {join(part(ws.OpText, false, "he"), text("hello")), heard{nil, nil, ErrProtocol}},
		"binary inside an unfinished message":   {join(part(ws.OpText, false, "he"), part(ws.OpBinary, true, "x")), heard{nil, nil, ErrProtocol}},
		"long fragments":                        {join(part(ws.OpText, false, longest[:40000]), part(ws.OpContinuation, true, longest[40000:])), heard{[]string{longest}, nil, io.EOF}},
		"fragments longer than allowed":         {join(part(ws.OpText, false, longest), part(ws.OpContinuation, true, "x")), heard{nil, nil, ErrTooLarge}},
		"a fragment that announces too much":    {join(part(ws.OpText, false, "x"), lengthOf64Bits("", 1<<40)), heard{nil, nil, ErrProtocol}},
		"more fragments than allowed":           {bytewise(strings.Repeat("x", fragmentsMax)), heard{nil, nil, ErrTooLarge}},
		"as many fragments as allowed":          {bytewise(strings.Repeat("x", fragmentsMax-2)), heard{[]string{strings.Repeat("x", fragmentsMax-2)}, nil, io.EOF}},

		// 6: UTF-8, which is judged where the message is whole (see wire.DecodeFrame)
		"UTF-8 split inside a letter": {bytewise("안녕 👋🏽"), heard{[]string{"안녕 👋🏽"}, nil, io.EOF}},
		"UTF-8 split over a ping": {
			join(part(ws.OpText, false, "\xec\x95"), part(ws.OpPing, true, "?"), part(ws.OpContinuation, true, "\x88")),
			heard{[]string{"안"}, []string{"?"}, io.EOF},
		},

		// 7: goodbyes
		"a goodbye without a code":         {part(ws.OpClose, true, ""), heard{nil, nil, ErrGoodbye}},
		"a goodbye with 1000":              {goodbyeOf(1000, "bye"), heard{nil, nil, ErrGoodbye}},
		"a goodbye with a code of its own": {goodbyeOf(4999, ""), heard{nil, nil, ErrGoodbye}},
		"a goodbye of one byte":            {part(ws.OpClose, true, "x"), heard{nil, nil, ErrProtocol}},
		"a goodbye of 126 bytes":           {part(ws.OpClose, true, "\x03\xe8"+long[:124]), heard{nil, nil, ErrProtocol}},
		"a goodbye with bad UTF-8":         {goodbyeOf(1000, "\xff"), heard{nil, nil, ErrProtocol}},
		"a goodbye with code 0":            {goodbyeOf(0, ""), heard{nil, nil, ErrProtocol}},
		"a goodbye with code 999":          {goodbyeOf(999, ""), heard{nil, nil, ErrProtocol}},
		"a goodbye with 1004":              {goodbyeOf(1004, ""), heard{nil, nil, ErrProtocol}},
		"a goodbye with 1005":              {goodbyeOf(1005, ""), heard{nil, nil, ErrProtocol}},
		"a goodbye with 1006":              {goodbyeOf(1006, ""), heard{nil, nil, ErrProtocol}},
		"a goodbye with 1016":              {goodbyeOf(1016, ""), heard{nil, nil, ErrProtocol}},
		"a goodbye with 2000":              {goodbyeOf(2000, ""), heard{nil, nil, ErrProtocol}},
		"a message after the goodbye":      {join(goodbyeOf(1000, ""), text("hello")), heard{nil, nil, ErrGoodbye}},
		"a goodbye in pieces":              {part(ws.OpClose, false, ""), heard{nil, nil, ErrProtocol}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for how, source := range map[string]io.Reader{
				"in one piece": bytes.NewReader(tc.stream), "byte by byte": &dribble{tc.stream},
			} {
				got, want := listen(source), &tc.want
				if !slices.Equal(got.messages, want.messages) || !slices.Equal(got.pongs, want.pongs) || !errors.Is(got.err, want.err) {
					t.Errorf("%s: got %s, want %s", how, got, want)
				}
			}
		})
	}
}

func (h *heard) String() string {
	return strings.Join(h.messages, "|") + " pongs " + strings.Join(h.pongs, "|") + " and then " + h.err.Error()
}

// lengthOf64Bits is a text frame that announces a length in its longest form, whatever it holds.
func lengthOf64Bits(payload string, length uint64) []byte {
	frame := []byte{0x81, 0x80 | 127}
	for shift := 56; shift >= 0; shift -= 8 {
		frame = append(frame, byte(length>>shift))
	}
	frame = append(frame, 0, 0, 0, 0) // a mask of nothing
	return append(frame, payload...)
}

// dribble gives one byte a read.
type dribble struct{ left []byte }

func (d *dribble) Read(p []byte) (int, error) {
	if len(d.left) == 0 {
		return 0, io.EOF
	}
	p[0], d.left = d.left[0], d.left[1:]
	return 1, nil
}

// Promise (FIGURES §4, test 14): what a client announces costs nothing: room is made for as much as has come, and a
// little more.
func TestAnnouncedBytesCostNothing(t *testing.T) {
	t.Parallel()
	for name, come := range map[string]int{"a header": 8, "100 bytes": 100, "10,000 bytes": 10_000} {
		source := &stalled{left: text(strings.Repeat("x", chat.FrameBytesMax))[:come]}
		if got := listen(source); !errors.Is(got.err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: ended with %v", name, got.err)
		}
		if source.asked > growBytes {
			t.Errorf("%s: asked for %d bytes at once", name, source.asked)
		}
	}
}

// stalled is a client that sends some and then no more. asked is the most that was asked of it at once.
type stalled struct {
	left  []byte
	asked int
}

func (s *stalled) Read(p []byte) (int, error) {
	s.asked = max(s.asked, len(p))
	if len(s.left) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.left)
	s.left = s.left[n:]
	return n, nil
}

// Promise: no stream of bytes makes the reader panic, hold more than one message, or go on for ever; what it takes for
// messages are messages.
func FuzzInbound(f *testing.F) {
	for _, seed := range [][]byte{
		text("hello"), bytewise("안녕"), part(ws.OpPing, true, "?"), goodbyeOf(1000, "bye"), lengthOf64Bits("x", 1<<40),
		join(part(ws.OpText, false, "he"), part(ws.OpPing, true, "?"), part(ws.OpContinuation, true, "llo")), bits(text("x"), 0x70),
		text(strings.Repeat("x", 5000)),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		got := listen(bytes.NewReader(stream))
		bytewise := listen(&dribble{stream})
		if !slices.Equal(got.messages, bytewise.messages) || !slices.Equal(got.pongs, bytewise.pongs) {
			t.Errorf("%s in one piece, %s byte by byte", got, bytewise)
		}
		total := 0
		for _, message := range got.messages {
			if len(message) > chat.FrameBytesMax {
				t.Errorf("a message of %d bytes", len(message))
			}
			total += len(message)
		}
		if total > len(stream) {
			t.Errorf("%d bytes of messages out of a stream of %d", total, len(stream))
		}
	})
}
