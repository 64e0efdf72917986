package e2e_test

import (
	"math/rand/v2"
	"testing"
	"time"
)

// Promise: whatever is killed, every message that was acknowledged is there once, numbers have no hole, and every client
// saw the same events in the same order.
//
//nolint:paralleltest // it needs the machine for itself
func TestKilledTwentyTimes(t *testing.T) {
	everywhere(t, func(t *testing.T, at place) {
		const people, rooms, roomsEach = 50, 20, 4
		// A cluster goes on without the node that is killed, and a node needs longer to start; TestTorture goes on for longer.
		kills := 20 / len(at.nodes)
		c := gather(t, at.door, people, rooms, roomsEach)
		c.talk()
		began := time.Now()
		for range kills {
			// At no one point of what a server does, and sometimes when clients have only begun to come back.
			pause(t, time.Duration(200+rand.IntN(800))*time.Millisecond)
			node := at.nodes[rand.IntN(len(at.nodes))]
			node.kill()
			node.start()
		}
		pause(t, 500*time.Millisecond)
		c.hush()
		took := time.Since(began)
		c.judge()
		acked, attempts := c.record.Acked()
		t.Logf("%d kills in %v: %d messages acknowledged, %d handed over; %+v", kills, took.Round(time.Millisecond), acked, attempts, c.all())
		if acked < people*kills/4 {
			t.Errorf("only %d messages were acknowledged: nothing was tested", acked)
		}
		at.stop(t)
		at.verify()
	}, "--rate-limits", "off")
}
