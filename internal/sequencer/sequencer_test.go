package sequencer_test

import (
	"context"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Promise (DESIGN, numbering): whatever fails, every polled record is settled once; what is acknowledged is stored under
// that number, what is published is stored before, and numbers are dense (the model store refuses others).
func TestAcknowledgedIsStored(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := newCluster(t, 3)
		s := c.sequencer()
		serial := 100
		for range rapid.IntRange(1, 12).Draw(t, "runs") {
			fault := func(what string) func() error {
				if rapid.IntRange(0, 4).Draw(t, what) == 0 {
					return once()
				}
				return nil
			}
			c.beforeCommit, c.afterCommit = fault("before commit"), fault("after commit")
			c.read, c.publish = fault("read"), fault("publish")
			if rapid.IntRange(0, 4).Draw(t, "restart") == 0 {
				s = c.sequencer()
				c.next, _ = c.store.Position(context.Background(), 0)
			}
			run := make([]*chat.Record, rapid.IntRange(1, 8).Draw(t, "records"))
			for i := range run {
				serial++
				run[i] = drawRecord(t, serial)
			}
			c.with(context.Background(), s, run)
		}
		for n, outcomes := range c.settled {
			for i, outcome := range outcomes {
				checkOutcome(t, c, c.polled[n].Records[i], outcome)
			}
		}
	})
}

func drawRecord(t *rapid.T, serial int) *chat.Record {
	room := rapid.IntRange(0, 3).Draw(t, "room") // the last one does not exist
	actor := person(byte(rapid.IntRange(0, 1).Draw(t, "actor")))
	target := rapid.IntRange(0, 5).Draw(t, "message")
	record := &chat.Record{ID: messageID(serial), Room: roomID(room), At: start, Actor: actor, Target: messageID(target)}
	switch rapid.IntRange(0, 6).Draw(t, "kind") {
	case 6:
		record.Kind, record.Mood = chat.KindMood, chat.Mood{Label: chat.Positive, Thousandths: 500}
		record.Actor, record.Text = chat.Profile{}, chat.TextHash(rapid.SampledFrom([]string{"a", "b", "x", "y"}).Draw(t, "read"))
	case 0:
		record.Kind, record.Body = chat.KindEdit, rapid.SampledFrom([]string{"x", "y"}).Draw(t, "edit")
	case 1:
		record.Kind, record.Emoji, record.Added = chat.KindReaction, "👍", rapid.Bool().Draw(t, "added")
	default:
		return said(room, target, actor, rapid.SampledFrom([]string{"a", "b"}).Draw(t, "body"))
	}
	return record
}

func checkOutcome(t *rapid.T, c *cluster, record *chat.Record, outcome chat.Outcome) {
	if outcome.Err != nil {
		return
	}
	known, ok := c.store.Known(record.Room, record.ID)
	if record.Kind != chat.KindMessage && outcome.Receipt.Repeat && !ok {
		return // it changed nothing, so nothing is stored
	}
	switch {
	case !ok:
		t.Fatalf("record %s was acknowledged and is not stored", record.ID)
	case record.Kind == chat.KindMessage && known.Fingerprint != record.Fingerprint:
		t.Fatalf("message %s was acknowledged and another stands under its id", record.ID)
	case known.Seq != outcome.Receipt.Seq && (record.Kind == chat.KindMessage || !outcome.Receipt.Repeat):
		t.Fatalf("record %s was acknowledged with number %d and is stored under %d", record.ID, outcome.Receipt.Seq, known.Seq)
	}
}

// Promise: a run that the store did not take is refused with `unavailable`, and its resend becomes one message, whether
// or not the store had taken it after all.
func TestResendAfterAFailedCommit(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(*cluster){
		"the store failed before it took the batch":   func(c *cluster) { c.beforeCommit = once() },
		"the store took the batch and did not say so": func(c *cluster) { c.afterCommit = once() },
		"another owner had moved the offset": func(c *cluster) {
			c.beforeCommit = func() error {
				c.beforeCommit = nil
				_, err := c.store.Commit(context.Background(), chat.Batch{From: 0, To: 1})
				return err
			}
		},
		"the stored offset could not be read": func(c *cluster) { c.read = once() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t, 1)
			fail(c)
			hi := said(0, 1, person(1), "hi")
			s := c.sequencer()
			c.with(t.Context(), s, []*chat.Record{hi, said(0, 2, person(1), "ho")})
			wantOutcomes(t, c.last(), "unavailable", "unavailable")
			if len(c.said) > 0 {
				t.Error("a refused run was published")
			}
			c.with(t.Context(), s, []*chat.Record{hi})
			if outcome := c.last()[0]; outcome.Err != nil || outcome.Receipt.Seq != 1 {
				t.Errorf("the resend gives %+v, %v; want number 1", outcome.Receipt, outcome.Err)
			}
			if c.store.Events(roomID(0))[0].Message.Body != "hi" {
				t.Error("number 1 is not the message")
			}
		})
	}
}

