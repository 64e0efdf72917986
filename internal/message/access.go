package message

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

const (
	// accessAge is how long a person's place in a room is believed without having heard otherwise: the longest that a
	// lost signal can leave a removed member able to send.
	accessAge = 5 * time.Second
	// accessPatience is how long a send waits for a place that is remembered to be read again. A store that does not answer
	// changes no place either, so what is remembered is believed for another accessAge.
	accessPatience = 250 * time.Millisecond
	// accessMax is how many places are remembered; beyond it all are forgotten and read again when needed.
	accessMax = 100_000
)

// accessCache remembers people's places in rooms, so that a send costs no query.
type accessCache struct {
	store Store
	now   func() time.Time

	mu      sync.Mutex
	places  map[place]remembered
	changes uint64 // counts signals, so that what was read before one is not remembered after it
}

type place struct {
	room chat.RoomID
	user chat.UserID
}

// remembered is what the store answered, a refusal included: a room that does not exist must cost as much, and so take
// as long, as one that must not be known of.
type remembered struct {
	access chat.Access
	err    error // nil or chat.ErrNotFound
	until  time.Time
}

func newAccessCache(store Store, now func() time.Time) *accessCache {
	return &accessCache{store: store, now: now, places: make(map[place]remembered)}
}

func (c *accessCache) get(ctx context.Context, room chat.RoomID, user chat.UserID) (chat.Access, error) {
	key := place{room, user}
	now := c.now()
	c.mu.Lock()
	known, ok := c.places[key]
	changes := c.changes
	c.mu.Unlock()
	if ok && now.Before(known.until) {
		return known.access, known.err
	}
	access, err := c.read(ctx, room, user, ok)
	switch {
	case errors.Is(err, chat.ErrNotFound):
		err = chat.ErrNotFound
	case err != nil && ok && ctx.Err() == nil:
		access, err = known.access, known.err
	case err != nil:
		return chat.Access{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	// A signal that came while the store was read may be about this very place: then the answer is good for this call,
	// which began before the change, and for no later one.
	if changes == c.changes {
		if len(c.places) >= accessMax {
			clear(c.places)
		}
		c.places[key] = remembered{access, err, now.Add(accessAge)}
	}
	return access, err
}

func (c *accessCache) read(ctx context.Context, room chat.RoomID, user chat.UserID, remembered bool) (chat.Access, error) {
	if remembered {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, accessPatience)
		defer cancel()
	}
	return c.store.Access(ctx, room, user)
}

func (c *accessCache) heard(signal chat.Signal) {
	switch signal.Kind {
	case chat.SignalJoined, chat.SignalLeft, chat.SignalMember, chat.SignalRoomDeleted:
	default:
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changes++
	if signal.Kind == chat.SignalRoomDeleted {
		for key := range c.places {
			if key.room == signal.Room {
				delete(c.places, key)
			}
		}
		return
	}
	delete(c.places, place{signal.Room, signal.User})
}
