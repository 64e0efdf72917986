package e2e_test

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// passedLeast is how many tests of a package must have been clients of the cluster, parts of tests counted.
const passedLeast = 25

// skipped is what is said of tests that are about the inside of a server.
var skipped = regexp.MustCompile(`(?m)^.*(--- SKIP: |the inside of a server|^=== ).*\n`)

// Promise: a cluster keeps the contract as a server alone does, whichever node a request or a connection comes to. The
// tests that the packages of the contract's two halves have for themselves are clients of the load balancer here.
//
//nolint:paralleltest // it needs the machine for itself
func TestContractOnCluster(t *testing.T) {
	c := borrow(t)
	c.way.set(wayClosed) // the tests count numbers, and know nothing of those that a reader adds
	t.Cleanup(func() { c.way.set(wayOpen) })
	for _, half := range []string{"internal/api", "internal/gateway"} {
		t.Run(half, func(t *testing.T) {
			command := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-v", "-parallel=8", "../../"+half)
			command.Env = append(c.nodes[0].environ(), "BLABBER_HIVE_URL=http://"+c.front, binaryVariable+"="+binary)
			out, err := command.CombinedOutput()
			said := string(out)
			if err != nil {
				t.Errorf("%v\n%s", err, skipped.ReplaceAllString(said, ""))
			}
			passed := strings.Count(said, "--- PASS: ")
			t.Logf("%d passed, %d are about the inside of a server", passed, strings.Count(said, "--- SKIP: "))
			if passed < passedLeast {
				t.Errorf("only %d tests passed: nothing was tested", passed)
			}
		})
	}
}
