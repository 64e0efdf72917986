package chat

import "time"

// HistoryQuery asks for messages of a room by number. At most one of Before, After and Around is set; none asks for the
// newest. Before and After are exclusive. Limit is 1 to PageMax.
type HistoryQuery struct {
	Before, After, Around Seq
	// FromStart is After at zero, which is a position like any other: the room's first messages.
	FromStart bool
	Limit     int
}

// Cursor is an opaque place in a list; empty is its beginning, and an empty next cursor its end.
type Cursor string

// RoomListing is a public room in the directory.
type RoomListing struct {
	Room
	Joined         bool
	LastActivityAt time.Time
}

// InvitePreview is what an invite's holder may know before joining.
type InvitePreview struct {
	Invite Invite
	Room   Room
}

// RefreshOutcome says what a refresh token turned out to be.
type RefreshOutcome int

// A refresh token rotates once. Presented again it is raced while its successor is younger than the grace the caller
// gave, and reused afterwards.
const (
	RefreshUnknown RefreshOutcome = iota
	RefreshRotated
	RefreshRaced
	RefreshReused
)
