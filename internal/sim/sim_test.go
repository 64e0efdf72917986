package sim

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

var (
	seeds = flag.Int("seeds", defaultSeeds, "how many seeds to simulate")
	first = flag.Uint64("first", 1, "the first of them")
	kind  = flag.String("core", "", "alone or cluster instead of what the seed says")
	seed  = flag.Uint64("seed", 0, "simulate this one alone and tell all that happens")
)

// Promise (PROTOCOL §1): whatever is dropped, delayed, repeated, crashed and restarted, nothing that was acknowledged is
// lost, doubled or reordered, everybody sees the same, nobody sees what is not theirs, and all get to the end.
func TestSimulation(t *testing.T) {
	t.Parallel()
	lab := NewLab()
	if *seed != 0 {
		report(t, lab.Run(Kind(*kind), *seed, os.Stdout))
		return
	}
	began, failed := time.Now(), 0
	var tasks uint64
	var virtual time.Duration
	var messages, voids, resets int
	for s := *first; s < *first+uint64(*seeds) && failed < 5; s++ {
		result := lab.Run(Kind(*kind), s, nil)
		tasks, virtual = tasks+result.Tasks, virtual+result.Virtual
		messages, voids, resets = messages+result.Messages, voids+result.Voids, resets+result.Resets
		if len(result.Violations) > 0 {
			failed++
			report(t, result)
		}
	}
	spent := time.Since(began)
	t.Logf("%d seeds in %v (%.0f a minute): %d events, %v of virtual time, %d attempts, %d void numbers, %d resets",
		*seeds, spent.Round(time.Millisecond), float64(*seeds)/spent.Minutes(), tasks, virtual.Round(time.Second), messages, voids, resets)
}

func report(t *testing.T, result Result) {
	t.Helper()
	if len(result.Violations) > 0 {
		t.Errorf("seed %d (go test ./internal/sim -run TestSimulation -v -args -core=%s -seed=%d):\n%s",
			result.Seed, result.Kind, result.Seed, strings.Join(result.Violations, "\n"))
	}
}

// Promise: a seed is all that a run depends on.
func TestARunIsItsSeed(t *testing.T) {
	t.Parallel()
	one, other := NewLab(), NewLab()
	for s := range uint64(20) {
		once, again := one.Run(Either, s, nil), other.Run(Either, s, nil)
		if once.Digest != again.Digest {
			t.Errorf("seed %d gave %x and then %x", s, once.Digest, again.Digest)
		}
	}
}

// Promise (STYLE 17): a seed that once failed stays a test.
func TestSeedsThatFailedOnce(t *testing.T) {
	t.Parallel()
	file, err := os.Open("testdata/seeds")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lab := NewLab()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		word, why, _ := strings.Cut(lines.Text(), " ")
		if word == "" || word == "#" {
			continue
		}
		of, why, _ := strings.Cut(why, " ")
		s, err := strconv.ParseUint(word, 10, 64)
		if err != nil {
			t.Fatal(fmt.Errorf("testdata/seeds: %w", err))
		}
		if result := lab.Run(Kind(of), s, nil); len(result.Violations) > 0 {
			t.Errorf("seed %d (%s), which once caught: %s", s, of, why)
			report(t, result)
		}
	}
}
