package client

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/porttest/checker"
	"github.com/blabber-hive/blabber-hive/internal/run"
)

// pingEvery is well below the two heartbeats after which a silent client is gone.
const pingEvery = 10 * time.Second

// The times between attempts to come back: the server is usually away for a fraction of a second.
const (
	comeBackFirst = 20 * time.Millisecond
	comeBackMost  = 250 * time.Millisecond
)

// Device is one of a person's devices: it holds a connection as long as Run runs, whatever the server does.
type Device struct {
	name   string
	person *Person
	addr   string // host:port
	record *Record

	mu       sync.Mutex
	socket   *Socket // nil while there is none that is signed in
	connID   string
	rooms    map[chat.RoomID]*view // the rooms stay the same; what was seen of them is guarded
	outbox   []*letter             // sent and not acknowledged, in order of sending
	own      map[chat.MessageID]ownState
	changed  chan struct{}
	stats    Stats
	failures []error // what the server must never do
}

// Stats counts what a device lived through.
type Stats struct {
	Connections int         // that became ready
	Draining    int         // frames that asked to come back
	Resets      int         // rooms that were too far behind
	Repairs     int         // holes that were read from /changes
	Acked       int         // messages
	Events      int         // that were taken in, each once
	Refused     int         // attempts to send one
	Closed      map[int]int // by close code
}

// view is what a device has seen of a room.
type view struct {
	position chat.Seq
	repaired chat.Seq // what a repair brought may come once more over the socket, up to here
	seen     []checker.Seen
}

// ownState is how far a message of one's own has come. In a cluster it is acknowledged before it has its number.
type ownState struct{ acked, seen bool }

// letter is a message on its way.
type letter struct {
	room  chat.RoomID
	id    chat.MessageID
	body  string
	sent  bool // before
	place int  // in the record, of the newest attempt
	done  chan struct{}
}

// NewDevice makes a device that follows the rooms that its person is in, from their beginning.
func NewDevice(name string, person *Person, addr string, record *Record, rooms []chat.RoomID) *Device {
	d := &Device{
		name: name, person: person, addr: addr, record: record, rooms: make(map[chat.RoomID]*view), changed: make(chan struct{}),
		own:   make(map[chat.MessageID]ownState),
		stats: Stats{Closed: make(map[int]int)},
	}
	for _, room := range rooms {
		d.rooms[room] = &view{seen: []checker.Seen{{What: checker.Began}}}
	}
	return d
}

// Run keeps the device connected until ctx ends.
func (d *Device) Run(ctx context.Context) error {
	backoff := run.Backoff{First: comeBackFirst, Max: comeBackMost}
	for ctx.Err() == nil {
		ready, err := d.live(ctx)
		if ready {
			backoff.Reset()
		}
		d.note(ctx, err)
		if backoff.Wait(ctx) != nil {
			break
		}
	}
	return nil
}

// note counts the end of a connection.
func (d *Device) note(ctx context.Context, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if closed, ok := errors.AsType[*CloseError](err); ok {
		d.stats.Closed[closed.Code]++
	}
	if wrong, ok := errors.AsType[*wrongError](err); ok && ctx.Err() == nil {
		d.failures = append(d.failures, wrong)
	}
}

// wrongError is something that a server must never do.
type wrongError struct{ what string }

func (e *wrongError) Error() string { return e.what }

// live holds one connection until it ends, and answers whether it became ready.
func (d *Device) live(ctx context.Context) (ready bool, err error) {
	socket, err := Dial(ctx, d.addr)
	if err != nil {
		return false, err
	}
	defer socket.Close()
	stop := context.AfterFunc(ctx, socket.Close)
	defer stop()
	if err := socket.Write(d.auth()); err != nil {
		return false, err
	}
	defer d.disconnected()
	pings := run.NewGroup(ctx)
	pings.Go("ping", func(ctx context.Context) error {
		return run.Every(ctx, pingEvery, func(context.Context) error { return socket.Write(map[string]string{"type": "ping"}) })
	})
	defer func() {
		pings.Cancel()
		_ = pings.Wait() // a ping that cannot be written is noticed by whoever reads
	}()
	for {
		frame, err := socket.Read()
		if err != nil {
			return ready, err
		}
		if frame.Type == "ready" {
			ready = true
			err = d.ready(socket, frame)
		} else {
			err = d.take(ctx, frame)
		}
		if err != nil {
			return ready, err
		}
	}
}

