package sequencer

import (
	"container/list"
	"context"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/numbering"
)

// roomsMax is how many rooms' states are kept between runs; the longest unused goes first. A full window is about
// 100 KiB, so this bounds the cache at about 100 MiB in the worst case, and twice that within a run.
const roomsMax = 1000

// rooms keeps the states of the rooms that were numbered last, and loads the others when they are needed.
type rooms struct {
	store  Store
	byID   map[chat.RoomID]*list.Element // of *numbered
	recent *list.List                    // last used first
}

type numbered struct {
	id   chat.RoomID
	room *numbering.Room
}

func newRooms(store Store) *rooms {
	return &rooms{store: store, byID: make(map[chat.RoomID]*list.Element), recent: list.New()}
}

func (r *rooms) get(ctx context.Context, id chat.RoomID) (*numbering.Room, error) {
	if element, ok := r.byID[id]; ok {
		r.recent.MoveToFront(element)
		return element.Value.(*numbered).room, nil
	}
	state, err := r.store.RoomState(ctx, id)
	if err != nil {
		return nil, err
	}
	room := numbering.NewRoom(state)
	r.byID[id] = r.recent.PushFront(&numbered{id, room})
	return room, nil
}

// void takes back what a room's state, if it is kept, remembers of a number.
func (r *rooms) void(id chat.RoomID, seq chat.Seq) {
	if element, ok := r.byID[id]; ok {
		element.Value.(*numbered).room.Void(seq)
	}
}

// trim lets go of the states beyond the bound. It must not be called while a state is ahead of the store: read again it
// would give the same numbers a second time.
func (r *rooms) trim() {
	for r.recent.Len() > roomsMax {
		oldest := r.recent.Remove(r.recent.Back()).(*numbered)
		delete(r.byID, oldest.id)
	}
}

func (r *rooms) forget() {
	clear(r.byID)
	r.recent.Init()
}
