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
		case errors.Is(err, chat.ErrLogClosed) || ctx.Err() != nil:
			return nil
		case err != nil:
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
	changed := make(map[chat.MessageID]*chat.Message) // states that this run made and the store does not have yet
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
				changed[event.Message.ID] = event.Message
			}
		}
	}
	return outcomes, nil
}

// target is the newest state of the message that a record changes; nil where there is none in that room.
func (s *Sequencer) target(ctx context.Context, record *chat.Record, changed map[chat.MessageID]*chat.Message) (*chat.Message, error) {
	id, needed := numbering.Target(record)
	if !needed {
		return nil, nil
	}
	if message, ok := changed[id]; ok && message.Room == record.Room {
		return message, nil
	}
	message, err := s.store.Message(ctx, record.Room, id)
	if errors.Is(err, chat.ErrNotFound) {
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

func (s *Sequencer) void(void chat.Void, run chat.LogRun, outcomes []chat.Outcome) {
	s.metrics.voids.Inc()
	for i := range outcomes {
		event := outcomes[i].Receipt.Event
		if event == nil || event.Room != void.Room || event.Seq != void.Seq {
			continue
		}
		if run.Records[i].Fingerprint == void.First.Fingerprint {
			outcomes[i] = chat.Outcome{Receipt: chat.Receipt{Seq: void.First.Seq, Repeat: true}}
		} else {
			outcomes[i] = chat.Outcome{Err: numbering.ErrOtherMessage}
		}
		return
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
