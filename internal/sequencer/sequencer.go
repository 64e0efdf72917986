package sequencer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/obs"
	"github.com/blabber-hive/blabber-hive/internal/run"
	"github.com/blabber-hive/blabber-hive/internal/wire"
)

// Options are what distinguishes a server alone from one of a cluster.
type Options struct {
	// Durable says that the log keeps what was appended by itself and acks it then. Its records are announced ahead of the
	// store, and a store that is away makes them wait instead of being refused.
	Durable bool
	// StoreOnly says that what is read was announced long ago: it is stored with the numbers that it had then and told to
	// nobody, and the first thing that fails ends it.
	StoreOnly bool
	// StorePause is how long a durable log's records gather after a small batch was stored. Nobody waits for the store there, and
	// a transaction for each message would take the disk and the processor from what people do wait for. Zero: not at all.
	StorePause time.Duration
	// Now is the clock; time.Now if nil.
	Now func() time.Time
	// Tracer goes on with the traces of records; nil for none.
	Tracer *obs.Tracer
}

// Sequencer numbers the partitions of the log that this process owns. Make it with New, run it once with Run.
type Sequencer struct {
	log     Log
	bus     Bus
	store   Store
	durable bool
	pause   time.Duration
	only    bool // nothing but to store
	now     func() time.Time
	tracer  *obs.Tracer
	metrics *Metrics
	logger  *slog.Logger
	owned   atomic.Int64 // partitions, which share what may be remembered
}

// New makes a sequencer over its three ports.
func New(log Log, bus Bus, store Store, options Options, metrics *Metrics, logger *slog.Logger) *Sequencer {
	s := &Sequencer{log: log, bus: bus, store: store, durable: options.Durable, only: options.StoreOnly, pause: options.StorePause, now: options.Now, tracer: options.Tracer, metrics: metrics, logger: logger}
	if s.now == nil {
		s.now = time.Now
	}
	return s
}

// Run numbers what the log gives until ctx ends or the log is closed and empty; both are a normal end.
func (s *Sequencer) Run(ctx context.Context) error {
	err := s.log.Own(ctx, s.own)
	if err != nil && ctx.Err() == nil && !errors.Is(err, chat.ErrLogClosed) {
		return fmt.Errorf("own partitions of the log: %w", err)
	}
	return nil
}

// own numbers one partition for as long as it is this process's.
func (s *Sequencer) own(ctx context.Context, number int) error {
	p := s.Partition(number)
	switch {
	case s.only:
		p.setAnnounced(math.MaxInt64)
		return p.Store(ctx)
	case !s.durable:
		return p.Store(ctx)
	}
	s.owned.Add(1)
	defer s.owned.Add(-1)
	defer s.metrics.left(number)
	g := run.NewGroup(ctx)
	g.Go("announce", p.Announce)
	g.Go("store", p.Store)
	g.Go("republish heads", func(ctx context.Context) error { return run.Every(ctx, headsEvery, p.RepublishHeads) })
	return g.Wait()
}

// Partition is one partition of the log while this process owns it. Each of its passes is run by one goroutine.
type Partition struct {
	*Sequencer

	number int

	storing storing
	ahead   ahead

	mu        sync.Mutex
	stored    chat.Offset              // up to where Store has stored and published
	announced chat.Offset              // up to where Announce has seen to everything
	advanced  chan struct{}            // holds a token after announced has moved
	holds     map[chat.RoomID]hold     // rooms that are Store's
	misjudged map[chat.RoomID]struct{} // rooms in which Store came to another end than Announce
	heads     map[chat.RoomID]head     // of rooms in which something happened lately
}

// hold says that the records of a room in [from, to) are not announced but published when they are stored, and that the
// room's state in the store is not exact before everything before to is stored.
type hold struct{ from, to chat.Offset }

// head is what is told again of a room, for that many rounds more.
type head struct {
	seq    chat.Seq
	rounds int
}

const (
	// headsEvery is how often the heads of active rooms are published again: as long a lost last event may go unnoticed.
	headsEvery = 2 * time.Second
	// headRounds is how often a head is published again after the event that made it.
	headRounds = 3
)

// freshShare is how many messages that are not stored each partition may remember.
func (s *Sequencer) freshShare() int { return freshMax / int(max(s.owned.Load(), 1)) }

// Partition makes what numbers one partition.
func (s *Sequencer) Partition(number int) *Partition {
	return &Partition{
		Sequencer: s, number: number,
		storing: newStoring(), ahead: newAhead(),
		advanced: make(chan struct{}, 1), holds: make(map[chat.RoomID]hold),
		misjudged: make(map[chat.RoomID]struct{}), heads: make(map[chat.RoomID]head),
	}
}

// position reads up to where the partition is stored.
func (p *Partition) position(ctx context.Context) (chat.Offset, error) {
	loaded, err := p.store.Load(ctx, p.number, nil, nil)
	if err != nil {
		return 0, fmt.Errorf("read the stored offset of partition %d: %w", p.number, err)
	}
	return loaded.Stored, nil
}

// publish sends events on their way, and remembers the heads that they make.
func (p *Partition) publish(ctx context.Context, events []*chat.Event) {
	if len(events) == 0 {
		return
	}
	envelopes, now := make([]chat.Envelope, 0, len(events)), p.now()
	for _, event := range events {
		p.metrics.numbered.Observe(now.Sub(event.At).Seconds())
		envelope, err := wire.Envelope(event)
		if err != nil {
			p.logger.ErrorContext(ctx, "an event has its number but cannot be encoded", "room", event.Room, "seq", event.Seq, "error", err)
			continue
		}
		envelopes = append(envelopes, envelope)
	}
	err := p.tell(ctx, envelopes)
	p.trace(events, "bus publish", obs.SpanProducer, now, p.now(), err)
}

// tell sends envelopes on their way. What the bus does not take, gateways will miss and fetch; the error is for those who
// trace.
func (p *Partition) tell(ctx context.Context, envelopes []chat.Envelope) error {
	if len(envelopes) == 0 {
		return nil
	}
	done := p.metrics.publishing()
	err := p.bus.Publish(ctx, envelopes)
	done(err)
	if err != nil {
		p.metrics.unpublished.Add(float64(len(envelopes)))
		p.logger.WarnContext(ctx, "events have their numbers but were not published; gateways will fetch them",
			"partition", p.number, "events", len(envelopes), "error", err)
	}
	if !p.durable {
		return err // the bus is in this process and loses nothing unnoticed
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range envelopes {
		id := envelopes[i].Room
		p.heads[id] = head{max(p.heads[id].seq, envelopes[i].Seq), headRounds}
	}
	return err
}

// RepublishHeads tells where active rooms are, for those who have missed the last event. Sequencer.Run does it every few
// seconds beside the two passes.
func (p *Partition) RepublishHeads(ctx context.Context) error {
	p.mu.Lock()
	envelopes := make([]chat.Envelope, 0, len(p.heads))
	for room, h := range p.heads {
		envelopes = append(envelopes, chat.Envelope{Room: room, Seq: h.seq})
		if h.rounds--; h.rounds == 0 {
			delete(p.heads, room)
		} else {
			p.heads[room] = h
		}
	}
	p.mu.Unlock()
	if len(envelopes) > 0 {
		_ = p.bus.Publish(ctx, envelopes) // it is said again, and who missed it is told by the next event
	}
	return nil
}