func (d *Device) auth() any {
	d.mu.Lock()
	defer d.mu.Unlock()
	positions := make(map[chat.RoomID]chat.Seq, len(d.rooms))
	for id, v := range d.rooms {
		positions[id] = v.position
		v.repaired = 0 // what comes next follows the position
	}
	return struct {
		Type      string                   `json:"type"`
		Token     string                   `json:"token"`
		Positions map[chat.RoomID]chat.Seq `json:"positions"`
	}{"auth", d.person.Token, positions}
}

// ready sends again what was not acknowledged, in its order, before anything new can be sent.
func (d *Device) ready(socket *Socket, frame Frame) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stats.Connections++
	d.connID = frame.ConnectionID
	for _, l := range d.outbox {
		if err := d.hand(socket, l); err != nil {
			return err
		}
	}
	d.socket = socket
	d.tell()
	return nil
}

func (d *Device) disconnected() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.socket = nil
	d.tell()
}

// tell wakes those who wait for a change. It is called with the lock held.
func (d *Device) tell() {
	close(d.changed)
	d.changed = make(chan struct{})
}

// hand gives a letter to a connection. It is called with the lock held, which keeps the order.
func (d *Device) hand(socket *Socket, l *letter) error {
	l.place = d.record.Attempted(checker.Attempt{
		Client: d.name, Connection: d.connID, Sender: d.person.ID, Room: l.room, ID: l.id, Body: l.body,
	})
	frame := struct {
		Type   string         `json:"type"`
		RoomID chat.RoomID    `json:"room_id"`
		ID     chat.MessageID `json:"id"`
		Body   string         `json:"body"`
		Resend bool           `json:"resend,omitempty"`
	}{"send", l.room, l.id, l.body, l.sent}
	l.sent = true
	return socket.Write(frame)
}

