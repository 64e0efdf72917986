package room

import (
	"context"
	"fmt"
	"strings"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// NewRoom is what somebody decides about a room that they make.
type NewRoom struct {
	Name       string
	Topic      string
	Visibility chat.Visibility
}

func (n *NewRoom) check() error {
	n.Name, n.Topic = strings.TrimSpace(n.Name), strings.TrimSpace(n.Topic)
	if err := chat.CheckRoomName(n.Name); err != nil {
		return err
	}
	if err := chat.CheckLine("topic", n.Topic, chat.TopicRunesMax); err != nil {
		return err
	}
	return checkVisibility(n.Visibility)
}

func checkVisibility(v chat.Visibility) error {
	if v != chat.Public && v != chat.Private {
		return chat.InvalidField("visibility", "a room is public or private")
	}
	return nil
}

// Create makes a room whose owner and only member is its maker. Its log begins with the room's creation and then the
// maker's joining.
func (s *Service) Create(ctx context.Context, maker chat.Profile, wanted NewRoom) (View, error) {
	if err := wanted.check(); err != nil {
		return View{}, err
	}
	if err := s.checkRoomCount(ctx, maker.ID); err != nil {
		return View{}, err
	}
	id := chat.RoomID(s.NewID())
	err := s.update(ctx, maker, id, func(t *turn) error {
		room := chat.Room{
			ID: id, Name: wanted.Name, Topic: wanted.Topic, Visibility: wanted.Visibility, CreatedBy: maker.ID, CreatedAt: t.now,
			MoodEnabled: s.Moods && wanted.Visibility == chat.Public,
		}
		if err := t.tx.PutRoom(room); err != nil {
			return err
		}
		member := t.newMember(room, chat.Owner)
		if err := t.tx.PutMember(member); err != nil {
			return err
		}
		if err := t.tellRoom(chat.RoomCreated); err != nil {
			return err
		}
		return t.tellMember(member, chat.MemberJoined)
	})
	if err != nil {
		return View{}, err
	}
	return s.asMember(ctx, maker.ID, id)
}

// checkRoomCount keeps the rooms of one person bounded. Two joins at once may pass it by one, which does no harm.
func (s *Service) checkRoomCount(ctx context.Context, user chat.UserID) error {
	count, err := s.Store.RoomCount(ctx, user)
	if err != nil {
		return fmt.Errorf("count rooms of user %s: %w", user, err)
	}
	if count >= chat.RoomsPerUserMax {
		return chat.Refuse(chat.Conflict, "you are in %d rooms, which is the most; leave one first", count)
	}
	return nil
}

// newMember is the actor as a new member, who has read what was there before.
func (t *turn) newMember(room chat.Room, role chat.Role) chat.Member {
	return chat.Member{
		Room: room.ID, User: t.actor, Role: role, JoinedAt: t.now, ReadSeq: room.Head, Notify: chat.NotifyAll,
	}
}

// Change is what somebody changes about a room; nil leaves a thing as it is.
type Change struct {
	Name       *string
	Topic      *string
	Visibility *chat.Visibility
	Mood       *bool
}

func (c *Change) check() error {
	if c.Name != nil {
		name := strings.TrimSpace(*c.Name)
		if err := chat.CheckRoomName(name); err != nil {
			return err
		}
		c.Name = &name
	}
	if c.Topic != nil {
		topic := strings.TrimSpace(*c.Topic)
		if err := chat.CheckLine("topic", topic, chat.TopicRunesMax); err != nil {
			return err
		}
		c.Topic = &topic
	}
	if c.Visibility != nil {
		return checkVisibility(*c.Visibility)
	}
	return nil
}

// Change changes name and topic, which moderators may, and visibility and mood, which only owners may. A change to what already
// is leaves no event.
func (s *Service) Change(ctx context.Context, who chat.Profile, room chat.RoomID, wanted Change) (View, error) {
	rule := func(a chat.Access) error {
		if err := a.Do(chat.ActChangeRoom); err != nil {
			return err
		}
		if wanted.Visibility != nil && *wanted.Visibility != a.Room.Visibility {
			return a.Do(chat.ActSetVisibility)
		}
		if wanted.Mood != nil && *wanted.Mood != a.Room.MoodEnabled {
			return a.Do(chat.ActSetMood)
		}
		return nil
	}
	if err := s.may(ctx, who.ID, room, rule); err != nil {
		return View{}, err // before the fields: a stranger learns nothing from a mistake in them
	}
	if err := wanted.check(); err != nil {
		return View{}, err
	}
	err := s.change(ctx, who, room, rule, func(t *turn) error {
		changed := t.access.Room
		setIf(&changed.Name, wanted.Name)
		setIf(&changed.Topic, wanted.Topic)
		setIf(&changed.Visibility, wanted.Visibility)
		setIf(&changed.MoodEnabled, wanted.Mood)
		if changed.MoodEnabled && !t.access.Room.MoodEnabled {
			if err := s.mayRead(changed); err != nil {
				return err
			}
		}
		if changed == t.access.Room {
			return nil
		}
		if err := t.tx.PutRoom(changed); err != nil {
			return err
		}
		return t.tellRoom(changeOf(t.access.Room, changed))
	})
	if err != nil {
		return View{}, err
	}
	return s.asMember(ctx, who.ID, room)
}

// changeOf names what was changed about a room.
func changeOf(before, after chat.Room) chat.RoomChange {
	before.MoodEnabled = after.MoodEnabled
	switch {
	case before != after:
		return chat.RoomChanged
	case after.MoodEnabled:
		return chat.RoomMoodOn
	}
	return chat.RoomMoodOff
}

// mayRead refuses to have the texts of a room read where nobody reads, or where two people are by themselves.
func (s *Service) mayRead(room chat.Room) error {
	switch {
	case !s.Moods:
		return chat.InvalidField("mood_enabled", "this server does not read moods")
	case room.Visibility == chat.Direct:
		return chat.InvalidField("mood_enabled", "a direct conversation has no mood")
	}
	return nil
}

func setIf[T any](field, value *T) {
	if value != nil {
		*field = *value
	}
}

// Delete removes a room for good, with everything that was said in it. Its members learn of it by signal, and from its
// absence; the record that it leaves has no number.
func (s *Service) Delete(ctx context.Context, who chat.Profile, room chat.RoomID) error {
	return s.change(ctx, who, room, doing(chat.ActDeleteRoom), (*turn).deleteRoom)
}

func (t *turn) deleteRoom() error {
	t.signals = append(t.signals, chat.Signal{Kind: chat.SignalRoomDeleted, Room: t.access.Room.ID, User: t.actor.ID})
	// Without it the room would be there again when the store is made of the log.
	if err := t.tellRoom(chat.RoomDeleted); err != nil {
		return err
	}
	return t.tx.DeleteRoom()
}
