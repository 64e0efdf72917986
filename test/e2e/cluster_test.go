package e2e_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/porttest/services"
	"github.com/blabber-hive/blabber-hive/internal/run"
)

// cluster is three servers over one PostgreSQL, one Redis and a Kafka of three brokers, with nginx before them.
type cluster struct {
	folder   *services.Folder
	postgres *services.Instance
	redis    *services.Instance
	kafka    *services.KafkaCluster
	nginx    *services.Instance
	model    *services.Instance // the model server
	way      *wayToModel        // on which the nodes ask it
	nodes    []*installation
	front    string // nginx's host:port
	crowds   int
}

const clusterNodes = 3

// shared is the cluster that tests borrow one after the other: starting it takes longer than most of them. TestMain ends it.
var shared *cluster

// borrow gives a test the cluster, whole and all nodes ready. A test that fails on it leaves none behind for the next.
func borrow(t *testing.T) *cluster {
	t.Helper()
	if shared == nil {
		shared = startCluster(t)
	}
	c := shared
	for _, node := range c.nodes {
		node.t = t
		if node.process == nil {
			node.launch()
		}
	}
	for _, node := range c.nodes {
		node.awaitReady()
	}
	t.Cleanup(func() {
		for _, node := range c.nodes {
			node.readLog()
		}
		if t.Failed() {
			said, _ := os.ReadFile(c.nginx.Log) // what cannot be read is not there to be shown
			t.Logf("nginx's log:\n%s", tail(string(said)))
			if err := endShared(); err != nil {
				t.Error(err)
			}
		}
	})
	return c
}

// endShared takes the cluster down, if there is one.
func endShared() error {
	c := shared
	shared = nil
	if c == nil {
		return nil
	}
	for _, node := range c.nodes {
		node.kill()
	}
	c.way.close()
	return c.folder.Close()
}

// startCluster starts all of it.
func startCluster(t *testing.T) *cluster {
	t.Helper()
	ctx := t.Context()
	folder, err := services.Open()
	if err != nil {
		t.Fatal(err)
	}
	c := &cluster{folder: folder}
	started := false
	defer func() {
		if !started {
			for _, node := range c.nodes {
				node.kill()
			}
			c.way.close()
			must(t, folder.Close())
		}
	}()
	starting := run.NewGroup(ctx)
	starting.Go("PostgreSQL", func(ctx context.Context) (err error) {
		c.postgres, err = folder.StartPostgres(ctx, nil)
		return err
	})
	starting.Go("Redis", func(ctx context.Context) (err error) {
		c.redis, err = folder.StartRedis(ctx, nil)
		return err
	})
	starting.Go("Kafka", func(ctx context.Context) (err error) {
		c.kafka, err = folder.StartKafka(ctx, 3, nil)
		return err
	})
	starting.Go("model server", func(ctx context.Context) (err error) {
		c.model, err = folder.StartSentiment(ctx)
		return err
	})
	must(t, starting.Wait())
	if c.way, err = newWayToModel(c.model.URL); err != nil {
		t.Fatal(err)
	}
	for n := range clusterNodes {
		node := newInstallation(t, filepath.Join(folder.Path(), fmt.Sprintf("node-%d", n)), "--rate-limits", "off", "--drain-spread", "1s")
		node.env = []string{
			"DATABASE_URL=" + c.postgres.URL, "REDIS_URL=" + c.redis.URL, "KAFKA_BROKER_URL=" + c.kafka.URL, "TRUSTED_PROXIES=127.0.0.1",
			"SENTIMENT_URL=" + c.way.url(),
		}
		c.nodes = append(c.nodes, node)
	}
	if out, code := c.nodes[0].command("", "migrate"); code != 0 {
		t.Fatalf("migrate ended with code %d: %s", code, out)
	}
	for _, node := range c.nodes {
		node.launch()
	}
	for _, node := range c.nodes {
		node.awaitReady()
	}
	c.nginx, err = folder.StartNginx(ctx, func(listen, dir string) string { return balance(c.nodes).config(t, listen, dir) })
	must(t, err)
	c.front = strings.TrimPrefix(c.nginx.URL, "http://")
	started = true
	return c
}

// balance is compose's nginx before nodes, which are known by their addresses here. It does not remember which was dead
// (max_fails): a WebSocket is a success to it only when it has ended, so that a node that is back would be given one new
// connection in a second, and after two or three deaths nobody would be let in.
func balance(nodes []*installation) front {
	upstreams := "upstream nodes {\n  random;\n"
	for _, node := range nodes {
		upstreams += fmt.Sprintf("  server %s max_fails=0;\n", node.addr)
	}
	return front{chat: "nodes", upstreams: upstreams + "}\n", unlimited: "127.0.0.0/8 1;"}
}

// door is the load balancer's, with names that nobody had before.
func (c *cluster) door() door {
	c.crowds++
	return door{addr: c.front, who: fmt.Sprintf("c%d-", c.crowds)}
}

// signal sends a signal to a node's process.
func (i *installation) signal(signal syscall.Signal) {
	i.t.Helper()
	if err := i.process.Process.Signal(signal); err != nil {
		i.t.Fatal(err)
	}
}

