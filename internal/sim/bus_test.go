package sim

import (
	"context"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/feed"
	"github.com/blabber-hive/blabber-hive/internal/wire"
)

// bus carries envelopes and signals to gateways. It keeps each gateway's order as a rule, and loses, repeats and
// reorders as the seed says.
type bus struct {
	arrived map[*gateway]time.Duration // when the last envelope on the way to it will be there
	tails   map[chat.RoomID]*tail      // nil where the bus keeps none
	away    time.Duration              // until when it takes nothing and answers nobody
}

// itemOf is an envelope with the frame that its receivers get.
func itemOf(envelope chat.Envelope) feed.Item {
	return feed.Item{Envelope: envelope, Frame: wire.EventFrame(envelope.Body)}
}

func (b *bus) publish(w *world, item feed.Item) {
	for _, g := range w.gateways {
		if g.subscribed[item.Room] == 0 || w.chance(w.faults.busDrop) {
			continue
		}
		at := w.now + w.latency()
		if !w.chance(w.faults.busReorder) {
			at = max(at, b.arrived[g])
			b.arrived[g] = at
		}
		g.after(at-w.now, func() { g.deliver(item) })
		if w.chance(w.faults.busRepeat) {
			g.after(at-w.now+w.latency(), func() { g.deliver(item) })
		}
	}
}

func (b *bus) signal(w *world, signal chat.Signal) {
	for _, g := range w.gateways {
		if w.chance(w.faults.signalDrop) {
			continue
		}
		g.after(w.latency(), func() { g.heard(signal) })
	}
}

// reshuffle takes somebody out of a room, or puts somebody in who is not.
func (w *world) reshuffle() {
	if w.reachable() != nil {
		return
	}
	room := w.rooms[w.luck.IntN(len(w.rooms))]
	person := w.people[w.luck.IntN(len(w.people))]
	access, err := w.store.Access(context.Background(), room, person.ID)
	if err != nil {
		w.violate("a room is gone: %v", err)
		return
	}
	change, kind := chat.MemberJoined, chat.SignalJoined
	if access.Member != nil {
		change, kind = chat.MemberRemoved, chat.SignalLeft
	}
	w.setMember(room, person, change)
	signal := chat.Signal{Kind: kind, Room: room, User: person.ID}
	if change.Leaves() {
		signal.Change = change
	}
	w.after(w.latency(), func() { w.bus.signal(w, signal) })
	if change.Leaves() && w.flip(0.6) { // most come back, many at once
		w.after(w.between(0, time.Second), func() {
			if access, err := w.store.Access(context.Background(), room, person.ID); err == nil && access.Member == nil && w.reachable() == nil {
				w.setMember(room, person, chat.MemberJoined)
				w.bus.signal(w, chat.Signal{Kind: chat.SignalJoined, Room: room, User: person.ID})
			}
		})
	}
}

func (w *world) setMember(room chat.RoomID, person chat.Profile, change chat.MemberChange) {
	w.tell("%s: %s in room %d", person.Username, change, room[15])
	now := w.wall(0).Truncate(time.Millisecond)
	record := &chat.Record{
		ID: w.newID(now), Room: room, Kind: chat.KindMember, At: now, Actor: person,
		Member: &chat.MemberDetail{User: person, Role: chat.Plain, JoinedAt: now, Change: change},
	}
	if err := w.store.SetMember(record, chat.Member{Room: room, User: person, Role: chat.Plain, JoinedAt: now}); err != nil {
		w.violate("membership cannot be changed: %v", err)
	}
	if change.Leaves() {
		w.leaving[place{room, person.ID}]++
		if w.cluster != nil {
			w.cluster.removals[place{room, person.ID}] = record.ID
		}
	}
}
