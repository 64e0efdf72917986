package sim

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/message"
	"github.com/blabber-hive/blabber-hive/internal/porttest/checker"
)

// live lets the client's person do something again and again, until the busy time is over.
func (c *client) live() {
	if c.w.calm {
		return
	}
	c.act()
	think := c.w.faults.think
	if c.w.now > c.w.faults.busy { // in an outage of minutes
		think *= 20
	}
	c.after(c.w.between(0, 2*think), c.live)
}

func (c *client) act() {
	w := c.w
	f := c.rooms[w.luck.IntN(len(c.rooms))]
	if !f.in {
		return
	}
	switch n := w.luck.IntN(100); {
	case n < 60:
		for range 1 + w.luck.IntN(4) {
			c.say(f)
		}
	case n < 64:
		c.repeat(f)
	case n < 68:
		c.steal(f)
	case n < 80:
		c.change(f, chat.KindReaction)
	case n < 92:
		c.change(f, chat.KindEdit)
	default:
		c.change(f, chat.KindDelete)
	}
}

// words makes a body that nobody else writes.
func (c *client) words() string {
	c.serial++
	if c.w.cluster != nil && c.w.flip(0.7) {
		return fmt.Sprintf("%s says %d", c.name, c.serial) // needs nothing of the store to be sent
	}
	return fmt.Sprintf("%s says %d, @%s", c.name, c.serial, c.w.people[0].Username)
}

func (c *client) say(f *follow) {
	request := message.Request{Room: f.id, ID: c.w.newID(c.w.wall(c.skew)), Body: c.words()}
	if len(f.order) > 0 && c.w.flip(0.1) {
		request.ReplyTo = f.order[c.w.luck.IntN(len(f.order))]
	}
	c.write(&letter{request: request, careless: c.w.chance(c.w.faults.careless)})
}

// repeat sends a message that may have been sent long ago once more, as a restored backup would.
func (c *client) repeat(f *follow) {
	if m, ok := c.pick(f, true); ok && m.ChangedSeq == 0 {
		c.write(&letter{
			request:  message.Request{Room: f.id, ID: m.ID, Body: m.Body, ReplyTo: m.ReplyTo},
			careless: c.w.chance(c.w.faults.careless), again: c.honest(),
		})
	}
}

// steal sends something else under the id of a message that is there.
func (c *client) steal(f *follow) {
	if m, ok := c.pick(f, c.w.flip(0.5)); ok {
		c.write(&letter{
			request: message.Request{Room: f.id, ID: m.ID, Body: c.words()}, careless: c.w.chance(c.w.faults.careless),
			again: c.honest(),
		})
	}
}

// honest reports whether who sends an old id once more must say so: in a cluster, what is beyond a room's window is
// published before the store can recognise it.
func (c *client) honest() bool {
	return c.w.cluster != nil && (c.w.faults.past || c.w.faults.longOutage)
}

// pick finds a message that the client shows, or one of the past that it does not: one of its person's own, or any.
func (c *client) pick(f *follow, own bool) (checker.Message, bool) {
	for range 5 {
		var m checker.Message
		switch {
		case c.w.faults.past && c.w.flip(0.5):
			m = shown(c.w.store.Newest(f.id, pastID(c.w.luck.IntN(pastPicked))))
		case len(f.order) > 0:
			m = f.messages[f.order[c.w.luck.IntN(len(f.order))]]
		default:
			continue
		}
		if !m.Deleted && (!own || m.Sender == c.person.ID) && !c.writing(m.ID) {
			return m, true
		}
	}
	return checker.Message{}, false
}

// writing reports whether a message is in the outbox: two letters with one id could not tell their answers apart.
func (c *client) writing(id chat.MessageID) bool {
	return slices.ContainsFunc(c.outbox, func(l *letter) bool { return l.request.ID == id })
}

func (c *client) write(l *letter) {
	c.outbox = append(c.outbox, l)
	c.flush()
}

// flush hands letters to the connection that it has not carried yet, oldest first, as long as few are without an answer: a
// long outbox sent all at once is an attack.
func (c *client) flush() {
	if !c.ready {
		return
	}
	open := 0
	for _, l := range c.outbox {
		switch {
		case l.done:
		case l.over == c.conn:
			open++
		case open < outboxOpen:
			open++
			c.post(l)
		}
	}
}

// post hands a letter to the connection.
func (c *client) post(l *letter) {
	if l.over != c.conn {
		l.over, l.open = c.conn, nil
	}
	request := l.request
	request.Resend = l.again || (l.sent > 0 && !l.careless)
	l.sent++
	l.open = append(l.open, len(c.w.attempts))
	c.w.attempts = append(c.w.attempts, checker.Attempt{
		Client: c.name, Connection: c.conn.name, Sender: c.person.ID, Room: request.Room, ID: request.ID, Body: request.Body, ReplyTo: request.ReplyTo,
	})
	c.conn.up(frame{kind: "send", request: request})
	l.deadline = c.w.now + resendAfter
	deadline := l.deadline
	c.after(resendAfter, func() {
		if l.deadline == deadline && !l.done && c.ready && slices.Contains(c.outbox, l) {
			c.post(l)
		}
	})
}

