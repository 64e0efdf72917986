package gateway

import (
	"bufio"
	"errors"
	"io"
	"sync"

	"github.com/gobwas/ws"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// readBufferBytes holds most frames of a client whole, so that one system call reads one; longer ones borrow a buffer.
const readBufferBytes = 512

// fragmentsMax is how many frames one message may come in, control frames between them included: enough for any library
// that cuts, too few to keep a reader busy with nothing.
const fragmentsMax = 1024

// inbound reads the messages of one client: header checks, unmasking, fragments and control frames between them, to RFC
// 6455. Its buffers are small because most connections are silent most of the time.
type inbound struct {
	reader *bufio.Reader
	large  *sync.Pool // of *[]byte with room for a whole message, borrowed while one is read
	pong   func(payload []byte)
}

var (
	errProtocol = errors.New("a frame breaks RFC 6455")
	errTooLarge = errors.New("a message is larger than allowed")
	errClosed   = errors.New("the client has said goodbye")
	errBinary   = errors.New("frames of this protocol are text")
)

// next reads one text message and calls use with it; the bytes are good until use returns. Pings are answered on the way.
func (in *inbound) next(use func(payload []byte)) error {
	for {
		header, err := ws.ReadHeader(in.reader)
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return err
		case errors.Is(err, ws.ErrHeaderLengthMSB), errors.Is(err, ws.ErrHeaderLengthUnexpected):
			return errTooLarge
		case err != nil:
			return err
		}
		if err := check(header); err != nil {
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
	borrowed := in.large.Get().(*[]byte)
	defer in.large.Put(borrowed)
	message := (*borrowed)[:0]
	for range fragmentsMax {
		if header.OpCode.IsControl() {
			if err := in.control(header); err != nil {
				return err
			}
		} else {
			if int64(len(message))+header.Length > chat.FrameBytesMax {
				return errTooLarge
			}
			from := len(message)
			message = message[:from+int(header.Length)]
			if _, err := io.ReadFull(in.reader, message[from:]); err != nil {
				return err
			}
			ws.Cipher(message[from:], header.Mask, 0)
			if header.Fin {
				use(message)
				return nil
			}
		}
		var err error
		if header, err = ws.ReadHeader(in.reader); err != nil {
			return err
		}
		if err := check(header); err != nil {
			return err
		}
		if !header.OpCode.IsControl() && header.OpCode != ws.OpContinuation {
			return errProtocol // a new message inside an unfinished one
		}
	}
	return errTooLarge
}

func (in *inbound) control(header ws.Header) error {
	var buffer [ws.MaxControlFramePayloadSize]byte
	payload := buffer[:header.Length]
	if _, err := io.ReadFull(in.reader, payload); err != nil {
		return err
	}
	ws.Cipher(payload, header.Mask, 0)
	switch header.OpCode {
	case ws.OpClose:
		return errClosed
	case ws.OpPing:
		in.pong(payload)
	}
	return nil
}
