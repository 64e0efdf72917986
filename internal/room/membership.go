package room

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Join makes somebody a member of a public room. Joining twice is joining once.
func (s *Service) Join(ctx context.Context, who chat.Profile, room chat.RoomID) (View, error) {
	access, err := s.access(ctx, who.ID, room)
	if err != nil {
		return View{}, err
	}
	if err := access.Join(); err != nil {
		return View{}, err
	}
	if access.Member != nil {
		return s.asMember(ctx, who.ID, room)
	}
	if err := s.checkRoomCount(ctx, who.ID); err != nil {
		return View{}, err
	}
	err = s.change(ctx, who, room, chat.Access.Join, func(t *turn) error {
		if t.access.Member != nil {
			return nil
		}
		return t.join()
	})
	if err != nil {
		return View{}, err
	}
	return s.asMember(ctx, who.ID, room)
}

func (t *turn) join() error {
	member := t.newMember(t.access.Room, chat.Plain)
	if err := t.tx.PutMember(member); err != nil {
		return err
	}
	return t.tellMember(member, chat.MemberJoined)
}

// Leave ends one's membership; leaving a room that one may see and is not in is no error. The last owner may leave only
// with the last member, and the room goes with them.
func (s *Service) Leave(ctx context.Context, who chat.Profile, room chat.RoomID) error {
	access, err := s.access(ctx, who.ID, room)
	if err != nil {
		return err
	}
	if err := access.See(); err != nil {
		return err
	}
	if access.Member == nil {
		return nil
	}
	return s.change(ctx, who, room, chat.Access.See, func(t *turn) error {
		if t.access.Member == nil {
			return nil
		}
		if t.access.Room.Members == 1 {
			return t.deleteRoom()
		}
		if err := t.keepOwner(*t.access.Member, "make somebody else an owner before you leave"); err != nil {
			return err
		}
		return t.remove(*t.access.Member, chat.MemberLeft)
	})
}

// keepOwner refuses to take away a room's only owner.
func (t *turn) keepOwner(losing chat.Member, advice string) error {
	if losing.Role != chat.Owner {
		return nil
	}
	owners, err := t.tx.Owners()
	if err != nil {
		return err
	}
	if owners < 2 {
		return chat.Refuse(chat.Conflict, "a room needs an owner: %s", advice)
	}
	return nil
}

func (t *turn) remove(member chat.Member, change chat.MemberChange) error {
	if err := t.tx.RemoveMember(member.User.ID); err != nil {
		return err
	}
	return t.tellMember(member, change)
}

// MemberChange is what is done to a member; nil leaves a thing as it is. A MutedUntil that is not in the future unmutes.
type MemberChange struct {
	Role       *chat.Role
	MutedUntil *time.Time
}

func (c MemberChange) check(now time.Time) error {
	if c.Role == nil && c.MutedUntil == nil {
		return chat.InvalidField("role", "give a role or muted_until")
	}
	if c.Role != nil && !c.Role.Valid() {
		return chat.InvalidField("role", "a role is owner, moderator or member")
	}
	if c.MutedUntil != nil && c.MutedUntil.After(now.Add(chat.MuteMax)) {
		return chat.InvalidField("muted_until", "a mute ends within a year")
	}
	return nil
}

func (c MemberChange) rule(a chat.Access) error {
	if c.Role != nil {
		return a.Do(chat.ActSetRole)
	}
	return a.Do(chat.ActMute)
}

// ChangeMember sets a member's role, which owners may, or mutes or unmutes one, which whoever outranks them may. The last
// owner stays one. A change to what already is leaves no event.
func (s *Service) ChangeMember(ctx context.Context, who chat.Profile, room chat.RoomID, target chat.UserID, wanted MemberChange) (chat.Member, error) {
	if err := s.may(ctx, who.ID, room, wanted.rule); err != nil {
		return chat.Member{}, err
	}
	if err := wanted.check(s.Clock()); err != nil {
		return chat.Member{}, err
	}
	var member chat.Member
	err := s.change(ctx, who, room, wanted.rule, func(t *turn) error {
		var err error
		if member, err = t.tx.Member(target); err != nil {
			return err
		}
		if wanted.MutedUntil != nil {
			if err := t.mute(&member, *wanted.MutedUntil); err != nil {
				return err
			}
		}
		if wanted.Role != nil {
			return t.setRole(&member, *wanted.Role)
		}
		return nil
	})
	if err != nil {
		return chat.Member{}, err
	}
	return member, nil
}