// answered takes the word on a letter: it is the last one, unless it says to try again.
func (c *client) answered(conn *conn, f frame) {
	at := slices.IndexFunc(c.outbox, func(l *letter) bool {
		return l.request.ID == f.id && l.request.Room == f.room && l.over == conn && len(l.open) > 0
	})
	if at < 0 {
		return // of an attempt before the one that decided
	}
	l := c.outbox[at]
	// Which of several attempts it answers is not told. Some may never be answered, so an ack is put down to the newest and
	// a refusal to the oldest: that way neither can make an order of sending out of one that was not.
	last := len(l.open) - 1
	attempt := &c.w.attempts[l.open[0]]
	if f.kind == "ack" {
		attempt, l.open = &c.w.attempts[l.open[last]], l.open[:last]
	} else {
		l.open = l.open[1:]
	}
	if f.kind == "ack" {
		attempt.Answer, attempt.Seq = checker.Acked, f.seq
	} else {
		attempt.Answer = checker.Refused
	}
	if f.kind == "error" && !l.done && (f.code == chat.Unavailable || f.code == chat.RateLimited) {
		l.deadline = 0
		c.after(c.w.between(0, 2*retryPause), func() {
			if l.deadline == 0 && !l.done && c.ready && slices.Contains(c.outbox, l) {
				c.post(l)
			}
		})
		return
	}
	if l.done {
		c.settle(l)
		return
	}
	c.w.tell("%s: %s %s of room %d: %s %d", c.name, f.kind, f.id, f.room[15], f.code, f.seq)
	if f.code == chat.Internal || f.code == chat.BadRequest {
		c.w.violate("%s was told %s about a message", c.name, f.code)
	}
	l.done = true
	c.settle(l)
	c.flush()
}

// settle lets go of a letter when all answers to it are there: one that is still on its way must not be taken for the
// answer to a later letter with the same id.
func (c *client) settle(l *letter) {
	remove := func() { c.outbox = slices.DeleteFunc(c.outbox, func(other *letter) bool { return other == l }) }
	if len(l.open) == 0 {
		remove()
		return
	}
	c.after(3*resendAfter, remove)
}

// change asks over HTTP for an edit, a deletion or a reaction, until there is an answer that is the last word.
func (c *client) change(f *follow, kind chat.Kind) {
	m, ok := c.pick(f, kind != chat.KindReaction && c.w.flip(0.9))
	if !ok {
		return
	}
	record := chat.Record{Room: f.id, Kind: kind, Actor: c.person, Target: m.ID}
	asked := checker.Change{Sender: c.person.ID, Room: f.id, Kind: kind, Target: m.ID}
	switch kind {
	case chat.KindEdit:
		record.Body = c.words()
		asked.Body = record.Body
	case chat.KindReaction:
		record.Emoji, record.Added = []string{"👍", "🎉"}[c.w.luck.IntN(2)], c.w.flip(0.7)
	}
	at := len(c.w.changes)
	c.w.changes = append(c.w.changes, asked)
	c.changing++
	c.ask(record, at)
}

func (c *client) ask(record chat.Record, at int) {
	c.request(func(g *gateway, reply func(error)) { g.change(record, c.person, reply) }, func(err error) {
		if err != nil && chat.CodeOf(err) == chat.Unavailable {
			c.after(c.w.between(0, retryPause), func() { c.ask(record, at) })
			return
		}
		c.w.changes[at].Answer = checker.Acked
		if err != nil {
			c.w.changes[at].Answer = checker.Refused
		}
		c.changing--
	})
}

// change decides about an edit, a deletion or a reaction as package message does, and appends it.
func (g *gateway) change(record chat.Record, actor chat.Profile, reply func(error)) {
	access, err := g.Access(context.Background(), record.Room, actor.ID)
	now := g.w.wall(g.skew)
	var target *chat.Message
	if err == nil {
		err = access.Talk(now)
	}
	if err == nil {
		target, err = g.Message(context.Background(), record.Room, record.Target) // whose it is, is left to numbering to find out
	}
	if err != nil {
		reply(err)
		return
	}
	record.ID, record.At = g.w.newID(now), now.Truncate(time.Millisecond)
	g.after(changeWithin, func() { reply(chat.Away("the message log", nil)) })
	err = g.w.engine.append(g, &record, func(receipt chat.Receipt, err error) {
		if err == nil && receipt.Seq == 0 {
			g.await(&record, target, reply) // it is durable, and numbered elsewhere
			return
		}
		reply(err)
	})
	if err != nil {
		reply(err)
	}
}

// await waits until a change that was acked before it was numbered shows, as package message does. Whoever changes what
// is not theirs is refused by numbering, which tells nobody.
func (g *gateway) await(record *chat.Record, target *chat.Message, reply func(error)) {
	until := g.w.now + changeWithin
	var look func()
	look = func() {
		message, err := g.Message(context.Background(), record.Room, record.Target)
		switch {
		case err == nil && record.Kind == chat.KindDelete && !message.DeletedAt.IsZero(),
			err == nil && record.Kind == chat.KindEdit && message.DeletedAt.IsZero() && message.Body == record.Body:
			reply(nil)
		case err == nil && record.Kind == chat.KindEdit && !message.DeletedAt.IsZero():
			reply(chat.Refuse(chat.Conflict, "the message was deleted"))
		case g.w.now < until:
			g.after(repairPause, look)
		}
	}
	switch {
	case record.Kind == chat.KindReaction:
		reply(nil)
	case target.Sender.ID != record.Actor.ID:
		reply(chat.Refuse(chat.Forbidden, "only its sender may change a message"))
	default:
		look()
	}
}
