package checker

import (
	"fmt"
	"maps"
	"slices"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// violationsMax bounds the answer: what breaks once tends to break everywhere.
const violationsMax = 50

// Check gives a sentence for each promise that the history breaks; none is a verdict of innocence.
func Check(h History) []string {
	j := &judge{rooms: make(map[chat.RoomID]*known), sent: make(map[name]*sends)}
	j.learnAttempts(h)
	for i := range h.Rooms {
		j.room(&h.Rooms[i])
	}
	j.attempts(h.Attempts)
	j.order(h.Attempts)
	j.changes(h.Changes)
	for i := range h.Views {
		j.view(&h.Views[i])
	}
	return j.violations
}

// name names a message in all rooms.
type name struct {
	room chat.RoomID
	id   chat.MessageID
}

// content is what two sends of one id must agree in.
type content struct {
	sender  chat.UserID
	body    string
	replyTo chat.MessageID
}

// sends is what is known of a message from those who asked for it.
type sends struct {
	tried []content // distinct
	acked []content // distinct
	edits []edit
}

type edit struct {
	by   chat.UserID
	body string
}

// known is a room's history by number and by message.
type known struct {
	*Room
	events   map[chat.Seq]*Event
	messages map[chat.MessageID]*Message
	moods    map[chat.MessageID]int // how often each was read
}

type judge struct {
	rooms      map[chat.RoomID]*known
	sent       map[name]*sends
	names      []name // of sent, in the order of sending
	asked      map[asked]*Change
	violations []string
}

type asked struct {
	target name
	kind   chat.Kind
	by     chat.UserID
}

func (j *judge) say(format string, args ...any) {
	if len(j.violations) < violationsMax {
		j.violations = append(j.violations, fmt.Sprintf(format, args...))
	}
}

func (j *judge) learnAttempts(h History) {
	at := func(n name) *sends {
		if j.sent[n] == nil {
			j.sent[n] = &sends{}
			j.names = append(j.names, n)
		}
		return j.sent[n]
	}
	for i := range h.Attempts {
		a := &h.Attempts[i]
		s := at(name{a.Room, a.ID})
		c := content{a.Sender, a.Body, a.ReplyTo}
		s.tried = include(s.tried, c)
		if a.Answer == Acked {
			s.acked = include(s.acked, c)
		}
	}
	j.asked = make(map[asked]*Change, len(h.Changes))
	for i := range h.Changes {
		c := &h.Changes[i]
		target := name{c.Room, c.Target}
		j.asked[asked{target, c.Kind, c.Sender}] = c
		if c.Kind == chat.KindEdit {
			s := at(target)
			s.edits = append(s.edits, edit{c.Sender, c.Body})
		}
	}
}

func include[T comparable](set []T, one T) []T {
	if slices.Contains(set, one) {
		return set
	}
	return append(set, one)
}

// room checks a room's final history on its own.
func (j *judge) room(r *Room) {
	k := &known{Room: r, events: make(map[chat.Seq]*Event, len(r.Events)), messages: make(map[chat.MessageID]*Message), moods: make(map[chat.MessageID]int)}
	j.rooms[r.ID] = k
	next := chat.Seq(1)
	for i := range r.Events {
		event := &r.Events[i]
		if event.Seq < next {
			j.say("room %s: the history has number %d after number %d", r.ID, event.Seq, next-1)
			continue
		}
		j.voids(r, next, event.Seq)
		next = event.Seq + 1
		k.events[event.Seq] = event
		if event.Message != nil {
			j.historic(k, event)
		}
	}
	j.voids(r, next, r.Head+1)
	if next > r.Head+1 {
		j.say("room %s: the history goes on to number %d beyond its head %d", r.ID, next-1, r.Head)
	}
	for _, seq := range slices.Sorted(maps.Keys(r.Voids)) {
		first := r.Voids[seq]
		if event := k.events[first]; first != 0 && (first >= seq || event == nil) {
			j.say("room %s: number %d is void for the sake of number %d, which is not an older event", r.ID, seq, first)
		}
	}
}

// voids checks that the numbers from next on, before the next event, were given up.
func (j *judge) voids(r *Room, next, before chat.Seq) {
	for ; next < before; next++ {
		if _, ok := r.Voids[next]; !ok {
			j.say("room %s: number %d of %d is missing from the history and nobody gave it up", r.ID, next, r.Head)
		}
	}
}

// historic checks one event with a message against what was sent.
func (j *judge) historic(k *known, event *Event) {
	m := event.Message
	n := name{k.ID, m.ID}
	if event.Kind == chat.KindMessage {
		if first, ok := k.messages[m.ID]; ok {
			j.say("room %s: message %s stands twice, under numbers %d and %d", k.ID, m.ID, first.Seq, event.Seq)
			return
		}
		k.messages[m.ID] = m
		if m.Seq != event.Seq {
			j.say("room %s: message %s was made by number %d and calls itself number %d", k.ID, m.ID, event.Seq, m.Seq)
		}
		j.content(k.ID, "the history", m)
		return
	}
	first, ok := k.messages[m.ID]
	switch {
	case !ok:
		j.say("room %s: number %d changes message %s, which never was", k.ID, event.Seq, m.ID)
	case *first != *m:
		j.say("room %s: numbers %d and %d disagree on the newest state of message %s", k.ID, first.Seq, event.Seq, m.ID)
	case m.ChangedSeq < event.Seq:
		j.say("room %s: message %s was changed by number %d and says its last change was %d", k.ID, m.ID, event.Seq, m.ChangedSeq)
	}
	switch change := j.asked[asked{n, event.Kind, event.Actor}]; {
	case event.Kind == chat.KindMood:
		j.mood(k, n, event)
	case change == nil:
		j.say("room %s: number %d is a change (%s) of message %s that %s never asked for", k.ID, event.Seq, event.Kind, m.ID, event.Actor)
	case event.Kind != chat.KindReaction && event.Actor != m.Sender && (event.Kind == chat.KindEdit || !change.Moderator):
		j.say("room %s: number %d is a change (%s) of message %s by %s, who may not", k.ID, event.Seq, event.Kind, m.ID, event.Actor)
	}
}

// mood checks that a mood was found and not asked for, and that no text was read twice: a message has one more than edits.
func (j *judge) mood(k *known, n name, event *Event) {
	k.moods[n.id]++
	texts := 1
	if sent := j.sent[n]; sent != nil {
		texts += len(sent.edits)
	}
	switch {
	case !event.Actor.IsZero():
		j.say("room %s: number %d is a mood of message %s by %s", k.ID, event.Seq, n.id, event.Actor)
	case k.moods[n.id] > texts:
		j.say("room %s: number %d is mood %d of message %s, which had at most %d texts", k.ID, event.Seq, k.moods[n.id], n.id, texts)
	}
}

// content checks that somebody sent what a message says.
func (j *judge) content(room chat.RoomID, where string, m *Message) {
	sent := j.sent[name{room, m.ID}]
	if sent == nil || len(sent.tried) == 0 {
		j.say("room %s: %s has message %s of number %d that nobody sent", room, where, m.ID, m.Seq)
		return
	}
	if m.Deleted {
		if m.Body != "" {
			j.say("room %s: %s shows the body of message %s, which is deleted", room, where, m.ID)
		}
		return
	}
	matches := func(c content) bool { return c == content{m.Sender, m.Body, m.ReplyTo} }
	edited := func(e edit) bool { return e.by == m.Sender && e.body == m.Body && m.ChangedSeq > 0 }
	if !slices.ContainsFunc(sent.tried, matches) && !slices.ContainsFunc(sent.edits, edited) {
		j.say("room %s: %s has message %s as %q by %s, which its sender never wrote", room, where, m.ID, m.Body, m.Sender)
	}
}

// attempts checks that what was acknowledged is there, and is what was sent.
func (j *judge) attempts(attempts []Attempt) {
	for i := range attempts {
		a := &attempts[i]
		if a.Answer != Acked {
			continue
		}
		k := j.rooms[a.Room]
		if k == nil {
			continue // a room whose history nobody read
		}
		m := k.messages[a.ID]
		switch {
		case m == nil:
			j.say("room %s: message %s of %s was acknowledged and is lost", a.Room, a.ID, a.Client)
		case a.Seq != 0 && a.Seq != m.Seq:
			j.say("room %s: message %s of %s was acknowledged as number %d and stands under %d", a.Room, a.ID, a.Client, a.Seq, m.Seq)
		case m.Sender != a.Sender:
			j.say("room %s: message %s of %s was acknowledged and is somebody else's", a.Room, a.ID, a.Client)
		case m.ChangedSeq == 0 && (m.Body != a.Body || m.ReplyTo != a.ReplyTo):
			j.say("room %s: message %s of %s was acknowledged as %q and says %q", a.Room, a.ID, a.Client, a.Body, m.Body)
		}
	}
	for _, n := range j.names {
		if s := j.sent[n]; len(s.acked) > 1 {
			j.say("room %s: message id %s was acknowledged for %d different messages", n.room, n.id, len(s.acked))
		}
	}
}

// order checks that messages first sent over one connection have numbers in that order. Only what was acknowledged over
// the same connection orders what came after it: what was refused may be sent again, later than its successors.
func (j *judge) order(attempts []Attempt) {
	type stream struct {
		connection string
		room       chat.RoomID
	}
	type place struct {
		id  chat.MessageID
		seq chat.Seq
	}
	last := make(map[stream]place)
	tried := make(map[name]bool)
	for i := range attempts {
		a := &attempts[i]
		n := name{a.Room, a.ID}
		first := !tried[n]
		tried[n] = true
		k := j.rooms[a.Room]
		if k == nil || k.messages[a.ID] == nil || a.Connection == "" {
			continue
		}
		s, seq := stream{a.Connection, a.Room}, k.messages[a.ID].Seq
		before, follows := last[s]
		if follows && first && seq < before.seq {
			j.say("room %s: %s sent %s after %s over one connection and it has the lower number, %d before %d",
				a.Room, a.Client, a.ID, before.id, seq, before.seq)
		}
		if a.Answer == Acked && (!follows || seq > before.seq) {
			last[s] = place{a.ID, seq}
		}
	}
}

// changes checks that an acknowledged deletion has happened.
func (j *judge) changes(changes []Change) {
	for i := range changes {
		c := &changes[i]
		k := j.rooms[c.Room]
		if c.Answer != Acked || k == nil {
			continue
		}
		switch m := k.messages[c.Target]; {
		case m == nil:
			j.say("room %s: a change (%s) of message %s was acknowledged, which never was", c.Room, c.Kind, c.Target)
		case c.Kind == chat.KindDelete && !m.Deleted:
			j.say("room %s: the deletion of message %s was acknowledged and is lost", c.Room, c.Target)
		case m.ChangedSeq == 0 && c.Kind == chat.KindEdit && m.Body != c.Body:
			j.say("room %s: an edit of message %s was acknowledged and is lost", c.Room, c.Target)
		}
	}
}
