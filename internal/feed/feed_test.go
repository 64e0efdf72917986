package feed_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/feed"
)

func item(seq chat.Seq, bytes int) feed.Item {
	return feed.Item{Envelope: chat.Envelope{Seq: seq, Body: []byte("x")}, Frame: make([]byte, bytes)}
}

// history is a room as the store has it: numbers up to head, of which some are void.
type history struct {
	head  chat.Seq
	voids map[chat.Seq]bool
}

func (h *history) page(after chat.Seq, limit int) (items []feed.Item, through chat.Seq) {
	for seq := after + 1; seq <= h.head; seq++ {
		if h.voids[seq] {
			continue
		}
		if len(items) == limit {
			return items, items[limit-1].Seq
		}
		items = append(items, item(seq, 10))
	}
	return items, max(after, h.head)
}

func (h *history) between(after, through chat.Seq) (seqs []chat.Seq) {
	for seq := after + 1; seq <= through; seq++ {
		if !h.voids[seq] {
			seqs = append(seqs, seq)
		}
	}
	return seqs
}

// machine is a feed with listeners, a store, and a bus that does what it likes.
type machine struct {
	history
	feed      *feed.Feed
	repairing bool
	listeners []*listener
}

type listener struct {
	from chat.Seq
	got  []chat.Seq
}

func (m *machine) pass(items ...feed.Item) {
	for _, l := range m.listeners {
		for i := range items {
			l.got = append(l.got, items[i].Seq)
		}
	}
}

func (m *machine) obey(t *rapid.T, verdict feed.Verdict, item feed.Item) {
	switch verdict {
	case feed.Pass:
		m.pass(item)
	case feed.Repair:
		if m.repairing {
			t.Fatalf("a repair is asked for while one is under way")
		}
		m.repairing = true
	case feed.Ignore:
	}
}

func (m *machine) repair(t *rapid.T, limit int) {
	if !m.repairing {
		return
	}
	items, through := m.page(m.feed.Last(), limit)
	pass, again := m.feed.Repaired(items, through)
	m.pass(pass...)
	m.repairing = again
	if m.feed.Last() < through {
		t.Fatalf("after a page through %d the feed is at %d", through, m.feed.Last())
	}
}

// join brings a listener in as a gateway does, and answers whether it was reset.
func (m *machine) join(t *rapid.T, position chat.Seq) {
	l := &listener{from: position}
	for range 1000 {
		plan, items := m.feed.Resume(position)
		switch plan {
		case feed.Live, feed.FromTail:
			for i := range items {
				l.got = append(l.got, items[i].Seq)
			}
			m.listeners = append(m.listeners, l)
			return
		case feed.Fetch:
			page, through := m.page(position, rapid.IntRange(1, 50).Draw(t, "page"))
			for i := range page {
				l.got = append(l.got, page[i].Seq)
			}
			position = through
		case feed.Ahead:
			if position > m.head {
				return // it claims what never was
			}
			m.obey(t, m.feed.Head(m.head), feed.Item{})
			m.repair(t, 50)
		case feed.Reset:
			if m.feed.Last()-position <= chat.ResumeMax {
				t.Fatalf("at %d of %d it was reset", position, m.feed.Last())
			}
			return
		}
	}
	t.Fatalf("a listener at %d never came to the live end %d", position, m.feed.Last())
}

