package memory

import (
	"context"
	"sync"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// busPending is how many envelopes may wait for a listener; beyond it they are dropped, and the listener notices by the
// numbers.
const busPending = 16384

// Bus carries envelopes and signals to the listener of the same process. The zero value is ready: what is said before the
// listener begins is kept for it, so that the order in which a server's parts start loses nothing.
type Bus struct {
	mu        sync.Mutex
	rooms     map[chat.RoomID]struct{}
	listening bool
	deaf      bool // the listener has ended: nobody will hear what is said now
	pending   []news
	envelopes int           // among pending
	wake      chan struct{} // of the listener; nil before there is one
	dropped   uint64
}

// news is one thing for the listener, in the order it was said.
type news struct {
	envelopes []chat.Envelope
	signal    *chat.Signal
	heard     chan struct{} // closed when the listener has dealt with the signal
}

// Publish implements sequencer.Bus.
func (b *Bus) Publish(_ context.Context, envelopes []chat.Envelope) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.deaf {
		return nil
	}
	wanted := make([]chat.Envelope, 0, len(envelopes))
	for i := range envelopes {
		if _, ok := b.rooms[envelopes[i].Room]; ok {
			wanted = append(wanted, envelopes[i])
			wanted[len(wanted)-1].Event = nil
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	if b.envelopes+len(wanted) > busPending {
		b.dropped += uint64(len(wanted))
		return nil
	}
	b.envelopes += len(wanted)
	b.push(news{envelopes: wanted})
	return nil
}

// Signal implements gateway.Bus and its like. It returns when the listener has dealt with the signal, so that what was
// revoked is revoked for every connection by the time the caller answers; it must not be called by the listener itself.
// Before there is a listener it returns at once.
func (b *Bus) Signal(ctx context.Context, signal chat.Signal) error {
	heard := make(chan struct{})
	b.mu.Lock()
	listening := b.listening
	if listening || (!b.deaf && len(b.pending) < busPending) {
		b.push(news{signal: &signal, heard: heard})
	}
	b.mu.Unlock()
	if !listening {
		return nil
	}
	select {
	case <-heard:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (b *Bus) push(n news) {
	b.pending = append(b.pending, n)
	select {
	case b.wake <- struct{}{}:
	default: // the listener has been woken already
	}
}

// Subscribe implements gateway.Bus.
func (b *Bus) Subscribe(_ context.Context, room chat.RoomID) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.rooms == nil {
		b.rooms = make(map[chat.RoomID]struct{})
	}
	b.rooms[room] = struct{}{}
	return nil
}

// Unsubscribe implements gateway.Bus.
func (b *Bus) Unsubscribe(_ context.Context, room chat.RoomID) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.rooms, room)
	return nil
}

// Dropped is how many envelopes were not delivered because the listener was too far behind.
func (b *Bus) Dropped() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.dropped
}

// Listen implements gateway.Bus. A bus has one listener at a time, and is always up.
func (b *Bus) Listen(ctx context.Context, events func([]chat.Envelope), signals func(chat.Signal), link func(up bool)) error {
	wake := make(chan struct{}, 1)
	wake <- struct{}{} // for what was said before
	b.mu.Lock()
	b.listening, b.deaf, b.wake = true, false, wake
	b.mu.Unlock()
	defer b.deafen()
	link(true)
	for {
		select {
		case <-wake:
		case <-ctx.Done():
			return ctx.Err()
		}
		for _, n := range b.take() {
			if n.signal != nil {
				signals(*n.signal)
				close(n.heard)
			} else {
				events(n.envelopes)
			}
		}
	}
}

func (b *Bus) take() []news {
	b.mu.Lock()
	defer b.mu.Unlock()
	taken := b.pending
	b.pending, b.envelopes = nil, 0
	return taken
}

// deafen lets go of everyone who waits for a listener that has ended.
func (b *Bus) deafen() {
	b.mu.Lock()
	b.listening, b.deaf = false, true
	b.mu.Unlock()
	for _, n := range b.take() {
		if n.heard != nil {
			close(n.heard)
		}
	}
}
