package numbering

import "github.com/blabber-hive/blabber-hive/internal/chat"

// window remembers the newest chat.WindowSize records in a ring, with an index by id. It grows with the room, so that a
// quiet room costs little.
type window struct {
	ring  []chat.Known
	next  int // where the next record goes once the ring is full: the oldest one
	index map[chat.MessageID]int
}

func (w *window) find(id chat.MessageID) (chat.Known, bool) {
	at, ok := w.index[id]
	if !ok {
		return chat.Known{}, false
	}
	return w.ring[at], true
}

func (w *window) add(known chat.Known) {
	if w.index == nil {
		w.index = make(map[chat.MessageID]int)
	}
	if len(w.ring) < chat.WindowSize {
		w.index[known.ID] = len(w.ring)
		w.ring = append(w.ring, known)
		return
	}
	delete(w.index, w.ring[w.next].ID)
	w.ring[w.next] = known
	w.index[known.ID] = w.next
	w.next = (w.next + 1) % chat.WindowSize
}

func (w *window) oldestFirst() []chat.Known {
	ordered := make([]chat.Known, 0, len(w.ring))
	ordered = append(ordered, w.ring[w.next:]...)
	return append(ordered, w.ring[:w.next]...)
}
