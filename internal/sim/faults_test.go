package sim

import (
	"math/rand/v2"
	"time"
)

// faults is what goes wrong in a run, and how much goes on. Each seed draws its own: most runs have some faults often and
// others never, because a fault that always happens hides those that need it not to.
type faults struct {
	people, rooms, gateways, devices int
	busy                             time.Duration // for how long people do things
	think                            time.Duration // between two things that one does
	past                             bool          // the rooms have a long history
	latencyMin, latencyMax           time.Duration
	commitMin, commitMax             time.Duration

	busDrop, busRepeat, busReorder, busFail float64
	signalDrop                              float64
	readFail, commitFail, commitForget      float64 // a commit fails before it is applied, or after
	requestLoss                             float64 // of requests, and again of their answers
	careless                                float64 // resends that do not say so, from clocks that are ahead

	cutEvery, reloadEvery, stallEvery                time.Duration
	gatewayCrashEvery, coreCrashEvery, powerCutEvery time.Duration
	outageEvery, diskFullEvery, kickEvery            time.Duration
	skew                                             time.Duration // of gateways' clocks, either way
	clientSkew                                       time.Duration // of clients' clocks

	// Of a cluster.
	nodes, partitions, runMax                             int
	logFull, logLose, logForget, logGap                   float64       // an append is not taken, gets lost, or its ack does
	commitLate                                            float64       // a commit is given up and happens later
	tailLoss, stale                                       float64       // a bus that was away has lost all; a reader is shown an old state of the store
	announceLag, storeLag                                 time.Duration // by which a pass comes late to its next run
	rebalanceEvery, stopEvery, logAwayEvery, busAwayEvery time.Duration
	longOutage                                            bool // the store is away for minutes
}

// drawFaults draws from the world's luck, and what was added later from luck of its own, so that older seeds keep their
// meaning.
func (w *world) drawFaults(seed uint64) {
	luck := w.luck
	often := func(most float64) float64 {
		switch luck.IntN(4) {
		case 0:
			return most * luck.Float64()
		case 1:
			return most * luck.Float64() * 0.1
		}
		return 0
	}
	every := func(shortest time.Duration) time.Duration {
		switch luck.IntN(3) {
		case 0:
			return shortest + time.Duration(luck.Int64N(int64(4*shortest)))
		case 1:
			return 10 * shortest
		}
		return 0
	}
	w.faults = faults{
		people: 2 + luck.IntN(3), rooms: 1 + luck.IntN(2), gateways: 1 + luck.IntN(3), devices: 1 + luck.IntN(2),
		busy: time.Second + time.Duration(luck.Int64N(int64(5*time.Second))), think: 50*time.Millisecond + time.Duration(luck.Int64N(int64(500*time.Millisecond))),
		past:       luck.IntN(6) == 0,
		latencyMin: 100 * time.Microsecond, latencyMax: time.Millisecond << luck.IntN(7),
		commitMin: 500 * time.Microsecond, commitMax: time.Millisecond << luck.IntN(8),

		busDrop: often(0.5), busRepeat: often(0.3), busReorder: often(0.3), busFail: often(0.2), signalDrop: often(0.7),
		readFail: often(0.1), commitFail: often(0.3), commitForget: often(0.3), requestLoss: often(0.3), careless: often(0.8),

		cutEvery: every(time.Second), reloadEvery: every(2 * time.Second), stallEvery: every(time.Second),
		gatewayCrashEvery: every(2 * time.Second), coreCrashEvery: every(time.Second), powerCutEvery: every(2 * time.Second),
		outageEvery: every(2 * time.Second), diskFullEvery: every(2 * time.Second), kickEvery: every(300 * time.Millisecond),
	}
	if luck.IntN(4) == 0 {
		w.faults.skew = time.Hour
	}
	if luck.IntN(3) == 0 {
		w.faults.clientSkew = time.Duration(luck.Int64N(int64(2 * time.Hour)))
	}
	later := rand.New(rand.NewPCG(seed, 1))
	if later.IntN(12) == 0 { // the bus is dead from beginning to end
		w.faults.busDrop, w.faults.signalDrop = 1, 1
	}
}

