package sequencer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/numbering"
	"github.com/blabber-hive/blabber-hive/internal/wire"
)

// partition is the one partition that a log without Kafka has.
const partition = 0

// Sequencer numbers one partition of the log. Make it with New, run it once with Run.
type Sequencer struct {
	log     Log
	bus     Bus
	store   Store
	metrics *Metrics
	logger  *slog.Logger

	rooms  *rooms
	stored chat.Offset // what the store has; meaningless while !known
	known  bool
}

// New makes a sequencer over its three ports.
func New(log Log, bus Bus, store Store, metrics *Metrics, logger *slog.Logger) *Sequencer {
	return &Sequencer{log: log, bus: bus, store: store, metrics: metrics, logger: logger, rooms: newRooms(store)}
}

// Run numbers what the log gives until ctx ends or the log is closed and empty; both are a normal end.
func (s *Sequencer) Run(ctx context.Context) error {
	for {
		run, err := s.log.Poll(ctx)
		switch {
		case err == nil: // also when ctx has ended by now: what was polled must be settled
		case errors.Is(err, chat.ErrLogClosed) || ctx.Err() != nil:
			return nil
		default:
			return fmt.Errorf("poll the log: %w", err)
		}
		outcomes, envelopes := s.take(ctx, run)
		if len(envelopes) > 0 {
			if err := s.bus.Publish(ctx, envelopes); err != nil {
				s.metrics.unpublished.Add(float64(len(envelopes)))
				s.logger.WarnContext(ctx, "events are stored but were not published; gateways will fetch them",
					"events", len(envelopes), "error", err)
			}
		}
		s.log.Settle(ctx, run, outcomes)
	}
}

// take numbers and stores a run. It answers one outcome for each record, and the envelopes of the events that are stored.
func (s *Sequencer) take(ctx context.Context, run chat.LogRun) ([]chat.Outcome, []chat.Envelope) {
	outcomes, err := s.number(ctx, run)
	if err == nil {
		err = s.commit(ctx, run, outcomes)
	}
	if err != nil {
		return s.refuseAll(ctx, run, err), nil
	}
	s.rooms.trim()
	envelopes := make([]chat.Envelope, 0, len(outcomes))
	for i := range outcomes {
		event := outcomes[i].Receipt.Event
		if event == nil {
			continue
		}
		envelope, err := wire.Envelope(event)
		if err != nil {
			s.logger.ErrorContext(ctx, "an event is stored but cannot be encoded", "room", event.Room, "seq", event.Seq, "error", err)
			continue
		}
		envelopes = append(envelopes, envelope)
	}
	return outcomes, envelopes
}

// number applies a run's records in order to the rooms' states in memory. An error means that the store could not be
// asked; the states are then ahead of what will be stored and must be forgotten.
func (s *Sequencer) number(ctx context.Context, run chat.LogRun) ([]chat.Outcome, error) {
	if !s.known {
		stored, err := s.store.Position(ctx, partition)
		if err != nil {
			return nil, fmt.Errorf("read the stored offset: %w", err)
		}
		s.stored, s.known = stored, true
	}
	outcomes := make([]chat.Outcome, len(run.Records))
	changed := make(unstored)
	for i, record := range run.Records {
		room, err := s.rooms.get(ctx, record.Room)
		if errors.Is(err, chat.ErrNotFound) {
			outcomes[i].Err = chat.ErrNotFound
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("load room %s: %w", record.Room, err)
		}
		target, err := s.target(ctx, record, changed)
		if err != nil {
			return nil, fmt.Errorf("load the message that record %s changes: %w", record.ID, err)
		}
		before := room.Head()
		outcomes[i] = room.Apply(record, target)
		if event := outcomes[i].Receipt.Event; event != nil {
			if event.Seq != before+1 || room.Head() != event.Seq {
				return nil, fmt.Errorf("room %s went from head %d to %d with event %d", record.Room, before, room.Head(), event.Seq)
			}
			if event.Message != nil {
				changed[messageKey{record.Room, event.Message.ID}] = event
			}
		}
	}
	return outcomes, nil
}

// unstored is the newest event that a run made of each message it made or changed; the store does not have them yet.
type unstored map[messageKey]*chat.Event

// messageKey names a message: clients make the ids, so two rooms may have the same one.
type messageKey struct {
	room chat.RoomID
	id   chat.MessageID
}

// target is the newest state of the message that a record changes; nil where there is none in that room.
func (s *Sequencer) target(ctx context.Context, record *chat.Record, changed unstored) (*chat.Message, error) {
	id, needed := numbering.Target(record)
	if !needed {
		return nil, nil
	}
	event, ok := changed[messageKey{record.Room, id}]
	if ok && event.Kind != chat.KindMessage {
		return event.Message, nil
	}
	// A message that this run made may be the repeat of one so old that only the store knows it. Its number will be void
	// then, and what is changed is the old one.
	message, err := s.store.Message(ctx, record.Room, id)
	switch {
	case errors.Is(err, chat.ErrNotFound) && ok:
		return event.Message, nil
	case errors.Is(err, chat.ErrNotFound):
		return nil, nil
	}
	return message, err
}

// commit stores the events among the outcomes as one batch and turns those whose numbers the store made void into what
// they are: a repeat of the same message, or a conflict with another.
func (s *Sequencer) commit(ctx context.Context, run chat.LogRun, outcomes []chat.Outcome) error {
	batch := chat.Batch{Partition: run.Partition, From: s.stored, To: run.To, Events: make([]chat.Event, 0, len(outcomes))}
	for i := range outcomes {
		if event := outcomes[i].Receipt.Event; event != nil {
			batch.Events = append(batch.Events, *event)
		}
	}
	if len(batch.Events) == 0 {
		return nil // nothing but repeats and refusals: the offset can wait for the next batch
	}
	done := s.metrics.committing(len(batch.Events))
	voids, err := s.store.Commit(ctx, batch)
	done(err)
	if err != nil {
		return fmt.Errorf("commit %d events at offset %d: %w", len(batch.Events), batch.From, err)
	}
	s.stored = batch.To
	for _, void := range voids {
		s.void(void, run, outcomes)
	}
	return nil
}

// void answers those records of the run that were taken for the one whose number the store gave up: itself and the
// repeats that followed it.
func (s *Sequencer) void(void chat.Void, run chat.LogRun, outcomes []chat.Outcome) {
	s.metrics.voids.Inc()
	s.rooms.void(void.Room, void.Seq)
	for i, record := range run.Records {
		if record.Room != void.Room || outcomes[i].Receipt.Seq != void.Seq {
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

// refuseAll answers a run that could not be stored, and forgets all that may be ahead of the store.
func (s *Sequencer) refuseAll(ctx context.Context, run chat.LogRun, cause error) []chat.Outcome {
	s.rooms.forget()
	s.known = false
	s.metrics.refused.Add(float64(len(run.Records)))
	s.logger.ErrorContext(ctx, "a run of the log was refused", "records", len(run.Records), "error", cause)
	refusal := chat.Away("the message store", cause)
	outcomes := make([]chat.Outcome, len(run.Records))
	for i := range outcomes {
		outcomes[i].Err = refusal
	}
	return outcomes
}
