package replay

import (
	"context"
	"strings"
	"testing"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// behind is a store of which only the stored offset is asked.
type behind struct {
	Behind
	stored chat.Offset
}

func (b *behind) Position(context.Context, int) (chat.Offset, error) { return b.stored, nil }

// Promise: a backup that the log does not reach back to, and one of another log, are refused before anything is written.
func TestCatchUpRefuses(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		stored chat.Offset
		want   string
	}{
		"older than the log": {2, "take a newer backup"},
		"newer than the log": {9, "another log"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log := &scripted{records: make([]*chat.Record, 5), extent: chat.Extent{First: 3, End: 8}}
			c := CatchUp{Log: log, Store: &behind{stored: tc.stored}, Progress: func(int64, int64) {}}
			if _, err := c.Run(t.Context()); chat.CodeOf(err) != chat.Conflict || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("it ends with %v, want %q", err, tc.want)
			}
		})
	}
}

// oneRoom is a room in which one person has a place, or none.
type oneRoom struct {
	chat.RoomTx
	member chat.Member
	ban    chat.Ban
}

func (r *oneRoom) Room() (chat.Room, error)           { return chat.Room{Head: 40}, nil }
func (r *oneRoom) PutMember(member chat.Member) error { r.member = member; return nil }
func (r *oneRoom) PutBan(ban chat.Ban) error          { r.ban = ban; return nil }

func (r *oneRoom) RemoveMember(chat.UserID) error {
	if r.member.User.ID.IsZero() {
		return chat.ErrNotFound
	}
	r.member = chat.Member{}
	return nil
}

func (r *oneRoom) RemoveBan(chat.UserID) error {
	if r.ban.User.ID.IsZero() {
		return chat.ErrNotFound
	}
	r.ban = chat.Ban{}
	return nil
}

// Promise: whatever somebody's place in a room was in the backup, it is afterwards what the events since have made of it; and that also
// if it is done twice.
func TestSettle(t *testing.T) {
	t.Parallel()
	somebody, room := person(7, "cy"), chat.RoomID{1}
	is, kept := chat.Member{User: somebody, Role: chat.Owner}, chat.Ban{User: somebody, Reason: "noise"}
	for name, tc := range map[string]struct {
		before  oneRoom
		changes []chat.MemberDetail
		role    chat.Role
		banned  bool
	}{
		"joined":                    {oneRoom{}, []chat.MemberDetail{{Change: chat.MemberJoined, Role: chat.Plain}}, chat.Plain, false},
		"joined after a ban":        {oneRoom{ban: kept}, []chat.MemberDetail{{Change: chat.MemberJoined, Role: chat.Plain}}, chat.Plain, false},
		"left":                      {oneRoom{member: is}, []chat.MemberDetail{{Change: chat.MemberLeft}}, "", false},
		"left, told a second time":  {oneRoom{}, []chat.MemberDetail{{Change: chat.MemberLeft}}, "", false},
		"banned":                    {oneRoom{member: is}, []chat.MemberDetail{{Change: chat.MemberBanned}}, "", true},
		"kicked, while banned":      {oneRoom{member: is, ban: kept}, []chat.MemberDetail{{Change: chat.MemberRemoved}}, "", true},
		"another role":              {oneRoom{member: is}, []chat.MemberDetail{{Change: chat.MemberRole, Role: chat.Moderator}}, chat.Moderator, false},
		"came, was banned, is back": {oneRoom{}, []chat.MemberDetail{{Change: chat.MemberJoined, Role: chat.Plain}, {Change: chat.MemberBanned}, {Change: chat.MemberJoined, Role: chat.Plain}}, chat.Plain, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFold()
			for n, detail := range tc.changes {
				detail.User = somebody
				f.event(&chat.Event{Room: room, Seq: chat.Seq(n + 1), Kind: chat.KindMember, At: start, Actor: person(1, "ada"), Member: &detail})
			}
			tx := tc.before
			for range 2 {
				for at, last := range f.last {
					if err := f.settle(&tx, at, last); err != nil {
						t.Fatal(err)
					}
				}
			}
			if banned := !tx.ban.User.ID.IsZero(); tx.member.Role != tc.role || banned != tc.banned {
				t.Errorf("afterwards the role is %q, banned %t; want %q, %t", tx.member.Role, banned, tc.role, tc.banned)
			}
			if tc.role != "" && tx.member.ReadSeq != 40 {
				t.Errorf("the read line is at %d, want the head", tx.member.ReadSeq)
			}
		})
	}
}
