package kafka_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/blabber-hive/blabber-hive/internal/adapter/kafka"
	"github.com/blabber-hive/blabber-hive/internal/wire"
)

// memberVariable makes the test binary a member of the group instead: one that can be killed and frozen.
const memberVariable = "BLABBER_TEST_MEMBER"

// memberOrder says what the member is to do.
type memberOrder struct{ URL, Topic, DeadLetterTopic, Group string }

// beMember owns partitions until its standard input ends, and says on its standard output what it begins and ends.
func beMember() int {
	var order memberOrder
	if err := json.Unmarshal([]byte(os.Getenv(memberVariable)), &order); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	log, err := kafka.Open(context.Background(), kafka.Options{
		Brokers: strings.Split(order.URL, ","), Topic: order.Topic, DeadLetterTopic: order.DeadLetterTopic, Group: order.Group,
		Encode: wire.EncodeRecord, Decode: wire.DecodeRecord,
		Registry: prometheus.NewRegistry(), Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	err = log.Own(ctx, func(ctx context.Context, partition int) error {
		fmt.Println("begin", partition)
		<-ctx.Done()
		fmt.Println("end", partition)
		return nil
	})
	if err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	_ = log.Stop()
	return 0
}

// news is that a member has begun or ended the work of a partition.
type news struct {
	who       string
	begins    bool
	partition int
	at        time.Time
}

// member is such a process.
type member struct {
	cmd   *exec.Cmd
	leave io.Closer
}

// startMember runs a member that tells its news to all.
func startMember(t *testing.T, name string, o kafka.Options, all chan<- news) *member {
	t.Helper()
	order, err := json.Marshal(memberOrder{strings.Join(o.Brokers, ","), o.Topic, o.DeadLetterTopic, o.Group})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(cmd.Environ(), memberVariable+"="+string(order))
	cmd.Stderr = t.Output()
	leave, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var telling sync.WaitGroup
	telling.Go(func() {
		for lines := bufio.NewScanner(output); lines.Scan(); {
			one := news{who: name, at: time.Now()}
			var word string
			if _, err := fmt.Sscan(lines.Text(), &word, &one.partition); err != nil {
				t.Errorf("%s says %q", name, lines.Text())
			}
			one.begins = word == "begin"
			all <- one
		}
	})
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGCONT)
		_ = leave.Close()
		telling.Wait()
		_ = cmd.Wait() // a killed one fails, as it should
	})
	return &member{cmd, leave}
}

// owners follows the news until each of so many partitions is owned by one of the wanted members.
func owners(t *testing.T, all <-chan news, partitions int, owned map[int]string, wanted ...string) {
	t.Helper()
	deadline := time.After(time.Minute)
	for {
		right := 0
		used := make(map[string]bool)
		for _, who := range owned {
			for _, name := range wanted {
				if who == name {
					right++
					used[who] = true
				}
			}
		}
		if right == partitions && len(used) == len(wanted) {
			return
		}
		select {
		case one := <-all:
			t.Logf("%s: %s begins=%v %d", one.at.Format("05.000"), one.who, one.begins, one.partition)
			switch {
			case one.begins:
				owned[one.partition] = one.who
			case owned[one.partition] == one.who:
				delete(owned, one.partition)
			}
		case <-deadline:
			t.Fatalf("after a minute the owners are %v, not all of %v", owned, wanted)
		}
	}
}

// Promise: a member that is told to stop hands over at once, one that is killed or frozen is replaced after its session,
// and one that wakes up again lets go of what is no longer its own.
func TestPartitionsMove(t *testing.T) {
	t.Parallel()
	const partitions = 4
	o := options(t, partitions)
	if err := kafka.Migrate(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	all := make(chan news, 1000)
	owned := make(map[int]string)
	a := startMember(t, "a", o, all)
	owners(t, all, partitions, owned, "a")
	b := startMember(t, "b", o, all)
	owners(t, all, partitions, owned, "a", "b")

	began := time.Now()
	_ = a.leave.Close()
	owners(t, all, partitions, owned, "b")
	t.Logf("handed over in %v (expected: under 1 s)", time.Since(began))

	startMember(t, "c", o, all)
	owners(t, all, partitions, owned, "b", "c")
	began = time.Now()
	if err := b.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	owners(t, all, partitions, owned, "c")
	t.Logf("the frozen owner was replaced in %v (expected: under 8 s)", time.Since(began))

	if err := b.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	owners(t, all, partitions, owned, "b", "c") // b lets go of all, and is given its share anew
	began = time.Now()
	if err := b.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	owners(t, all, partitions, owned, "c")
	t.Logf("the killed owner was replaced in %v (expected: under 8 s)", time.Since(began))
}
