package archive

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Counts is what a verification has looked at: Records are those of the log that were compared with the store.
type Counts struct {
	Accounts, Rooms, Numbers, Records int64
}

// Verify checks an instance against itself and reports what is wrong, as sentences. It holds 16 bytes for each number of
// the longest room in memory, and an entry for each room. A finding is no error: err tells that reading failed.
func Verify(ctx context.Context, auditor Auditor, report func(finding string)) (Counts, error) {
	v := &verifier{report: report, accounts: make(map[chat.UserID]bool), rooms: make(map[chat.RoomID]*roomCheck)}
	if err := auditor.Rows(ctx, func(row chat.Row) error {
		v.row(row)
		return ctx.Err()
	}); err != nil {
		return v.counts, fmt.Errorf("verify: %w", err)
	}
	v.end()
	if err := auditor.Audit(ctx, report); err != nil {
		return v.counts, fmt.Errorf("verify: %w", err)
	}
	return v.counts, nil
}

type verifier struct {
	report   func(string)
	counts   Counts
	accounts map[chat.UserID]bool
	rooms    map[chat.RoomID]*roomCheck
	log      *logCheck // of the room whose log is being read
}

// roomCheck is what a room says of itself, and what was counted of it.
type roomCheck struct {
	chat.RoomRow
	members int
	logged  bool
}

func (v *verifier) say(format string, args ...any) { v.report(fmt.Sprintf(format, args...)) }

func (v *verifier) row(row chat.Row) {
	switch {
	case row.Account != nil:
		v.counts.Accounts++
		v.accounts[row.Account.ID] = true
	case row.Room != nil:
		v.counts.Rooms++
		v.rooms[row.Room.ID] = &roomCheck{RoomRow: *row.Room}
	case row.Member != nil:
		v.member(row.Member)
	case row.Ban != nil:
		v.person(row.Ban.Room, row.Ban.User.ID, "a ban")
	case row.Invite != nil:
		v.person(row.Invite.Room, row.Invite.CreatedBy.ID, "an invite")
	case row.Log != nil:
		v.number(row.Log)
	}
}

func (v *verifier) person(room chat.RoomID, user chat.UserID, what string) *roomCheck {
	if !v.accounts[user] {
		v.say("room %s has %s of %s, who has no account", room, what, user)
	}
	r := v.rooms[room]
	if r == nil {
		v.say("%s of %s is for room %s, which does not exist", what, user, room)
	}
	return r
}

func (v *verifier) member(m *chat.Member) {
	r := v.person(m.Room, m.User.ID, "a membership")
	if r == nil {
		return
	}
	r.members++
	if m.ReadSeq > r.Head {
		v.say("in room %s the read line of %s is at %d, beyond the head %d", m.Room, m.User.ID, m.ReadSeq, r.Head)
	}
}

func (v *verifier) number(l *chat.LogRow) {
	v.counts.Numbers++
	if v.log == nil || v.log.room.ID != l.Room {
		v.endLog()
		r := v.rooms[l.Room]
		if r == nil {
			v.say("number %d is of room %s, which does not exist", l.Seq, l.Room)
			r = &roomCheck{RoomRow: chat.RoomRow{Room: chat.Room{ID: l.Room}}}
			v.rooms[l.Room] = r
		}
		r.logged = true
		v.log = newLogCheck(r, v.report)
	}
	v.log.take(l)
}

func (v *verifier) endLog() {
	if v.log != nil {
		v.log.end()
		v.log = nil
	}
}

func (v *verifier) end() {
	v.endLog()
	for _, r := range v.rooms {
		if !r.logged {
			newLogCheck(r, v.report).end()
		}
		if r.members != r.Members {
			v.say("room %s says that it has %d members and has %d", r.ID, r.Members, r.members)
		}
	}
}

// logCheck goes through the log of one room.
type logCheck struct {
	room   *roomCheck
	report func(string)

	next    chat.Seq
	ids     []chat.MessageID
	last    chat.Seq // newest message
	lastAt  time.Time
	void    map[chat.Seq]bool
	changed map[chat.Seq]chat.Seq // messages that say by which number they were last changed
	found   map[chat.Seq]bool     // of those, the ones that this number changed indeed
}

func newLogCheck(room *roomCheck, report func(string)) *logCheck {
	return &logCheck{room: room, report: report, next: 1, void: make(map[chat.Seq]bool), changed: make(map[chat.Seq]chat.Seq), found: make(map[chat.Seq]bool)}
}

func (c *logCheck) say(format string, args ...any) {
	c.report("in room " + c.room.ID.String() + " " + fmt.Sprintf(format, args...))
}

func (c *logCheck) take(l *chat.LogRow) {
	switch {
	case l.Seq < c.next:
		c.say("number %d stands twice", l.Seq)
	case l.Seq > c.next:
		c.say("numbers %d to %d are missing", c.next, l.Seq-1)
	}
	c.next = max(c.next, l.Seq+1)
	if l.Kind == chat.KindVoid {
		c.takeVoid(l)
		return
	}
	c.ids = append(c.ids, l.RecordID)
	if l.Message != nil {
		c.last, c.lastAt = l.Seq, l.Message.CreatedAt
		if l.Message.ChangedSeq != 0 {
			c.changed[l.Seq] = l.Message.ChangedSeq
		}
	}
	switch l.Kind {
	case chat.KindEdit, chat.KindDelete, chat.KindReaction, chat.KindMood:
		c.takeChange(l)
	}
}

// takeVoid wants a void number to say under which earlier one its record stands; one that says none changed a message that
// was not there, which is an explanation too.
func (c *logCheck) takeVoid(l *chat.LogRow) {
	c.void[l.Seq] = true
	if l.Target != 0 && (l.Target >= l.Seq || c.void[l.Target]) {
		c.say("the void number %d points at %d, which is not an earlier record", l.Seq, l.Target)
	}
}

func (c *logCheck) takeChange(l *chat.LogRow) {
	last, known := c.changed[l.Target]
	switch {
	case !known:
		c.say("number %d changes %d, which is not a message that was changed", l.Seq, l.Target)
	case last == l.Seq:
		c.found[l.Target] = true
	case last < l.Seq:
		c.say("message %d says that %d was its last change, and %d is later", l.Target, last, l.Seq)
	}
}

func (c *logCheck) end() {
	if c.next != c.room.Head+1 {
		c.say("the head is %d and the last number %d", c.room.Head, c.next-1)
	}
	for seq, change := range c.changed {
		if !c.found[seq] {
			c.say("message %d says that %d was its last change, which is no change of it", seq, change)
		}
	}
	slices.SortFunc(c.ids, func(a, b chat.MessageID) int { return bytes.Compare(a[:], b[:]) })
	for n := 1; n < len(c.ids); n++ {
		if c.ids[n] == c.ids[n-1] {
			c.say("record %s stands twice", c.ids[n])
		}
	}
	if c.last != c.room.LastMessage {
		c.say("the last message is said to be %d and is %d", c.room.LastMessage, c.last)
	}
	if c.last == 0 {
		c.lastAt = c.room.CreatedAt
	}
	if !c.lastAt.Equal(c.room.LastActivityAt) {
		c.say("the last activity is said to be of %s and was of %s", c.room.LastActivityAt.Format(time.RFC3339Nano), c.lastAt.Format(time.RFC3339Nano))
	}
}
