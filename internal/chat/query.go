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

// A refresh token rotates once. Presented again it is judged by a [RefreshGrace]: raced, rotated once more because the
// answer was lost, or reused.
const (
	RefreshUnknown RefreshOutcome = iota
	RefreshRotated
	RefreshRaced
	RefreshReused
)

// RefreshGrace says how a spent refresh token is judged that is presented again, by the time since it was spent. Up to
// Race it is raced: two tabs woke up together. Up to Lost, while its successor has not been used, it rotates again: the
// answer was lost on its way. Otherwise it is reused: two hold the token, and one of them has stolen it.
type RefreshGrace struct {
	Race, Lost time.Duration
}

// Judge is what comes of a spent token; newest if none of its session was spent at the same time or later. Where it
// rotates, its unused successor is to count as spent when it was, and it as spent now, so that it stays the newest.
func (g RefreshGrace) Judge(since time.Duration, newest bool) RefreshOutcome {
	switch {
	case since <= g.Race:
		return RefreshRaced
	case since <= g.Lost && newest:
		return RefreshRotated
	}
	return RefreshReused
}
