package room

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

const (
	inviteBytes    = 16 // 128 random bits: not to be guessed
	inviteCodeSize = 22 // of them in base64url without padding
)

// NewInvite is what somebody decides about an invite. Zero MaxUses is no limit, zero ExpiresIn never.
type NewInvite struct {
	MaxUses   int
	ExpiresIn time.Duration
}

func (n NewInvite) check() error {
	if n.MaxUses < 0 || n.MaxUses > chat.InviteUsesMax {
		return chat.InvalidField("max_uses", "an invite has at most %d uses, or 0 for no limit", chat.InviteUsesMax)
	}
	if n.ExpiresIn < 0 || n.ExpiresIn > chat.InviteLifeMax {
		return chat.InvalidField("expires_in_seconds", "an invite lives at most %d days, or 0 for ever", int(chat.InviteLifeMax/(24*time.Hour)))
	}
	return nil
}

// Invite makes a code that lets its holder into the room.
func (s *Service) Invite(ctx context.Context, who chat.Profile, room chat.RoomID, wanted NewInvite) (chat.Invite, error) {
	rule := doing(chat.ActInvite)
	if err := s.may(ctx, who.ID, room, rule); err != nil {
		return chat.Invite{}, err
	}
	if err := wanted.check(); err != nil {
		return chat.Invite{}, err
	}
	random := make([]byte, inviteBytes)
	if _, err := io.ReadFull(s.Rand, random); err != nil {
		return chat.Invite{}, fmt.Errorf("draw an invite code: %w", err)
	}
	spent, err := s.makeRoomForInvite(ctx, room)
	if err != nil {
		return chat.Invite{}, err
	}
	invite := chat.Invite{Code: base64.RawURLEncoding.EncodeToString(random), Room: room, CreatedBy: who, MaxUses: wanted.MaxUses}
	err = s.change(ctx, who, room, rule, func(t *turn) error {
		for _, code := range spent {
			if err := t.tx.RemoveInvite(code); err != nil && !errors.Is(err, chat.ErrNotFound) {
				return err
			}
		}
		invite.CreatedAt = t.now
		if wanted.ExpiresIn > 0 {
			invite.ExpiresAt = t.now.Add(wanted.ExpiresIn)
		}
		return t.tx.PutInvite(invite)
	})
	if err != nil {
		return chat.Invite{}, err
	}
	return invite, nil
}

// makeRoomForInvite keeps the invites of a room bounded: it names those that nobody can use any more, which the next one
// replaces, and refuses where too many good ones are left.
func (s *Service) makeRoomForInvite(ctx context.Context, room chat.RoomID) (spent []string, err error) {
	invites, err := s.Directory.Invites(ctx, room, chat.UserID{})
	if err != nil {
		return nil, fmt.Errorf("list invites of room %s: %w", room, err)
	}
	now := s.Clock()
	for _, invite := range invites {
		if invite.Spent(now) {
			spent = append(spent, invite.Code)
		}
	}
	if len(invites)-len(spent) >= chat.InvitesPerRoomMax {
		return nil, chat.Refuse(chat.Conflict, "this room has %d invites, which is the most; revoke one first", len(invites)-len(spent))
	}
	return spent, nil
}

// Invites lists the invites of a room that can still be used, newest first: moderators see all, members their own.
func (s *Service) Invites(ctx context.Context, who chat.UserID, room chat.RoomID) ([]chat.Invite, error) {
	access, err := s.access(ctx, who, room)
	if err != nil {
		return nil, err
	}
	if err := access.Do(chat.ActInvite); err != nil {
		return nil, err
	}
	by := who
	if access.Member.Role.May(chat.ActSeeAllInvites) {
		by = chat.UserID{}
	}
	invites, err := s.Directory.Invites(ctx, room, by)
	if err != nil {
		return nil, fmt.Errorf("list invites of room %s: %w", room, err)
	}
	now := s.Clock()
	good := make([]chat.Invite, 0, len(invites))
	for _, invite := range invites {
		if !invite.Spent(now) {
			good = append(good, invite)
		}
	}
	return good, nil
}

// Revoke ends an invite: members their own, moderators any. Others' codes are not found.
func (s *Service) Revoke(ctx context.Context, who chat.Profile, room chat.RoomID, code string) error {
	return s.change(ctx, who, room, doing(chat.ActInvite), func(t *turn) error {
		if !isCode(code) {
			return chat.ErrNotFound
		}
		invite, err := t.tx.Invite(code)
		if err != nil {
			return err
		}
		if invite.CreatedBy.ID != who.ID && !t.access.Member.Role.May(chat.ActSeeAllInvites) {
			return chat.ErrNotFound
		}
		return t.tx.RemoveInvite(code)
	})
}

// Preview tells the holder of a code where it leads. Codes that are spent, expired, revoked or unknown, or whose maker
// has left the room, are not found.
func (s *Service) Preview(ctx context.Context, code string) (chat.InvitePreview, error) {
	if !isCode(code) {
		return chat.InvitePreview{}, chat.ErrNotFound
	}
	preview, err := s.Directory.Invite(ctx, code)
	if err != nil {
		return chat.InvitePreview{}, fmt.Errorf("read an invite: %w", err) // never the code, which is a secret
	}
	if preview.Invite.Spent(s.Clock()) {
		return chat.InvitePreview{}, chat.ErrNotFound
	}
	maker, err := s.access(ctx, preview.Invite.CreatedBy.ID, preview.Room.ID)
	if err != nil {
		return chat.InvitePreview{}, err
	}
	if maker.Member == nil {
		return chat.InvitePreview{}, chat.ErrNotFound
	}
	return preview, nil
}

// Accept makes the holder of a code a member. Whoever is one already stays one and uses nothing up. A banned person is
// told so where the room is public, and otherwise finds nothing.
func (s *Service) Accept(ctx context.Context, who chat.Profile, code string) (View, error) {
	preview, err := s.Preview(ctx, code)
	if err != nil {
		return View{}, err
	}
	room := preview.Room.ID
	access, err := s.access(ctx, who.ID, room)
	if err != nil {
		return View{}, err
	}
	if access.Member != nil {
		return s.asMember(ctx, who.ID, room)
	}
	if err := admit(access); err != nil {
		return View{}, err
	}
	if err := s.checkRoomCount(ctx, who.ID); err != nil {
		return View{}, err
	}
	err = s.change(ctx, who, room, admit, func(t *turn) error {
		invite, err := t.tx.Invite(code)
		if err != nil {
			return err
		}
		if _, err := t.tx.Member(invite.CreatedBy.ID); err != nil {
			return err // the maker has left: not found
		}
		if t.access.Member != nil {
			return nil
		}
		if invite.Spent(t.now) {
			return chat.ErrNotFound
		}
		invite.Uses++
		if err := t.tx.PutInvite(invite); err != nil {
			return err
		}
		return t.join()
	})
	if err != nil {
		return View{}, err
	}
	return s.asMember(ctx, who.ID, room)
}

// admit is the rule for whoever holds an invite, which opens private rooms too.
func admit(a chat.Access) error {
	if !a.Banned {
		return nil
	}
	if err := a.See(); err != nil {
		return err
	}
	return chat.Refuse(chat.Banned, "you are banned from this room")
}

func isCode(code string) bool {
	if len(code) != inviteCodeSize {
		return false
	}
	_, err := base64.RawURLEncoding.DecodeString(code)
	return err == nil
}
