package sim

import (
	"context"
	"errors"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/adapter/memory"
	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/sequencer"
)

// engine is what carries records from the log to the store and the bus: a server alone, or a cluster.
type engine interface {
	// append is what message.Log says of Append. The gateway is nil for the relay of the outbox.
	append(from *gateway, record *chat.Record, settled func(chat.Receipt, error)) error
	// crash ends one process without warning, blackout all of them.
	crash()
	blackout()
	// unrest says what is not done yet; empty when all is.
	unrest() string
	// close lets go of what a run leaves behind.
	close()
}

// partition is the one that a log without Kafka has.
const partition = 0

// core is the process that holds the log, the sequencer and the relay of the outbox. One that has crashed stays dead;
// its successor is another core.
type core struct {
	w        *world
	dead     bool
	log      *memory.Log
	waiting  int // records that were appended and not polled
	stepping bool
	planned  bool
	numberer *sequencer.Partition
}

var (
	_ engine          = (*core)(nil)
	_ sequencer.Store = (*corePorts)(nil)
	_ sequencer.Bus   = (*corePorts)(nil)
	_ sequencer.Log   = (*corePorts)(nil)
)

// died unwinds a step of a core that crashed in the middle of it.
type died struct{}

func (w *world) startCore() {
	stored := w.stored(partition)
	c := &core{w: w, log: memory.NewLog(stored)}
	ports := &corePorts{core: c}
	c.numberer = sequencer.New(ports, ports, ports, sequencer.Options{}, w.lab.metrics, w.lab.logger).Partition(partition)
	w.engine = c
	w.tell("the core starts at offset %d", stored)
	(&relay{w: w, into: c, gone: func() bool { return c.dead }}).later(0)
}

// crash ends the core: what it had not committed is gone, and nobody hears of it any more. Another starts later.
func (c *core) crash() {
	if c.dead {
		return
	}
	c.dead = true
	c.w.tell("the core crashes with %d records waiting", c.waiting)
	c.w.after(c.w.between(0, time.Second), c.w.startCore)
}

func (c *core) blackout() { c.crash() }
func (c *core) close()    {}

func (c *core) unrest() string {
	if c.dead || c.waiting > 0 || c.stepping {
		return "the log is not empty"
	}
	return ""
}

// append implements engine.
func (c *core) append(_ *gateway, record *chat.Record, settled func(chat.Receipt, error)) error {
	if c.dead {
		return chat.Away("the message log", nil)
	}
	if err := c.log.Append(context.Background(), record, settled); err != nil {
		return err
	}
	c.waiting++
	c.stepLater()
	return nil
}

func (c *core) stepLater() {
	if c.stepping || c.planned || c.waiting == 0 {
		return
	}
	c.planned = true
	c.w.after(c.w.between(0, 500*time.Microsecond), c.step)
}

// step lets the sequencer take one run.
func (c *core) step() {
	c.planned = false
	if c.dead {
		return
	}
	c.stepping = true
	defer func() {
		c.stepping = false
		if reason := recover(); reason != nil {
			if _, ok := reason.(died); !ok {
				panic(reason)
			}
		}
		if !c.dead {
			c.stepLater()
		}
	}()
	if err := c.numberer.Store(context.Background()); err != nil {
		c.w.violate("the sequencer gave up: %v", err)
	}
}

// corePorts is what the sequencer sees of the world. Each call takes time, in which the core may crash.
type corePorts struct {
	core   *core
	polled bool
}

func (p *corePorts) wait(d time.Duration) {
	p.core.w.pass(d)
	if p.core.dead {
		panic(died{})
	}
}

// Own implements sequencer.Log, and is not called: the core steps its partition itself.
func (p *corePorts) Own(context.Context, func(context.Context, int) error) error {
	return chat.ErrLogClosed
}

// Read implements sequencer.Log: one run, and then no more, so that Store returns.
func (p *corePorts) Read(ctx context.Context, partition int, from chat.Offset) (chat.LogRun, error) {
	if p.polled {
		p.polled = false
		return chat.LogRun{}, chat.ErrLogClosed
	}
	p.polled = true
	run, err := p.core.log.Read(ctx, partition, from)
	p.core.waiting -= len(run.Records)
	return run, err
}

// Settle implements sequencer.Log.
func (p *corePorts) Settle(ctx context.Context, run chat.LogRun, outcomes []chat.Outcome) {
	p.wait(p.core.w.between(0, time.Millisecond))
	p.core.log.Settle(ctx, run, outcomes)
}

// Publish implements sequencer.Bus.
func (p *corePorts) Publish(_ context.Context, envelopes []chat.Envelope) error {
	w := p.core.w
	p.wait(w.between(0, time.Millisecond))
	if w.chance(w.faults.busFail) {
		return errors.New("the bus is away")
	}
	for i := range envelopes {
		w.bus.publish(w, itemOf(envelopes[i]))
	}
	return nil
}

// Signal implements sequencer.Bus. Alone every refusal is an answer.
func (p *corePorts) Signal(context.Context, chat.Signal) error {
	p.core.w.violate("a sequencer alone sends a signal")
	return nil
}

func (p *corePorts) read() error {
	w := p.core.w
	p.wait(w.between(0, time.Millisecond))
	if w.chance(w.faults.readFail) {
		return chat.Away("the store", nil)
	}
	return w.reachable()
}

// Load implements sequencer.Store.
func (p *corePorts) Load(ctx context.Context, partition int, rooms []chat.RoomID, messages []chat.MessageRef) (chat.Loaded, error) {
	if err := p.read(); err != nil {
		return chat.Loaded{}, err
	}
	return p.core.w.store.Load(ctx, partition, rooms, messages)
}

// Commit implements sequencer.Store. It may crash or fail before the batch is applied, or after, so that nobody learns
// that it was.
func (p *corePorts) Commit(ctx context.Context, batch chat.Batch) ([]chat.Void, error) {
	w := p.core.w
	p.wait(w.between(w.faults.commitMin, w.faults.commitMax))
	if err := w.reachable(); err != nil {
		return nil, err
	}
	if (w.now < w.full && !w.calm) || w.chance(w.faults.commitFail) {
		return nil, errors.New("the disk is full")
	}
	heads := w.heads()
	voids, err := w.store.Commit(ctx, batch)
	if err != nil {
		if !errors.Is(err, chat.ErrFenced) {
			w.violate("the sequencer made a batch that no store can take: %v", err)
		}
		return nil, err
	}
	w.committed(heads)
	p.wait(w.between(0, w.faults.commitMax/4))
	if w.chance(w.faults.commitForget) {
		w.tell("the commit of %d events is stored and its answer lost", len(batch.Events))
		return nil, errors.New("the connection to the store broke")
	}
	w.tell("%d events are stored, %d void, offset %d", len(batch.Events), len(voids), batch.To)
	return voids, nil
}

// heads are the heads of all rooms, in their order.
func (w *world) heads() []int {
	heads := make([]int, len(w.rooms))
	for i, room := range w.rooms {
		heads[i] = len(w.store.Events(room))
	}
	return heads
}

// committed learns from what has been stored since those heads.
func (w *world) committed(heads []int) {
	for i, room := range w.rooms {
		w.learn(w.store.Events(room)[heads[i]:])
	}
}
