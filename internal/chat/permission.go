package chat

// Action is something a member may or may not do in a room.
type Action uint8

// The actions that roles decide.
const (
	ActTalk          Action = iota // send, react, and edit or delete one's own
	ActInvite                      // make an invite
	ActChangeRoom                  // name, topic
	ActDeleteOthers                // delete somebody else's message
	ActMute                        // mute and unmute
	ActKick                        // remove, ban, unban
	ActSetRole                     // make moderators and owners
	ActSetVisibility               // public or private
	ActSetMood                     // whether its texts are read
	ActDeleteRoom                  // for good
	ActSeeAllInvites               // everybody's invites, and revoke them
)

// May reports whether a role allows the action on the room as a whole. What is done to a person also needs Outranks.
func (r Role) May(act Action) bool {
	switch act {
	case ActTalk, ActInvite:
		return r.rank() >= Plain.rank()
	case ActChangeRoom, ActDeleteOthers, ActMute, ActKick, ActSeeAllInvites:
		return r.rank() >= Moderator.rank()
	case ActSetRole, ActSetVisibility, ActSetMood, ActDeleteRoom:
		return r == Owner
	}
	return false
}

// Outranks reports whether a member with role r may mute, remove or ban one with role other.
func (r Role) Outranks(other Role) bool { return r.rank() > other.rank() }

// Valid reports whether this is a role.
func (r Role) Valid() bool { return r.rank() > 0 }

func (r Role) rank() int {
	switch r {
	case Owner:
		return 3
	case Moderator:
		return 2
	case Plain:
		return 1
	}
	return 0
}
