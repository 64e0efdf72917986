package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/porttest/checker"
	"github.com/blabber-hive/blabber-hive/internal/run"
	"github.com/blabber-hive/blabber-hive/test/e2e/client"
)

const quietPatience = 60 * time.Second

// crowd is people in rooms, each with a device that stays connected whatever happens.
type crowd struct {
	t       *testing.T
	record  *client.Record
	people  []*client.Person
	rooms   []chat.RoomID
	readers map[chat.RoomID]*client.Person
	devices []*client.Device

	connected *run.Group
	sending   *run.Group
}

// door is where a crowd comes in: a server, or what stands before several. Names begin with who, so that one crowd can
// come after another.
type door struct{ addr, who string }

func (d door) url() string { return "http://" + d.addr }

// gather makes people and rooms at a door. Person n is in the rooms n, n+1, …, perPerson of them.
func gather(t *testing.T, d door, people, rooms, perPerson int) *crowd {
	t.Helper()
	ctx := t.Context()
	c := &crowd{t: t, record: client.NewRecord(), readers: make(map[chat.RoomID]*client.Person)}
	for n := range people {
		person, err := client.SignUp(ctx, d.url(), fmt.Sprintf("%sperson-%d", d.who, n), secretMark+"-password")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(person.Close)
		c.people = append(c.people, person)
	}
	for n := range rooms {
		owner := c.people[n%people]
		room, err := owner.CreateRoom(ctx, fmt.Sprintf("room %d", n))
		if err != nil {
			t.Fatal(err)
		}
		c.rooms = append(c.rooms, room)
		c.readers[room] = owner
	}
	for n, person := range c.people {
		member := make(map[chat.RoomID]struct{})
		for k := range perPerson {
			room := c.rooms[(n+k)%rooms]
			if err := person.Join(ctx, room); err != nil {
				t.Fatal(err)
			}
			member[room] = struct{}{}
		}
		for room, owner := range c.readers {
			if owner == person {
				member[room] = struct{}{}
			}
		}
		var in []chat.RoomID
		for _, room := range c.rooms {
			if _, ok := member[room]; ok {
				in = append(in, room)
			}
		}
		c.devices = append(c.devices, client.NewDevice(person.Username, person, d.addr, c.record, in))
	}
	c.connected = run.NewGroup(context.Background())
	for _, device := range c.devices {
		c.connected.Go("stay connected", device.Run)
	}
	t.Cleanup(c.disconnect)
	c.await(func(ctx context.Context, device *client.Device) error { return device.Connected(ctx, 1) })
	return c
}

// await waits for something of every device.
func (c *crowd) await(what func(ctx context.Context, device *client.Device) error) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), quietPatience)
	defer cancel()
	for _, device := range c.devices {
		if err := what(ctx, device); err != nil {
			c.t.Fatalf("%v; %+v, %v", err, device.Stats(), device.Failures())
		}
	}
}

// talk lets everybody send, one message after the other acknowledged one, flat out, until hush.
func (c *crowd) talk() {
	c.sending = run.NewGroup(context.Background())
	for n, device := range c.devices {
		rooms := device.Rooms()
		c.sending.Go("talk", func(ctx context.Context) error {
			for k := 0; ctx.Err() == nil; k++ {
				// The message under way when everybody is told to hush is still waited for, by Quiet.
				_ = device.Send(ctx, rooms[k%len(rooms)], fmt.Sprintf("%s %d of %d", secretMark, k, n))
			}
			return nil
		})
	}
}

// sends lets somebody who has no device send a message over HTTP.
func (c *crowd) sends(who *client.Person, room chat.RoomID) {
	c.t.Helper()
	attempt := checker.Attempt{
		Client: "HTTP", Sender: who.ID, Room: room, ID: client.NewMessageID(), Body: secretMark + " over HTTP", Answer: checker.Acked,
	}
	sent, err := who.Send(c.t.Context(), attempt.Room, attempt.ID, attempt.Body)
	must(c.t, err)
	attempt.Seq = sent.Seq
	c.record.Attempted(attempt)
}

func (c *crowd) hush() {
	c.sending.Cancel()
	_ = c.sending.Wait() // they end as they were told
}

func (c *crowd) disconnect() {
	c.connected.Cancel()
	_ = c.connected.Wait() // likewise
}

// judge waits until all is quiet and asks the checker whether the contract was kept.
func (c *crowd) judge() checker.History {
	c.t.Helper()
	heads := make(map[chat.RoomID]chat.Seq)
	c.await(func(ctx context.Context, device *client.Device) error { return device.Quiet(ctx, nil) })
	c.awaitMoods()
	for room, reader := range c.readers {
		page, err := reader.Changes(c.t.Context(), room, 0)
		if err != nil {
			c.t.Fatal(err)
		}
		heads[room] = page.Head
	}
	c.await(func(ctx context.Context, device *client.Device) error { return device.Quiet(ctx, heads) })
	c.disconnect()
	for _, device := range c.devices {
		for _, failure := range device.Failures() {
			c.t.Error(failure)
		}
	}
	history, err := c.record.History(c.t.Context(), c.readers, c.devices)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, violation := range checker.Check(history) {
		c.t.Error(violation)
	}
	return history
}

// awaitMoods waits until every message has its mood, where the room's messages are to have one.
func (c *crowd) awaitMoods() {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), quietPatience)
	defer cancel()
	for id, reader := range c.readers {
		unread := 0
		err := run.Retry(ctx, run.Backoff{First: 20 * time.Millisecond, Max: time.Second}, func(ctx context.Context) (err error) {
			if unread, err = unreadMoods(ctx, reader, id); err == nil && unread > 0 {
				err = fmt.Errorf("%d messages of room %s have no mood", unread, id)
			}
			return err
		})
		if err != nil {
			c.t.Fatal(err)
		}
	}
}

// unreadMoods counts a room's messages without a mood; none where its mood is off.
func unreadMoods(ctx context.Context, reader *client.Person, id chat.RoomID) (unread int, err error) {
	var room struct {
		MoodEnabled bool `json:"mood_enabled"`
	}
	if _, err := reader.Call(ctx, http.MethodGet, "/rooms/"+id.String(), nil, &room); err != nil || !room.MoodEnabled {
		return 0, err
	}
	for after := chat.Seq(0); ; {
		page, err := reader.Changes(ctx, id, after)
		if err != nil {
			return 0, err
		}
		for _, event := range page.Events {
			if m := event.Message; event.Kind == chat.KindMessage && m.Sentiment == nil && m.DeletedAt == nil {
				unread++
			}
		}
		if after = page.Through; !page.More {
			return unread, nil
		}
	}
}

// all adds up what the devices lived through.
func (c *crowd) all() client.Stats {
	sum := client.Stats{Closed: make(map[int]int)}
	for _, device := range c.devices {
		stats := device.Stats()
		sum.Connections += stats.Connections
		sum.Draining += stats.Draining
		sum.Resets += stats.Resets
		sum.Repairs += stats.Repairs
		sum.Acked += stats.Acked
		sum.Events += stats.Events
		sum.Refused += stats.Refused
		for code, n := range stats.Closed {
			sum.Closed[code] += n
		}
	}
	return sum
}

// pause lets a test's load go on for a while.
func pause(t *testing.T, d time.Duration) {
	t.Helper()
	if err := run.Pause(t.Context(), d); err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}
