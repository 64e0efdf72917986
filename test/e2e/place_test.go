package e2e_test

import "testing"

// place is where people chat: one server, or several behind a load balancer.
type place struct {
	door

	nodes []*installation
}

// everywhere runs a test on a server alone, with the given flags, and on the cluster.
func everywhere(t *testing.T, test func(t *testing.T, at place), args ...string) {
	t.Helper()
	t.Run("alone", func(t *testing.T) {
		i := install(t, args...)
		i.start()
		test(t, place{i.door(), []*installation{i}})
	})
	t.Run("cluster", func(t *testing.T) {
		c := borrow(t)
		test(t, place{c.door(), c.nodes})
	})
}

// kill kills all servers at once.
func (p place) kill() {
	for _, node := range p.nodes {
		node.kill()
	}
}

// stop asks all servers to stop, one after the other, and fails the test where one does not end well.
func (p place) stop(t *testing.T) {
	t.Helper()
	for _, node := range p.nodes {
		if code := node.stop(); code != 0 {
			t.Errorf("a server ended with code %d after SIGTERM", code)
		}
	}
}

// start starts all servers and waits until they are ready.
func (p place) start() {
	for _, node := range p.nodes {
		node.launch()
	}
	for _, node := range p.nodes {
		node.awaitReady()
	}
}

// verify has the product check its own data.
func (p place) verify() { p.nodes[0].verify() }
