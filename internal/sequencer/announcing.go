package sequencer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/numbering"
	"github.com/blabber-hive/blabber-hive/internal/obs"
	"github.com/blabber-hive/blabber-hive/internal/run"
)

// loadPatience is how long what is live waits for the store before rooms are held instead. A store that answers at all
// answers within it.
const loadPatience = 500 * time.Millisecond

// awayFor is for how long the store is not asked again after it has failed to answer, so that rooms that are live do not
// wait for it once more with every run.
const awayFor = time.Second

// beginRetryMax bounds the waits between attempts to find out where to begin.
const beginRetryMax = time.Second

// errOutrun says that the store is ahead of what was announced: another owner has been at work.
var errOutrun = errors.New("the store is ahead of what was announced")

// ahead is what the pass that announces knows: rooms and messages as they are before the store has them.
type ahead struct {
	states *rooms
	known  bool                        // whether anything here means something
	next   chat.Offset                 // of the next record to be announced
	last   map[chat.RoomID]chat.Offset // of each room that is kept: the offset after the last record that was applied
	fresh  fresh
	resume time.Time // until when the store is not asked, because it has just failed to answer
}

func newAhead() ahead {
	return ahead{states: newRooms(), last: make(map[chat.RoomID]chat.Offset), fresh: newFresh()}
}

// Announce numbers and publishes the partition's records in order without waiting for the store, until ctx ends or the
// log is closed and empty.
func (p *Partition) Announce(ctx context.Context) error {
	backoff := run.Backoff{Max: beginRetryMax}
	for {
		if !p.ahead.known {
			stored, err := p.position(ctx)
			if err != nil {
				p.logger.WarnContext(ctx, "a partition cannot be numbered before the store says where to begin", "partition", p.number, "error", err)
				if backoff.Wait(ctx) != nil {
					return nil
				}
				continue
			}
			p.beginAhead(stored)
		}
		records, err := p.log.Read(ctx, p.number, p.ahead.next)
		switch {
		case errors.Is(err, chat.ErrLogClosed) || ctx.Err() != nil:
			return nil
		case err != nil:
			p.logger.WarnContext(ctx, "the log cannot be read", "partition", p.number, "error", err)
			if backoff.Wait(ctx) != nil {
				return nil
			}
			continue
		}
		backoff.Reset()
		began := p.now()
		events, err := p.numberAhead(ctx, records)
		if err != nil {
			p.logger.WarnContext(ctx, "numbering ahead of the store begins again at the stored offset", "partition", p.number, "error", err)
			p.ahead.known = false
			continue
		}
		p.trace(events, "sequencer number", obs.SpanConsumer, began, p.now(), nil)
		p.publish(ctx, events)
		p.ahead.next = records.To
		p.setAnnounced(records.To)
	}
}

// beginAhead starts at an offset at which the store is exact, so that no room needs to be held any more: holds end where
// announcing had come to, and a store that is ahead of that has passed them.
func (p *Partition) beginAhead(stored chat.Offset) {
	p.ahead = newAhead()
	p.ahead.next, p.ahead.known = stored, true
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.holds)
	clear(p.misjudged)
	p.announced = max(p.announced, stored)
}

func (p *Partition) setAnnounced(offset chat.Offset) {
	p.mu.Lock()
	p.announced = max(p.announced, offset)
	p.mu.Unlock()
	select {
	case p.advanced <- struct{}{}:
	default: // Store has been told already
	}
}

// numberAhead applies a run's records to the states that are ahead of the store, and answers the events to be published.
// It holds the rooms of records that only the store can judge.
func (p *Partition) numberAhead(ctx context.Context, records chat.LogRun) ([]*chat.Event, error) {
	stored := p.release()
	loaded, away := p.loadAhead(ctx, records)
	if loaded.Stored > records.From {
		return nil, fmt.Errorf("offset %d of %d: %w", records.From, loaded.Stored, errOutrun)
	}
	events := make([]*chat.Event, 0, len(records.Records))
	for i, record := range records.Records {
		offset := records.From + chat.Offset(i)
		if p.held(record.Room, offset) {
			continue
		}
		room := p.ahead.states.get(record.Room)
		if room == nil {
			state, found := loaded.Rooms[record.Room]
			switch {
			case away:
				p.hold(record.Room, offset)
				continue
			case !found:
				continue // there is no such room: Store will refuse the record
			}
			room = numbering.NewRoom(state)
			p.ahead.states.put(record.Room, room)
		}
		target, certain := p.targetAhead(record, loaded, away, stored)
		if !certain || (record.Resend && !room.Knows(record.ID)) {
			p.hold(record.Room, offset)
			continue
		}
		p.ahead.last[record.Room] = offset + 1
		event := room.Apply(record, target).Receipt.Event
		if event == nil {
			continue
		}
		if event.Message != nil {
			p.ahead.fresh.add(event.Message, offset, p.freshShare(), stored)
		}
		events = append(events, event)
	}
	p.trimAhead(stored)
	p.metrics.announced.Add(float64(len(events)))
	return events, nil
}

