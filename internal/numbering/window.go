package numbering

import "github.com/blabber-hive/blabber-hive/internal/chat"

// window remembers the records that have one of the newest chat.WindowSize numbers. What it remembers depends on the
// numbers alone, void ones included, so that a state read back from the store remembers exactly what the one in memory
// did. It grows with the room, so that a quiet room costs little.
type window struct {
	slots []chat.Known // the record with number n is in slot (n-1) mod WindowSize; Seq zero is an empty slot
	index map[chat.MessageID]int
}

func slotOf(seq chat.Seq) int { return int((seq - 1) % chat.WindowSize) }

func (w *window) find(id chat.MessageID) (chat.Known, bool) {
	at, ok := w.index[id]
	if !ok {
		return chat.Known{}, false
	}
	return w.slots[at], true
}

// add remembers a record and forgets the one that is WindowSize numbers older.
func (w *window) add(known chat.Known) {
	if w.index == nil {
		w.index = make(map[chat.MessageID]int)
	}
	at := slotOf(known.Seq)
	for len(w.slots) <= at {
		w.slots = append(w.slots, chat.Known{})
	}
	w.clear(at)
	w.slots[at] = known
	w.index[known.ID] = at
}

// replace remembers something else under a number that is remembered.
func (w *window) replace(known chat.Known) {
	if at := slotOf(known.Seq); at < len(w.slots) && w.slots[at].Seq == known.Seq {
		w.add(known)
	}
}

func (w *window) clear(at int) {
	if w.slots[at].Seq != 0 {
		if id := w.slots[at].ID; w.index[id] == at {
			delete(w.index, id)
		}
		w.slots[at] = chat.Known{}
	}
}

func (w *window) oldestFirst(head chat.Seq) []chat.Known {
	ordered := make([]chat.Known, 0, len(w.index))
	for seq := oldest(head); seq <= head; seq++ {
		if at := slotOf(seq); at < len(w.slots) && w.slots[at].Seq == seq {
			ordered = append(ordered, w.slots[at])
		}
	}
	return ordered
}

// oldest is the lowest number that a window with that head still covers.
func oldest(head chat.Seq) chat.Seq {
	if head <= chat.WindowSize {
		return 1
	}
	return head - chat.WindowSize + 1
}
