package redis_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/blabber-hive/blabber-hive/internal/porttest/services"
)

// Promise: what this package starts has ended when its tests have.
func TestMain(m *testing.M) { goleak.VerifyTestMain(services.During(m)) }
