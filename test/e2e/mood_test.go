package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/run"
	"github.com/blabber-hive/blabber-hive/test/e2e/client"
)

// wayToModel stands between servers and the model server, and does what a test tells it.
type wayToModel struct {
	state  atomic.Int32
	asked  atomic.Int64
	server *httptest.Server
}

// What may happen on the way.
const (
	wayOpen int32 = iota
	wayClosed
	waySlow    // each answer takes three seconds
	wayGarbage // answers are no JSON
	wayFailing // answers are 500
	wayCut     // the question arrives, and the connection is cut before the answer
)

func newWayToModel(model string) (*wayToModel, error) {
	target, err := url.Parse(model)
	if err != nil {
		return nil, err
	}
	w := &wayToModel{}
	through := httputil.NewSingleHostReverseProxy(target)
	through.ErrorHandler = func(rw http.ResponseWriter, _ *http.Request, _ error) { rw.WriteHeader(http.StatusBadGateway) }
	w.server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.asked.Add(1)
		switch w.state.Load() {
		case wayClosed:
			rw.WriteHeader(http.StatusServiceUnavailable)
			return
		case waySlow:
			if run.Pause(r.Context(), 3*time.Second) != nil {
				return
			}
		case wayGarbage:
			fmt.Fprint(rw, `<html>{"results":[{"label":"positive","score":`)
			return
		case wayFailing:
			rw.WriteHeader(http.StatusInternalServerError)
			return
		case wayCut:
			through.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		}
		through.ServeHTTP(rw, r)
	}))
	return w, nil
}

func (w *wayToModel) url() string { return w.server.URL }

func (w *wayToModel) set(state int32) { w.state.Store(state) }

// close ends it; there may be none.
func (w *wayToModel) close() {
	if w != nil {
		w.server.CloseClientConnections()
		w.server.Close()
	}
}

// pace lets everybody in a crowd send so many messages a second, until hush, and notes what each ack took.
func (c *crowd) pace(perSecond float64) *acks {
	taken := &acks{took: make([][]time.Duration, len(c.devices))}
	c.sending = run.NewGroup(context.Background())
	for n, device := range c.devices {
		rooms := device.Rooms()
		k := 0
		c.sending.Go("send at a pace", func(ctx context.Context) error {
			return run.Every(ctx, time.Duration(float64(time.Second)/perSecond), func(ctx context.Context) error {
				k++
				began := time.Now()
				if device.Send(ctx, rooms[k%len(rooms)], fmt.Sprintf("%s %d of %d, this is good news", secretMark, k, n)) == nil {
					taken.took[n] = append(taken.took[n], time.Since(began))
				}
				return nil
			})
		})
	}
	return taken
}

// acks are what acknowledgements took, by device. They may be read when all is hushed.
type acks struct{ took [][]time.Duration }

func (a *acks) String() string {
	all := slices.Sorted(slices.Values(slices.Concat(a.took...)))
	if len(all) == 0 {
		return "nothing was acknowledged"
	}
	at := func(part float64) time.Duration {
		return all[int(part*float64(len(all)-1))].Round(100 * time.Microsecond)
	}
	return fmt.Sprintf("%d acks, p50 %v, p99 %v, longest %v", len(all), at(0.5), at(0.99), at(1))
}

// Promise (DESIGN, what happens when something dies): whatever becomes of the model server, chat goes on as it was, and
// afterwards every message has its mood, once.
//
//nolint:paralleltest // it needs the machine for itself
func TestMoodsSurvive(t *testing.T) {
	c := borrow(t)
	ctx := t.Context()
	passing := func(state int32) func(*testing.T) {
		return func(t *testing.T) {
			c.way.set(state)
			pause(t, 8*time.Second)
			c.way.set(wayOpen)
		}
	}
	for _, row := range []struct {
		what  string
		fault func(t *testing.T) // returns when the model server can be asked again
	}{
		{"nothing", passing(wayOpen)},
		{"kill -9 in mid-batch", func(t *testing.T) {
			for range 3 {
				// A question is under way when it is killed.
				asked := c.way.asked.Load()
				c.way.set(waySlow)
				must(t, run.Retry(ctx, run.Backoff{Max: 10 * time.Millisecond}, func(context.Context) error {
					if c.way.asked.Load() == asked {
						return errors.New("nobody asks")
					}
					return nil
				}))
				c.way.set(wayOpen)
				c.model.Kill()
				pause(t, time.Second)
				must(t, c.model.Start(ctx))
			}
		}},
		{"answers that are cut off", passing(wayCut)},
		{"slow answers", passing(waySlow)},
		{"garbage", passing(wayGarbage)},
		{"status 500", passing(wayFailing)},
		{"kill -9 of the node that reads the most", func(t *testing.T) {
			node := c.busiest(ctx)
			node.kill()
			pause(t, time.Second)
			node.start()
		}},
	} {
		t.Run(row.what, func(t *testing.T) {
			crowd := gather(t, c.door(), 8, 4, 2)
			taken := crowd.pace(15)
			pause(t, time.Second)
			row.fault(t)
			crowd.hush()
			began := time.Now()
			history := crowd.judge()
			moods := 0
			for _, room := range history.Rooms {
				for _, event := range room.Events {
					if event.Kind == chat.KindMood {
						moods++
					}
				}
			}
			acked, _ := crowd.record.Acked()
			t.Logf("%s; %d moods of %d messages, the last %v after it was over", taken, moods, acked, time.Since(began).Round(time.Millisecond))
			if moods != acked {
				t.Errorf("%d messages have %d moods", acked, moods)
			}
			c.nodes[0].verify()
		})
	}
}

