package message_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/message"
)

// Promise: each message that somebody sends is counted once, by what became of it, and those that were taken with the time
// it took; who went away in the middle counts for nothing.
func TestSendsAreCounted(t *testing.T) {
	t.Parallel()
	w := setup(t)
	room := chat.RoomID(uuid.New())
	who := w.member(room, chat.Plain)
	request := func() message.Request { return message.Request{Room: room, ID: w.id(), Body: "hello"} }
	settled := func(after time.Duration, receipt chat.Receipt, err error) {
		w.settle = func(*chat.Record) (chat.Receipt, error) {
			w.now = w.now.Add(after)
			return receipt, err
		}
		_, _ = w.send(t, who, request()) // what becomes of it is for other tests
	}
	settled(100*time.Millisecond, chat.Receipt{Seq: 1}, nil)
	settled(time.Millisecond, chat.Receipt{Seq: 1, Repeat: true}, nil)
	settled(time.Millisecond, chat.Receipt{}, chat.Away("the log", nil))
	_, _ = w.send(t, someone(), request())
	w.away = errGone
	_, _ = w.send(t, someone(), request())
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_ = w.Send(gone, someone(), request(), func(chat.Receipt, error) { t.Error("settled") })

	if err := testutil.GatherAndCompare(w.registry, strings.NewReader(`
# HELP blabber_message_sends_total Messages sent, by what became of them: acked, repeated (acked before), refused (the sender may not, or asks for what cannot be), failed (sent again by its sender).
# TYPE blabber_message_sends_total counter
blabber_message_sends_total{outcome="acked"} 1
blabber_message_sends_total{outcome="failed"} 2
blabber_message_sends_total{outcome="refused"} 1
blabber_message_sends_total{outcome="repeated"} 1
`), "blabber_message_sends_total"); err != nil {
		t.Error(err)
	}
	families, err := w.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == "blabber_message_ack_seconds" {
			if h := family.GetMetric()[0].GetHistogram(); h.GetSampleCount() != 1 || h.GetSampleSum() != 0.1 {
				t.Errorf("%d acknowledgements took %v s, want one of 0.1 s", h.GetSampleCount(), h.GetSampleSum())
			}
		}
	}
}
