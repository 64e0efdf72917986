package e2e_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/rueidis"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/blabber-hive/blabber-hive/internal/run"
)

// scenarios are those of the browser's tests that need no server with settings of its own.
var scenarios = flag.String("scenarios", "conversation.test.mjs", "files of web/e2e to run on the cluster, with commas between")

// controlVariable names, for web/e2e/support/server.mjs, who starts and kills what its pages talk to.
const controlVariable = "BLABBER_HIVE_CONTROL"

// Promise: people who talk and lose their server see the same in a browser whether it is one server or a cluster.
//
//nolint:paralleltest // it needs the machine for itself
func TestBrowserOnCluster(t *testing.T) {
	if _, err := os.Stat("../../web/node_modules"); err != nil {
		t.Fatal("the browser's side is not installed: make test-e2e does that")
	}
	c := borrow(t)
	orders := make(chan order)
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: control(orders)}
	group := run.NewGroup(t.Context())
	group.Go("take orders", func(context.Context) error { return server.Serve(listener) })
	t.Cleanup(func() {
		_ = server.Close()
		_ = group.Wait() // it ends as it was told
	})

	command := exec.CommandContext(t.Context(), "../../scripts/browser.sh", strings.Split(*scenarios, ",")...)
	command.Env = append(os.Environ(), controlVariable+"=http://"+listener.Addr().String())
	ended := make(chan struct{})
	var out []byte
	group.Go("browse", func(context.Context) error {
		defer close(ended)
		out, err = command.CombinedOutput()
		return nil
	})
	for {
		select {
		case o := <-orders:
			o.done <- c.carryOut(t, o)
		case <-ended:
			t.Logf("%s", out)
			if err != nil {
				t.Error(err)
			}
			return
		}
	}
}

// order is what a scenario wants to happen to the servers, and done takes what came of it.
type order struct {
	what string
	args []string
	done chan string
}

// control takes orders over HTTP: POST /what with a JSON list of arguments.
func control(orders chan<- order) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o := order{what: strings.TrimPrefix(r.URL.Path, "/"), done: make(chan string, 1)}
		if err := json.NewDecoder(r.Body).Decode(&o.args); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		select {
		case orders <- o:
		case <-r.Context().Done():
			return
		}
		select {
		case answer := <-o.done:
			_, _ = fmt.Fprint(w, answer) // who has gone does not need it
		case <-r.Context().Done():
		}
	})
}

func (c *cluster) carryOut(t *testing.T, o order) string {
	t.Helper()
	all := place{c.door(), c.nodes}
	switch o.what {
	case "start":
		c.empty(t)
		return all.url()
	case "kill":
		all.kill()
	case "run":
		all.start()
	case "command":
		out, code := c.nodes[0].command("", o.args...)
		if code != 0 {
			t.Errorf("%v ended with code %d: %s", o.args, code, out)
		}
		return out
	case "log":
		var logs strings.Builder
		for _, node := range c.nodes {
			logs.WriteString(tail(node.log.String()))
		}
		return logs.String()
	default:
		t.Errorf("a scenario orders %q, which nobody knows", o.what)
	}
	return ""
}

// empty makes the cluster as if nobody had ever been there.
func (c *cluster) empty(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	all := place{nodes: c.nodes}
	all.kill()

	database, err := pgx.Connect(ctx, c.postgres.URL)
	must(t, err)
	_, err = database.Exec(ctx, "drop schema public cascade; create schema public")
	must(t, err)
	must(t, database.Close(ctx))

	option, err := rueidis.ParseURL(c.redis.URL)
	must(t, err)
	redis, err := rueidis.NewClient(option)
	must(t, err)
	must(t, redis.Do(ctx, redis.B().Flushall().Build()).Error())
	redis.Close()

	kafka, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(c.kafka.URL, ",")...))
	must(t, err)
	defer kafka.Close()
	admin := kadm.NewClient(kafka)
	topics, err := admin.ListTopics(ctx)
	must(t, err)
	_, err = admin.DeleteTopics(ctx, topics.Names()...)
	must(t, err)
	// Kafka forgets a topic a little later than it says so.
	must(t, run.Retry(ctx, run.Backoff{First: 20 * time.Millisecond, Max: 200 * time.Millisecond}, func(context.Context) error {
		if out, code := c.nodes[0].command("", "migrate"); code != 0 {
			return fmt.Errorf("migrate ended with code %d: %s", code, out)
		}
		return nil
	}))
	all.start()
}
