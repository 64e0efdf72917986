package feed

import (
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

const (
	// tailEvents is how many of the newest events a feed keeps for those who resume.
	tailEvents = 200
	// tailBytes bounds what those events weigh, so that many rooms of long messages fit in memory.
	tailBytes = 128 << 10
)

// Item is an event on its way to listeners: its envelope without the body, and the frame that all of them get.
type Item struct {
	chat.Envelope
	Frame []byte
}

// Feed is the live end of one room. Make it with New.
type Feed struct {
	last      chat.Seq // passed on
	highest   chat.Seq // known to exist
	repairing bool
	tail      []Item // the newest that were passed on, ascending; everything after from is in it or void
	from      chat.Seq
	weight    int
}

// New makes a feed whose listeners have been given everything up to head.
func New(head chat.Seq) *Feed {
	return &Feed{last: head, highest: head, from: head}
}

// Last is the number up to which everything has been passed on.
func (f *Feed) Last() chat.Seq { return f.last }

// Verdict is what to do with an event that arrived.
type Verdict int

const (
	// Ignore it: it was passed on before, or a repair that is under way will bring it.
	Ignore Verdict = iota
	// Pass it on to every listener now.
	Pass
	// Repair: events before it are missing. Read what comes after Last and give it to Repaired.
	Repair
)

// Offer takes an event from the bus.
func (f *Feed) Offer(item Item) Verdict {
	f.highest = max(f.highest, item.Seq)
	switch {
	case item.Seq <= f.last || f.repairing:
		return Ignore
	case item.Seq == f.last+1:
		f.pass(item)
		return Pass
	}
	f.repairing = true
	return Repair
}

// Head takes the news that the room has reached a number, which may be the first that is heard of it.
func (f *Feed) Head(seq chat.Seq) Verdict {
	f.highest = max(f.highest, seq)
	if f.highest == f.last || f.repairing {
		return Ignore
	}
	f.repairing = true
	return Repair
}

// Repaired takes a page that was read after Last: items ascending, and the number up to which the page is complete. It
// gives the items to pass on, and whether another page must be read before the feed is whole.
func (f *Feed) Repaired(items []Item, through chat.Seq) (pass []Item, again bool) {
	for i, item := range items {
		if item.Seq <= f.last {
			continue
		}
		if pass == nil {
			pass = items[i:]
		}
		f.pass(item)
	}
	f.last = max(f.last, through)
	f.highest = max(f.highest, f.last)
	f.repairing = f.highest > f.last
	return pass, f.repairing
}

// GiveUp ends a repair that could not read its page; the next event or head begins a new one.
func (f *Feed) GiveUp() { f.repairing = false }

func (f *Feed) pass(item Item) {
	f.last = item.Seq
	item.Body, item.Event = nil, nil
	f.tail = append(f.tail, item)
	f.weight += len(item.Frame)
	for len(f.tail) > tailEvents || f.weight > tailBytes {
		f.weight -= len(f.tail[0].Frame)
		f.from = f.tail[0].Seq
		f.tail[0] = Item{}
		f.tail = f.tail[1:]
	}
}

// Forget drops the tail of a room that has become quiet.
func (f *Feed) Forget() { f.tail, f.weight, f.from = nil, 0, f.last }

// Plan is how a listener at a position is brought to the live end.
type Plan int

const (
	// Live: nothing is missing; add the listener now.
	Live Plan = iota
	// FromTail: send it the given items, then add it, before anything else is passed on.
	FromTail
	// Fetch: read a page after its position, send it, and ask again from where the page ends.
	Fetch
	// Ahead: it has seen more than this feed has passed on. Bring the feed up to the stored head and ask again; if the
	// position is beyond even that, it claims what never was: reset it.
	Ahead
	// Reset: it has missed too much; tell it the head and add it there.
	Reset
)

// Resume says how a listener that has seen everything up to position gets what is missing, nothing of it twice.
func (f *Feed) Resume(position chat.Seq) (Plan, []Item) {
	switch {
	case position == f.last:
		return Live, nil
	case position > f.last:
		return Ahead, nil
	case f.last-position > chat.ResumeMax:
		return Reset, nil
	case position < f.from:
		return Fetch, nil
	}
	for i := range f.tail {
		if f.tail[i].Seq > position {
			return FromTail, f.tail[i:]
		}
	}
	return Live, nil // only void numbers lie between
}
