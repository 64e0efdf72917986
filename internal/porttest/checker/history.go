package checker

import (
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// History is what a run was seen to do.
type History struct {
	// Attempts are all messages that were handed to a connection, resends too, those of one connection in their order.
	Attempts []Attempt
	// Changes are all edits, deletions and reactions that were asked for.
	Changes []Change
	Rooms   []Room
	Views   []View
}

// Answer is what the sender was told.
type Answer int

// A sender is told that a message is durable, or that it was refused, or nothing.
const (
	Unanswered Answer = iota
	Acked
	Refused
)

// Attempt is one message handed to one connection. Where several attempts at one id are open and an answer does not tell
// which of them it is for, an ack belongs to the newest: one more before it may have been lost.
type Attempt struct {
	Client     string
	Connection string // names the connection among all; empty for a request of its own
	Sender     chat.UserID
	Room       chat.RoomID
	ID         chat.MessageID
	Body       string
	ReplyTo    chat.MessageID
	Answer     Answer
	Seq        chat.Seq // as the ack told; zero where it did not
}

// Change is one edit, deletion or reaction that was asked for. Body is that of an edit. Moderator says that who asked may
// delete what others wrote.
type Change struct {
	Sender    chat.UserID
	Room      chat.RoomID
	Kind      chat.Kind
	Target    chat.MessageID
	Body      string
	Moderator bool
	Answer    Answer
}

// Room is a room's history, read when all was quiet.
type Room struct {
	ID     chat.RoomID
	Head   chat.Seq
	Events []Event // ascending; void numbers are left out
	// Voids are the numbers that were given up, each with that of the message that stands for it, or zero where the run
	// cannot tell (for one, because the change it stood for was of a message that is not there).
	Voids map[chat.Seq]chat.Seq
}

// Event is a number of a room and what it stands for. Message is its newest state where the event has one.
type Event struct {
	Seq     chat.Seq
	Kind    chat.Kind
	Actor   chat.UserID
	Message *Message
}

// Message is a message as somebody sees it.
type Message struct {
	ID         chat.MessageID
	Sender     chat.UserID
	Seq        chat.Seq
	ChangedSeq chat.Seq
	Body       string
	ReplyTo    chat.MessageID
	Deleted    bool
}

// View is what one client saw of one room.
type View struct {
	Client string
	Room   chat.RoomID
	Seen   []Seen
	// AtHead demands that the client, if it is in the room in the end, saw everything up to the room's head: it had the time.
	AtHead bool
	// Messages is what it shows then; nil where that is not known.
	Messages []Message
}

// What says what a client saw.
type What int

// A client begins to follow a room at a position, sees events, is reset to a position and is put out of the room.
const (
	Began What = iota
	Saw
	Reset
	Ended
)

// Seen is one thing that a client saw, in its order. Seq is the position of Began and Reset.
type Seen struct {
	What  What
	Seq   chat.Seq
	Event Event
}