func (t *turn) mute(member *chat.Member, until time.Time) error {
	if !t.access.Member.Role.Outranks(member.Role) {
		return chat.Refuse(chat.Forbidden, "you can mute only members with a lower role than yours")
	}
	change := chat.MemberMuted
	if !until.After(t.now) {
		until, change = time.Time{}, chat.MemberUnmuted
	}
	if until.Equal(member.MutedUntil) || (until.IsZero() && !member.Muted(t.now)) {
		return nil
	}
	member.MutedUntil = until
	if err := t.tx.PutMember(*member); err != nil {
		return err
	}
	return t.tellMember(*member, change)
}

func (t *turn) setRole(member *chat.Member, role chat.Role) error {
	if member.Role == role {
		return nil
	}
	if err := t.keepOwner(*member, "make somebody else an owner first"); err != nil {
		return err
	}
	member.Role = role
	if err := t.tx.PutMember(*member); err != nil {
		return err
	}
	return t.tellMember(*member, chat.MemberRole)
}

// Kick removes a member of lower role, who may come back.
func (s *Service) Kick(ctx context.Context, who chat.Profile, room chat.RoomID, target chat.UserID) error {
	return s.change(ctx, who, room, doing(chat.ActKick), func(t *turn) error {
		member, err := t.tx.Member(target)
		if err != nil {
			return err
		}
		if err := t.outranks(member); err != nil {
			return err
		}
		return t.remove(member, chat.MemberRemoved)
	})
}

func (t *turn) outranks(member chat.Member) error {
	if !t.access.Member.Role.Outranks(member.Role) {
		return chat.Refuse(chat.Forbidden, "you can remove only members with a lower role than yours")
	}
	return nil
}

// Ban keeps somebody out of a room, and puts them out where they are a member of lower role. Banning twice replaces
// the reason.
func (s *Service) Ban(ctx context.Context, who chat.Profile, room chat.RoomID, target chat.UserID, reason string) (BanView, error) {
	if err := s.may(ctx, who.ID, room, doing(chat.ActKick)); err != nil {
		return BanView{}, err
	}
	if err := chat.CheckLine("reason", reason, chat.ReasonRunesMax); err != nil {
		return BanView{}, err
	}
	person, err := s.People.User(ctx, target)
	if errors.Is(err, chat.ErrNotFound) {
		return BanView{}, chat.InvalidField("user_id", "there is no such person")
	}
	if err != nil {
		return BanView{}, fmt.Errorf("read user %s: %w", target, err)
	}
	var ban chat.Ban
	err = s.change(ctx, who, room, doing(chat.ActKick), func(t *turn) error {
		ban = chat.Ban{Room: room, User: person.Profile, Reason: reason, By: who.ID, At: t.now}
		member, err := t.tx.Member(target)
		switch {
		case errors.Is(err, chat.ErrNotFound):
			return t.tx.PutBan(ban)
		case err != nil:
			return err
		}
		if err := t.outranks(member); err != nil {
			return err
		}
		if err := t.tx.PutBan(ban); err != nil {
			return err
		}
		return t.remove(member, chat.MemberBanned)
	})
	if err != nil {
		return BanView{}, err
	}
	return BanView{Ban: ban, Maker: &who}, nil
}

// Unban lets somebody in again; NotFound where they were not banned.
func (s *Service) Unban(ctx context.Context, who chat.Profile, room chat.RoomID, target chat.UserID) error {
	return s.change(ctx, who, room, doing(chat.ActKick), func(t *turn) error {
		if _, err := t.tx.Ban(target); err != nil {
			return err
		}
		return t.tx.RemoveBan(target)
	})
}
