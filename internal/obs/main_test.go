package obs_test

import (
	"testing"

	"go.uber.org/goleak"
)

// Promise: nothing runs on after the tests.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
