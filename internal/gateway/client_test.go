package gateway_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// patience is how long a test waits for what must come; it never waits so long for what must not. In a bubble that is
// nothing, so there it is longer than whatever may come.
const (
	patience      = time.Minute
	pipedPatience = time.Hour
)

// client is one WebSocket client that knows nothing but RFC 6455 and JSON.
type client struct {
	t        *testing.T
	conn     net.Conn
	in       *bufio.Reader
	patience time.Duration
}

// frame is any frame of the server, with the fields that tests look at.
type frame struct {
	Type         string `json:"type"`
	ID           string `json:"id"`
	RoomID       string `json:"room_id"`
	Seq          uint64 `json:"seq"`
	Head         uint64 `json:"head"`
	Code         string `json:"code"`
	Detail       string `json:"detail"`
	Reason       string `json:"reason"`
	RetryAfterMS int64  `json:"retry_after_ms"`
	ReconnectIn  int64  `json:"reconnect_in_ms"`
	UserID       string `json:"user_id"`
	Online       bool   `json:"online"`
	ReadSeq      uint64 `json:"read_seq"`
	Heartbeat    int    `json:"heartbeat_seconds"`
	Connection   string `json:"connection_id"`
	Event        struct {
		RoomID  string `json:"room_id"`
		Seq     uint64 `json:"seq"`
		Kind    string `json:"kind"`
		Message struct {
			ID     string `json:"id"`
			Body   string `json:"body"`
			Sender struct {
				DisplayName string `json:"display_name"`
			} `json:"sender"`
		} `json:"message"`
		Member struct {
			Change string `json:"change"`
		} `json:"member"`
	} `json:"event"`
	User struct {
		ID          string `json:"id"`
		DisplayName string `json:"display_name"`
	} `json:"user"`
	Room  roomFrame   `json:"room"`
	Rooms []roomFrame `json:"rooms"`

	raw string
}

type roomFrame struct {
	ID   string `json:"id"`
	Head uint64 `json:"head"`
}

func (f frame) String() string { return f.raw }

// dial shakes hands; headers are lines like "Origin: https://…".
func (w *world) dial(t *testing.T, headers ...string) *client {
	t.Helper()
	return w.dialWith(t, nil, headers...)
}

// dialWith shakes hands and sends early bytes before the answer comes.
func (w *world) dialWith(t *testing.T, early []byte, headers ...string) *client {
	t.Helper()
	c := &client{t: t, patience: patience}
	if w.server == nil && w.far == nil {
		c.conn, c.patience = w.pipe(t), pipedPatience
	} else {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", w.host())
		if err != nil {
			t.Fatal(err)
		}
		c.conn = conn
	}
	t.Cleanup(func() { _ = c.conn.Close() })
	c.in = bufio.NewReader(c.conn)
	request := "GET /ws HTTP/1.1\r\nHost: chat.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
	for _, header := range headers {
		request += header + "\r\n"
	}
	c.raw(append([]byte(request+"\r\n"), early...))
	answer, err := http.ReadResponse(c.in, nil)
	if err != nil {
		t.Fatalf("no answer to the handshake: %v", err)
	}
	if answer.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("the handshake was answered with %s", answer.Status)
	}
	return c
}

// host is where the server listens.
func (w *world) host() string {
	if w.far != nil {
		return w.far.host()
	}
	return w.server.Listener.Addr().String()
}

// pipe gives the gateway one end of a pipe as if a server had accepted it.
func (w *world) pipe(t *testing.T) net.Conn {
	t.Helper()
	ours, theirs := net.Pipe()
	w.handlers.Go(func() {
		in := bufio.NewReader(theirs)
		request, err := http.ReadRequest(in)
		if err != nil {
			_ = theirs.Close()
			return
		}
		w.gateway.ServeHTTP(&hijacked{conn: w.wrap(theirs), in: in}, request)
	})
	return ours
}

// hijacked is the answer of a server to which the handler takes over.
type hijacked struct {
	http.ResponseWriter // nothing is written before the hijack

	conn net.Conn
	in   *bufio.Reader
}

func (h *hijacked) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.conn, bufio.NewReadWriter(h.in, bufio.NewWriter(h.conn)), nil
}

// connect shakes hands, signs in and reads ready. positions are room ids and numbers by turns.
func (w *world) connect(t *testing.T, who person, positions ...any) (*client, frame) {
	t.Helper()
	c := w.dial(t)
	c.auth(who.token, positions...)
	return c, c.expect("ready")
}

// sit is connect for those who do not look at ready.
func (w *world) sit(t *testing.T, who person, positions ...any) *client {
	t.Helper()
	c, _ := w.connect(t, who, positions...)
	return c
}

func (c *client) auth(token string, positions ...any) {
	c.t.Helper()
	named := make(map[string]any)
	for i := 0; i < len(positions); i += 2 {
		named[fmt.Sprint(positions[i])] = positions[i+1]
	}
	c.say(map[string]any{"type": "auth", "token": token, "positions": named})
}

// say sends a frame.
func (c *client) say(shape any) {
	c.t.Helper()
	data, err := json.Marshal(shape)
	if err != nil {
		c.t.Fatal(err)
	}
	c.text(string(data))
}

func (c *client) text(payload string) {
	c.t.Helper()
	c.raw(masked(ws.NewTextFrame([]byte(payload))))
}

