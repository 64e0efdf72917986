package e2e_test

import (
	"syscall"
	"testing"
	"time"
)

// closedDraining is the close code of a server that is going away.
const closedDraining = 4503

// Promise: a server that is told to stop under load says so to every client, ends with code 0 and loses nothing; clients
// come back by themselves to the next one.
//
//nolint:paralleltest // it needs the machine for itself
func TestStoppedUnderLoad(t *testing.T) {
	everywhere(t, func(t *testing.T, at place) {
		const people, rooms, roomsEach, stops = 20, 8, 4, 3
		c := gather(t, at.door, people, rooms, roomsEach)
		c.talk()
		for n := range stops {
			pause(t, 500*time.Millisecond)
			node := at.nodes[n%len(at.nodes)]
			began := time.Now()
			if code := node.stop(); code != 0 {
				t.Errorf("stop %d: the server ended with code %d", n, code)
			}
			t.Logf("stop %d took %v", n, time.Since(began).Round(time.Millisecond))
			node.start()
		}
		pause(t, 500*time.Millisecond)
		c.hush()
		c.judge()
		lived := c.all()
		acked, attempts := c.record.Acked()
		t.Logf("%d messages acknowledged, %d handed over; %+v", acked, attempts, lived)
		// Where each of several nodes was stopped once, a client may have come to each but the last only after its turn.
		if want := people * stops / len(at.nodes); lived.Draining < want || lived.Closed[closedDraining] < want {
			t.Errorf("%d devices and %d stops: %d were told that the server drains, %d were closed with %d",
				people, stops, lived.Draining, lived.Closed[closedDraining], closedDraining)
		}
	}, "--rate-limits", "off", "--drain-spread", "300ms", "--shutdown-timeout", "10s")
}

// Promise: the second signal cuts the farewell short, and still nothing is lost.
//
//nolint:paralleltest // it needs the machine for itself
func TestStoppedInAHurry(t *testing.T) {
	i := install(t, "--rate-limits", "off", "--drain-spread", "50s", "--shutdown-timeout", "60s")
	i.start()
	c := gather(t, i.door(), 10, 3, 3)
	c.talk()
	pause(t, 300*time.Millisecond)
	began := time.Now()
	for range 2 {
		if err := i.process.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		pause(t, 100*time.Millisecond) // two signals at once are one
	}
	if code := i.wait(); code != 0 {
		t.Errorf("the server ended with code %d", code)
	}
	t.Logf("stopped after %v", time.Since(began))
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("stopping in a hurry took %v", took)
	}
	i.start()
	c.hush()
	c.judge()
}
