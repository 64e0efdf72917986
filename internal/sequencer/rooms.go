package sequencer

import (
	"container/list"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/numbering"
)

// roomsMax is how many rooms' states a pass keeps between runs; the longest unused goes first. A full window is about
// 100 KiB, so this bounds the cache at about 100 MiB in the worst case, and twice that within a run.
const roomsMax = 1000

// rooms keeps the states of the rooms that were numbered last.
type rooms struct {
	byID   map[chat.RoomID]*list.Element // of *numbered
	recent *list.List                    // last used first
}

type numbered struct {
	id   chat.RoomID
	room *numbering.Room
}

func newRooms() *rooms {
	return &rooms{byID: make(map[chat.RoomID]*list.Element), recent: list.New()}
}

// get is the state of a room, or nil where it is not kept.
func (r *rooms) get(id chat.RoomID) *numbering.Room {
	element, ok := r.byID[id]
	if !ok {
		return nil
	}
	r.recent.MoveToFront(element)
	return element.Value.(*numbered).room
}

func (r *rooms) put(id chat.RoomID, room *numbering.Room) {
	r.byID[id] = r.recent.PushFront(&numbered{id, room})
}

func (r *rooms) drop(id chat.RoomID) {
	if element, ok := r.byID[id]; ok {
		r.recent.Remove(element)
		delete(r.byID, id)
	}
}

// trim lets go of the states beyond the bound and tells of each. A state that is ahead of the store must not be read
// again before the store has caught up: it would give the same numbers a second time.
func (r *rooms) trim(dropped func(id chat.RoomID)) {
	for r.recent.Len() > roomsMax {
		oldest := r.recent.Back().Value.(*numbered)
		r.drop(oldest.id)
		dropped(oldest.id)
	}
}

func (r *rooms) forget() {
	clear(r.byID)
	r.recent.Init()
}

// needs is what a run needs of the store, each once.
type needs struct {
	rooms    map[chat.RoomID]struct{}
	messages map[chat.MessageRef]struct{}
}

func (n *needs) room(id chat.RoomID) {
	if n.rooms == nil {
		n.rooms = make(map[chat.RoomID]struct{})
	}
	n.rooms[id] = struct{}{}
}

func (n *needs) message(ref chat.MessageRef) {
	if n.messages == nil {
		n.messages = make(map[chat.MessageRef]struct{})
	}
	n.messages[ref] = struct{}{}
}

func (n *needs) none() bool { return len(n.rooms) == 0 && len(n.messages) == 0 }

// load reads what is needed, or nothing where that is nothing.
func (n *needs) load(ctx context.Context, store Store, partition int) (chat.Loaded, error) {
	if n.none() {
		return chat.Loaded{}, nil
	}
	loaded, err := store.Load(ctx, partition, slices.Collect(maps.Keys(n.rooms)), slices.Collect(maps.Keys(n.messages)))
	if err != nil {
		return chat.Loaded{}, fmt.Errorf("load what a run of partition %d needs: %w", partition, err)
	}
	return loaded, nil
}
