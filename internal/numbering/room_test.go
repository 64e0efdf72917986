package numbering_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/numbering"
)

var (
	room  = chat.RoomID{1}
	start = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
)

func person(n int) chat.Profile {
	return chat.Profile{ID: chat.UserID{byte(n >> 8), byte(n), 1}, Username: fmt.Sprint("person", n)}
}

func messageID(n int) (id chat.MessageID) {
	binary.BigEndian.PutUint32(id[:], uint32(n)+1)
	return id
}

func said(id int, sender chat.Profile, body string) *chat.Record {
	return &chat.Record{
		ID: messageID(id), Room: room, Kind: chat.KindMessage, At: start, Actor: sender, Body: body,
		Fingerprint: chat.FingerprintOf(sender.ID, body, chat.MessageID{}),
	}
}

// teller applies records and keeps what a store would: the newest state of each message.
type teller struct {
	room     *numbering.Room
	messages map[chat.MessageID]*chat.Message
}

func newTeller(state chat.RoomState) *teller {
	return &teller{room: numbering.NewRoom(state), messages: make(map[chat.MessageID]*chat.Message)}
}

func (l *teller) apply(record *chat.Record) chat.Outcome {
	var target *chat.Message
	if id, ok := numbering.Target(record); ok {
		target = l.messages[id]
	}
	outcome := l.room.Apply(record, target)
	if event := outcome.Receipt.Event; event != nil && event.Message != nil {
		l.messages[event.Message.ID] = event.Message
	}
	return outcome
}

// fork goes on from the stored form of where the teller is, like another owner of the room would.
func (l *teller) fork() *teller {
	forked := newTeller(l.room.State())
	for id, message := range l.messages {
		forked.messages[id] = message.Clone()
	}
	return forked
}

// drawRecord draws a record of a crowd that repeats ids, steals ids and aims at messages that never were.
func drawRecord(t *rapid.T, serial int) *chat.Record {
	actor := person(rapid.IntRange(0, 3).Draw(t, "actor"))
	record := &chat.Record{ID: messageID(100_000 + serial), Room: room, At: start.Add(time.Duration(serial) * time.Second), Actor: actor}
	target := messageID(rapid.IntRange(0, 12).Draw(t, "target"))
	switch kind := rapid.SampledFrom([]chat.Kind{chat.KindMessage, chat.KindMessage, chat.KindEdit, chat.KindDelete, chat.KindReaction, chat.KindMood, chat.KindMember, chat.KindRoom, "dance"}).Draw(t, "kind"); kind {
	case chat.KindMessage:
		return said(rapid.IntRange(0, 12).Draw(t, "id"), actor, rapid.SampledFrom([]string{"hi", "ho"}).Draw(t, "body"))
	case chat.KindEdit:
		record.Kind, record.Target, record.Body = kind, target, rapid.SampledFrom([]string{"hi", "hey", "he"}).Draw(t, "edited")
	case chat.KindDelete:
		record.Kind, record.Target, record.Moderation = kind, target, rapid.Bool().Draw(t, "moderation")
	case chat.KindReaction:
		record.Kind, record.Target, record.Added = kind, target, rapid.Bool().Draw(t, "added")
		record.Emoji = rapid.SampledFrom([]string{"👍", "🎉"}).Draw(t, "emoji")
	case chat.KindMood:
		record.Kind, record.Target, record.Mood = kind, target, chat.Mood{Label: chat.Negative, Thousandths: rapid.IntRange(-1000, 0).Draw(t, "score")}
		record.Text = chat.TextHash(rapid.SampledFrom([]string{"hi", "ho", "hey"}).Draw(t, "read"))
	case chat.KindMember:
		record.Kind, record.Member = kind, &chat.MemberDetail{User: actor, Change: chat.MemberJoined}
	case chat.KindRoom:
		record.Kind, record.Info = kind, &chat.RoomDetail{Change: chat.RoomChanged}
	default:
		record.Kind = kind
	}
	return record
}

