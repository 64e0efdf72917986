package socket

import (
	"bufio"
	"errors"
	"io"
	"slices"

	"github.com/gobwas/ws"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// readBufferBytes holds most frames of a client whole, and many of a busy one, so that one system call reads them; longer
// ones borrow more.
const readBufferBytes = 4 << 10

// fragmentsMax is how many frames one message may come in, control frames between them included: enough for any library
// that cuts, too few to keep a reader busy with nothing.
const fragmentsMax = 1024

// growBytes is how much of a long message is read at a time: memory grows with what arrived, not with what was announced.
const growBytes = 4 << 10

// inbound reads the messages of one client: header checks, unmasking, fragments and control frames between them, to RFC
// 6455. It is borrowed when bytes arrive and given back when no message is under way, so that a silent connection holds
// no buffer.
type inbound struct {
	client  Client
	first   [readBufferBytes]byte // what arrived, before it is read
	source  prefixed
	reader  *bufio.Reader // of source
	head    [ws.MaxHeaderSize]byte
	scratch [ws.MaxControlFramePayloadSize]byte
}

// Client is told what a client says.
type Client interface {
	// Hear is told of every frame, a whole message or not; false means that it is one too many.
	Hear() bool
	// Take is told of every message; the bytes are good until it returns.
	Take(payload []byte)
	// Pong is told of a ping of RFC 6455.
	Pong(payload []byte)
}

// prefixed gives some bytes before those of the rest.
type prefixed struct {
	first []byte
	rest  io.Reader
}

func (p *prefixed) Read(into []byte) (int, error) {
	if len(p.first) == 0 {
		return p.rest.Read(into)
	}
	n := copy(into, p.first)
	p.first = p.first[n:]
	return n, nil
}

func newInbound() *inbound {
	in := &inbound{}
	in.reader = bufio.NewReaderSize(&in.source, readBufferBytes)
	return in
}

// begin makes it read for a client of whom the first n bytes are in first.
func (in *inbound) begin(client Client, n int, rest io.Reader) {
	in.client, in.source = client, prefixed{in.first[:n], rest}
	in.reader.Reset(&in.source)
}

// end lets go of the client.
func (in *inbound) end() { in.client, in.source = nil, prefixed{} }

// all reads what messages there are, and what belongs to them; see next.
func (in *inbound) all() error {
	for in.reader.Buffered() > 0 || len(in.source.first) > 0 {
		if err := in.next(); err != nil {
			return err
		}
	}
	return nil
}

// Why a client's frames are not read on.
var (
	ErrProtocol = errors.New("a frame breaks RFC 6455")
	ErrTooLarge = errors.New("a message is larger than allowed")
	ErrTooMany  = errors.New("more frames than allowed")
	ErrGoodbye  = errors.New("the client has said goodbye")
	ErrBinary   = errors.New("frames of this protocol are text")
)

// next reads one text message. Pings are answered on the way.
func (in *inbound) next() error {
	for {
		header, err := in.header()
		if err != nil {
			return err
		}
		switch {
		case header.OpCode.IsControl():
			if err := in.control(header); err != nil {
				return err
			}
		case header.OpCode == ws.OpContinuation:
			return ErrProtocol // nothing has begun that it could go on with
		case header.OpCode != ws.OpText:
			return ErrBinary
		case header.Length > chat.FrameBytesMax:
			return ErrTooLarge
		case header.Fin && header.Length <= readBufferBytes:
			return in.small(header)
		default:
			return in.fragments(header)
		}
	}
}

// header reads and checks the next frame's header.
func (in *inbound) header() (ws.Header, error) {
	header, err := ws.ReadHeaderBuffer(in.reader, in.head[:])
	switch {
	case errors.Is(err, ws.ErrHeaderLengthMSB), errors.Is(err, ws.ErrHeaderLengthUnexpected):
		return header, ErrTooLarge
	case err != nil:
		return header, err
	}
	if err := check(header); err != nil {
		return header, err
	}
	if !in.client.Hear() {
		return header, ErrTooMany
	}
	return header, nil
}

// check refuses what a client must not send: unmasked or reserved frames, and control frames that are long or cut up.
func check(header ws.Header) error {
	switch {
	case !header.Masked, header.Rsv != 0, header.OpCode.IsReserved():
		return ErrProtocol
	case header.OpCode.IsControl() && (!header.Fin || header.Length > ws.MaxControlFramePayloadSize):
		return ErrProtocol
	}
	return nil
}

// small reads an unfragmented message within the reader's own buffer.
func (in *inbound) small(header ws.Header) error {
	payload, err := in.reader.Peek(int(header.Length))
	if err != nil {
		return err
	}
	ws.Cipher(payload, header.Mask, 0)
	in.client.Take(payload)
	_, err = in.reader.Discard(len(payload))
	return err
}

// fragments reads a message that is long, or comes in pieces with control frames between them.
func (in *inbound) fragments(header ws.Header) error {
	var message []byte
	for range fragmentsMax {
		switch {
		case header.OpCode.IsControl():
			if err := in.control(header); err != nil {
				return err
			}
		case int64(len(message))+header.Length > chat.FrameBytesMax:
			return ErrTooLarge
		default:
			from := len(message)
			var err error
			if message, err = in.grow(message, int(header.Length)); err != nil {
				return err
			}
			ws.Cipher(message[from:], header.Mask, 0)
			if header.Fin {
				in.client.Take(message)
				return nil
			}
		}
		var err error
		if header, err = in.header(); err != nil {
			return err
		}
		if !header.OpCode.IsControl() && header.OpCode != ws.OpContinuation {
			return ErrProtocol // a new message inside an unfinished one
		}
	}
	return ErrTooLarge
}

// grow appends the next length bytes to a message.
func (in *inbound) grow(message []byte, length int) ([]byte, error) {
	for length > 0 {
		size := min(length, growBytes)
		from := len(message)
		message = slices.Grow(message, size)[:from+size]
		if _, err := io.ReadFull(in.reader, message[from:]); err != nil {
			return nil, err
		}
		length -= size
	}
	return message, nil
}

func (in *inbound) control(header ws.Header) error {
	payload := in.scratch[:header.Length]
	if _, err := io.ReadFull(in.reader, payload); err != nil {
		return err
	}
	ws.Cipher(payload, header.Mask, 0)
	switch header.OpCode {
	case ws.OpClose:
		return goodbye(payload)
	case ws.OpPing:
		in.client.Pong(payload)
	}
	return nil
}

// goodbye checks what a close frame says: nothing, or a code that may be sent and a reason in UTF-8.
func goodbye(payload []byte) error {
	if len(payload) == 0 {
		return ErrGoodbye
	}
	if len(payload) == 1 {
		return ErrProtocol
	}
	code, reason := ws.ParseCloseFrameData(payload)
	if ws.CheckCloseFrameData(code, reason) != nil {
		return ErrProtocol
	}
	return ErrGoodbye
}