// busiest is the node that owns the most partitions.
func (c *cluster) busiest(ctx context.Context) *installation {
	most, busiest := -1, c.nodes[0]
	for _, node := range c.nodes {
		_, metrics := node.ask(ctx, "/metrics")
		if owned := strings.Count(metrics, "\nblabber_sequencer_store_lag_records{"); owned > most {
			most, busiest = owned, node
		}
	}
	return busiest
}

// Promise (DESIGN, what happens when something dies): whatever dies under load, no message that was acknowledged is lost,
// none is there twice, numbers have no hole, every client on every node saw the same, and live delivery is soon back.
//
//nolint:paralleltest // it needs the machine for itself
func TestClusterSurvives(t *testing.T) {
	c := borrow(t)
	ctx := t.Context()
	for _, row := range []struct {
		what  string
		fault func(t *testing.T) // returns when what died is there again
	}{
		{"nothing", func(*testing.T) {}},
		{"kill -9 of PostgreSQL", func(t *testing.T) {
			c.postgres.Kill()
			pause(t, 3*time.Second)
			must(t, c.postgres.Start(ctx))
		}},
		{"kill -9 of Redis", func(t *testing.T) {
			c.redis.Kill()
			pause(t, 3*time.Second)
			must(t, c.redis.Start(ctx))
		}},
		{"kill -9 of one Kafka broker of three", func(t *testing.T) {
			c.kafka.Brokers[0].Kill()
			pause(t, 5*time.Second)
			must(t, c.kafka.Brokers[0].Start(ctx))
		}},
		{"kill -9 of the whole of Kafka", func(t *testing.T) {
			c.kafka.Kill()
			pause(t, 2*time.Second)
			must(t, c.kafka.Start(ctx))
		}},
		{"kill -9 of the node that owns the most", func(*testing.T) {
			node := c.busiest(ctx)
			node.kill()
			node.start()
		}},
		{"a zombie that wakes up after 20 s", func(t *testing.T) {
			node := c.busiest(ctx)
			node.signal(syscall.SIGSTOP)
			pause(t, 20*time.Second)
			node.signal(syscall.SIGCONT)
		}},
		{"a rolling restart of all nodes", func(t *testing.T) {
			for _, node := range c.nodes {
				if code := node.stop(); code != 0 {
					t.Errorf("a node ended with code %d after SIGTERM", code)
				}
				node.start()
			}
		}},
	} {
		t.Run(row.what, func(t *testing.T) {
			crowd := gather(t, c.door(), 12, 6, 3)
			probe := startProbe(t, crowd)
			crowd.talk()
			pause(t, 2*time.Second)
			began := time.Now()
			row.fault(t)
			took := time.Since(began)
			pause(t, 4*time.Second)
			crowd.hush()
			gap := probe.stop()
			crowd.judge()
			acked, attempts := crowd.record.Acked()
			t.Logf("%v until it was there again; the longest that nobody heard anything: %v; %d messages acknowledged, %d handed over; %+v",
				took.Round(time.Millisecond), gap.Round(time.Millisecond), acked, attempts, crowd.all())
			c.nodes[0].verify()
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Promise: a minute of all faults at random, from a seed, and the same holds; ten minutes in make torture.
//
//nolint:paralleltest // it needs the machine for itself
func TestTorture(t *testing.T) {
	c := borrow(t)
	ctx := t.Context()
	luck := rand.New(rand.NewPCG(*tortureSeed, 1))
	crowd := gather(t, c.door(), 20, 8, 4)
	crowd.talk()
	t.Logf("faults for %v from seed %d", *torture, *tortureSeed)
	for until := time.Now().Add(*torture); time.Now().Before(until) && !t.Failed(); {
		pause(t, time.Duration(500+luck.IntN(2000))*time.Millisecond)
		node := c.nodes[luck.IntN(len(c.nodes))]
		away := time.Duration(200+luck.IntN(3000)) * time.Millisecond
		fault := luck.IntN(6)
		t.Logf("fault %d for %v", fault, away)
		switch fault {
		case 0:
			c.postgres.Kill()
			pause(t, away)
			must(t, c.postgres.Start(ctx))
		case 1:
			c.redis.Kill()
			pause(t, away)
			must(t, c.redis.Start(ctx))
		case 2:
			broker := c.kafka.Brokers[luck.IntN(3)]
			broker.Kill()
			pause(t, away)
			must(t, broker.Start(ctx))
		case 3:
			node.kill()
			pause(t, away)
			node.start()
		case 4:
			node.signal(syscall.SIGSTOP)
			pause(t, away)
			node.signal(syscall.SIGCONT)
		case 5:
			if code := node.stop(); code != 0 {
				t.Errorf("a node ended with code %d after SIGTERM", code)
			}
			node.start()
		}
	}
	pause(t, 5*time.Second)
	crowd.hush()
	crowd.judge()
	acked, attempts := crowd.record.Acked()
	t.Logf("%d messages acknowledged, %d handed over; %+v", acked, attempts, crowd.all())
	c.nodes[0].verify()
}