// release ends the holds that Store has passed, and holds the rooms in which it came to another end. It answers up to where all is stored.
func (p *Partition) release() chat.Offset {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id := range p.misjudged {
		if p.ahead.states.get(id) != nil {
			p.dropLocked(id, p.ahead.next)
		}
	}
	clear(p.misjudged)
	for id, h := range p.holds {
		if h.to <= p.stored {
			delete(p.holds, id)
		}
	}
	p.metrics.seen(p.number, len(p.holds), p.announced-min(p.stored, p.announced))
	return p.stored
}

// loadAhead reads what a run needs and memory does not have. away: the store did not answer.
func (p *Partition) loadAhead(ctx context.Context, records chat.LogRun) (loaded chat.Loaded, away bool) {
	var needs needs
	for _, record := range records.Records {
		if p.isHeld(record.Room) {
			continue
		}
		if p.ahead.states.get(record.Room) == nil {
			needs.room(record.Room)
		}
		if target, ok := numbering.Target(record); ok {
			ref := chat.MessageRef{Room: record.Room, ID: target}
			if p.ahead.fresh.message(ref) == nil {
				needs.message(ref)
			}
		}
	}
	if needs.none() {
		return chat.Loaded{}, false
	}
	if p.now().Before(p.ahead.resume) {
		return chat.Loaded{}, true
	}
	patience, cancel := context.WithTimeout(ctx, loadPatience)
	defer cancel()
	loaded, err := needs.load(patience, p.store, p.number)
	if err != nil {
		p.ahead.resume = p.now().Add(awayFor)
		p.logger.WarnContext(ctx, "rooms are held until the store is back", "partition", p.number, "rooms", len(needs.rooms), "error", err)
		return chat.Loaded{}, true
	}
	return loaded, false
}

// targetAhead is the newest state of the message that a record changes, nil where there is none, and whether that is
// certain: a message that is neither in memory nor in the store may have been forgotten before it was stored.
func (p *Partition) targetAhead(record *chat.Record, loaded chat.Loaded, away bool, stored chat.Offset) (*chat.Message, bool) {
	id, needed := numbering.Target(record)
	if !needed {
		return nil, true
	}
	ref := chat.MessageRef{Room: record.Room, ID: id}
	if message := p.ahead.fresh.message(ref); message != nil {
		return message, true
	}
	if away || p.ahead.fresh.forgotten > stored {
		return nil, false
	}
	return loaded.Messages[ref], true
}

// trimAhead keeps the number of rooms bounded. A room that is let go of before the store has all of it is held.
func (p *Partition) trimAhead(stored chat.Offset) {
	p.ahead.states.trim(func(id chat.RoomID) {
		if last := p.ahead.last[id]; last > stored {
			p.mu.Lock()
			p.holds[id] = hold{last, last}
			p.mu.Unlock()
			p.ahead.fresh.distrust(id, last)
		}
		delete(p.ahead.last, id)
	})
}

// hold leaves a room's records, from this one on, to Store.
func (p *Partition) hold(id chat.RoomID, offset chat.Offset) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dropLocked(id, offset)
	p.holds[id] = hold{offset, offset + 1}
	p.metrics.holds.Inc()
}

// dropLocked forgets a room's state, which is not to be read again before everything up to the offset is stored.
func (p *Partition) dropLocked(id chat.RoomID, offset chat.Offset) {
	p.ahead.states.drop(id)
	delete(p.ahead.last, id)
	p.ahead.fresh.distrust(id, offset)
	p.holds[id] = hold{offset, offset}
}

// held reports whether a record is Store's, because its room is held, and extends the hold to it.
func (p *Partition) held(id chat.RoomID, offset chat.Offset) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	h, ok := p.holds[id]
	if ok {
		h.to = offset + 1
		p.holds[id] = h
	}
	return ok
}

func (p *Partition) isHeld(id chat.RoomID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, ok := p.holds[id]
	return ok
}
