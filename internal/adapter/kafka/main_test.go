package kafka_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/blabber-hive/blabber-hive/internal/porttest/services"
)

// Promise: what this package starts has ended when its tests have.
func TestMain(m *testing.M) {
	if os.Getenv(memberVariable) != "" {
		os.Exit(beMember())
	}
	goleak.VerifyTestMain(services.During(m))
}
