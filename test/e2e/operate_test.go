package e2e_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/test/e2e/client"
)

// closedAuth is the close code of a connection whose session has ended.
const closedAuth = 4401

// Promise: somebody who is disabled while connected is cut off within seconds, and can come back once enabled.
//
//nolint:paralleltest // it needs the machine for itself
func TestDisabledWhileConnected(t *testing.T) {
	everywhere(t, func(t *testing.T, at place) {
		ada := at.who + "ada"
		if out, code := at.nodes[0].command(secretMark+"-password\n", "user", "create", ada, "--password-stdin"); code != 0 {
			t.Fatalf("user create: code %d, %s", code, out)
		}
		person, err := client.LogIn(t.Context(), at.url(), ada, secretMark+"-password")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(person.Close)
		socket, stop := signIn(t, at.addr, person, nil)
		defer stop()
		if frame := read(t, socket); frame.Type != "ready" {
			t.Fatalf("the first frame is %q, want ready", frame.Type)
		}
		if out, code := at.nodes[0].command("", "user", "disable", ada); code != 0 {
			t.Fatalf("user disable: code %d, %s", code, out)
		}
		began := time.Now()
		_, err = socket.Read()
		closed, ok := errors.AsType[*client.CloseError](err)
		if !ok || closed.Code != closedAuth {
			t.Errorf("the connection ended with %v, want it closed with %d", err, closedAuth)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("it was closed after %v, want 5s at most", took)
		}
		if _, err := client.LogIn(t.Context(), at.url(), ada, secretMark+"-password"); client.CodeOf(err) != "forbidden" {
			t.Errorf("a disabled account signs in: %v", err)
		}
		if out, code := at.nodes[0].command("", "user", "enable", ada); code != 0 {
			t.Fatalf("user enable: code %d, %s", code, out)
		}
		back, err := client.LogIn(t.Context(), at.url(), ada, secretMark+"-password")
		if err != nil {
			t.Fatal(err)
		}
		back.Close()
	})
}

// Promise: a second server on the same data is refused with a sentence, and the first goes on.
//
//nolint:paralleltest // it needs the machine for itself
func TestSecondServer(t *testing.T) {
	i := install(t)
	i.start()
	out, code := i.command("", "serve", "--addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0")
	if code != 1 || !strings.Contains(out, "another blabber-hive is running") {
		t.Errorf("a second server: code %d, %s", code, out)
	}
	if out, code := i.command("", "healthcheck"); code != 0 {
		t.Errorf("healthcheck of the first: code %d, %s", code, out)
	}
}

// Promise: whatever people do, and whatever they do wrong, the log has no password, no token and no word of theirs. Every
// test of this package searches its log; this one also goes where the others do not.
//
//nolint:paralleltest // it needs the machine for itself
func TestLogTellsNothing(t *testing.T) {
	everywhere(t, func(t *testing.T, at place) {
		ctx := t.Context()
		ada, err := client.SignUp(ctx, at.url(), at.who+"ada", secretMark+"-password")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(ada.Close)
		room, err := ada.CreateRoom(ctx, secretMark+" room")
		if err != nil {
			t.Fatal(err)
		}
		id := client.NewMessageID()
		if _, err := ada.Send(ctx, room, id, secretMark+" body"); err != nil {
			t.Fatal(err)
		}
		base := "/rooms/" + room.String()
		for _, call := range []struct {
			method, path string
			body         any
		}{
			{http.MethodPost, "/auth/login", map[string]string{"username": at.who + "ada", "password": secretMark + "-wrong"}},
			{http.MethodPost, "/auth/login", map[string]string{"username": secretMark + " typed the password here", "password": "x"}},
			{http.MethodPost, "/auth/signup", map[string]string{"username": "x", "password": secretMark}},
			{http.MethodPost, "/auth/password", map[string]string{"current_password": secretMark + "-wrong", "new_password": secretMark + "-new"}},
			{http.MethodPatch, "/me", map[string]string{"display_name": secretMark, "status": secretMark}},
			{http.MethodGet, "/users?query=" + secretMark, nil},
			{http.MethodGet, "/rooms?query=" + secretMark, nil},
			{http.MethodGet, "/invites/" + secretMark, nil},
			{http.MethodPost, "/invites/" + secretMark + "/accept", nil},
			{http.MethodGet, "/nowhere/" + secretMark + "?token=" + secretMark, nil},
			{http.MethodPatch, base, map[string]string{"topic": secretMark}},
			{http.MethodPatch, base + "/messages/" + id.String(), map[string]string{"body": secretMark + " edited"}},
			{http.MethodPost, base + "/messages", map[string]any{"id": 7, "body": secretMark}},
			{http.MethodPost, base + "/messages", map[string]any{"id": client.NewMessageID(), "body": secretMark, "reply_to": secretMark}},
			{http.MethodPut, base + "/messages/" + id.String() + "/reactions/" + secretMark, nil},
		} {
			_, _ = ada.Call(ctx, call.method, call.path, call.body, nil) // many are refused, which is the point
		}
		for _, frame := range []any{
			map[string]any{"type": "auth", "token": secretMark},
			map[string]any{"type": "send", "body": secretMark},
		} {
			socket, err := client.Dial(ctx, at.addr)
			if err != nil {
				t.Fatal(err)
			}
			if err := socket.Write(frame); err != nil {
				t.Error(err)
			}
			_, _ = socket.Read() // it is closed, as it should
			socket.Close()
		}
		socket, stop := signIn(t, at.addr, ada, nil)
		defer stop()
		read(t, socket)
		for _, frame := range []any{
			map[string]any{"type": "send", "room_id": room, "id": client.NewMessageID(), "body": secretMark + " over the socket"},
			map[string]any{"type": "send", "room_id": room, "id": client.NewMessageID(), "body": "", "reply_to": secretMark},
			map[string]any{"type": "send", "room_id": chat.RoomID{1}, "id": client.NewMessageID(), "body": secretMark},
			map[string]any{"type": secretMark},
			map[string]any{"type": "ping"},
		} {
			if err := socket.Write(frame); err != nil {
				t.Error(err)
			}
		}
		for read(t, socket).Type != "pong" {
		}
		at.stop(t)
		for _, node := range at.nodes {
			if !strings.Contains(node.log.String(), "level=DEBUG") {
				t.Error("the log is not as talkative as it can be, so nothing was tested")
			}
		}
	})
}