// drawCluster draws what else can go wrong in a cluster.
func (w *world) drawCluster(seed uint64) {
	luck := rand.New(rand.NewPCG(seed, 2))
	often := func(most float64) float64 {
		return []float64{0, 0, most * 0.1, most}[luck.IntN(4)] * luck.Float64()
	}
	every := func(shortest time.Duration) time.Duration {
		return []time.Duration{0, 0, shortest, 3 * shortest}[luck.IntN(4)]
	}
	f := &w.faults
	f.nodes, f.partitions, f.runMax = 2+luck.IntN(2), 1+luck.IntN(3), 1<<luck.IntN(8)
	f.logFull, f.logLose, f.logForget, f.logGap = often(0.1), often(0.2), often(0.3), often(0.2)
	f.commitLate, f.tailLoss = often(0.3), []float64{0, 0.5, 1}[luck.IntN(3)]
	lags := []time.Duration{0, 0, 10 * time.Millisecond, 200 * time.Millisecond, 2 * time.Second}
	f.storeLag, f.announceLag = lags[luck.IntN(5)], lags[luck.IntN(4)]
	f.rebalanceEvery, f.stopEvery = every(300*time.Millisecond), every(time.Second)
	f.logAwayEvery, f.busAwayEvery = every(2*time.Second), every(2*time.Second)
	f.longOutage = luck.IntN(12) == 0
	if f.past || f.longOutage {
		// What is beyond the window must say that it may have been there before, or its number is published and then void.
		f.careless = 0
	}
	if f.past {
		f.stale = often(0.6)
	}
}

// sometimes does something again and again, at random times that are that far apart, until people are done.
func (w *world) sometimes(period time.Duration, do func()) {
	if period == 0 {
		return
	}
	var again func()
	again = func() {
		if w.calm {
			return
		}
		do()
		w.after(w.between(period/4, 2*period), again)
	}
	w.after(w.between(0, 2*period), again)
}

// plague plans what goes wrong.
func (w *world) plague() {
	f := &w.faults
	w.sometimes(f.cutEvery, func() {
		if c := w.anyClient(); c.conn != nil {
			w.tell("the connection of %s breaks", c.name)
			c.conn.cut()
		}
	})
	w.sometimes(f.reloadEvery, func() { w.anyClient().reload() })
	w.sometimes(f.stallEvery, func() {
		c := w.anyClient()
		c.stalled = w.now + w.between(0, 2*time.Second)
	})
	w.sometimes(f.gatewayCrashEvery, func() { w.gateways[w.luck.IntN(len(w.gateways))].crash() })
	w.sometimes(f.coreCrashEvery, func() { w.engine.crash() })
	w.sometimes(f.powerCutEvery, func() {
		w.tell("the power goes")
		for _, g := range w.gateways {
			g.crash()
		}
		w.engine.blackout()
	})
	w.sometimes(f.outageEvery, func() {
		w.outage = w.now + w.between(0, 2*time.Second)
		w.tell("the store is away until %v", w.outage)
	})
	w.sometimes(f.diskFullEvery, func() {
		w.full = w.now + w.between(0, 2*time.Second)
		w.tell("the disk is full until %v", w.full)
	})
	w.sometimes(f.kickEvery, w.reshuffle)
	if w.cluster != nil {
		w.clusterPlague(w.cluster)
	}
}

func (w *world) clusterPlague(c *cluster) {
	f := &w.faults
	w.sometimes(f.rebalanceEvery, c.rebalance)
	w.sometimes(f.stopEvery, c.stop)
	w.sometimes(f.logAwayEvery, func() {
		c.away = w.now + w.between(0, 2*time.Second)
		w.tell("the log is away until %v", c.away)
	})
	w.sometimes(f.busAwayEvery, func() { w.bus.dies(w, w.between(0, 2*time.Second)) })
	if f.longOutage {
		w.after(w.between(0, f.busy), func() {
			w.lasting = w.now + w.between(10*time.Second, 3*time.Minute)
			w.tell("the store is away until %v", w.lasting)
		})
	}
}

func (w *world) anyClient() *client { return w.clients[w.luck.IntN(len(w.clients))] }
