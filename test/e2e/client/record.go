package client

import (
	"context"
	"fmt"
	"sync"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/porttest/checker"
)

// Record is what all devices of a run did and saw. Its methods may be called concurrently.
type Record struct {
	mu       sync.Mutex
	attempts []checker.Attempt
	messages map[checker.Message]*checker.Message // one for all who saw the same
}

// NewRecord makes an empty one.
func NewRecord() *Record { return &Record{messages: make(map[checker.Message]*checker.Message)} }

// Attempted notes a message that is about to be handed over, and answers its place for answered.
func (r *Record) Attempted(attempt checker.Attempt) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.attempts = append(r.attempts, attempt)
	return len(r.attempts) - 1
}

func (r *Record) answered(place int, answer checker.Answer, seq chat.Seq) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.attempts[place].Answer, r.attempts[place].Seq = answer, seq
}

// event turns an event into what the checker knows of it.
func (r *Record) event(e *Event) checker.Event {
	event := checker.Event{Seq: e.Seq, Kind: e.Kind}
	if e.Actor != nil {
		event.Actor = e.Actor.ID
	}
	if m := e.Message; m != nil {
		event.Message = r.message(checker.Message{
			ID: m.ID, Sender: m.Sender.ID, Seq: m.Seq, ChangedSeq: m.ChangedSeq, Body: m.Body, ReplyTo: m.ReplyTo, Deleted: m.DeletedAt != nil,
		})
	}
	return event
}

// message keeps one copy of what many see.
func (r *Record) message(m checker.Message) *checker.Message {
	r.mu.Lock()
	defer r.mu.Unlock()
	if known, ok := r.messages[m]; ok {
		return known
	}
	r.messages[m] = &m
	return &m
}

// Acked is how many messages were acknowledged, resends not counted twice, and Attempts how many were handed over.
func (r *Record) Acked() (acked, attempts int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	ids := make(map[chat.MessageID]struct{})
	for i := range r.attempts {
		if r.attempts[i].Answer == checker.Acked {
			ids[r.attempts[i].ID] = struct{}{}
		}
	}
	return len(ids), len(r.attempts)
}

// History reads the rooms as one of their members, now that all is quiet, and puts together all that the devices did and
// saw of them. The devices must have stopped.
func (r *Record) History(ctx context.Context, readers map[chat.RoomID]*Person, devices []*Device) (checker.History, error) {
	var history checker.History
	for room, reader := range readers {
		read, err := r.room(ctx, reader, room)
		if err != nil {
			return checker.History{}, err
		}
		history.Rooms = append(history.Rooms, read)
	}
	for _, device := range devices {
		history.Views = append(history.Views, device.views()...)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	history.Attempts = append(history.Attempts, r.attempts...)
	return history, nil
}

// room reads a whole history. What the server says is void is taken for void: only who looks into the store can tell
// which message a void number stood for.
func (r *Record) room(ctx context.Context, reader *Person, id chat.RoomID) (checker.Room, error) {
	room := checker.Room{ID: id, Voids: make(map[chat.Seq]chat.Seq)}
	at := chat.Seq(0)
	for {
		page, err := reader.Changes(ctx, id, at)
		if err != nil {
			return room, fmt.Errorf("read the history of room %s after %d: %w", id, at, err)
		}
		for i := range page.Events {
			event := r.event(&page.Events[i])
			for at++; at < event.Seq; at++ {
				room.Voids[at] = 0
			}
			room.Events = append(room.Events, event)
		}
		for at++; at <= page.Through; at++ {
			room.Voids[at] = 0
		}
		at = page.Through
		room.Head = page.Head
		if !page.More {
			return room, nil
		}
	}
}
