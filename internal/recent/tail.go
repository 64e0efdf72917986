package recent

import (
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// tail is what the bus says beyond a position of a room.
type tail struct {
	after  chat.Seq     // the position
	events []chat.Event // each has the number after the one before
	newest map[chat.Seq]*chat.Message
	top    chat.Seq // the highest number that the bus told of, or the position
}

// newTail takes what the bus keeps of a room beyond the position. A bus that keeps its promise leaves out no number inside;
// of what one gives that does not, the run is taken that goes on from the position, or else the newest.
func newTail(after chat.Seq, events []chat.Event) tail {
	t := tail{after: after, top: after}
	for i := range events {
		event := &events[i]
		if event.Seq <= after {
			continue
		}
		t.top = max(t.top, event.Seq)
		if len(t.events) > 0 && event.Seq != t.head()+1 {
			if !t.apart() {
				continue
			}
			t.events = nil
		}
		t.events = append(t.events, *event)
	}
	for i := range t.events {
		if m := t.events[i].Message; m != nil {
			if t.newest == nil {
				t.newest = make(map[chat.Seq]*chat.Message)
			}
			t.newest[m.Seq] = m
		}
	}
	for i := range t.events {
		if m := t.events[i].Message; m != nil {
			t.events[i].Message = t.newest[m.Seq]
		}
	}
	return t
}

// head is the number of the last event, or the position where there is none.
func (t *tail) head() chat.Seq {
	if len(t.events) == 0 {
		return t.after
	}
	return t.events[len(t.events)-1].Seq
}

// apart says that the tail does not begin right after the position.
func (t *tail) apart() bool { return len(t.events) > 0 && t.events[0].Seq != t.after+1 }

// newer is the message's state in the tail, or the given one where the tail has no newer. Its sender's name stays the
// store's: that is today's, an event's is of its time.
func (t *tail) newer(stored *chat.Message) *chat.Message {
	m := t.newest[stored.Seq]
	if m == nil || m.ChangedSeq <= stored.ChangedSeq {
		return stored
	}
	newer := *m
	newer.Sender = stored.Sender
	return &newer
}

// messages are the messages that were made in the tail, ascending, in their newest states.
func (t *tail) messages() []chat.Message {
	var made []chat.Message
	for i := range t.events {
		if t.events[i].Kind == chat.KindMessage {
			made = append(made, *t.events[i].Message)
		}
	}
	return made
}

// fill adds the tail's events to a page that ends at its position, as many as the limit leaves room for.
func (t *tail) fill(page *chat.Page, limit int) {
	more := t.events[:min(len(t.events), max(0, limit-len(page.Events)))]
	if len(more) == 0 {
		return
	}
	page.Events = append(page.Events, more...)
	page.Through = more[len(more)-1].Seq
}
