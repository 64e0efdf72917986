package app_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// Promise: a server that was stopped, and a command that has ended, leave nothing running.
//
// The services that other tests share would make every command here one of a cluster.
func TestMain(m *testing.M) {
	for _, variable := range []string{"DATABASE_URL", "KAFKA_BROKER_URL", "REDIS_URL"} {
		if err := os.Unsetenv(variable); err != nil {
			panic(err)
		}
	}
	goleak.VerifyTestMain(m)
}
