package sim

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/feed"
	"github.com/blabber-hive/blabber-hive/internal/sequencer"
)

const (
	toldEvery   = 2 * time.Second        // how often a node tells the heads of active rooms again
	hurriedMost = 500 * time.Millisecond // how long who is in a hurry waits for the store
)

// nodePorts is what a node's sequencer sees of the world for one partition. Each call takes time, in which the node may
// crash, be stopped, or lose the partition.
type nodePorts struct{ o *owner }

var (
	_ sequencer.Log   = (*nodePorts)(nil)
	_ sequencer.Store = (*nodePorts)(nil)
	_ sequencer.Bus   = (*nodePorts)(nil)
)

func (p *nodePorts) world() *world { return p.o.n.c.w }

// Own implements sequencer.Log, and is not called: a node's owners are made by its cluster.
func (p *nodePorts) Own(context.Context, func(context.Context, int) error) error {
	return chat.ErrLogClosed
}

// Read implements sequencer.Log. It gives Store what Announce has seen the beginning of, so that Store does not wait in
// real time; how much of it may be stored is for Store to know.
func (p *nodePorts) Read(ctx context.Context, number int, from chat.Offset) (chat.LogRun, error) {
	r, w, log := p.o.running, p.world(), p.o.n.c.partitions[number]
	if ctx.Err() != nil { // a step ends where something has failed, and Store's after each run
		return chat.LogRun{}, ctx.Err()
	}
	if !r.storing && from > p.o.announced {
		p.o.announced = from
		for _, other := range p.o.routines {
			if other.storing {
				other.wake()
			}
		}
	}
	lag := w.faults.announceLag
	if r.storing {
		lag = w.faults.storeLag
	}
	if w.calm {
		lag = 0
	}
	r.wait(w.between(0, max(lag, time.Millisecond)))
	for {
		switch {
		case ctx.Err() != nil:
			return chat.LogRun{}, ctx.Err()
		case w.now < p.o.n.c.away && !w.calm, w.chance(w.faults.readFail / 4):
			r.fail()
			return chat.LogRun{}, errors.New("the log is away")
		case r.storing && p.o.announced <= from:
		default:
			if run := log.read(from, 1+w.luck.IntN(w.faults.runMax)); len(run.Records) > 0 {
				if r.storing {
					r.cancel()
				}
				run.Partition = number
				return run, nil
			}
			log.readers = append(log.readers, r)
		}
		r.wait(park)
	}
}

// Settle implements sequencer.Log: what was numbered must have been told to everybody, and what was refused to its sender.
func (p *nodePorts) Settle(_ context.Context, run chat.LogRun, outcomes []chat.Outcome) {
	c := p.o.n.c
	p.o.settled = run.To
	for i, record := range run.Records {
		event := outcomes[i].Receipt.Event
		if event != nil {
			if seen := c.published[event.Room][event.Seq]; seen == nil {
				c.w.violate("number %d of room %d is stored, settled and was never published", event.Seq, event.Room[15])
			}
		}
		if outcomes[i].Err != nil && record.Kind == chat.KindMessage && !c.refused[refusal{record.Room, record.ID, record.Actor.ID}] {
			c.w.violate("message %s of room %d is refused and its sender was not told", record.ID, record.Room[15])
		}
	}
	p.o.running.wait(c.w.between(0, time.Millisecond))
}

// publication is an event that was given to the bus at least once, whatever the bus made of it.
type publication struct {
	item feed.Item
	by   string
}

// Publish implements sequencer.Bus. It may fail before anything is published, or after some of it.
func (p *nodePorts) Publish(_ context.Context, envelopes []chat.Envelope) error {
	c, w := p.o.n.c, p.world()
	if p.o.running != nil { // heads are told on the side
		p.o.running.wait(w.between(0, time.Millisecond))
	}
	if len(envelopes[0].Body) == 0 { // heads come in the order of a map
		slices.SortFunc(envelopes, func(a, b chat.Envelope) int { return bytes.Compare(a.Room[:], b.Room[:]) })
	}
	items := make([]feed.Item, len(envelopes))
	for i := range envelopes {
		items[i] = c.remember(p.o, envelopes[i])
	}
	away := w.now < w.bus.away && !w.calm
	most := len(envelopes)
	if away || w.chance(w.faults.busFail) {
		most = 0
		if !away {
			most = w.luck.IntN(len(envelopes) + 1)
		}
	}
	for _, item := range items[:most] {
		if len(item.Body) > 0 {
			w.bus.keep(w, item)
		}
		w.bus.publish(w, item)
	}
	if most < len(envelopes) || away {
		return errors.New("the bus is away")
	}
	return nil
}

