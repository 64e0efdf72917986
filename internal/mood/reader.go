package mood

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/obs"
	"github.com/blabber-hive/blabber-hive/internal/run"
)

const (
	// PollMax is how many texts are taken at a time.
	PollMax = 1024
	// BatchMax is how many texts a model is asked for at a time: as many as the model server takes.
	BatchMax = 256
	// gather is how long texts gather after few were read. The first after a silence is read at once; where more is said,
	// moods would cost the log a write and a sync each, which took people's own messages from 12 ms to 134.
	gather = 500 * time.Millisecond
	// retryMax bounds the waits between attempts at what is away, and so how long moods are late once it is back.
	retryMax = 5 * time.Second
	// attemptsMax is how often a model may fail on the same texts before it is asked whether the texts are at fault.
	attemptsMax = 4
	// behindEvery is how often it is looked how much is unread.
	behindEvery = 10 * time.Second
	// behindPatience is how long such a look may take.
	behindPatience = 5 * time.Second
)

// harmless is a text that every model can read: one that fails on it is away, whatever else it was asked.
const harmless = "Good morning."

// Reader reads texts. Make it with NewReader, run it once with Run.
type Reader struct {
	texts   Texts
	rooms   Rooms
	model   Model
	log     Log
	now     func() time.Time
	metrics *Metrics
	logger  *slog.Logger
	tracer  *obs.Tracer
}

// NewReader makes a reader over its ports. tracer may be nil.
func NewReader(texts Texts, rooms Rooms, model Model, log Log, now func() time.Time, metrics *Metrics, logger *slog.Logger, tracer *obs.Tracer) *Reader {
	return &Reader{texts: texts, rooms: rooms, model: model, log: log, now: now, metrics: metrics, logger: logger, tracer: tracer}
}

// Run reads until ctx ends.
func (r *Reader) Run(ctx context.Context) error {
	g := run.NewGroup(ctx)
	g.Go("read texts", r.readAll)
	g.Go("look how much is unread", func(ctx context.Context) error { return run.Every(ctx, behindEvery, r.lookBehind) })
	return g.Wait()
}

func (r *Reader) lookBehind(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, behindPatience)
	defer cancel()
	behind, err := r.texts.Behind(ctx)
	if err != nil {
		return nil //nolint:nilerr // what cannot be asked is away, and somebody else says so
	}
	r.metrics.behind.Set(float64(behind))
	return nil
}

func (r *Reader) readAll(ctx context.Context) error {
	for {
		var texts []chat.MoodText
		if err := r.until(ctx, "texts", func(ctx context.Context) (err error) {
			texts, err = r.texts.Poll(ctx, PollMax)
			return err
		}); err != nil {
			return err
		}
		if err := r.read(ctx, texts); err != nil {
			return err
		}
		if err := r.until(ctx, "texts", r.texts.Done); err != nil {
			return err
		}
		if len(texts) < BatchMax {
			if err := run.Pause(ctx, gather); err != nil {
				return err
			}
		}
	}
}

// until tries until it has worked, and gives up only when ctx ends. what is said to be away meanwhile.
func (r *Reader) until(ctx context.Context, what string, act func(ctx context.Context) error) error {
	first := true
	return run.Retry(ctx, run.Backoff{Max: retryMax}, func(ctx context.Context) error {
		err := act(ctx)
		if err != nil && ctx.Err() == nil {
			r.metrics.retries.WithLabelValues(what).Inc()
			if first {
				r.logger.WarnContext(ctx, "moods wait until this works again", "for", what, "error", err)
			}
			first = false
		}
		return err
	})
}

// read finds the moods of texts and leaves them in the log.
func (r *Reader) read(ctx context.Context, texts []chat.MoodText) error {
	wanted, err := r.wanted(ctx, texts)
	if err != nil {
		return err
	}
	moods := make([]chat.Mood, 0, len(wanted))
	for batch := range slices.Chunk(wanted, BatchMax) {
		read, err := r.moods(ctx, batch)
		if err != nil {
			return err
		}
		moods = append(moods, read...)
	}
	return r.append(ctx, wanted, moods)
}

// wanted are those of the texts that may be read.
func (r *Reader) wanted(ctx context.Context, texts []chat.MoodText) ([]chat.MoodText, error) {
	if len(texts) == 0 {
		return nil, nil
	}
	rooms := make(map[chat.RoomID]struct{})
	for i := range texts {
		rooms[texts[i].Room] = struct{}{}
	}
	var since map[chat.RoomID]time.Time
	if err := r.until(ctx, "rooms", func(ctx context.Context) (err error) {
		since, err = r.rooms.MoodRooms(ctx, slices.Collect(maps.Keys(rooms)))
		return err
	}); err != nil {
		return nil, err
	}
	wanted := make([]chat.MoodText, 0, len(texts))
	for _, text := range texts {
		if on, ok := since[text.Room]; ok && !text.At.Before(on) {
			wanted = append(wanted, text)
		}
	}
	r.metrics.texts.WithLabelValues("unwanted").Add(float64(len(texts) - len(wanted)))
	return wanted, nil
}

