package chat

import "time"

// Seq is the number of an event in its room: 1, 2, 3, … with no hole and no repeat, the same for every client.
// Zero is "nothing seen": a client at n needs n+1 next. Compare only within one room. A void number is never reused.
type Seq uint64

// Offset is a place in a partition of the log; it means nothing to clients.
type Offset int64

// Visibility says who finds a room.
type Visibility string

// A public room is found and joined by anyone who is signed in; a private one by invitation; a direct one is the
// conversation of its two members.
const (
	Public  Visibility = "public"
	Private Visibility = "private"
	Direct  Visibility = "direct"
)

// Role is what a member may do beyond talking; see Role.May.
type Role string

// The roles of a room, from most to least.
const (
	Owner     Role = "owner"
	Moderator Role = "moderator"
	Plain     Role = "member"
)

// Notify is how much of a room a member wants to be told of.
type Notify string

// The levels of notification.
const (
	NotifyAll      Notify = "all"
	NotifyMentions Notify = "mentions"
	NotifyNone     Notify = "none"
)

// Room is a room as anyone who may see it sees it. Head is its highest number; Members counts them.
type Room struct {
	ID          RoomID     `json:"id"`
	Name        string     `json:"name"`
	Topic       string     `json:"topic"`
	Visibility  Visibility `json:"visibility"`
	CreatedBy   UserID     `json:"created_by"`
	CreatedAt   time.Time  `json:"created_at"`
	Head        Seq        `json:"head"`
	Members     int        `json:"members"`
	MoodEnabled bool       `json:"mood_enabled,omitempty"`
}

// Member is one person's place in a room. ReadSeq never moves back and never passes the head; UnreadFrom, where not
// zero, is the message from which that person marked the room unread.
type Member struct {
	Room       RoomID
	User       Profile
	Role       Role
	JoinedAt   time.Time
	MutedUntil time.Time
	ReadSeq    Seq
	UnreadFrom Seq
	Notify     Notify
}

// Muted reports whether the member may not write at that time.
func (m Member) Muted(now time.Time) bool { return now.Before(m.MutedUntil) }

// UnreadCap is the count at which unread messages stop being counted; people are shown 99+.
const UnreadCap = 100

// MemberRoom is a room as one of its members sees it. Unread and Mentions count others' messages after the read
// line, deleted ones left out, exact up to UnreadCap.
type MemberRoom struct {
	Room
	Member      Member
	Unread      int
	Mentions    int
	LastMessage *Message
}

// ReadState is where a member stands in a room.
type ReadState struct {
	ReadSeq    Seq
	UnreadFrom Seq
	Unread     int
	Mentions   int
}

// Ban keeps a person out of a room.
type Ban struct {
	Room   RoomID
	User   Profile
	Reason string
	By     UserID
	At     time.Time
}

// Invite lets whoever holds Code into a room. MaxUses zero is no limit; ExpiresAt zero is never.
type Invite struct {
	Code      string
	Room      RoomID
	CreatedBy Profile
	CreatedAt time.Time
	ExpiresAt time.Time
	MaxUses   int
	Uses      int
}

// Spent reports whether nobody can use the invite any more.
func (i Invite) Spent(now time.Time) bool {
	return (i.MaxUses > 0 && i.Uses >= i.MaxUses) || (!i.ExpiresAt.IsZero() && !now.Before(i.ExpiresAt))
}

// RoomTx is one transaction over one room, held against every other change of that room until it ends: what it reads
// stays true until it commits. Reads of what is not there answer ErrNotFound.
//
//nolint:interfacebloat // five reads and nine writes of one thing; cut in two, each user would take both
type RoomTx interface {
	Room() (Room, error)
	Member(user UserID) (Member, error)
	Owners() (int, error)
	Ban(user UserID) (Ban, error)
	Invite(code string) (Invite, error)

	// PutRoom creates the room, at head 0 and without members, or changes its name, topic, visibility and mood. The rest
	// is the store's own.
	PutRoom(room Room) error
	// DeleteRoom deletes the room with all that is in it, for good. Its id may be used again.
	DeleteRoom() error
	// PutMember adds a member, with a read line at most at the head; ErrNotFound where there is no such room or account.
	// Of one who is there it changes role, joining time and mute, and leaves what history.Marks keeps.
	PutMember(member Member) error
	RemoveMember(user UserID) error
	PutBan(ban Ban) error
	RemoveBan(user UserID) error
	PutInvite(invite Invite) error
	RemoveInvite(code string) error
	// Emit leaves a record in the outbox, to be appended to the log after the commit until the log has it.
	Emit(entry OutboxEntry) error
}

// OutboxEntry is a record on its way to the log: committed with the change it tells of, appended until acknowledged.
// Position orders entries; the store gives it.
type OutboxEntry struct {
	Position int64
	ID       MessageID
	Room     RoomID
	Payload  []byte
}
