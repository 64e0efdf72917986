package sequencer

import (
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/obs"
)

// trace tells the traces of events what was done with them. A run is dealt with as a whole, so each of its events was
// numbered, or published, from when that began to when it was done with all.
func (p *Partition) trace(events []*chat.Event, name string, kind obs.SpanKind, began, ended time.Time, err error) {
	if !p.tracer.On() {
		return
	}
	for _, event := range events {
		if event.Trace == "" {
			continue // nothing is made up for it
		}
		p.tracer.Tell(event.Trace, obs.Past{Name: name, Kind: kind, Began: began, Ended: ended, Failure: chat.FailureOf(err), Attributes: []obs.Attribute{
			obs.Number("blabber.partition", int64(p.number)), obs.Text("blabber.room_id", event.Room.String()),
			obs.Number("blabber.seq", int64(event.Seq)), //nolint:gosec // a room has fewer than 2^63 events
			obs.Number("blabber.run_events", int64(len(events))),
		}})
	}
}

// traceInsert tells the traces of a batch's events that they were stored, or not, by one transaction.
func (p *Partition) traceInsert(events []chat.Event, began time.Time, err error) {
	if !p.tracer.On() {
		return
	}
	traces := make([]string, len(events))
	for i := range events {
		traces[i] = events[i].Trace
	}
	p.tracer.TellBatch(traces, obs.Past{
		Name: "store insert", Kind: obs.SpanConsumer, Began: began, Ended: p.now(), Failure: chat.FailureOf(err),
		Attributes: []obs.Attribute{obs.Number("blabber.partition", int64(p.number)), obs.Number("blabber.batch_events", int64(len(events)))},
	})
}
