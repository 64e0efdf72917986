package socket

import (
	"testing"

	"go.uber.org/goleak"
)

// Promise: what a socket starts has ended when its test has.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
