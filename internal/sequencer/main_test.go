package sequencer_test

import (
	"testing"

	"go.uber.org/goleak"
)

// Promise: what a sequencer starts has ended when its tests have.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
