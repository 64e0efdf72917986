package app_test

import (
	"testing"

	"go.uber.org/goleak"
)

// Promise: a server that was stopped, and a command that has ended, leave nothing running.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