// Promise (PROTOCOL §1): numbers are 1, 2, 3, … without a hole or a repeat, one id is one message, and a message keeps
// its number for life; whatever is said, repeated or stolen.
func TestNumbersAreDenseAndIDsUnique(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l := newTeller(chat.RoomState{Room: room})
		numberOf := make(map[chat.MessageID]chat.Seq)
		for serial := range rapid.IntRange(1, 60).Draw(t, "records") {
			record := drawRecord(t, serial)
			before := l.room.Head()
			outcome := l.apply(record)
			event := outcome.Receipt.Event
			switch {
			case outcome.Err != nil && (event != nil || outcome.Receipt.Seq != 0):
				t.Fatalf("%v was refused and numbered: %+v", record, outcome)
			case outcome.Err != nil || outcome.Receipt.Repeat:
				if l.room.Head() != before {
					t.Fatalf("%v took a number without an event", record)
				}
				if outcome.Receipt.Repeat && (outcome.Receipt.Seq == 0 || outcome.Receipt.Seq > before) {
					t.Fatalf("%v repeats number %d, which nobody has", record, outcome.Receipt.Seq)
				}
			case event == nil:
				t.Fatalf("%v got neither event, repeat nor refusal", record)
			case event.Seq != before+1 || outcome.Receipt.Seq != event.Seq || l.room.Head() != event.Seq:
				t.Fatalf("head %d, event %d, receipt %d, head %d", before, event.Seq, outcome.Receipt.Seq, l.room.Head())
			}
			if record.Kind == chat.KindMessage && outcome.Err == nil {
				if first, ok := numberOf[record.ID]; ok && (first != outcome.Receipt.Seq || event != nil) {
					t.Fatalf("message %s had number %d and got %d again", record.ID, first, outcome.Receipt.Seq)
				}
				numberOf[record.ID] = outcome.Receipt.Seq
			}
			if event != nil && event.Message != nil {
				if m := event.Message; m.Seq != numberOf[m.ID] || (m.ChangedSeq != event.Seq) == (event.Kind != chat.KindMessage) {
					t.Fatalf("message %s of number %d changed by event %d says seq %d, changed %d", m.ID, numberOf[m.ID], event.Seq, m.Seq, m.ChangedSeq)
				}
			}
		}
	})
}

// Promise (DESIGN, numbering 1): the same log gives the same numbers, to whoever takes over at whatever point.
func TestReplayFromAnyPointGivesTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		first := newTeller(chat.RoomState{Room: room})
		forkAt := rapid.IntRange(0, 40).Draw(t, "fork at")
		var second *teller
		for serial := range rapid.IntRange(41, 60).Draw(t, "records") {
			if serial == forkAt {
				second = first.fork()
			}
			record := drawRecord(t, serial)
			want := first.apply(record)
			if second == nil {
				continue
			}
			if got := second.apply(record); !cmp.Equal(got, want, equalErrors()) {
				t.Fatalf("record %d, replayed from %d:\n%s", serial, forkAt, cmp.Diff(want, got, equalErrors()))
			}
			// Whatever was remembered, a second reading of the same record is a repeat and changes nothing.
			if again := second.apply(record); again.Receipt.Event != nil {
				t.Fatalf("record %d read twice became two events", serial)
			}
		}
		if !cmp.Equal(first.room.State(), second.room.State()) || !cmp.Equal(first.messages, second.messages) {
			t.Fatalf("states differ after replay from %d", forkAt)
		}
	})
}

func equalErrors() cmp.Option {
	return cmp.Comparer(func(a, b error) bool { return fmt.Sprint(a) == fmt.Sprint(b) })
}

// Promise: Apply leaves the record and the message that it changes as they were.
func TestApplyLeavesItsInputAlone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l := newTeller(chat.RoomState{Room: room})
		for serial := range rapid.IntRange(1, 40).Draw(t, "records") {
			record := drawRecord(t, serial)
			wantRecord := *record
			var wantTarget, target *chat.Message
			if target = l.messages[record.Target]; target != nil {
				wantTarget = target.Clone()
			}
			l.apply(record)
			if !cmp.Equal(*record, wantRecord) || !cmp.Equal(target, wantTarget) {
				t.Fatalf("applying %+v changed its input", wantRecord)
			}
		}
	})
}

