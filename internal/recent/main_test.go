package recent_test

import (
	"testing"

	"go.uber.org/goleak"
)

// Promise: what a test starts has ended when it has.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
