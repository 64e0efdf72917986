package gateway_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

// Promise (FIGURES §4, test 1; CWE-1385): a browser page of any origin but the allowed one is closed with 4403 and told
// nothing, whatever token it has; programs that are no browsers need no origin.
func TestOrigins(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ann := w.someone(t, "ann")
	const browser = "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"
	for name, tc := range map[string]struct {
		headers []string
		allowed bool
	}{
		"the allowed origin":                 {[]string{browser, "Origin: " + origin}, true},
		"the allowed origin, of a program":   {[]string{"Origin: " + origin}, true},
		"no origin, of a program":            {nil, true},
		"no origin, of a browser":            {[]string{browser}, false},
		"another site":                       {[]string{browser, "Origin: https://evil.example"}, false},
		"another site, of a program":         {[]string{"Origin: https://evil.example"}, false},
		"null, as of a sandboxed frame":      {[]string{browser, "Origin: null"}, false},
		"empty":                              {[]string{browser, "Origin:"}, false},
		"a site that begins like it":         {[]string{browser, "Origin: https://chat.example.evil.com"}, false},
		"a site that ends like it":           {[]string{browser, "Origin: https://evilchat.example"}, false},
		"another port":                       {[]string{browser, "Origin: https://chat.example:8443"}, false},
		"another scheme":                     {[]string{browser, "Origin: http://chat.example"}, false},
		"a subdomain":                        {[]string{browser, "Origin: https://www.chat.example"}, false},
		"two origins":                        {[]string{browser, "Origin: " + origin, "Origin: https://evil.example"}, false},
		"two origins in one":                 {[]string{browser, "Origin: " + origin + ", https://evil.example"}, false},
		"a path behind it":                   {[]string{browser, "Origin: " + origin + "/"}, false},
		"the host in a header of the client": {[]string{browser, "Origin: https://evil.example", "X-Forwarded-Host: evil.example"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := w.dial(t, tc.headers...)
			c.auth(ann.token)
			if tc.allowed {
				c.expect("ready")
				return
			}
			wantClosed(t, c.closed(), 4403)
		})
	}
}

// Promise: what is not a WebSocket handshake is answered with a 4xx and its socket closed.
func TestNoHandshake(t *testing.T) {
	t.Parallel()
	w := setup(t)
	const upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\n"
	const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
	for name, request := range map[string]string{
		"a page's request": "GET /ws HTTP/1.1\r\nHost: chat.example\r\n\r\n",
		"a POST":           "POST /ws HTTP/1.1\r\nHost: chat.example\r\nContent-Length: 0\r\n" + upgrade + key + "\r\n",
		"no key":           "GET /ws HTTP/1.1\r\nHost: chat.example\r\n" + upgrade + "Sec-WebSocket-Version: 13\r\n\r\n",
		"a short key":      "GET /ws HTTP/1.1\r\nHost: chat.example\r\n" + upgrade + "Sec-WebSocket-Key: abc\r\nSec-WebSocket-Version: 13\r\n\r\n",
		"no version":       "GET /ws HTTP/1.1\r\nHost: chat.example\r\n" + upgrade + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
		"an old version":   "GET /ws HTTP/1.1\r\nHost: chat.example\r\n" + upgrade + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 8\r\n\r\n",
		"no upgrade":       "GET /ws HTTP/1.1\r\nHost: chat.example\r\nConnection: Upgrade\r\n" + key + "\r\n",
		"another upgrade":  "GET /ws HTTP/1.1\r\nHost: chat.example\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n" + key + "\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", w.server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			_ = conn.SetDeadline(time.Now().Add(patience))
			if _, err := io.WriteString(conn, request); err != nil {
				t.Fatal(err)
			}
			in := bufio.NewReader(conn)
			answer, err := http.ReadResponse(in, nil)
			if err != nil {
				t.Fatal(err)
			}
			if answer.StatusCode < 400 || answer.StatusCode > 499 {
				t.Errorf("answered with %s", answer.Status)
			}
			if _, err := io.Copy(io.Discard, answer.Body); err != nil {
				t.Error(err)
			}
			if _, err := in.ReadByte(); err == nil {
				t.Error("the socket is still open")
			}
		})
	}
}

// Promise: a client that sends its auth frame along with the handshake, before the answer, is heard.
func TestEarlyFrames(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ann := w.someone(t, "ann")
	early := append(textOf(`{"type":"auth","token":"`+ann.token+`"}`), textOf(`{"type":"ping"}`)...)
	c := w.dialWith(t, early)
	c.expect("ready")
	c.expect("pong")
	c.quiet()
}

// Promise: a ping of RFC 6455 is answered with its payload, and a goodbye with a goodbye, over a real socket.
func TestControlFramesOverTCP(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.sit(t, w.someone(t, "ann"))
	c.raw(masked(ws.NewPingFrame([]byte("are you there?"))))
	pong, err := c.read()
	if err != nil || pong.Header.OpCode != ws.OpPong || string(pong.Payload) != "are you there?" {
		t.Errorf("got %v %q %v", pong.Header, pong.Payload, err)
	}
	c.raw(masked(ws.NewCloseFrame(ws.NewCloseFrameBody(1000, "bye"))))
	wantClosed(t, c.closed(), 1000)
}

// Promise: a panic ends its own connection, with 1011, and no other; it is logged once.
func TestPanic(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, w *world) {
		ann, bob := w.someone(t, "ann"), w.someone(t, "bob")
		room := w.room(t, "public", ann, bob)
		doomed, other := w.sit(t, ann), w.sit(t, bob)
		doomed.send(room, panicBody)
		wantClosed(t, doomed.closed(), 1011)
		other.send(room, "what was that?")
		other.both()
		w.stop()
		if n := strings.Count(w.logs.String(), "a connection panicked"); n != 1 {
			t.Errorf("logged %d times: %s", n, w.logs.String())
		}
	})
}
