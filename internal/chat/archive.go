package chat

import "time"

// Row is one thing that an instance holds, as its archive has it: exactly one of these is set. Of people other than an
// Account only the id is given.
type Row struct {
	Account *Account
	Room    *RoomRow
	Member  *Member
	Ban     *Ban
	Invite  *Invite
	Log     *LogRow
	Outbox  *OutboxEntry
}

// Account is a user with the hash of the password.
type Account struct {
	User
	PasswordHash string
}

// RoomRow is a room with what a store keeps beside it: the number of its newest message and the time of that, or of the
// room's creation.
type RoomRow struct {
	Room
	LastMessage    Seq
	LastActivityAt time.Time
}

// LogRow is one number of a room's log. Message is set for messages only, in its newest state. Target is the message that
// an edit, a deletion or a reaction changed, or the number under which the record of a void number stands, if any does.
type LogRow struct {
	Event
	Target Seq
}

// Extent is what is there of one partition of the log: First is the offset of its first record that was not deleted, End
// the offset after its last.
type Extent struct{ First, End Offset }