// remember holds what is published against all that ever was: one number of a room is one event for ever.
func (c *cluster) remember(o *owner, envelope chat.Envelope) feed.Item {
	if len(envelope.Body) == 0 {
		return feed.Item{Envelope: envelope}
	}
	said := c.published[envelope.Room]
	before := said[envelope.Seq]
	switch {
	case before == nil:
		before = &publication{itemOf(envelope), o.n.name}
		said[envelope.Seq] = before
	case !bytes.Equal(before.item.Body, envelope.Body):
		c.w.violate("number %d of room %d was published by %s as\n%s\nand by %s as\n%s", envelope.Seq, envelope.Room[15],
			before.by, before.item.Body, o.n.name, envelope.Body)
		return itemOf(envelope)
	}
	return before.item
}

// refusal names who is told that a message which was acked is refused.
type refusal struct {
	room    chat.RoomID
	message chat.MessageID
	user    chat.UserID
}

// Signal implements sequencer.Bus.
func (p *nodePorts) Signal(_ context.Context, signal chat.Signal) error {
	w := p.world()
	p.o.running.wait(w.between(0, time.Millisecond))
	p.o.n.c.refused[refusal{signal.Room, signal.Message, signal.User}] = true
	if w.now < w.bus.away && !w.calm {
		return errors.New("the bus is away")
	}
	w.bus.signal(w, signal)
	return nil
}

// Load implements sequencer.Store. A store that is away answers an error, or not at all until whoever asked gives up.
func (p *nodePorts) Load(ctx context.Context, partition int, rooms []chat.RoomID, messages []chat.MessageRef) (chat.Loaded, error) {
	r, w := p.o.running, p.world()
	took := w.between(0, max(time.Millisecond, w.faults.commitMax/8))
	if w.chance(0.2) && w.reachable() != nil {
		took = 4 * time.Second
	}
	if _, hurried := ctx.Deadline(); hurried && took > hurriedMost {
		r.wait(hurriedMost)
		r.fail()
		return chat.Loaded{}, context.DeadlineExceeded
	}
	r.wait(took)
	if err := w.reachable(); err != nil || w.chance(w.faults.readFail) {
		r.fail()
		return chat.Loaded{}, chat.Away("the store", nil)
	}
	return w.store.Load(ctx, partition, rooms, messages)
}

// Commit implements sequencer.Store. Its answer may be lost, and it may happen long after whoever asked has given up.
func (p *nodePorts) Commit(ctx context.Context, batch chat.Batch) ([]chat.Void, error) {
	r, w := p.o.running, p.world()
	r.wait(w.between(w.faults.commitMin, w.faults.commitMax))
	if err := w.reachable(); err != nil || (w.now < w.full && !w.calm) || w.chance(w.faults.commitFail) {
		r.fail()
		return nil, errors.New("the store is away or full")
	}
	if w.chance(w.faults.commitLate) {
		w.after(w.between(0, 2*time.Second), func() {
			if _, err := w.commit(p.o, batch); err == nil {
				w.tell("a commit of %s that was given up is stored", p.o.n.name)
			}
		})
		r.fail()
		return nil, errors.New("the store has not answered")
	}
	voids, err := w.commit(p.o, batch)
	r.wait(w.between(0, w.faults.commitMax/4))
	if err == nil && w.chance(w.faults.commitForget) {
		w.tell("the commit of %d events is stored and its answer lost", len(batch.Events))
		err = errors.New("the connection to the store broke")
	}
	if err != nil {
		r.fail()
		return nil, err
	}
	return voids, nil
}

// commit is what happens in the store.
func (w *world) commit(o *owner, batch chat.Batch) ([]chat.Void, error) {
	heads := w.heads()
	voids, err := w.store.Commit(context.Background(), batch)
	if err != nil {
		if !errors.Is(err, chat.ErrFenced) {
			w.violate("the sequencer made a batch that no store can take: %v", err)
		}
		w.tell("%s: a commit of partition %d from %d to %d: %v", o.n.name, batch.Partition, batch.From, batch.To, err)
		return nil, err
	}
	w.committed(heads)
	w.tell("%s: %d events of partition %d are stored, %d void, from offset %d to %d", o.n.name, len(batch.Events), batch.Partition, len(voids), batch.From, batch.To)
	return voids, nil
}
