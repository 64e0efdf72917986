package chat

import "time"

// Access is what decides whether one person may do something in one room: the room, and that person's place in it.
type Access struct {
	Room   Room
	Member *Member // nil for outsiders
	Banned bool
}

// See refuses with ErrNotFound whoever may not know that the room exists.
func (a Access) See() error {
	if a.Member == nil && a.Room.Visibility != Public {
		return ErrNotFound
	}
	return nil
}

// Join refuses whoever may not walk in without an invitation.
func (a Access) Join() error {
	if err := a.See(); err != nil {
		return err
	}
	if a.Banned {
		return Refuse(Banned, "you are banned from this room")
	}
	return nil
}

// Read refuses whoever is not a member.
func (a Access) Read() error {
	if err := a.See(); err != nil {
		return err
	}
	switch {
	case a.Banned:
		return Refuse(Banned, "you are banned from this room")
	case a.Member == nil:
		return Refuse(NotMember, "join the room first")
	}
	return nil
}

// Talk refuses whoever may not write in the room at that time.
func (a Access) Talk(now time.Time) error {
	if err := a.Read(); err != nil {
		return err
	}
	if a.Member.Muted(now) {
		return &Error{Code: Muted, Detail: "you are muted in this room until " + a.Member.MutedUntil.UTC().Format(time.RFC3339)}
	}
	return nil
}

// Do refuses whoever's role does not allow the action.
func (a Access) Do(act Action) error {
	if err := a.Read(); err != nil {
		return err
	}
	if !a.Member.Role.May(act) {
		return Refuse(Forbidden, "your role in this room does not allow this")
	}
	return nil
}
