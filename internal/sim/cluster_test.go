package sim

import (
	"fmt"
	"slices"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// cluster is the other kind of engine: a log of several partitions that is durable by itself, nodes that number them, and
// whoever decides which of them owns which. It survives all its nodes.
type cluster struct {
	w          *world
	partitions []*logPartition
	nodes      []*node
	away       time.Duration // until when the log answers nobody
	arrived    map[stream]time.Duration
	published  map[chat.RoomID]map[chat.Seq]*publication
	refused    map[refusal]bool // whose senders were to be told
	doubtful   []delivery
	removals   map[place]chat.MessageID // the newest record that takes a person out of a room
}

var _ engine = (*cluster)(nil)

// stream is what keeps its order on the way to the log: what one gateway, or the relay, appends to one partition.
type stream struct {
	from      *gateway
	partition int
}

// logPartition is one partition of the log, and its owner.
type logPartition struct {
	records []placed // from the first that was not stored when the run began
	begin   chat.Offset
	end     chat.Offset
	owner   *owner // who is meant to own it; others may believe that they do
	readers []*routine
}

// placed is a record at its offset. Some offsets never were records.
type placed struct {
	at     chat.Offset
	record *chat.Record
}

func (w *world) startCluster() {
	c := &cluster{
		w: w, arrived: make(map[stream]time.Duration), published: make(map[chat.RoomID]map[chat.Seq]*publication),
		refused: make(map[refusal]bool), removals: make(map[place]chat.MessageID),
	}
	w.engine, w.cluster = c, c
	for _, room := range w.rooms {
		c.published[room] = make(map[chat.Seq]*publication)
	}
	w.bus.tails = make(map[chat.RoomID]*tail)
	for n := range w.faults.partitions {
		stored := w.stored(n)
		c.partitions = append(c.partitions, &logPartition{begin: stored, end: stored})
	}
	for n := range w.faults.nodes {
		c.nodes = append(c.nodes, &node{c: c, name: fmt.Sprint("node ", n), up: true})
	}
	for n := range c.partitions {
		c.heal(n)
	}
	(&relay{w: w, into: c, gone: func() bool { return false }}).later(0)
}

func (c *cluster) partitionOf(room chat.RoomID) int { return int(room[15]) % len(c.partitions) }

// append implements engine. The record is there after a while, or is not, and whoever appended it hears of that later, or
// hears that nobody knows.
func (c *cluster) append(from *gateway, record *chat.Record, settled func(chat.Receipt, error)) error {
	w := c.w
	if w.chance(w.faults.logFull) {
		return chat.Away("the message log", nil)
	}
	later := w.after
	if from != nil {
		later = from.after
	}
	way := stream{from, c.partitionOf(record.Room)}
	at := max(w.now+w.latency(), c.arrived[way])
	if !w.calm {
		at = max(at, c.away)
	}
	c.arrived[way] = at
	lost := w.chance(w.faults.logLose)
	refuse := lost || w.chance(w.faults.logForget)
	if !lost {
		w.after(at-w.now, func() { c.place(record) })
	}
	later(at-w.now+w.latency(), func() {
		if refuse {
			settled(chat.Receipt{}, chat.Away("the message log", nil))
			return
		}
		settled(chat.Receipt{}, nil)
	})
	return nil
}

// place puts a record at the end of its partition.
func (c *cluster) place(record *chat.Record) {
	p := c.partitions[c.partitionOf(record.Room)]
	if c.w.chance(c.w.faults.logGap) {
		p.end += chat.Offset(1 + c.w.luck.IntN(3))
	}
	p.records = append(p.records, placed{p.end, record})
	p.end++
	p.wake()
}

func (p *logPartition) wake() {
	readers := p.readers
	p.readers = nil
	for _, r := range readers {
		r.wake()
	}
}

// read is a run at offset from or after; it is empty where nothing is there yet.
func (p *logPartition) read(from chat.Offset, most int) (run chat.LogRun) {
	first, _ := slices.BinarySearchFunc(p.records, from, func(one placed, from chat.Offset) int { return int(one.at) - int(from) })
	for _, one := range p.records[first:] {
		switch {
		case len(run.Records) == 0:
			run.From, run.To = one.at, one.at
		case one.at != run.To || len(run.Records) == most:
			return run
		}
		run.Records, run.To = append(run.Records, one.record), one.at+1
	}
	return run
}

// heal gives a partition that nobody owns to a node, as soon as there is one.
func (c *cluster) heal(number int) {
	p := c.partitions[number]
	if p.owner != nil && p.owner.n.up && !p.owner.revoked {
		return
	}
	var up []*node
	for _, n := range c.nodes {
		if n.up && n.stopped <= c.w.now {
			up = append(up, n)
		}
	}
	if len(up) == 0 {
		c.w.after(100*time.Millisecond, func() { c.heal(number) })
		return
	}
	p.owner = up[c.w.luck.IntN(len(up))].own(number)
}

// rebalance moves a partition. Who had it lets go at once, or believes for a while that it is its own still.
func (c *cluster) rebalance() {
	number := c.w.luck.IntN(len(c.partitions))
	old := c.partitions[number].owner
	if old == nil || !old.n.up {
		return // is being healed
	}
	c.w.tell("partition %d leaves %s", number, old.n.name)
	c.partitions[number].owner = nil
	unnoticed := time.Duration(0)
	if c.w.chance(0.5) {
		unnoticed = c.w.between(0, 2*time.Second)
	}
	old.n.after(unnoticed, old.revoke)
	c.w.after(c.w.between(0, 100*time.Millisecond), func() { c.heal(number) })
}

// crash implements engine.
func (c *cluster) crash() { c.nodes[c.w.luck.IntN(len(c.nodes))].crash() }

func (c *cluster) blackout() {
	for _, n := range c.nodes {
		n.crash()
	}
}

// stop freezes a node in the middle of whatever it does. Others take its partitions over; it wakes up and goes on as if
// nothing had happened, until it notices.
func (c *cluster) stop() {
	n := c.nodes[c.w.luck.IntN(len(c.nodes))]
	if !n.up || n.stopped > c.w.now {
		return
	}
	rest := c.w.between(0, 4*time.Second)
	if c.w.chance(0.1) {
		rest = 20 * time.Second
	}
	n.stopped = c.w.now + rest
	c.w.tell("%s is stopped until %v", n.name, n.stopped)
	c.w.after(c.w.between(100*time.Millisecond, 2*time.Second), func() {
		if !n.up || n.stopped <= c.w.now {
			return // it is back before anybody has noticed
		}
		for number, p := range c.partitions {
			if old := p.owner; old != nil && old.n == n {
				p.owner = nil
				n.after(c.w.between(0, 2*time.Second), old.revoke) // when it is awake
				c.heal(number)
			}
		}
	})
}

// unrest implements engine.
func (c *cluster) unrest() string {
	for number, p := range c.partitions {
		switch {
		case p.owner == nil || p.owner.revoked || !p.owner.n.up:
			return fmt.Sprintf("nobody owns partition %d", number)
		case max(p.owner.settled, c.w.stored(number)) < p.end-p.trailing():
			return fmt.Sprintf("partition %d is settled up to %d, stored up to %d of %d", number, p.owner.settled, c.w.stored(number), p.end)
		}
	}
	for _, n := range c.nodes {
		if !n.up {
			return n.name + " is not up"
		}
		for _, o := range n.owners {
			if c.partitions[o.number].owner != o {
				return n.name + " takes itself for an owner"
			}
		}
	}
	return ""
}

// trailing are the offsets at the end that never were records.
func (p *logPartition) trailing() chat.Offset {
	if len(p.records) == 0 {
		return p.end - p.begin
	}
	return p.end - p.records[len(p.records)-1].at - 1
}

// close implements engine.
func (c *cluster) close() {
	for _, n := range c.nodes {
		n.kill()
	}
}
