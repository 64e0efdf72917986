//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/blabber-hive/blabber-hive/test/bench/cluster"
)

// clusterSettle is for how long a cluster talks before it is measured: Kafka's machine code is made by then, and every
// room has been asked for.
const clusterSettle = 10 * time.Second

// nodes are servers over the services of a cluster.
type nodes struct {
	*cluster.Services

	binary string
	all    []*server
}

// clustered starts the services of a cluster, calls with, and ends them and the servers that were started over them.
func (b *bench) clustered(ctx context.Context, with func(n *nodes) error) error {
	services, err := cluster.Open(ctx, b.binary, b.brokers)
	if err != nil {
		return err
	}
	n := &nodes{Services: services, binary: b.binary}
	err = with(n)
	for _, s := range n.all {
		if err != nil {
			err = errors.Join(err, errOutput(s))
		}
		err = errors.Join(err, s.kill())
	}
	return errors.Join(err, services.Close())
}

// serve starts one more server.
func (n *nodes) serve(ctx context.Context, flags ...string) (*server, error) {
	s, err := launch(ctx, n.binary, n.Env(), flags...)
	if err != nil {
		return nil, err
	}
	if err := s.await(ctx, s.admin+"/readyz"); err != nil {
		return nil, err
	}
	n.all = append(n.all, s)
	return s, nil
}

// end stops a server in order.
func (n *nodes) end(s *server) error {
	n.all = slices.DeleteFunc(n.all, func(one *server) bool { return one == s })
	return s.stop()
}

// histograms reads those of all servers.
func (n *nodes) histograms(ctx context.Context) (cluster.Histograms, error) {
	all := make(cluster.Histograms)
	for _, s := range n.all {
		var page bytes.Buffer
		if err := s.fetch(ctx, "/metrics", &page); err != nil {
			return nil, err
		}
		all.Add(page.String())
	}
	return all, nil
}
