package gateway_test

import (
	"testing"

	"go.uber.org/goleak"
)

// Promise: what a gateway starts has ended when its tests have.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
