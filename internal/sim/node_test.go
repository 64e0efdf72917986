package sim

import (
	"context"
	"iter"
	"slices"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/sequencer"
)

// node is a process that numbers partitions.
type node struct {
	c       *cluster
	name    string
	up      bool
	life    int           // grows with each start; what an earlier life planned does not happen
	stopped time.Duration // until when it does nothing, as after SIGSTOP
	owners  []*owner
	former  []*owner // that may still be in the middle of something
}

// owner is one node's work on one partition, for as long as the node believes that it owns it.
type owner struct {
	n         *node
	number    int
	partition *sequencer.Partition
	revoked   bool
	routines  []*routine
	running   *routine    // whose turn it is
	announced chat.Offset // up to where the pass that announces has come
	settled   chat.Offset
}

// after plans something that does not happen if the node crashes before, and happens later if it is stopped.
func (n *node) after(delay time.Duration, do func()) {
	life := n.life
	n.c.w.after(delay, func() {
		switch {
		case !n.up || n.life != life:
		case n.stopped > n.c.w.now:
			n.after(n.stopped-n.c.w.now, do)
		default:
			do()
		}
	})
}

func (n *node) own(number int) *owner {
	w := n.c.w
	o := &owner{n: n, number: number}
	ports := &nodePorts{o}
	options := sequencer.Options{Durable: true, Now: func() time.Time { return w.wall(0) }}
	o.partition = sequencer.New(ports, ports, ports, options, w.lab.metrics, w.lab.logger).Partition(number)
	n.owners = append(n.owners, o)
	w.tell("%s owns partition %d", n.name, number)
	o.begin(o.partition.Announce, false)
	o.begin(o.partition.Store, true)
	o.tellHeads()
	return o
}

// revoke ends the passes, each when it is done with what it does.
func (o *owner) revoke() {
	if o.revoked {
		return
	}
	o.n.c.w.tell("%s lets go of partition %d", o.n.name, o.number)
	o.revoked = true
	o.n.owners = slices.DeleteFunc(o.n.owners, func(other *owner) bool { return other == o })
	o.n.former = append(o.n.former, o)
	for _, r := range o.routines {
		r.cancel()
		r.wake()
	}
}

// tellHeads does every now and then what Sequencer.Run does.
func (o *owner) tellHeads() {
	o.n.after(toldEvery, func() {
		if o.revoked {
			return
		}
		o.running = nil
		_ = o.partition.RepublishHeads(context.Background()) // never fails
		o.tellHeads()
	})
}

// crash ends the node in the middle of all that it does. Others take over, and it starts again.
func (n *node) crash() {
	if !n.up {
		return
	}
	w := n.c.w
	w.tell("%s crashes", n.name)
	n.kill()
	n.up, n.stopped = false, 0
	n.life++
	w.after(w.between(0, time.Second), func() {
		for number := range n.c.partitions {
			n.c.heal(number)
		}
	})
	w.after(w.between(0, 2*time.Second), func() {
		w.tell("%s starts", n.name)
		n.up = true
	})
}

// kill unwinds whatever the node does.
func (n *node) kill() {
	for _, o := range slices.Concat(n.owners, n.former) {
		o.revoked = true
		for _, r := range o.routines {
			r.stop()
		}
	}
	n.owners, n.former = nil, nil
}

// routine is one pass over a partition as a thread of its own: where it waits, the world goes on. Only one runs at a time.
type routine struct {
	o       *owner
	storing bool // it is that of Store
	pass    func(context.Context) error
	next    func() (time.Duration, bool)
	stop    func()
	yield   func(time.Duration) bool
	cancel  context.CancelFunc
	failed  bool // something that it asked for has failed
	parked  bool
	over    bool
}

// park is the wait of who waits for something to happen.
const park = time.Duration(-1)

func (o *owner) begin(pass func(context.Context) error, storing bool) {
	r := &routine{o: o, pass: pass, storing: storing, cancel: func() {}}
	r.next, r.stop = iter.Pull(r.live)
	o.routines = append(o.routines, r)
	o.n.after(0, r.resume)
}

// live runs the pass again and again: in real time it would wait after a failure, here its context ends instead.
func (r *routine) live(yield func(time.Duration) bool) {
	r.yield = yield
	defer func() {
		if reason := recover(); reason != nil {
			if _, ok := reason.(died); !ok {
				panic(reason)
			}
		}
	}()
	w := r.o.n.c.w
	for !r.o.revoked {
		ctx, cancel := context.WithCancel(context.Background())
		r.cancel, r.failed = cancel, false
		err := r.pass(ctx)
		cancel()
		if err != nil {
			w.violate("a pass gave up: %v", err)
			return
		}
		if r.failed {
			r.wait(w.between(time.Millisecond, retryPause))
		}
	}
}

// resume gives the routine its turn, until it waits again.
func (r *routine) resume() {
	if r.over {
		return
	}
	r.o.running = r
	pause, ok := r.next()
	switch {
	case !ok:
		r.over = true
	case pause == park:
		r.parked = true
	default:
		r.o.n.after(pause, r.resume)
	}
}

// wait lets time pass. Who has crashed meanwhile never wakes up.
func (r *routine) wait(d time.Duration) {
	if !r.yield(d) {
		panic(died{})
	}
}

func (r *routine) wake() {
	if r.parked {
		r.parked = false
		r.o.n.after(0, r.resume)
	}
}

// fail ends the pass's context, so that it does not wait in real time.
func (r *routine) fail() {
	r.failed = true
	r.cancel()
}
