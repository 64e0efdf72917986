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

// storeRetryMax bounds the waits between attempts while the store is away, and so for how long a backlog waits that could
// be drained.
const storeRetryMax = 2 * time.Second

// smallBatch is below how many records it is worth waiting for more: a batch of this many costs each of them hardly more than a
// larger one.
const smallBatch = 500

// storing is what the pass that stores knows; meaningless while !known.
type storing struct {
	states *rooms
	next   chat.Offset // of the next record to be stored
	at     chat.Offset // what the store has: less than next after runs of nothing but repeats and refusals
	known  bool
}

func newStoring() storing { return storing{states: newRooms()} }

// Store numbers and stores the partition's records in order, publishes those that were not announced, and settles them,
// until ctx ends or the log is closed and empty.
func (p *Partition) Store(ctx context.Context) error {
	backoff := run.Backoff{Max: storeRetryMax}
	for {
		records, err := p.toStore(ctx)
		switch {
		case err == nil: // also when ctx has ended by now: what a log that is not durable has given must be settled
			err = p.take(ctx, records)
		case errors.Is(err, chat.ErrLogClosed) || ctx.Err() != nil:
			return nil
		}
		if err == nil {
			backoff.Reset()
			if p.durable && p.pause > 0 && p.unstored() < smallBatch && run.Pause(ctx, p.pause) != nil {
				return nil
			}
			continue
		}
		p.storing.states.forget()
		p.storing.known = false
		switch {
		case !p.durable && records.Records == nil:
			return err // of the log
		case !p.durable:
			p.refuse(ctx, records, err)
			continue
		case p.only:
			return err
		case ctx.Err() != nil:
			return nil // whoever comes to own the partition goes on from the stored offset
		}
		p.logger.WarnContext(ctx, "storing stopped and begins again at the stored offset", "partition", p.number, "error", err)
		if backoff.Wait(ctx) != nil {
			return nil
		}
	}
}

// unstored is how many records are announced and wait to be stored.
func (p *Partition) unstored() chat.Offset {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.announced - min(p.stored, p.announced)
}

// toStore waits for the next run that may be stored.
func (p *Partition) toStore(ctx context.Context) (chat.LogRun, error) {
	if p.durable && !p.storing.known {
		if err := p.begin(ctx); err != nil {
			return chat.LogRun{}, err
		}
	}
	records, err := p.log.Read(ctx, p.number, p.storing.next)
	if err != nil || !p.durable {
		return records, err
	}
	return p.announcedOf(ctx, records)
}

// begin finds out where the store is.
func (p *Partition) begin(ctx context.Context) error {
	stored, err := p.position(ctx)
	if err != nil {
		return err
	}
	before := p.storing.at
	p.storing.at, p.storing.known = stored, true
	if !p.durable {
		return nil
	}
	if stored > before {
		if err := p.tellUnpublished(ctx, before, stored); err != nil {
			p.storing.known = false
			return err
		}
	}
	p.storing.next = stored
	p.setStored(stored)
	return nil
}

// tellUnpublished tells the heads of held rooms after a commit that turned out to have happened: what it stored of them
// in [from, to) was to be published when it was stored, and was not. Gateways fetch it.
func (p *Partition) tellUnpublished(ctx context.Context, from, to chat.Offset) error {
	var needs needs
	p.mu.Lock()
	for id, h := range p.holds {
		if h.from < to && h.to > from {
			needs.room(id)
		}
	}
	p.mu.Unlock()
	loaded, err := needs.load(ctx, p.store, p.number)
	if err != nil {
		return err
	}
	envelopes := make([]chat.Envelope, 0, len(loaded.Rooms))
	for id, state := range loaded.Rooms {
		envelopes = append(envelopes, chat.Envelope{Room: id, Seq: state.Head})
	}
	_ = p.tell(ctx, envelopes) // it is counted and logged
	return nil
}

// announcedOf is as much of a run as Announce has seen to; it waits until that is something.
func (p *Partition) announcedOf(ctx context.Context, records chat.LogRun) (chat.LogRun, error) {
	for {
		p.mu.Lock()
		announced := p.announced
		p.mu.Unlock()
		switch {
		case announced >= records.To:
			return records, nil
		case announced > records.From:
			records.Records = records.Records[:announced-records.From]
			records.To = announced
			return records, nil
		}
		select {
		case <-p.advanced:
		case <-ctx.Done():
			return chat.LogRun{}, ctx.Err()
		}
	}
}