// Promise (DESIGN, numbering 6): a repeat is recognised while its number is among the newest 1,024, by exactly that
// measure, also by a state that was read back.
func TestWindowIsTheNewest1024Numbers(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		later  int // messages said after the first
		repeat bool
	}{
		"a resend right after":               {0, true},
		"a resend as the oldest remembered":  {chat.WindowSize - 1, true},
		"a resend of one just forgotten":     {chat.WindowSize, false},
		"a resend after the ring went round": {3 * chat.WindowSize, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newTeller(chat.RoomState{Room: room})
			first := said(0, person(1), "hi")
			l.apply(first)
			for n := range tc.later {
				l.apply(said(n+1, person(1), "ho"))
			}
			for owner, l := range map[string]*teller{"the state read back": l.fork(), "the same state": l} {
				outcome := l.apply(first)
				if outcome.Err != nil || outcome.Receipt.Repeat != tc.repeat {
					t.Errorf("%s gives %+v, want repeat %t", owner, outcome.Receipt, tc.repeat)
				}
				if tc.repeat && outcome.Receipt.Seq != 1 {
					t.Errorf("%s says number %d, want 1", owner, outcome.Receipt.Seq)
				}
			}
			if n := len(l.room.State().Recent); n > chat.WindowSize {
				t.Errorf("the state remembers %d records", n)
			}
		})
	}
}

// Promise: what a store hands over beyond the window, or as the newest records where some numbers are void, changes nothing.
func TestStateIgnoresWhatTheWindowDoesNotCover(t *testing.T) {
	t.Parallel()
	l := newTeller(chat.RoomState{Room: room})
	for n := range chat.WindowSize + 300 {
		l.apply(said(n, person(1), "hi"))
	}
	l.room.Void(900, chat.Known{ID: messageID(899), Seq: 7})
	state := l.room.State()
	stored := state
	stored.Recent = append([]chat.Known{{ID: messageID(5), Seq: 6}, {ID: messageID(299), Seq: 300}}, stored.Recent...)
	if got := numbering.NewRoom(stored).State(); !cmp.Equal(got, state) {
		t.Errorf("state with older records differs:\n%s", cmp.Diff(state, got))
	}
}

// Promise (PROTOCOL §1): the same id with another body or by another sender is refused with conflict, and stays refused.
func TestStolenIDsConflict(t *testing.T) {
	t.Parallel()
	for name, thief := range map[string]*chat.Record{
		"the same sender with another body":   said(0, person(1), "something else"),
		"another sender with the same body":   said(0, person(2), "hi"),
		"the same message in answer to other": {ID: messageID(0), Kind: chat.KindMessage, Actor: person(1), Body: "hi", Fingerprint: chat.FingerprintOf(person(1).ID, "hi", messageID(7))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newTeller(chat.RoomState{Room: room})
			l.apply(said(0, person(1), "hi"))
			for range 2 {
				if outcome := l.apply(thief); chat.CodeOf(outcome.Err) != chat.Conflict {
					t.Fatalf("got %+v, %v; want conflict", outcome.Receipt, outcome.Err)
				}
			}
			if again := l.apply(said(0, person(1), "hi")); !again.Receipt.Repeat || again.Receipt.Seq != 1 {
				t.Errorf("the owner's resend gives %+v, %v", again.Receipt, again.Err)
			}
		})
	}
}

// Promise: once its number is void, an impostor of a message that only the store remembers is nobody: its owner's resend
// is a repeat of the old message, the impostor's a conflict, and neither takes a number.
func TestVoidNumberIsTheOldMessage(t *testing.T) {
	t.Parallel()
	l := newTeller(chat.RoomState{Room: room, Head: 5000})
	impostor := said(0, person(2), "not mine")
	if outcome := l.apply(impostor); outcome.Receipt.Seq != 5001 {
		t.Fatalf("got %+v", outcome)
	}
	owners := said(0, person(1), "hi")
	l.room.Void(5001, chat.Known{ID: owners.ID, Seq: 17, Fingerprint: owners.Fingerprint})
	for who, l := range map[string]*teller{"the state read back": l.fork(), "the same state": l} {
		if outcome := l.apply(owners); outcome.Err != nil || outcome.Receipt.Seq != 17 || !outcome.Receipt.Repeat {
			t.Errorf("%s: the owner's resend gives %+v, %v; want a repeat of 17", who, outcome.Receipt, outcome.Err)
		}
		if outcome := l.apply(impostor); chat.CodeOf(outcome.Err) != chat.Conflict {
			t.Errorf("%s: the impostor's resend gives %+v, %v; want conflict", who, outcome.Receipt, outcome.Err)
		}
	}
	l.room.Void(4000, chat.Known{ID: messageID(9), Seq: 3}) // long out of the window, and the same slot as 5024: nothing to replace
	if n := len(l.room.State().Recent); n != 1 {
		t.Errorf("%d records are remembered, want 1", n)
	}
}

