package chat

import (
	"cmp"
	"time"
)

// Kind says what an event does.
type Kind string

// The kinds of events. A void event stands for a number that the store had to give up; readers skip it. An unreadable
// record is one of the log that its reader could not decode: it has its place there, Body holds its bytes, and it is never
// numbered.
const (
	KindMessage  Kind = "message"
	KindEdit     Kind = "edit"
	KindDelete   Kind = "delete"
	KindReaction Kind = "reaction"
	KindMood     Kind = "mood"
	KindMember   Kind = "member"
	KindRoom     Kind = "room"
	KindVoid     Kind = "void"

	KindUnreadable Kind = "unreadable"
)

// MemberChange says what happened to a member.
type MemberChange string

// The changes of members. After the first group the person is in the room, after the second not.
const (
	MemberJoined  MemberChange = "joined"
	MemberRole    MemberChange = "role"
	MemberMuted   MemberChange = "muted"
	MemberUnmuted MemberChange = "unmuted"

	MemberLeft    MemberChange = "left"
	MemberRemoved MemberChange = "removed"
	MemberBanned  MemberChange = "banned"
)

// Leaves reports whether the change takes the person out of the room.
func (c MemberChange) Leaves() bool {
	return c == MemberLeft || c == MemberRemoved || c == MemberBanned
}

// RoomChange says what happened to a room.
type RoomChange string

// The changes of rooms. That a room was deleted is told to the log alone, for whoever makes a store of it again: it comes
// when there is no such room any more, and is never numbered.
const (
	RoomCreated RoomChange = "created"
	RoomChanged RoomChange = "changed"
	RoomMoodOn  RoomChange = "mood_on" // of nothing but this: people are told in words that they are read, or no longer
	RoomMoodOff RoomChange = "mood_off"
	RoomDeleted RoomChange = "deleted"
)

// Alters reports whether the room is another one after the change.
func (c RoomChange) Alters() bool {
	return c == RoomChanged || c == RoomMoodOn || c == RoomMoodOff
}

// Record is one thing that somebody did in a room, as it stands in the log before it has a number. ID makes it
// idempotent: for a message the message's own id, for anything else one made by the server. Which other fields are set
// follows from Kind:
//
//	message   Body, ReplyTo, Mentions, MentionsAll, Fingerprint
//	edit      Target, Body, Mentions, MentionsAll
//	delete    Target
//	reaction  Target, Emoji, Added
//	mood      Target, Mood, Text
//	member    Member
//	room      Info
//
// The JSON names are those of the log and the store, where records outlive the binary that wrote them.
type Record struct {
	ID    MessageID `json:"id"`
	Room  RoomID    `json:"room_id"`
	Kind  Kind      `json:"kind"`
	At    time.Time `json:"at"`
	Actor Profile   `json:"actor"`

	Target      MessageID     `json:"target,omitzero"`
	Body        string        `json:"body,omitempty"`
	ReplyTo     MessageID     `json:"reply_to,omitzero"`
	Mentions    []UserID      `json:"mentions,omitempty"`
	MentionsAll bool          `json:"mentions_all,omitempty"`
	Fingerprint Fingerprint   `json:"fingerprint,omitzero"`
	Emoji       string        `json:"emoji,omitempty"`
	Added       bool          `json:"added,omitempty"`
	Moderation  bool          `json:"moderation,omitempty"` // the actor acts as a moderator, not as the message's sender
	Resend      bool          `json:"resend,omitempty"`     // its sender may have sent it before
	Mood        Mood          `json:"mood,omitzero"`
	Text        Fingerprint   `json:"text,omitzero"` // the TextHash of what was read
	Member      *MemberDetail `json:"member,omitempty"`
	Info        *RoomDetail   `json:"room,omitempty"`

	Trace string `json:"-"` // names the trace that it belongs to, beside the log's records; nearly always empty
}

// MemberDetail is what a member event tells.
type MemberDetail struct {
	User       Profile      `json:"user"`
	Role       Role         `json:"role"`
	JoinedAt   time.Time    `json:"joined_at"`
	MutedUntil time.Time    `json:"muted_until,omitzero"`
	Change     MemberChange `json:"change"`
}

