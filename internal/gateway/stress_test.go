package gateway_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/gobwas/ws"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Promise (PROTOCOL §1): with hundreds of clients over real sockets that send, come and go, every acked message is there
// once, numbers have no hole, and all clients saw the same numbers for the same messages, in order.
func TestManyClients(t *testing.T) {
	t.Parallel()
	clients, rooms, rounds := 300, 30, 2
	if testing.Short() {
		clients, rooms = 100, 10
	}
	w := setup(t)
	people := make([]person, rooms)
	ids := make([]chat.RoomID, rooms)
	for i := range people {
		people[i] = w.someone(t, fmt.Sprintf("p%d", i))
		ids[i] = w.room(t, chat.Public, people[i])
	}
	var mu sync.Mutex
	seen := make(map[chat.RoomID]map[uint64]string) // what stands under each number, as any client saw it
	acked := make(map[string]chat.RoomID)
	note := func(id chat.RoomID, f frame) {
		mu.Lock()
		defer mu.Unlock()
		switch f.Type {
		case "ack":
			acked[f.ID] = id
		case "event":
			if seen[id] == nil {
				seen[id] = make(map[uint64]string)
			}
			if before, known := seen[id][f.Event.Seq]; known && before != f.Event.Message.ID {
				t.Errorf("number %d is %q to one client and %q to another", f.Event.Seq, before, f.Event.Message.ID)
			}
			seen[id][f.Event.Seq] = f.Event.Message.ID
		}
	}

	var group sync.WaitGroup
	for n := range clients {
		group.Go(func() {
			random := rand.New(rand.NewPCG(uint64(n), 7))
			who, id := people[n%rooms], ids[n%rooms]
			position := uint64(2) // the room's creation and its owner's joining
			for range rounds {
				c := w.sit(t, who, id, position)
				position = talk(c, id, position, 1+random.IntN(4), note)
				if random.IntN(2) == 0 {
					c.raw(masked(ws.NewCloseFrame(nil)))
				}
				c.hangUp()
			}
		})
	}
	group.Wait()

	for i, id := range ids {
		page, err := w.store.Store.Changes(t.Context(), id, 2, chat.ChangesMax)
		if err != nil {
			t.Fatal(err)
		}
		stored := make(map[string]uint64)
		for _, event := range page.Events {
			stored[event.Message.ID.String()] = uint64(event.Seq)
		}
		for _, event := range page.Events {
			if saw, ok := seen[id][uint64(event.Seq)]; ok && saw != event.Message.ID.String() {
				t.Errorf("room %d: number %d is stored as %s and was seen as %s", i, event.Seq, event.Message.ID, saw)
			}
		}
		for message, room := range acked {
			if room == id && stored[message] == 0 && !page.More {
				t.Errorf("room %d: message %s was acked and is not stored", i, message)
			}
		}
	}
}

// talk sends n messages, each when the one before is acked, and reads until it has seen its own last one. It fails where
// the numbers it sees have a hole or a repeat, and answers the last.
func talk(c *client, id chat.RoomID, position uint64, n int, note func(chat.RoomID, frame)) uint64 {
	c.t.Helper()
	var pending []string
	for range n {
		message := c.send(id, "one of many")
		pending = append(pending, message)
		for acked := false; !acked; {
			f := c.next()
			note(id, f)
			switch f.Type {
			case "ack":
				acked = f.ID == message
			case "event":
				if f.Event.Seq != position+1 {
					c.t.Errorf("number %d came after %d", f.Event.Seq, position)
				}
				position = f.Event.Seq
				pending = slices.DeleteFunc(pending, func(id string) bool { return id == f.Event.Message.ID })
			case "error":
				c.t.Errorf("refused with %s", f)
				return position
			}
		}
	}
	for len(pending) > 0 {
		f := c.expect("event")
		note(id, f)
		if f.Event.Seq != position+1 {
			c.t.Errorf("number %d came after %d", f.Event.Seq, position)
		}
		position = f.Event.Seq
		pending = slices.DeleteFunc(pending, func(id string) bool { return id == f.Event.Message.ID })
	}
	return position
}
