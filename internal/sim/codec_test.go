package sim

import (
	"encoding/json"
	"fmt"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/feed"
	"github.com/blabber-hive/blabber-hive/internal/porttest/checker"
	"github.com/blabber-hive/blabber-hive/internal/wire"
)

// codec turns events into the bytes of their frames and those into what a client understands, each only once.
type codec struct {
	past   *codec // of a lab's past, which many runs share and none changes
	frames map[encoding]feed.Item
	bytes  map[*byte]*checker.Event
}

func newCodec(past *codec) *codec {
	return &codec{past: past, frames: make(map[encoding]feed.Item), bytes: make(map[*byte]*checker.Event)}
}

// encoding names what the bytes of an event depend on.
type encoding struct {
	room    chat.RoomID
	seq     chat.Seq
	message *chat.Message
}

// encode makes an event's frame.
func (c *codec) encode(event *chat.Event) feed.Item {
	key := encoding{event.Room, event.Seq, event.Message}
	for at := c; at != nil; at = at.past {
		if item, ok := at.frames[key]; ok {
			return item
		}
	}
	envelope, err := wire.Envelope(event)
	if err != nil {
		panic(fmt.Sprintf("sim: event %d cannot be encoded: %v", event.Seq, err))
	}
	item := feed.Item{Envelope: envelope, Frame: wire.EventFrame(envelope.Body)}
	c.frames[key] = item
	return item
}

// decode reads an event as a client does, from the bytes of its frame alone.
func (c *codec) decode(data []byte) *checker.Event {
	for at := c; at != nil; at = at.past {
		if event, ok := at.bytes[&data[0]]; ok {
			return event
		}
	}
	type user struct {
		ID chat.UserID `json:"id"`
	}
	var frame struct {
		Type  string `json:"type"`
		Event struct {
			Seq     chat.Seq  `json:"seq"`
			Kind    chat.Kind `json:"kind"`
			Actor   user      `json:"actor"`
			Message *struct {
				ID         chat.MessageID `json:"id"`
				Seq        chat.Seq       `json:"seq"`
				ChangedSeq chat.Seq       `json:"changed_seq"`
				Sender     user           `json:"sender"`
				Body       string         `json:"body"`
				ReplyTo    chat.MessageID `json:"reply_to"`
				DeletedAt  *string        `json:"deleted_at"`
			} `json:"message"`
		} `json:"event"`
	}
	if err := json.Unmarshal(data, &frame); err != nil || frame.Type != "event" {
		panic(fmt.Sprintf("sim: %q is not an event frame: %v", data, err))
	}
	event := &checker.Event{Seq: frame.Event.Seq, Kind: frame.Event.Kind, Actor: frame.Event.Actor.ID}
	if m := frame.Event.Message; m != nil {
		event.Message = &checker.Message{
			ID: m.ID, Sender: m.Sender.ID, Seq: m.Seq, ChangedSeq: m.ChangedSeq, Body: m.Body, ReplyTo: m.ReplyTo, Deleted: m.DeletedAt != nil,
		}
	}
	c.bytes[&data[0]] = event
	return event
}