// Promise: what was polled is settled, also when the context ends between the two.
func TestAPolledRunIsSettledWhenTheContextEnds(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	ctx, cancel := context.WithCancel(t.Context())
	c.polling = cancel
	c.run(ctx, []*chat.Record{said(0, 1, person(1), "hi")})
	wantOutcomes(t, c.last(), "unavailable")
}

// Promise: a bus that fails loses nothing: the events are stored and acknowledged.
func TestAnUnpublishedRunIsAcknowledged(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	c.publish = once()
	c.run(t.Context(), []*chat.Record{said(0, 1, person(1), "hi")})
	wantOutcomes(t, c.last(), "numbered")
}

// Promise: one record that cannot be numbered refuses itself alone.
func TestARefusedRecordHoldsUpNobody(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	c.run(t.Context(), []*chat.Record{
		said(0, 1, person(1), "hi"),
		said(9, 2, person(1), "into a room that does not exist"),
		{ID: messageID(3), Room: roomID(0), Kind: "dance"},
		said(0, 1, person(2), "hi"),
		said(0, 1, person(1), "hi"),
		{ID: messageID(4), Room: roomID(0), Kind: chat.KindEdit, Actor: person(1), Target: messageID(1), Body: "hey"},
		said(0, 5, person(1), "ho"),
	})
	wantOutcomes(t, c.last(), "numbered", "not_found", "bad_request", "conflict", "repeat", "numbered", "numbered")
	if len(c.said) != 3 {
		t.Errorf("%d events were published, want 3", len(c.said))
	}
}

// beyondTheWindow is a cluster whose room remembers, but not in its window, message 0 by person 1, and whose head is far on.
func beyondTheWindow(t *testing.T) (*cluster, chat.Seq) {
	t.Helper()
	c := newCluster(t, 1)
	old := []*chat.Record{said(0, 0, person(1), "hi")}
	for n := range chat.WindowSize {
		old = append(old, said(0, 1000+n, person(1), "ho"))
	}
	c.run(t.Context(), old[:chat.WindowSize], old[chat.WindowSize:])
	c.said = nil
	return c, chat.WindowSize + 1
}