// take numbers, stores, publishes and settles a run.
func (p *Partition) take(ctx context.Context, records chat.LogRun) error {
	if !p.storing.known {
		if err := p.begin(ctx); err != nil {
			return err
		}
	}
	began := p.now()
	outcomes, err := p.apply(ctx, records)
	if err != nil {
		return err
	}
	numbered := p.now()
	if err := p.commit(ctx, records, outcomes); err != nil {
		return err
	}
	p.storing.next = records.To
	p.storing.states.trim(func(chat.RoomID) {})
	events := p.unannounced(records, outcomes)
	p.trace(events, "sequencer number", obs.SpanConsumer, began, numbered, nil)
	p.publish(ctx, events)
	if p.durable && !p.only {
		p.tellRefusals(ctx, records, outcomes)
	}
	p.log.Settle(ctx, records, outcomes)
	p.setStored(records.To)
	return nil
}

// apply numbers a run's records in order in memory. An error means that the store could not be asked, or is not where it
// was left; the states are then ahead of what will be stored.
func (p *Partition) apply(ctx context.Context, records chat.LogRun) ([]chat.Outcome, error) {
	var needs needs
	for _, record := range records.Records {
		if p.storing.states.get(record.Room) == nil {
			needs.room(record.Room)
		}
		if target, ok := numbering.Target(record); ok {
			needs.message(chat.MessageRef{Room: record.Room, ID: target})
		}
	}
	loaded, err := needs.load(ctx, p.store, p.number)
	switch {
	case err != nil:
		return nil, err
	case !needs.none() && loaded.Stored != p.storing.at:
		return nil, fmt.Errorf("the store is at offset %d and was left at %d: %w", loaded.Stored, p.storing.at, chat.ErrFenced)
	}
	for _, state := range loaded.Rooms {
		p.storing.states.put(state.Room, numbering.NewRoom(state))
	}
	outcomes := make([]chat.Outcome, len(records.Records))
	changed := make(map[chat.MessageRef]*chat.Event) // the newest event that this run made of each message
	for i, record := range records.Records {
		room := p.storing.states.get(record.Room)
		if room == nil {
			outcomes[i].Err = chat.ErrNotFound
			continue
		}
		before := room.Head()
		outcomes[i] = room.Apply(record, targetIn(record, changed, loaded))
		event := outcomes[i].Receipt.Event
		if event == nil {
			continue
		}
		if event.Seq != before+1 || room.Head() != event.Seq {
			return nil, fmt.Errorf("room %s went from head %d to %d with event %d", record.Room, before, room.Head(), event.Seq)
		}
		if event.Message == nil {
			continue
		}
		// A message that follows a change of its own id is a repeat that the store will give up: the change stands.
		ref := chat.MessageRef{Room: record.Room, ID: event.Message.ID}
		if event.Kind != chat.KindMessage || changed[ref] == nil {
			changed[ref] = event
		}
	}
	return outcomes, nil
}

// targetIn is the newest state of the message that a record of a run changes; nil where there is none in that room.
func targetIn(record *chat.Record, changed map[chat.MessageRef]*chat.Event, loaded chat.Loaded) *chat.Message {
	id, needed := numbering.Target(record)
	if !needed {
		return nil
	}
	ref := chat.MessageRef{Room: record.Room, ID: id}
	event, ok := changed[ref]
	if ok && event.Kind != chat.KindMessage {
		return event.Message
	}
	// A message that this run made may be the repeat of one so old that only the store knows it. Its number will be void
	// then, and what is changed is the old one.
	if stored, found := loaded.Messages[ref]; found {
		return stored
	}
	if ok {
		return event.Message
	}
	return nil
}

