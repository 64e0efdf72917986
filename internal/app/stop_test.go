package app_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/app"
	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/run"
	"github.com/blabber-hive/blabber-hive/test/e2e/client"
)

// Promise: when a server stops, first nobody is sent here any more, then connections are asked to go, and while they do
// everything else still works: requests are answered, messages are taken, stored and acknowledged. New connections are
// refused.
func TestStopOrder(t *testing.T) {
	t.Parallel()
	server := start(t, nil)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ada, err := client.SignUp(ctx, "http://"+server.Addr().String(), "ada", "a long password")
	if err != nil {
		t.Fatal(err)
	}
	defer ada.Close()
	room, err := ada.CreateRoom(ctx, "Tea")
	if err != nil {
		t.Fatal(err)
	}
	socket, err := client.Dial(ctx, server.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	if err := socket.Write(map[string]any{"type": "auth", "token": ada.Token, "positions": map[chat.RoomID]int{room: 0}}); err != nil {
		t.Fatal(err)
	}
	until(t, socket, "ready")
	if status, body := call(t, http.MethodGet, server.AdminAddr(), "/readyz", "", ""); status != http.StatusOK {
		t.Errorf("/readyz before: %d %s", status, body)
	}

	stopping := run.NewGroup(context.Background())
	stopping.Go("stop", server.Stop)
	until(t, socket, "draining")
	// The connection is not closed by its client, so for some seconds the server cannot go on.
	if status, body := call(t, http.MethodGet, server.AdminAddr(), "/readyz", "", ""); status != http.StatusServiceUnavailable {
		t.Errorf("/readyz while draining: %d %s", status, body)
	}
	if status, body := call(t, http.MethodGet, server.AdminAddr(), "/healthz", "", ""); status != http.StatusOK {
		t.Errorf("/healthz while draining: %d %s", status, body)
	}
	if sent, err := ada.Send(ctx, room, client.NewMessageID(), "still here"); err != nil || sent.Seq != 3 {
		t.Errorf("a message sent while draining: %d, %v", sent.Seq, err)
	}
	if late, err := client.Dial(ctx, server.Addr().String()); err == nil {
		late.Close()
		t.Error("a new connection was let in while draining")
	}
	for err == nil {
		_, err = socket.Read()
	}
	if closed, ok := errors.AsType[*client.CloseError](err); !ok || closed.Code != 4503 {
		t.Errorf("the connection ended with %v, want it closed with 4503", err)
	}
	socket.Close()
	if err := stopping.Wait(); err != nil {
		t.Errorf("stop: %v", err)
	}

	select {
	case <-server.Failed():
	default:
		t.Error("a stopped server does not say that it has ended")
	}
}

// Promise: a part that fails by itself stops the server, and its error is the process's.
func TestFailureStopsAll(t *testing.T) {
	t.Parallel()
	config := defaults()
	config.DataDir, config.Addr, config.AdminAddr = t.TempDir(), "127.0.0.1:0", "off"
	broken := errors.New("broken")
	server, err := app.StartBroken(t.Context(), config, broken)
	if err != nil {
		t.Fatal(err)
	}
	<-server.Failed()
	if err := server.Stop(t.Context()); !errors.Is(err, broken) {
		t.Errorf("Stop() = %v, want the failure", err)
	}
}

// until reads frames up to one of that type.
func until(t *testing.T, socket *client.Socket, frame string) {
	t.Helper()
	for {
		got, err := socket.Read()
		if err != nil {
			t.Fatalf("before a frame %q: %v", frame, err)
		}
		if got.Type == frame {
			return
		}
	}
}
