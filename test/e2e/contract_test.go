package e2e_test

import (
	"os/exec"
	"testing"
)

// Promise: a cluster keeps the contract as a server alone does, whichever node a request comes to. The API's own tests
// are clients of the load balancer here, which sends each request to any node.
//
//nolint:paralleltest // it needs the machine for itself
func TestContractOnCluster(t *testing.T) {
	c := borrow(t)
	for _, tests := range []string{"internal/api"} {
		t.Run(tests, func(t *testing.T) {
			command := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-parallel=8", "../../"+tests)
			command.Env = append(c.nodes[0].environ(), "BLABBER_HIVE_URL=http://"+c.front, binaryVariable+"="+binary)
			if out, err := command.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			} else {
				t.Logf("%s", out)
			}
		})
	}
}
