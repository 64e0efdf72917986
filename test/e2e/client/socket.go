package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/gobwas/ws"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

const (
	dialPatience  = 5 * time.Second
	writePatience = 5 * time.Second
	frameBytesMax = 64 << 20 // a ready frame tells of all rooms
)

// CloseError says that the server closed the connection, and why.
type CloseError struct {
	Code   int
	Reason string
}

func (e *CloseError) Error() string { return fmt.Sprintf("closed with %d %s", e.Code, e.Reason) }

// Frame is any frame from the server.
type Frame struct {
	Type          string         `json:"type"`
	ID            chat.MessageID `json:"id"`
	RoomID        chat.RoomID    `json:"room_id"`
	Seq           chat.Seq       `json:"seq"`
	Head          chat.Seq       `json:"head"`
	Code          string         `json:"code"`
	Detail        string         `json:"detail"`
	RetryAfterMS  int64          `json:"retry_after_ms"`
	ReconnectInMS int64          `json:"reconnect_in_ms"`
	ConnectionID  string         `json:"connection_id"`
	Reason        string         `json:"reason"`
	Event         *Event         `json:"event"`
	Room          *ReadyRoom     `json:"room"`
	Rooms         []ReadyRoom    `json:"rooms"`
}

// ReadyRoom is one of one's rooms in a ready or joined frame.
type ReadyRoom struct {
	ID   chat.RoomID `json:"id"`
	Head chat.Seq    `json:"head"`
}

// Socket is one WebSocket connection. Reading is for one goroutine, writing for any.
type Socket struct {
	conn   net.Conn
	reader *bufio.Reader

	writing sync.Mutex
}

// Dial connects to a server (host:port).
func Dial(ctx context.Context, addr string) (*Socket, error) {
	dialer := ws.Dialer{Timeout: dialPatience}
	conn, early, _, err := dialer.Dial(ctx, "ws://"+addr+"/ws")
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", addr, err)
	}
	if early == nil {
		early = bufio.NewReader(conn)
	}
	return &Socket{conn: conn, reader: early}, nil
}

// Close ends the connection without a word.
func (s *Socket) Close() { _ = s.conn.Close() } // it may be gone already

// Write sends a value as a text frame.
func (s *Socket) Write(value any) error {
	payload, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encode a frame: %w", err)
	}
	return s.frame(ws.NewTextFrame(payload))
}

func (s *Socket) frame(frame ws.Frame) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := s.conn.SetWriteDeadline(time.Now().Add(writePatience)); err != nil {
		return fmt.Errorf("write a frame: %w", err)
	}
	if err := ws.WriteFrame(s.conn, ws.MaskFrameInPlace(frame)); err != nil {
		return fmt.Errorf("write a frame: %w", err)
	}
	return nil
}

// Read waits for the next frame. A connection that the server closed is a *CloseError.
func (s *Socket) Read() (Frame, error) {
	for {
		header, err := ws.ReadHeader(s.reader)
		if err != nil {
			return Frame{}, fmt.Errorf("read a frame: %w", err)
		}
		if header.Length > frameBytesMax || header.Masked || !header.Fin {
			return Frame{}, errors.New("the server sent a frame that it never should")
		}
		payload := make([]byte, header.Length)
		if _, err := io.ReadFull(s.reader, payload); err != nil {
			return Frame{}, fmt.Errorf("read a frame: %w", err)
		}
		switch header.OpCode {
		case ws.OpText:
			var frame Frame
			if err := json.Unmarshal(payload, &frame); err != nil {
				return Frame{}, fmt.Errorf("read a frame: %w", err)
			}
			return frame, nil
		case ws.OpPing:
			if err := s.frame(ws.NewPongFrame(payload)); err != nil {
				return Frame{}, err
			}
		case ws.OpClose:
			code, reason := ws.ParseCloseFrameData(payload)
			return Frame{}, &CloseError{int(code), reason}
		}
	}
}
