package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// stopped is a store whose writer is held up by a change, and what it commits.
type stopped struct {
	*Engine
	release func()
	commits func() []CommitStats // of which the first is the change's that held it up
}

func setupStopped(t *testing.T) stopped {
	t.Helper()
	var mu sync.Mutex
	var commits []CommitStats
	s := setup(t, Options{OnCommit: func(stats CommitStats) {
		mu.Lock()
		defer mu.Unlock()
		commits = append(commits, stats)
	}})
	entered, release, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
	var holder sync.WaitGroup
	holder.Go(func() {
		defer close(ended)
		if err := s.Write(context.WithoutCancel(t.Context()), func(*Conn) error {
			close(entered)
			<-release
			return nil
		}); err != nil {
			t.Errorf("the change that holds the writer up: %v", err)
		}
	})
	<-entered
	once := sync.OnceFunc(func() { close(release); <-ended })
	t.Cleanup(func() { once(); holder.Wait() })
	return stopped{Engine: s, release: once, commits: func() []CommitStats {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(commits)
	}}
}

// enqueue leaves a change with the writer, as do does.
func (s stopped) enqueue(change func(c *Conn) error) *job {
	j := &job{change: change, done: make(chan error, 1)}
	s.writer.queue <- j
	return j
}

// Promise: what waits together is committed together, and of it what fails takes back only itself.
func TestGroupCommit(t *testing.T) {
	t.Parallel()
	s := setupStopped(t)
	const writers = 60
	refused := errors.New("every sixth is refused")
	jobs := make([]*job, writers)
	for n := range jobs {
		jobs[n] = s.enqueue(func(c *Conn) error {
			if _, err := c.Exec(`insert into keys (name, value) values (?, x'00')`, fmt.Sprintf("key %02d", n)); err != nil {
				return err
			}
			switch n % 6 {
			case 0:
				return refused
			case 3:
				_, err := c.Exec(`insert into keys (name, value) values ('key 01', null)`) // the statement fails
				return err
			}
			return nil
		})
	}
	s.release()
	for n, j := range jobs {
		err := <-j.done
		switch {
		case n%6 == 0 && !errors.Is(err, refused), n%6 == 3 && err == nil, n%3 != 0 && err != nil:
			t.Errorf("writer %d: %v", n, err)
		}
	}
	// The observer is told after the callers; the next commit is told of after this one.
	if err := s.Write(t.Context(), func(*Conn) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if commits := s.commits(); len(commits) < 2 || commits[1].Changes != writers || commits[1].Err != nil {
		t.Errorf("commits %+v, want one of %d changes after the first", commits, writers)
	}
	var kept int
	if err := s.Read(t.Context(), func(c *Conn) error { return c.Row(`select count(*) from keys`, nil, &kept) }); err != nil || kept != writers*2/3 {
		t.Errorf("%d keys, %v, want %d", kept, err, writers*2/3)
	}
}

// Promise: who stops waiting is answered at once, and a change that has not begun then never begins.
func TestAbandonedChange(t *testing.T) {
	t.Parallel()
	s := setupStopped(t)
	began := false
	late, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	err := s.Write(late, func(*Conn) error { began = true; return nil })
	if chat.CodeOf(err) != chat.Unavailable || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("write past its deadline = %v, want unavailable", err)
	}
	s.release()
	if err := s.Write(t.Context(), func(*Conn) error { return nil }); err != nil {
		t.Errorf("write = %v", err)
	}
	if began {
		t.Error("a change began after its caller had gone")
	}
}

// Promise: the queue is bounded; who finds it full waits as long as the context allows.
func TestFullQueue(t *testing.T) {
	t.Parallel()
	s := setupStopped(t)
	for range queueMax {
		s.enqueue(func(*Conn) error { return nil })
	}
	if s.Waiting() != queueMax {
		t.Errorf("%d changes wait, want %d", s.Waiting(), queueMax)
	}
	late, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := s.Write(late, func(*Conn) error { return nil }); chat.CodeOf(err) != chat.Unavailable {
		t.Errorf("write into a full queue = %v, want unavailable", err)
	}
}

// Promise: closing refuses what waits, with nothing lost, and every caller is answered.
func TestCloseAnswersEverybody(t *testing.T) {
	t.Parallel()
	s := setupStopped(t)
	jobs := make([]*job, 20)
	for n := range jobs {
		jobs[n] = s.enqueue(func(*Conn) error { return nil })
	}
	var all sync.WaitGroup
	all.Go(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
	})
	<-s.group.Context().Done()
	s.release()
	for _, j := range jobs {
		if err := <-j.done; err != nil && chat.CodeOf(err) != chat.Unavailable {
			t.Errorf("change = %v, want nil or unavailable", err)
		}
	}
	all.Wait()
	for name, err := range map[string]error{
		"Write":    s.Write(t.Context(), func(*Conn) error { return nil }),
		"Read":     s.Read(t.Context(), func(*Conn) error { return nil }),
		"ReadLong": s.ReadLong(t.Context(), func(*Conn) error { return nil }),
	} {
		if chat.CodeOf(err) != chat.Unavailable {
			t.Errorf("%s after Close = %v, want unavailable", name, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Errorf("Close twice = %v", err)
	}
}

// Promise: readers are bounded and a caller waits for one only as long as the context allows.
func TestReadersAreBounded(t *testing.T) {
	t.Parallel()
	s := setup(t, Options{})
	release := make(chan struct{})
	var entered, all sync.WaitGroup
	entered.Add(ReadersMax)
	for range ReadersMax {
		all.Go(func() {
			if err := s.Read(t.Context(), func(*Conn) error { entered.Done(); <-release; return nil }); err != nil {
				t.Errorf("read: %v", err)
			}
		})
	}
	entered.Wait()
	late, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := s.Read(late, func(*Conn) error { return nil }); chat.CodeOf(err) != chat.Unavailable {
		t.Errorf("Read = %v, want unavailable", err)
	}
	close(release)
	all.Wait()
	if err := s.Read(t.Context(), func(c *Conn) error { _, err := c.Exec(`delete from keys`); return err }); err == nil {
		t.Error("a reader wrote")
	}
}