// commit stores the events among the outcomes as one batch and turns those whose numbers the store made void into what
// they are: a repeat of the same message, or a conflict with another.
func (p *Partition) commit(ctx context.Context, records chat.LogRun, outcomes []chat.Outcome) error {
	batch := chat.Batch{Partition: p.number, From: p.storing.at, To: records.To, Events: make([]chat.Event, 0, len(outcomes))}
	for i := range outcomes {
		if event := outcomes[i].Receipt.Event; event != nil {
			batch.Events = append(batch.Events, *event)
		}
	}
	if len(batch.Events) == 0 {
		return nil // nothing but repeats and refusals: the offset can wait for the next batch
	}
	done, began := p.metrics.committing(len(batch.Events)), p.now()
	voids, err := p.store.Commit(ctx, batch)
	done(err)
	p.traceInsert(batch.Events, began, err)
	if err != nil {
		return fmt.Errorf("commit %d events at offset %d: %w", len(batch.Events), batch.From, err)
	}
	p.storing.at = batch.To
	for _, void := range voids {
		p.void(void, records, outcomes)
	}
	return nil
}

// void answers those records of the run that were judged by the one whose number the store gave up: itself, and what
// followed it under its id.
func (p *Partition) void(void chat.Void, records chat.LogRun, outcomes []chat.Outcome) {
	p.metrics.voids.Inc()
	if room := p.storing.states.get(void.Room); room != nil && void.First.Seq > 0 {
		room.Void(void.Seq, void.First)
	}
	if p.durable {
		p.mu.Lock()
		p.misjudged[void.Room] = struct{}{}
		p.mu.Unlock()
	}
	for i, record := range records.Records {
		taken := outcomes[i].Receipt.Seq == void.Seq || (record.ID == void.First.ID && errors.Is(outcomes[i].Err, numbering.ErrOtherMessage))
		if record.Room != void.Room || !taken {
			continue
		}
		switch {
		case void.First.Seq == 0:
			outcomes[i] = chat.Outcome{Err: chat.ErrNotFound}
		case record.Fingerprint != void.First.Fingerprint:
			outcomes[i] = chat.Outcome{Err: numbering.ErrOtherMessage}
		default:
			outcomes[i] = chat.Outcome{Receipt: chat.Receipt{Seq: void.First.Seq, Repeat: true}}
		}
	}
}

// unannounced are a stored run's events that nobody has heard of yet: all of them where nothing is announced.
func (p *Partition) unannounced(records chat.LogRun, outcomes []chat.Outcome) []*chat.Event {
	p.mu.Lock()
	defer p.mu.Unlock()
	events := make([]*chat.Event, 0, len(outcomes))
	for i := range outcomes {
		event := outcomes[i].Receipt.Event
		if event == nil {
			continue
		}
		if p.durable {
			offset := records.From + chat.Offset(i)
			if h, held := p.holds[event.Room]; !held || offset < h.from || offset >= h.to {
				continue
			}
		}
		events = append(events, event)
	}
	return events
}

// tellRefusals lets senders know, whose messages were acked when the log had them, that their ids were not theirs.
func (p *Partition) tellRefusals(ctx context.Context, records chat.LogRun, outcomes []chat.Outcome) {
	for i, record := range records.Records {
		if outcomes[i].Err == nil || record.Kind != chat.KindMessage {
			continue
		}
		p.metrics.refused.Inc()
		refusal := chat.Signal{
			Kind: chat.SignalRefused, Room: record.Room, User: record.Actor.ID, Message: record.ID,
			Code: chat.CodeOf(outcomes[i].Err), Detail: chat.DetailOf(outcomes[i].Err),
		}
		if err := p.bus.Signal(ctx, refusal); err != nil {
			p.logger.WarnContext(ctx, "a sender could not be told that a message was refused after its ack",
				"room", record.Room, "message", record.ID, "code", refusal.Code, "error", err)
		}
	}
}

// refuse answers a run that could not be stored.
func (p *Partition) refuse(ctx context.Context, records chat.LogRun, cause error) {
	p.storing.next = records.To
	p.metrics.refused.Add(float64(len(records.Records)))
	p.logger.ErrorContext(ctx, "a run of the log was refused", "records", len(records.Records), "error", cause)
	refusal := chat.Away("the message store", cause)
	outcomes := make([]chat.Outcome, len(records.Records))
	for i := range outcomes {
		outcomes[i].Err = refusal
	}
	p.log.Settle(ctx, records, outcomes)
}

func (p *Partition) setStored(offset chat.Offset) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stored = offset
}
