package memory_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/blabber-hive/blabber-hive/internal/adapter/memory"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// listener listens to a bus until it is stopped; its functions run in its goroutine.
func listener(t *testing.T, bus *memory.Bus, events func([]chat.Envelope), signals func(chat.Signal)) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	begun := make(chan struct{})
	var once sync.Once
	var listening sync.WaitGroup
	listening.Go(func() {
		_ = bus.Listen(ctx, events, func(signal chat.Signal) {
			if signal.Kind == "begun" {
				once.Do(func() { close(begun) })
				return
			}
			signals(signal)
		}, func(bool) {})
	})
	for heard := false; !heard; {
		if err := bus.Signal(t.Context(), chat.Signal{Kind: "begun"}); err != nil {
			t.Fatal(err)
		}
		select {
		case <-begun:
			heard = true
		default: // the listening has not begun
		}
	}
	var stopped sync.Once
	stop = func() {
		stopped.Do(func() {
			cancel()
			listening.Wait()
		})
	}
	t.Cleanup(stop)
	return stop
}

// Promise: a listener that is too far behind loses envelopes, which are counted, and nobody waits for it.
func TestBusDropsAtItsBound(t *testing.T) {
	t.Parallel()
	bus := &memory.Bus{}
	room := chat.RoomID{1}
	if err := bus.Subscribe(t.Context(), room); err != nil {
		t.Fatal(err)
	}
	busy, free := make(chan struct{}), make(chan struct{})
	var mu sync.Mutex
	heard := 0
	var first sync.Once
	stop := listener(t, bus, func(envelopes []chat.Envelope) {
		first.Do(func() { close(busy); <-free })
		mu.Lock()
		heard += len(envelopes)
		mu.Unlock()
	}, func(chat.Signal) {})
	run := make([]chat.Envelope, 1024)
	for i := range run {
		run[i].Room = room
	}
	publish := func() {
		if err := bus.Publish(t.Context(), run); err != nil {
			t.Error(err)
		}
	}
	publish()
	<-busy
	for range 20 {
		publish()
	}
	if dropped := bus.Dropped(); dropped != 4*1024 {
		t.Errorf("%d envelopes were dropped, want %d", dropped, 4*1024)
	}
	close(free)
	if err := bus.Signal(t.Context(), chat.Signal{}); err != nil { // returns when all before it was heard
		t.Error(err)
	}
	stop()
	if heard != 17*1024 {
		t.Errorf("%d envelopes were heard, want %d", heard, 17*1024)
	}
}

// Promise: a signal returns when it has been dealt with, so that what it revokes is revoked by then.
func TestSignalWaitsUntilItIsDealtWith(t *testing.T) {
	t.Parallel()
	bus := &memory.Bus{}
	dealt := false // written by the listener, read after Signal: the race detector sees whether that is ordered
	listener(t, bus, func([]chat.Envelope) {}, func(chat.Signal) { dealt = true })
	if err := bus.Signal(t.Context(), chat.Signal{}); err != nil || !dealt {
		t.Errorf("Signal returned %v, dealt with: %t", err, dealt)
	}
}

// Promise: who signals waits no longer than its context, and not for a listener that has ended.
func TestSignalDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	bus := &memory.Bus{}
	busy, free := make(chan struct{}), make(chan struct{})
	var first sync.Once
	stop := listener(t, bus, func([]chat.Envelope) {}, func(chat.Signal) { first.Do(func() { close(busy); <-free }) })
	var waiting sync.WaitGroup
	waiting.Go(func() { _ = bus.Signal(t.Context(), chat.Signal{}) })
	<-busy
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := bus.Signal(ctx, chat.Signal{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Signal gives %v", err)
	}
	for range 10 {
		waiting.Go(func() { _ = bus.Signal(t.Context(), chat.Signal{}) })
	}
	waiting.Go(stop)
	close(free)
	waiting.Wait()
}
