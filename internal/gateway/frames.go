package gateway

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
	client  hearer
	first   [readBufferBytes]byte // what arrived, before it is read
	source  prefixed
	reader  *bufio.Reader // of source
	head    [ws.MaxHeaderSize]byte
	scratch [ws.MaxControlFramePayloadSize]byte
}

// hearer is told what a client says beside its messages.
type hearer interface {
	hear() bool // a frame has come, a whole message or not; false: it is one too many
	pong(payload []byte)
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
func (in *inbound) begin(client hearer, n int, rest io.Reader) {
	in.client, in.source = client, prefixed{in.first[:n], rest}
	in.reader.Reset(&in.source)
}

// end lets go of the client.
func (in *inbound) end() { in.client, in.source = nil, prefixed{} }

// all reads what messages there are, and what belongs to them; see next.
func (in *inbound) all(use func(payload []byte)) error {
	for in.reader.Buffered() > 0 || len(in.source.first) > 0 {
		if err := in.next(use); err != nil {
			return err
		}
	}
	return nil
}

var (
	errProtocol = errors.New("a frame breaks RFC 6455")
	errTooLarge = errors.New("a message is larger than allowed")
	errTooMany  = errors.New("more frames than allowed")
	errClosed   = errors.New("the client has said goodbye")
	errBinary   = errors.New("frames of this protocol are text")
)

// next reads one text message and calls use with it; the bytes are good until use returns. Pings are answered on the way.
func (in *inbound) next(use func(payload []byte)) error {
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
			return errProtocol // nothing has begun that it could go on with
		case header.OpCode != ws.OpText:
			return errBinary
		case header.Length > chat.FrameBytesMax:
			return errTooLarge
		case header.Fin && header.Length <= readBufferBytes:
			return in.small(header, use)
		default:
			return in.fragments(header, use)
		}
	}
}

// header reads and checks the next frame's header.
func (in *inbound) header() (ws.Header, error) {
	header, err := ws.ReadHeaderBuffer(in.reader, in.head[:])
	switch {
	case errors.Is(err, ws.ErrHeaderLengthMSB), errors.Is(err, ws.ErrHeaderLengthUnexpected):
		return header, errTooLarge
	case err != nil:
		return header, err
	}
	if err := check(header); err != nil {
		return header, err
	}
	if !in.client.hear() {
		return header, errTooMany
	}
	return header, nil
}

// check refuses what a client must not send: unmasked or reserved frames, and control frames that are long or cut up.
func check(header ws.Header) error {
	switch {
	case !header.Masked, header.Rsv != 0, header.OpCode.IsReserved():
		return errProtocol
	case header.OpCode.IsControl() && (!header.Fin || header.Length > ws.MaxControlFramePayloadSize):
		return errProtocol
	}
	return nil
}

// small reads an unfragmented message within the reader's own buffer.
func (in *inbound) small(header ws.Header, use func([]byte)) error {
	payload, err := in.reader.Peek(int(header.Length))
	if err != nil {
		return err
	}
	ws.Cipher(payload, header.Mask, 0)
	use(payload)
	_, err = in.reader.Discard(len(payload))
	return err
}

// fragments reads a message that is long, or comes in pieces with control frames between them.
func (in *inbound) fragments(header ws.Header, use func([]byte)) error {
	var message []byte
	for range fragmentsMax {
		switch {
		case header.OpCode.IsControl():
			if err := in.control(header); err != nil {
				return err
			}
		case int64(len(message))+header.Length > chat.FrameBytesMax:
			return errTooLarge
		default:
			from := len(message)
			var err error
			if message, err = in.grow(message, int(header.Length)); err != nil {
				return err
			}
			ws.Cipher(message[from:], header.Mask, 0)
			if header.Fin {
				use(message)
				return nil
			}
		}
		var err error
		if header, err = in.header(); err != nil {
			return err
		}
		if !header.OpCode.IsControl() && header.OpCode != ws.OpContinuation {
			return errProtocol // a new message inside an unfinished one
		}
	}
	return errTooLarge
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
		in.client.pong(payload)
	}
	return nil
}

// goodbye checks what a close frame says: nothing, or a code that may be sent and a reason in UTF-8.
func goodbye(payload []byte) error {
	if len(payload) == 0 {
		return errClosed
	}
	if len(payload) == 1 {
		return errProtocol
	}
	code, reason := ws.ParseCloseFrameData(payload)
	if ws.CheckCloseFrameData(code, reason) != nil {
		return errProtocol
	}
	return errClosed
}