type (
	moodBucket   struct{ Positive, Neutral, Negative int }
	moodTimeline struct{ Buckets []moodBucket }
)

// Promise: what is said while a room's mood is off is never handed to the model, nor later; an edit is read again.
//
//nolint:paralleltest // it looks at what is asked
func TestMoodIsAChoice(t *testing.T) {
	c := borrow(t)
	ctx := t.Context()
	d := c.door()
	owner, err := client.SignUp(ctx, d.url(), d.who+"owner", secretMark+"-password")
	must(t, err)
	t.Cleanup(owner.Close)
	room, err := owner.CreateRoom(ctx, "moody")
	must(t, err)
	turn := func(on bool) {
		t.Helper()
		_, err := owner.Call(ctx, http.MethodPatch, "/rooms/"+room.String(), map[string]bool{"mood_enabled": on}, nil)
		must(t, err)
	}
	say := func(text string) *client.Message {
		t.Helper()
		sent, err := owner.Send(ctx, room, client.NewMessageID(), text)
		must(t, err)
		return &client.Message{ID: sent.ID, Seq: sent.Seq}
	}
	// label waits for the mood of a message.
	label := func(of *client.Message, want chat.MoodLabel) {
		t.Helper()
		waiting, cancel := context.WithTimeout(ctx, quietPatience)
		defer cancel()
		must(t, run.Retry(waiting, run.Backoff{First: 10 * time.Millisecond, Max: 200 * time.Millisecond}, func(ctx context.Context) error {
			page, err := owner.Changes(ctx, room, of.Seq-1)
			if err != nil {
				return err
			}
			if m := page.Events[0].Message; m.Sentiment == nil || m.Sentiment.Label != want {
				return fmt.Errorf("%q is %+v, want %s", m.Body, m.Sentiment, want)
			}
			return nil
		}))
	}
	first := say("I love this, it is wonderful")
	label(first, chat.Positive)
	turn(false)
	quiet := say("I hate this, it is terrible")
	turn(true)
	second := say("this is terrible, I hate it")
	label(second, chat.Negative)
	_, err = owner.Call(ctx, http.MethodPatch, "/rooms/"+room.String()+"/messages/"+first.ID.String(), map[string]string{"body": "what a terrible idea, I hate it"}, nil)
	must(t, err)
	label(first, chat.Negative)
	page, err := owner.Changes(ctx, room, quiet.Seq-1)
	must(t, err)
	if m := page.Events[0].Message; m.Sentiment != nil {
		t.Errorf("what was said while the mood was off has %+v", m.Sentiment)
	}
	// The timeline counts what stands, when it is stored.
	waiting, cancel := context.WithTimeout(ctx, quietPatience)
	defer cancel()
	must(t, run.Retry(waiting, run.Backoff{First: 10 * time.Millisecond, Max: 200 * time.Millisecond}, func(ctx context.Context) error {
		var timeline moodTimeline
		if _, err := owner.Call(ctx, http.MethodGet, "/rooms/"+room.String()+"/mood?bucket=week", nil, &timeline); err != nil {
			return err
		}
		if want := []moodBucket{{Negative: 2}}; !slices.Equal(timeline.Buckets, want) {
			return fmt.Errorf("the timeline counts %+v, want %+v", timeline.Buckets, want)
		}
		return nil
	}))
}
