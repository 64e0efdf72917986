package memory

import (
	"context"
	"sync"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Presence counts the connections of people in this process. The zero value is ready.
type Presence struct {
	mu          sync.Mutex
	connections map[chat.UserID]int
}

// Connected implements presence.Store.
func (p *Presence) Connected(_ context.Context, user chat.UserID) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.connections == nil {
		p.connections = make(map[chat.UserID]int)
	}
	p.connections[user]++
	return p.connections[user] == 1, nil
}

// Disconnected implements presence.Store.
func (p *Presence) Disconnected(_ context.Context, user chat.UserID) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch p.connections[user] {
	case 0:
		return false, nil
	case 1:
		delete(p.connections, user)
		return true, nil
	}
	p.connections[user]--
	return false, nil
}

// Online implements presence.Store.
func (p *Presence) Online(_ context.Context, users []chat.UserID) ([]bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	online := make([]bool, len(users))
	for i, user := range users {
		online[i] = p.connections[user] > 0
	}
	return online, nil
}

// Watch implements presence.Store: a process that dies has nobody to tell of it.
func (p *Presence) Watch(ctx context.Context, _ func([]chat.UserID)) error {
	<-ctx.Done()
	return ctx.Err()
}