// RoomDetail is what a room event tells.
type RoomDetail struct {
	Room   Room       `json:"room"`
	Change RoomChange `json:"change"`
}

// ReactionDetail is what a reaction event tells beside the message's new state.
type ReactionDetail struct {
	Emoji string `json:"emoji"`
	Added bool   `json:"added"`
}

// Event is a record that has its number. Message is the whole message after the change, for the kinds that have one.
// RecordID is the id of the record it came from; it makes the event idempotent in the store.
type Event struct {
	Room     RoomID
	Seq      Seq
	Kind     Kind
	At       time.Time
	Actor    Profile
	RecordID MessageID
	Message  *Message
	Reaction *ReactionDetail
	Member   *MemberDetail
	Info     *RoomDetail
	Trace    string // the record's
}

// Envelope is an event on its way to the people in its room: Body is its JSON, encoded once. Kind, Change and Subject (the
// member that a member event is about) let a gateway act on it without reading the body. One without a body brings no
// event and only tells that the room's head is Seq.
//
// Event is the whole event, where the publisher has it, for a bus that keeps the newest of each room. Who receives an
// envelope does not get it.
type Envelope struct {
	Room    RoomID
	Seq     Seq
	Kind    Kind
	Change  MemberChange
	Subject UserID
	Body    []byte
	Event   *Event
}

// Page is a run of a room's events, ascending: those after the asked position, up to Through. Numbers up to Through that
// have no event are void. Head is the room's head when the page was read, More whether Through < Head.
type Page struct {
	Events  []Event
	Through Seq
	Head    Seq
	More    bool
}

// Receipt is what became of an appended record. Seq is zero where the log is durable before it is numbered. Repeat says
// that the same record had been numbered before; Event is what it became, where that is known at once.
type Receipt struct {
	Seq    Seq
	Repeat bool
	Event  *Event
}

// WindowSize is how many of a room's newest records its state remembers to recognise repeats.
const WindowSize = 1024

// Known is one remembered record of a room. First is zero where the record stands under Seq; where Seq is void it is the
// number under which the record stood already, and the fingerprint is that one's.
type Known struct {
	ID          MessageID
	Seq         Seq
	Fingerprint Fingerprint
	First       Seq
}

// Stands is the number under which the record stands.
func (k Known) Stands() Seq { return cmp.Or(k.First, k.Seq) }

// RoomState is what numbering needs of a room: its head, and the records that have one of its newest WindowSize numbers,
// oldest first. A void number has the record that it was given to in vain, so that what a room remembers depends on its
// log alone and not on when it was read from the store; records with older numbers are ignored.
type RoomState struct {
	Room   RoomID
	Head   Seq
	Recent []Known
}

// MessageRef names a message: clients make the ids, so two rooms may have the same one.
type MessageRef struct {
	Room RoomID
	ID   MessageID
}

// Loaded is what the store has for numbering, all of one moment: the offset up to which a partition is stored, and the
// states of the rooms and messages that were asked for. What is not there is left out.
type Loaded struct {
	Stored   Offset
	Rooms    map[RoomID]RoomState
	Messages map[MessageRef]*Message
}

// Batch is a run of one partition's log with the events that it gave, in order, for the store to take as one
// transaction. From must equal the stored offset; To becomes it.
type Batch struct {
	Partition int
	From, To  Offset
	Events    []Event
}

// Void is a number that the store could not take because the record's id already stands under First, or, where First is
// zero, because the message that it changes is not there.
type Void struct {
	Room  RoomID
	Seq   Seq
	First Known
}

// LogRun is a stretch of one partition's log. From is the offset of its first record, To the offset after its last.
type LogRun struct {
	Partition int
	From, To  Offset
	Records   []*Record
}

// Outcome is what became of one record: a receipt, or the refusal that its sender gets.
type Outcome struct {
	Receipt Receipt
	Err     error
}