// Send sends a message and returns when it is acknowledged, however often the server dies in between, or with ctx's error.
// Refusals are tried again, as the contract says of `unavailable`.
func (d *Device) Send(ctx context.Context, room chat.RoomID, body string) error {
	l := &letter{room: room, id: NewMessageID(), body: body, done: make(chan struct{})}
	d.mu.Lock()
	d.outbox = append(d.outbox, l)
	d.own[l.id] = ownState{}
	if d.socket != nil {
		if err := d.hand(d.socket, l); err != nil {
			d.socket.Close() // whoever reads notices
		}
	}
	d.mu.Unlock()
	select {
	case <-l.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// take deals with a frame.
func (d *Device) take(ctx context.Context, frame Frame) error {
	switch frame.Type {
	case "event":
		return d.event(ctx, frame.Event)
	case "ack":
		d.answer(frame.ID, checker.Acked, frame.Seq)
	case "error":
		return d.refused(ctx, frame)
	case "reset":
		d.count(func(stats *Stats) { stats.Resets++ })
		return d.repair(ctx, frame.RoomID, frame.Head)
	case "draining":
		d.count(func(stats *Stats) { stats.Draining++ })
	}
	return nil
}

// event applies an event, after what is missing before it.
func (d *Device) event(ctx context.Context, event *Event) error {
	if err := d.repair(ctx, event.RoomID, event.Seq-1); err != nil {
		return err
	}
	d.see(d.rooms[event.RoomID], []Event{*event})
	return nil
}

// see notes events and moves the position. What a repair has brought already is not seen a second time.
func (d *Device) see(v *view, events []Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range events {
		if events[i].Seq <= v.repaired {
			continue
		}
		v.seen = append(v.seen, checker.Seen{What: checker.Saw, Event: d.record.event(&events[i])})
		v.position = max(v.position, events[i].Seq)
		d.stats.Events++
		if message := events[i].Message; message != nil {
			d.follow(message.ID, func(s *ownState) { s.seen = true })
		}
	}
	d.tell()
}

// repair reads what is missing of a room up to a number. Positions are moved by the goroutine that reads the socket, which
// is the one that is here, so they stay while the answers are waited for.
func (d *Device) repair(ctx context.Context, room chat.RoomID, through chat.Seq) error {
	v := d.rooms[room]
	if v == nil {
		return &wrongError{fmt.Sprintf("%s was told of room %s, which it is not in", d.name, room)}
	}
	if v.position >= through {
		return nil
	}
	d.count(func(stats *Stats) { stats.Repairs++ })
	for v.position < through {
		page, err := d.person.Changes(ctx, room, v.position)
		if err != nil {
			return err // the connection is given up, and the position tells the next one
		}
		if page.Through <= v.position {
			return &wrongError{fmt.Sprintf("%s asked for room %s after %d, to repair up to %d, and was given nothing", d.name, room, v.position, through)}
		}
		d.see(v, page.Events)
		d.mu.Lock()
		v.position, v.repaired = page.Through, page.Through
		d.mu.Unlock()
	}
	return nil
}

func (d *Device) count(change func(stats *Stats)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change(&d.stats)
}

// answer ends a letter's journey.
func (d *Device) answer(id chat.MessageID, answer checker.Answer, seq chat.Seq) {
	d.mu.Lock()
	defer d.mu.Unlock()
	at := slices.IndexFunc(d.outbox, func(l *letter) bool { return l.id == id })
	if at < 0 {
		return // acknowledged before, over a connection that died meanwhile
	}
	l := d.outbox[at]
	d.record.answered(l.place, answer, seq)
	if answer == checker.Acked {
		d.stats.Acked++
		d.follow(id, func(s *ownState) { s.acked = true })
		d.outbox = slices.Delete(d.outbox, at, at+1)
		close(l.done)
		d.tell()
	}
}

// follow keeps what is either acknowledged or seen, until it is both. Others' messages are not acknowledged here.
func (d *Device) follow(id chat.MessageID, note func(*ownState)) {
	state, ours := d.own[id]
	if !ours {
		return
	}
	note(&state)
	if state.acked && state.seen {
		delete(d.own, id)
		return
	}
	d.own[id] = state
}

// refused sends again what was refused for now. Anything else is a fault of the test or of the server.
func (d *Device) refused(ctx context.Context, frame Frame) error {
	if frame.Code != "unavailable" {
		return &wrongError{fmt.Sprintf("%s was refused %s with %s: %s", d.name, frame.ID, frame.Code, frame.Detail)}
	}
	if frame.ID.IsZero() {
		return nil // about the connection, which ends
	}
	d.answer(frame.ID, checker.Refused, 0)
	d.count(func(stats *Stats) { stats.Refused++ })
	wait := max(time.Duration(frame.RetryAfterMS)*time.Millisecond/10, comeBackFirst) // a test has no time
	if err := run.Pause(ctx, wait); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, l := range d.outbox {
		if l.id == frame.ID && d.socket != nil {
			return d.hand(d.socket, l)
		}
	}
	return nil
}

// Quiet waits until everything is acknowledged and was seen, and every room was seen up to the head given.
func (d *Device) Quiet(ctx context.Context, heads map[chat.RoomID]chat.Seq) error {
	return d.until(ctx, func() string {
		if len(d.outbox) > 0 {
			return fmt.Sprintf("%d messages are not acknowledged", len(d.outbox))
		}
		if len(d.own) > 0 {
			return fmt.Sprintf("%d messages are acknowledged and have not been seen", len(d.own))
		}
		for id, v := range d.rooms {
			if v.position < heads[id] {
				return fmt.Sprintf("room %s was seen to %d of %d", id, v.position, heads[id])
			}
		}
		return ""
	})
}

// Connected waits until the device is signed in and has been that often before.
func (d *Device) Connected(ctx context.Context, times int) error {
	return d.until(ctx, func() string {
		if d.socket == nil || d.stats.Connections < times {
			return fmt.Sprintf("it was connected %d times", d.stats.Connections)
		}
		return ""
	})
}

// until waits until missing, called with the lock held, has nothing more to say.
func (d *Device) until(ctx context.Context, missing func() string) error {
	for {
		d.mu.Lock()
		what, changed := missing(), d.changed
		d.mu.Unlock()
		if what == "" {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("%s: %s: %w", d.name, what, ctx.Err())
		}
	}
}

// Rooms are those that the device follows.
func (d *Device) Rooms() []chat.RoomID {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Collect(maps.Keys(d.rooms))
}

// Stats is what the device lived through so far, and Failures what the server did that it never should.
func (d *Device) Stats() Stats {
	d.mu.Lock()
	defer d.mu.Unlock()
	stats := d.stats
	stats.Closed = maps.Clone(d.stats.Closed)
	return stats
}

// Failures is what the server did that it never should.
func (d *Device) Failures() []error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.failures)
}

// views is what the device saw, for the checker.
func (d *Device) views() []checker.View {
	d.mu.Lock()
	defer d.mu.Unlock()
	views := make([]checker.View, 0, len(d.rooms))
	for id, v := range d.rooms {
		views = append(views, checker.View{Client: d.name, Room: id, Seen: v.seen, AtHead: true})
	}
	return views
}
