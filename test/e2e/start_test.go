package e2e_test

import (
	"testing"
	"time"
)

// The figures that are aimed at, and what is a failure on a machine that has other things to do.
const (
	startAim    = 300 * time.Millisecond
	startMost   = 10 * startAim
	idleMostKiB = 60 << 10
)

// Promise: a server is there at once, and needs little while nothing happens.
//
//nolint:paralleltest // it needs the machine for itself
func TestStartAndIdle(t *testing.T) {
	i := install(t)
	for _, what := range []string{"on an empty folder", "again"} {
		began := time.Now()
		i.start()
		took := time.Since(began)
		t.Logf("started %s in %v (aim: %v)", what, took.Round(time.Millisecond), startAim)
		if took > startMost {
			t.Errorf("starting %s took %v", what, took)
		}
		kib := i.residentKiB()
		t.Logf("idle memory: %.1f MiB", float64(kib)/1024)
		if kib > idleMostKiB {
			t.Errorf("an idle server holds %d KiB, want at most %d", kib, idleMostKiB)
		}
		if code := i.stop(); code != 0 {
			t.Errorf("the server ended with code %d", code)
		}
	}
}