// Promise (package feed): whatever the bus drops, repeats and reorders, whatever is void and however often a repair fails,
// each listener gets every event after its position, once, in order.
func TestListenersGetEveryEventOnceInOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		head := chat.Seq(rapid.IntRange(0, 30).Draw(t, "head"))
		m := &machine{history: history{head: head, voids: make(map[chat.Seq]bool)}, feed: feed.New(head)}
		for range rapid.IntRange(1, 120).Draw(t, "steps") {
			switch rapid.IntRange(0, 9).Draw(t, "step") {
			case 0, 1, 2, 3:
				m.head++
				m.voids[m.head] = rapid.IntRange(0, 9).Draw(t, "void") == 0
				if !m.voids[m.head] && rapid.IntRange(0, 3).Draw(t, "lost") > 0 {
					m.obey(t, m.feed.Offer(item(m.head, 10)), item(m.head, 10))
				}
			case 4: // an old or a late one
				if m.head > 0 {
					seq := chat.Seq(rapid.Uint64Range(1, uint64(m.head)).Draw(t, "again"))
					if !m.voids[seq] {
						m.obey(t, m.feed.Offer(item(seq, 10)), item(seq, 10))
					}
				}
			case 5:
				m.obey(t, m.feed.Head(m.head), feed.Item{})
			case 6:
				m.repair(t, rapid.IntRange(1, 20).Draw(t, "limit"))
			case 7:
				if m.repairing {
					m.feed.GiveUp()
					m.repairing = false
				}
			case 8:
				m.join(t, chat.Seq(rapid.Uint64Range(0, uint64(m.head)+2).Draw(t, "position")))
			case 9:
				m.feed.Forget()
			}
		}
		m.obey(t, m.feed.Head(m.head), feed.Item{})
		for m.repairing {
			m.repair(t, 7)
		}
		if m.feed.Last() != m.head {
			t.Fatalf("the feed ends at %d of %d", m.feed.Last(), m.head)
		}
		for _, l := range m.listeners {
			if want := m.between(l.from, m.head); !slices.Equal(l.got, want) {
				t.Fatalf("from %d it got %v, want %v", l.from, l.got, want)
			}
		}
	})
}

// Promise: what a feed keeps is bounded in number and in bytes, and what it does not keep is fetched.
func TestTailIsBounded(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		events, bytes int
		from          chat.Seq // the lowest position that resumes from the tail
	}{
		"few small events are all kept":    {50, 100, 0},
		"the newest 200 are kept":          {500, 100, 300},
		"the newest 128 KiB are kept":      {100, 4 << 10, 68},
		"an event larger than all is none": {3, 200 << 10, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := feed.New(0)
			for seq := range tc.events {
				if verdict := f.Offer(item(chat.Seq(seq+1), tc.bytes)); verdict != feed.Pass {
					t.Fatalf("event %d: verdict %d", seq+1, verdict)
				}
			}
			for position := chat.Seq(0); position < f.Last(); position++ {
				plan, items := f.Resume(position)
				if want := feed.Fetch; position < tc.from && plan != want {
					t.Fatalf("at %d: plan %d, want %d", position, plan, want)
				}
				if position >= tc.from && (plan != feed.FromTail || items[0].Seq != position+1 || len(items) != int(f.Last()-position)) {
					t.Fatalf("at %d: plan %d with %d items", position, plan, len(items))
				}
			}
		})
	}
}

// Promise (PROTOCOL §3): over 1,000 missing numbers are a reset, 1,000 are not.
func TestResetBeyondTheBound(t *testing.T) {
	t.Parallel()
	f := feed.New(5000)
	for position, want := range map[chat.Seq]feed.Plan{
		0: feed.Reset, 3999: feed.Reset, 4000: feed.Fetch, 4999: feed.Fetch, 5000: feed.Live, 5001: feed.Ahead, 1 << 63: feed.Ahead,
	} {
		if got, _ := f.Resume(position); got != want {
			t.Errorf("at %d of 5000: plan %d, want %d", position, got, want)
		}
	}
}

// Promise: events and their bodies are not kept beside their frames.
func TestBodiesAreNotKept(t *testing.T) {
	t.Parallel()
	f := feed.New(0)
	whole := item(1, 10)
	whole.Event = &chat.Event{Seq: 1}
	f.Offer(whole)
	if _, items := f.Resume(0); len(items) != 1 || items[0].Body != nil || items[0].Event != nil {
		t.Errorf("the tail has %+v", items)
	}
}

func BenchmarkPass(b *testing.B) {
	f := feed.New(0)
	next := item(0, 600)
	b.ReportAllocs()
	for b.Loop() {
		next.Seq++
		if f.Offer(next) != feed.Pass {
			b.Fatal("not passed")
		}
	}
}