// Promise (STYLE 11): who may change a message is checked again where it is numbered, and what changes nothing takes no
// number.
func TestChanges(t *testing.T) {
	t.Parallel()
	owner, other := person(1), person(2)
	change := func(kind chat.Kind, actor chat.Profile, more func(*chat.Record)) *chat.Record {
		record := &chat.Record{ID: messageID(99), Room: room, Kind: kind, At: start.Add(time.Hour), Actor: actor, Target: messageID(0)}
		more(record)
		return record
	}
	edit := func(actor chat.Profile, body string) *chat.Record {
		return change(chat.KindEdit, actor, func(r *chat.Record) { r.Body = body })
	}
	remove := func(actor chat.Profile, moderation bool) *chat.Record {
		return change(chat.KindDelete, actor, func(r *chat.Record) { r.Moderation = moderation })
	}
	react := func(actor chat.Profile, emoji string, added bool) *chat.Record {
		return change(chat.KindReaction, actor, func(r *chat.Record) { r.Emoji, r.Added = emoji, added })
	}
	read := func(text string) *chat.Record {
		return change(chat.KindMood, chat.Profile{}, func(r *chat.Record) {
			r.Mood, r.Text = chat.Mood{Label: chat.Positive, Thousandths: 700}, chat.TextHash(text)
		})
	}
	message := &chat.Message{
		ID: messageID(0), Room: room, Seq: 3, Sender: owner, Body: "hi", ReplyTo: messageID(8), CreatedAt: start,
		Reactions: []chat.Reaction{{Emoji: "👍", Users: []chat.UserID{other.ID}}},
	}
	with := func(more func(*chat.Message)) *chat.Message { m := message.Clone(); more(m); return m }
	deleted := with(func(m *chat.Message) { m.Body, m.Reactions, m.DeletedAt = "", nil, start })
	crowded := with(func(m *chat.Message) {
		for n := range chat.ReactorsMax - 1 {
			m.Reactions[0].Users = append(m.Reactions[0].Users, person(n+100).ID)
		}
	})
	colourful := with(func(m *chat.Message) {
		for n := range chat.ReactionsMax - 1 {
			m.Reactions = append(m.Reactions, chat.Reaction{Emoji: string(rune(0x1F600 + n)), Users: []chat.UserID{other.ID}})
		}
	})
	glad := with(func(m *chat.Message) { m.Mood = chat.Mood{Label: chat.Positive, Thousandths: 900} })
	const numbered, repeat = chat.Code("numbered"), chat.Code("repeat")
	for name, tc := range map[string]struct {
		target *chat.Message
		record *chat.Record
		want   chat.Code
	}{
		"its sender edits it":                        {message, edit(owner, "ha"), numbered},
		"an edit to what it says already":            {message, edit(owner, "hi"), repeat},
		"somebody else edits it":                     {message, edit(other, "ha"), chat.Forbidden},
		"somebody else edits it to what it says":     {message, edit(other, "hi"), chat.Forbidden},
		"an edit of what never was":                  {nil, edit(owner, "ha"), chat.NotFound},
		"an edit of what was deleted":                {deleted, edit(owner, "ha"), chat.Conflict},
		"its sender deletes it":                      {message, remove(owner, false), numbered},
		"a moderator deletes it":                     {message, remove(other, true), numbered},
		"somebody else deletes it":                   {message, remove(other, false), chat.Forbidden},
		"a second deletion":                          {deleted, remove(owner, false), repeat},
		"a second deletion by somebody else":         {deleted, remove(other, false), chat.Forbidden},
		"a deletion of what never was":               {nil, remove(owner, false), chat.NotFound},
		"a reaction":                                 {message, react(owner, "🎉", true), numbered},
		"the same reaction by another":               {message, react(owner, "👍", true), numbered},
		"the same reaction again":                    {message, react(other, "👍", true), repeat},
		"a reaction taken back":                      {message, react(other, "👍", false), numbered},
		"a reaction taken back that was never given": {message, react(owner, "👍", false), repeat},
		"a reaction to what was deleted":             {deleted, react(other, "👍", true), chat.Conflict},
		"a reaction to what never was":               {nil, react(other, "👍", true), chat.NotFound},
		"the 501st with the same reaction":           {crowded, react(owner, "👍", true), chat.Invalid},
		"one of 500 takes the reaction back":         {crowded, react(other, "👍", false), numbered},
		"the 21st different reaction":                {colourful, react(owner, "🎉", true), chat.Invalid},
		"a mood":                                     {message, read("hi"), numbered},
		"a mood of what it said before":              {message, read("ha"), repeat},
		"a second mood":                              {glad, read("hi"), repeat},
		"a mood of what was deleted":                 {deleted, read("hi"), repeat},
		"a mood of what never was":                   {nil, read("hi"), chat.NotFound},
		"an edit of what has a mood":                 {glad, edit(owner, "ha"), numbered},
		"a reaction to what has a mood":              {glad, react(owner, "🎉", true), numbered},
		"one of 20 reactions by another":             {colourful, react(owner, "👍", true), numbered},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := numbering.NewRoom(chat.RoomState{Room: room, Head: 7})
			outcome := l.Apply(tc.record, tc.target)
			got := numbered
			switch {
			case outcome.Err != nil:
				got = chat.CodeOf(outcome.Err)
			case outcome.Receipt.Repeat:
				got = repeat
			}
			if got != tc.want {
				t.Fatalf("got %s (%v), want %s", got, outcome.Err, tc.want)
			}
			if (l.Head() == 8) != (tc.want == numbered) {
				t.Errorf("the head is %d", l.Head())
			}
			if tc.want != numbered {
				return
			}
			if m := outcome.Receipt.Event.Message; m.Seq != 3 || m.ChangedSeq != 8 || m.Sender != owner || m.ReplyTo != message.ReplyTo || !m.CreatedAt.Equal(start) {
				t.Errorf("the changed message is %+v", m)
			}
			wantMood := map[chat.Kind]chat.Mood{chat.KindMood: tc.record.Mood, chat.KindReaction: tc.target.Mood}[tc.record.Kind]
			if m := outcome.Receipt.Event.Message; m.Mood != wantMood {
				t.Errorf("the mood is %+v, want %+v: that of what it says now", m.Mood, wantMood)
			}
			if m := outcome.Receipt.Event.Message; tc.record.Kind == chat.KindDelete && (m.Body != "" || len(m.Reactions) > 0 || m.DeletedAt.IsZero()) {
				t.Errorf("the deleted message still has %+v", m)
			}
		})
	}
}

