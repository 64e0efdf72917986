package run_test

import (
	"testing"

	"go.uber.org/goleak"
)

// Promise: what run starts has ended when its tests have.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