// moods asks the model until it has an answer for each text: a mood, or none for one that it cannot read.
func (r *Reader) moods(ctx context.Context, texts []chat.MoodText) ([]chat.Mood, error) {
	var moods []chat.Mood
	failures := 0
	err := r.until(ctx, "model", func(ctx context.Context) (err error) {
		moods, err = r.ask(ctx, texts)
		if err == nil || ctx.Err() != nil {
			return err
		}
		failures++
		if chat.CodeOf(err) == chat.Invalid || (failures >= attemptsMax && r.answers(ctx)) {
			return run.Permanent(&atFault{err})
		}
		return err
	})
	fault, ok := errors.AsType[*atFault](err)
	switch {
	case !ok:
		return moods, err
	case len(texts) == 1:
		r.metrics.texts.WithLabelValues("unreadable").Inc()
		r.logger.WarnContext(ctx, "the model cannot read a message, which stays without a mood",
			"room", texts[0].Room, "message", texts[0].Message, "error", fault.err)
		return []chat.Mood{{}}, nil
	}
	half := len(texts) / 2
	first, err := r.moods(ctx, texts[:half])
	if err != nil {
		return nil, err
	}
	second, err := r.moods(ctx, texts[half:])
	return append(first, second...), err
}

// atFault says that some of the texts keep the model from answering.
type atFault struct{ err error }

func (e *atFault) Error() string { return "the texts are at fault: " + e.err.Error() }

// answers reports whether the model can read at all.
func (r *Reader) answers(ctx context.Context) bool {
	_, err := r.model.Read(ctx, []string{harmless})
	return err == nil
}

func (r *Reader) ask(ctx context.Context, texts []chat.MoodText) ([]chat.Mood, error) {
	bodies := make([]string, len(texts))
	for i := range texts {
		bodies[i] = texts[i].Body
	}
	began := r.now()
	moods, err := r.model.Read(ctx, bodies)
	if err == nil {
		err = check(moods, len(texts))
	}
	r.trace(texts, began, err)
	if err != nil {
		r.metrics.asked.WithLabelValues("failed").Observe(r.now().Sub(began).Seconds())
		return nil, fmt.Errorf("read %d texts: %w", len(texts), err)
	}
	r.metrics.asked.WithLabelValues("answered").Observe(r.now().Sub(began).Seconds())
	return moods, nil
}

// trace tells the traces of texts that they were read, all at once.
func (r *Reader) trace(texts []chat.MoodText, began time.Time, err error) {
	if !r.tracer.On() {
		return
	}
	traces := make([]string, len(texts))
	for i := range texts {
		traces[i] = texts[i].Trace
	}
	r.tracer.TellBatch(traces, obs.Past{
		Name: "mood read", Kind: obs.SpanConsumer, Began: began, Ended: r.now(), Failure: chat.FailureOf(err),
		Attributes: []obs.Attribute{obs.Number("blabber.batch_texts", int64(len(texts)))},
	})
}

// check refuses an answer that is none, whoever gave it.
func check(moods []chat.Mood, texts int) error {
	if len(moods) != texts {
		return fmt.Errorf("the model gave %d moods", len(moods))
	}
	for _, mood := range moods {
		if !mood.Valid() {
			return fmt.Errorf("the model gave the mood %q of score %d", mood.Label, mood.Thousandths)
		}
	}
	return nil
}

// append leaves moods in the log and returns when it has them all.
func (r *Reader) append(ctx context.Context, texts []chat.MoodText, moods []chat.Mood) error {
	records := make([]*chat.Record, 0, len(texts))
	for i, text := range texts {
		if !moods[i].IsZero() {
			records = append(records, r.record(text, moods[i]))
		}
	}
	return r.until(ctx, "log", func(ctx context.Context) error {
		var err error
		records, err = r.appendSome(ctx, records)
		return err
	})
}

// appendSome appends records and waits for what becomes of them. It answers those that must be appended again and why.
func (r *Reader) appendSome(ctx context.Context, records []*chat.Record) (again []*chat.Record, err error) {
	type outcome struct {
		record  *chat.Record
		receipt chat.Receipt
		err     error
	}
	outcomes := make(chan outcome, len(records)) // room for all: settled must not block
	appended := 0
	for i, record := range records {
		if err = r.log.Append(ctx, record, func(receipt chat.Receipt, err error) { outcomes <- outcome{record, receipt, err} }); err != nil {
			again = append(again, records[i:]...)
			break
		}
		appended++
	}
	for range appended {
		select {
		case o := <-outcomes:
			switch {
			case o.err == nil && o.receipt.Repeat:
				r.metrics.texts.WithLabelValues("repeated").Inc()
			case o.err == nil:
				r.metrics.texts.WithLabelValues("read").Inc()
			case chat.CodeOf(o.err) == chat.Unavailable:
				again, err = append(again, o.record), o.err
			default: // the message is gone, or its room
				r.metrics.texts.WithLabelValues("refused").Inc()
			}
		case <-ctx.Done():
			return records, ctx.Err()
		}
	}
	if err != nil {
		return again, fmt.Errorf("append %d moods: %w", len(again), err)
	}
	return nil, nil
}

func (r *Reader) record(text chat.MoodText, mood chat.Mood) *chat.Record {
	return &chat.Record{
		ID: recordID(text), Room: text.Room, Kind: chat.KindMood, At: r.now().Truncate(time.Millisecond),
		Target: text.Message, Mood: mood, Text: chat.TextHash(text.Body),
	}
}

// recordID is the id of the record that tells the mood of a text: the same for the same text, however often it is read. It
// begins with the time in the id of what was said, so that stores append it where they append everything of that time.
func recordID(text chat.MoodText) (id chat.MessageID) {
	sum := sha256.New()
	sum.Write([]byte("mood"))
	sum.Write(text.Room[:])
	sum.Write(text.Record[:])
	copy(id[:], sum.Sum(nil))
	copy(id[:6], text.Record[:6])
	id[6] = 0x70 | id[6]&0x0f // version 7 of RFC 9562, whose last 74 bits may be anything that makes the id unique
	id[8] = 0x80 | id[8]&0x3f
	return id
}