// Promise: a record that is refused says so by one of the contract's codes.
func TestRefusalsHaveCodes(t *testing.T) {
	t.Parallel()
	outcome := numbering.NewRoom(chat.RoomState{Room: room}).Apply(&chat.Record{ID: messageID(1), Room: room, Kind: chat.KindVoid}, nil)
	if refusal, ok := errors.AsType[*chat.Error](outcome.Err); !ok || refusal.Code != chat.BadRequest {
		t.Errorf("got %v, want bad_request", outcome.Err)
	}
}

func BenchmarkApply(b *testing.B) {
	for name, head := range map[string]int{"quiet room": 0, "full window": chat.WindowSize} {
		b.Run(name, func(b *testing.B) {
			l := numbering.NewRoom(chat.RoomState{Room: room})
			for n := range head {
				l.Apply(said(n, person(1), "hi"), nil)
			}
			record := said(0, person(1), "a message of common length, neither short nor long")
			b.ReportAllocs()
			n := head
			for b.Loop() {
				n++
				record.ID = messageID(n)
				if outcome := l.Apply(record, nil); outcome.Err != nil {
					b.Fatal(outcome.Err)
				}
			}
		})
	}
}

// Promise: the record that a room was deleted is for whoever makes the store again, and has no number: a sequencer that
// still has the room in memory must not tell it to anybody.
func TestDeletionOfTheRoomHasNoNumber(t *testing.T) {
	t.Parallel()
	l := newTeller(chat.RoomState{Room: room})
	l.apply(said(0, person(1), "hi"))
	gone := &chat.Record{ID: messageID(1), Room: room, Kind: chat.KindRoom, At: start, Actor: person(1), Info: &chat.RoomDetail{Change: chat.RoomDeleted}}
	if outcome := l.apply(gone); outcome.Receipt.Event != nil || chat.CodeOf(outcome.Err) != chat.NotFound || l.room.Head() != 1 {
		t.Errorf("got %+v, %v at head %d; want not_found at head 1", outcome.Receipt, outcome.Err, l.room.Head())
	}
}
