// Package e2e_test tests the product from outside: the binary as it is shipped, in a process of its own, with real
// clients. What a test stops or kills it starts again on the same data and the same port.
package e2e_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"
)

// binary is the path of what is tested; TestMain builds it once.
var binary string

// binaryVariable names a binary that is there already, for whoever tests a release.
const binaryVariable = "BLABBER_HIVE_BINARY"

func TestMain(m *testing.M) {
	code, err := runTests(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(code)
}

func runTests(m *testing.M) (code int, err error) {
	if binary = os.Getenv(binaryVariable); binary == "" {
		dir, err := os.MkdirTemp("", "blabber-hive-e2e-")
		if err != nil {
			return 0, err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
		binary = filepath.Join(dir, "blabber-hive")
		// As the Makefile builds it, so that nothing has to be compiled twice.
		build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", binary, "../../cmd/blabber-hive")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if output, err := build.CombinedOutput(); err != nil {
			return 0, fmt.Errorf("build the binary: %w\n%s", err, output)
		}
	}
	code = m.Run()
	if err := endShared(); err != nil {
		return 0, fmt.Errorf("end the cluster: %w", err)
	}
	if leaked := goleak.Find(); leaked != nil && code == 0 {
		return 0, leaked
	}
	return code, nil
}
