package memory_test

import (
	"testing"

	"go.uber.org/goleak"
)

// Promise: what this package starts has ended when its tests have.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