// raw writes bytes; that the server has hung up is noticed when reading.
func (c *client) raw(data []byte) {
	c.t.Helper()
	_ = c.conn.SetWriteDeadline(time.Now().Add(c.patience))
	if _, err := c.conn.Write(data); err != nil && !hungUp(err) {
		c.t.Fatalf("write: %v", err)
	}
}

func hungUp(err error) bool {
	return errors.Is(err, io.ErrClosedPipe) || errors.Is(err, io.EOF) || strings.Contains(err.Error(), "broken pipe") ||
		strings.Contains(err.Error(), "reset by peer")
}

func masked(f ws.Frame) []byte {
	return ws.MustCompileFrame(ws.MaskFrameInPlaceWith(f, [4]byte{1, 2, 3, 4}))
}

// send sends a message and answers its id.
func (c *client) send(room chat.RoomID, body string) (id string) {
	c.t.Helper()
	id = messageID().String()
	c.say(map[string]any{"type": "send", "room_id": room, "id": id, "body": body})
	return id
}

// read reads one frame of RFC 6455.
func (c *client) read() (ws.Frame, error) {
	_ = c.conn.SetReadDeadline(time.Now().Add(c.patience))
	header, err := ws.ReadHeader(c.in)
	if err != nil {
		return ws.Frame{}, err
	}
	payload := make([]byte, header.Length)
	_, err = io.ReadFull(c.in, payload)
	return ws.Frame{Header: header, Payload: payload}, err
}

// next reads the next text frame.
func (c *client) next() frame {
	c.t.Helper()
	read, err := c.read()
	if err != nil {
		c.t.Fatalf("the connection ended where a frame was expected: %v", err)
	}
	if read.Header.OpCode != ws.OpText {
		code, reason := ws.ParseCloseFrameData(read.Payload)
		c.t.Fatalf("frame with opcode %d (close %d %q) where text was expected", read.Header.OpCode, code, reason)
	}
	if read.Header.Masked || read.Header.Rsv != 0 || !read.Header.Fin {
		c.t.Fatalf("a server's frame with header %+v", read.Header)
	}
	f := frame{raw: string(read.Payload)}
	if err := json.Unmarshal(read.Payload, &f); err != nil {
		c.t.Fatalf("frame %q: %v", read.Payload, err)
	}
	return f
}

// expect reads the next frame but for news of presence, which come when they come, and fails unless it has that type.
func (c *client) expect(kind string) frame {
	c.t.Helper()
	f := c.next()
	for f.Type == "presence" && kind != "presence" {
		f = c.next()
	}
	if f.Type != kind {
		c.t.Fatalf("got %s where %s was expected", f, kind)
	}
	return f
}

// until reads frames until one has that type, and answers it and those before it.
func (c *client) until(kind string) (last frame, before []frame) {
	c.t.Helper()
	for {
		f := c.next()
		if f.Type == kind {
			return f, before
		}
		before = append(before, f)
	}
}

// both reads an ack and an event, which come in either order, and answers the event.
func (c *client) both() frame {
	c.t.Helper()
	first := c.next()
	for first.Type == "presence" {
		first = c.next()
	}
	if first.Type == "event" {
		c.expect("ack")
		return first
	}
	if first.Type != "ack" {
		c.t.Fatalf("got %s where an ack or an event was expected", first)
	}
	return c.expect("event")
}

// events reads n events and answers their numbers.
func (c *client) events(n int) []uint64 {
	c.t.Helper()
	var seqs []uint64
	for range n {
		seqs = append(seqs, c.expect("event").Event.Seq)
	}
	return seqs
}

// quiet fails if anything but news of presence comes before the answer to a ping: what was passed on before it was asked
// would have come first.
func (c *client) quiet() {
	c.t.Helper()
	c.text(`{"type":"ping"}`)
	c.expect("pong")
}

// closed reads until the server says goodbye and answers the code. What comes before must be of the given types.
func (c *client) closed(before ...string) ws.StatusCode {
	c.t.Helper()
	for {
		read, err := c.read()
		if err != nil {
			c.t.Fatalf("the connection ended without a close frame: %v", err)
		}
		switch read.Header.OpCode {
		case ws.OpClose:
			code, _ := ws.ParseCloseFrameData(read.Payload)
			if rest, err := io.ReadAll(c.in); len(rest) > 0 {
				c.t.Fatalf("%q (%v) after the close frame", rest, err)
			}
			return code
		case ws.OpText:
			var f frame
			_ = json.Unmarshal(read.Payload, &f)
			if !slices.Contains(before, f.Type) && f.Type != "presence" {
				c.t.Fatalf("got %s where the end was expected", read.Payload)
			}
		}
	}
}

// hangUp closes the socket without a word.
func (c *client) hangUp() { _ = c.conn.Close() }

func wantClosed(t *testing.T, got, want ws.StatusCode) {
	t.Helper()
	if got != want {
		t.Errorf("closed with %d, want %d", got, want)
	}
}

// refusedHandshake tries to connect and answers the status.
func refusedHandshake(t *testing.T, w *world) int {
	t.Helper()
	recorder := httptest.NewRecorder()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/ws", http.NoBody)
	w.gateway.ServeHTTP(recorder, request)
	return recorder.Code
}