// Promise (DESIGN, numbering 6): the store is the last line against repeats. A number that it gives up is void; the
// record and whatever was taken for it get the answer that the first one decides, now and ever after.
func TestRepeatsBeyondTheWindow(t *testing.T) {
	t.Parallel()
	mine, body, thief := said(0, 0, person(1), "hi"), said(0, 0, person(1), "not what I said"), said(0, 0, person(2), "hi")
	edit := func(id int, actor chat.Profile) *chat.Record {
		return &chat.Record{ID: messageID(id), Room: roomID(0), Kind: chat.KindEdit, Actor: actor, Target: messageID(0), Body: "hey"}
	}
	for name, tc := range map[string]struct {
		runs [][]*chat.Record
		want [][]string
		void int
	}{
		"a resend is a repeat":              {[][]*chat.Record{{mine}, {mine}}, [][]string{{"repeat"}, {"repeat"}}, 1},
		"two resends in one run":            {[][]*chat.Record{{mine, mine}}, [][]string{{"repeat", "repeat"}}, 1},
		"another body conflicts":            {[][]*chat.Record{{body}, {body}}, [][]string{{"conflict"}, {"conflict"}}, 1},
		"another sender conflicts":          {[][]*chat.Record{{thief, thief}, {thief}}, [][]string{{"conflict", "conflict"}, {"conflict"}}, 1},
		"the owner is heard after a thief":  {[][]*chat.Record{{thief}, {mine}}, [][]string{{"conflict"}, {"repeat"}}, 1},
		"the owner is heard behind a thief": {[][]*chat.Record{{thief, mine}}, [][]string{{"conflict", "repeat"}}, 1},
		"the owner is heard beside a thief": {
			[][]*chat.Record{{thief}, {mine}, {thief}}, [][]string{{"conflict"}, {"repeat"}, {"conflict"}}, 1,
		},
		"a resend and an edit in one run change the first":             {[][]*chat.Record{{mine, edit(7, person(1))}}, [][]string{{"repeat", "numbered"}}, 1},
		"an edit, a resend and the edit again in one run are one edit": {[][]*chat.Record{{edit(7, person(1)), mine, edit(8, person(1))}}, [][]string{{"numbered", "repeat", "repeat"}}, 1},
		"a thief edits what was never theirs":                          {[][]*chat.Record{{thief, edit(7, person(2))}}, [][]string{{"conflict", "forbidden"}}, 1},
		"a message goes on after a void number":                        {[][]*chat.Record{{mine, said(0, 9, person(1), "new")}}, [][]string{{"repeat", "numbered"}}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, head := beyondTheWindow(t)
			s := c.sequencer()
			for i, run := range tc.runs {
				c.with(t.Context(), s, run)
				wantOutcomes(t, c.last(), tc.want[i]...)
				for n, outcome := range c.last() {
					if outcome.Receipt.Repeat && run[n].Kind == chat.KindMessage && outcome.Receipt.Seq != 1 {
						t.Errorf("a repeat says number %d, want 1", outcome.Receipt.Seq)
					}
				}
			}
			voids := 0
			for _, event := range c.store.Events(roomID(0))[head:] {
				if event.Kind == chat.KindVoid {
					voids++
				}
				if event.Message != nil && event.Message.ID == messageID(0) && event.Message.Seq != 1 {
					t.Errorf("message 0 now has number %d", event.Message.Seq)
				}
			}
			if voids != tc.void {
				t.Errorf("%d numbers are void, want %d", voids, tc.void)
			}
		})
	}
}

// Promise: two rooms may hold messages with the same id, and changes of one run to them do not mix.
func TestOneIDInTwoRooms(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 2)
	react := func(serial, room int, actor byte) *chat.Record {
		return &chat.Record{ID: messageID(serial), Room: roomID(room), Kind: chat.KindReaction, Actor: person(actor), Target: messageID(1), Emoji: "👍", Added: true}
	}
	c.run(t.Context(), []*chat.Record{said(0, 1, person(1), "here"), said(1, 1, person(2), "there")},
		[]*chat.Record{react(10, 0, 1), react(11, 1, 1), react(12, 0, 2)})
	wantOutcomes(t, c.last(), "numbered", "numbered", "numbered")
	if m := c.store.Newest(roomID(0), messageID(1)); len(m.Reactions) != 1 || len(m.Reactions[0].Users) != 2 {
		t.Errorf("the reactions in the first room are %+v, want two people", m.Reactions)
	}
}

// Promise: a run over more rooms than are kept in memory numbers each of them once.
func TestMoreRoomsThanAreKept(t *testing.T) {
	t.Parallel()
	const rooms = 1010
	c := newCluster(t, rooms)
	var run []*chat.Record
	for n := range rooms {
		run = append(run, said(n, n, person(1), "hi"))
	}
	run = append(run, said(0, 5000, person(1), "again in the first"))
	s := c.sequencer()
	c.with(t.Context(), s, run, []*chat.Record{said(0, 5001, person(1), "and again")})
	if got := c.settled[0][rooms].Receipt.Seq; got != 2 {
		t.Errorf("the second message of the first room got number %d, want 2", got)
	}
	if got := c.last()[0].Receipt.Seq; got != 3 {
		t.Errorf("its third got number %d, want 3", got)
	}
}

// Promise: a log that fails ends the run with its error; a store that breaks its promise refuses the run.
func TestErrorsAreTold(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	s := c.sequencer()
	c.with(t.Context(), s, []*chat.Record{said(0, 1, person(1), "hi")})
	c.store.AddRoom(chat.Room{ID: roomID(0)}) // the room has lost its numbers
	c.with(t.Context(), s, []*chat.Record{said(0, 2, person(1), "ho")})
	wantOutcomes(t, c.last(), "unavailable")
	if err := c.last()[0].Err; errors.Is(err, chat.ErrLogClosed) {
		t.Errorf("the refusal is %v", err)
	}
}
