package storetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

func testDirectory(t *testing.T, fresh Fresh) {
	each(t, fresh, map[string]func(t *testing.T, i *Instance){
		"members by role and name, a page at a time":        memberPages,
		"bans, newest first":                                bans,
		"invites, newest first, all or one's own":           invites,
		"public rooms by activity, a page at a time":        publicRooms,
		"public rooms by name or topic, case folded":        publicRoomSearch,
		"a cursor that no page has given is refused":        badCursors,
		"a room leaves the directory when it is not public": privateRooms,
	})
}

// pages reads a list to its end and fails where a page is over its limit or the list does not end.
func pages[Item any](t *testing.T, limit int, read func(after chat.Cursor) ([]Item, chat.Cursor, error)) (all []Item) {
	t.Helper()
	var after chat.Cursor
	for range 1000 {
		page, next, err := read(after)
		if err != nil || len(page) > limit {
			t.Fatalf("page after %q: %d items, %v, want at most %d", after, len(page), err, limit)
		}
		all = append(all, page...)
		if next == "" {
			return all
		}
		after = next
	}
	t.Fatal("the list does not end")
	return nil
}

func memberPages(t *testing.T, i *Instance) {
	owner := i.AddUser(t, "zoe")
	r := i.AddRoom(t, chat.Public, owner)
	want := []string{"adam", "zoe"}
	i.Join(t, r, i.AddUser(t, "adam"), chat.Owner)
	for _, role := range []chat.Role{chat.Plain, chat.Moderator} {
		for n := range 7 {
			i.Join(t, r, i.AddUser(t, fmt.Sprintf("%s.%d-%d", role, 9-n, n)), role)
		}
	}
	var plain, moderators []string
	for _, user := range i.Users {
		switch r.Members[user.ID].Role {
		case chat.Moderator:
			moderators = append(moderators, user.Username)
		case chat.Plain:
			plain = append(plain, user.Username)
		case chat.Owner:
		}
	}
	slices.Sort(moderators)
	slices.Sort(plain)
	want = append(append(want, moderators...), plain...)
	for _, limit := range []int{1, 3, 16, 50} {
		got := pages(t, limit, func(after chat.Cursor) ([]chat.Member, chat.Cursor, error) {
			return i.Store.Members(t.Context(), r.ID, after, limit)
		})
		var names []string
		for _, member := range got {
			names = append(names, member.User.Username)
			if d := diff(*r.Members[member.User.ID], member); d != "" {
				t.Errorf("member (-want +got)\n%s", d)
			}
		}
		if d := diff(want, names); d != "" {
			t.Errorf("pages of %d (-want +got)\n%s", limit, d)
		}
	}
}

func bans(t *testing.T, i *Instance) {
	owner := i.AddUser(t, "mina")
	r := i.AddRoom(t, chat.Public, owner)
	var want []chat.Ban
	for n := range 5 {
		ban := chat.Ban{Room: r.ID, User: i.AddUser(t, fmt.Sprint("guest", n)).Profile, Reason: fmt.Sprint("reason ", n), By: owner.ID, At: i.Now()}
		want = append([]chat.Ban{ban}, want...)
		i.update(t, r, func(tx chat.RoomTx) error { return tx.PutBan(ban) })
	}
	got, err := i.Store.Bans(t.Context(), r.ID)
	if d := diff(want, got); err != nil || d != "" {
		t.Errorf("Bans: %v; diff (-want +got)\n%s", err, d)
	}
}

func invites(t *testing.T, i *Instance) {
	mina, joon := i.AddUser(t, "mina"), i.AddUser(t, "joon")
	r := i.AddRoom(t, chat.Private, mina, joon)
	var want, own []chat.Invite
	for n := range 6 {
		by := mina
		if n%2 == 1 {
			by = joon
		}
		invite := chat.Invite{Code: fmt.Sprint("code", n), Room: r.ID, CreatedBy: by.Profile, CreatedAt: i.Now(), MaxUses: n, Uses: n / 2}
		if n%3 == 0 {
			invite.ExpiresAt = i.Now()
		}
		i.update(t, r, func(tx chat.RoomTx) error { return tx.PutInvite(invite) })
		want = append([]chat.Invite{invite}, want...)
		if by.ID == joon.ID {
			own = append([]chat.Invite{invite}, own...)
		}
	}
	all, err := i.Store.Invites(t.Context(), r.ID, chat.UserID{})
	if d := diff(want, all); err != nil || d != "" {
		t.Errorf("Invites: %v; diff (-want +got)\n%s", err, d)
	}
	mine, err := i.Store.Invites(t.Context(), r.ID, joon.ID)
	if d := diff(own, mine); err != nil || d != "" {
		t.Errorf("own Invites: %v; diff (-want +got)\n%s", err, d)
	}
	got, err := i.Store.Invite(t.Context(), "code3")
	if d := diff(chat.InvitePreview{Invite: want[2], Room: r.Room}, got); err != nil || d != "" {
		t.Errorf("Invite: %v; diff (-want +got)\n%s", err, d)
	}
}

func roomNames(rooms []chat.RoomListing) string {
	names := make([]string, 0, len(rooms))
	for _, room := range rooms {
		names = append(names, room.Name)
	}
	return strings.Join(names, ",")
}

func publicRooms(t *testing.T, i *Instance) {
	mina, joon := i.AddUser(t, "mina"), i.AddUser(t, "joon")
	i.AddRoom(t, chat.Private, mina)
	at := i.Now().Add(time.Hour)
	var rooms []*Room
	for n := range 9 {
		r := i.AddRoom(t, chat.Public, mina)
		if n%3 == 0 {
			i.Join(t, r, joon, chat.Plain)
		}
		said := i.Say(r, mina, "word")
		said.Message.CreatedAt, said.At = at.Add(time.Duration(n/3)*time.Second), at.Add(time.Duration(n/3)*time.Second) // three of one moment
		i.Commit(t, said)
		rooms = append(rooms, r)
	}
	for _, limit := range []int{1, 2, 9, 50} {
		got := pages(t, limit, func(after chat.Cursor) ([]chat.RoomListing, chat.Cursor, error) {
			return i.Store.PublicRooms(t.Context(), joon.ID, "", after, limit)
		})
		if want := "Room 7,Room 8,Room 9,Room 4,Room 5,Room 6,Room 1,Room 2,Room 3"; roomNames(got) != want {
			t.Errorf("pages of %d: %s, want %s", limit, roomNames(got), want)
		}
		for n, listing := range got {
			place := slices.IndexFunc(rooms, func(r *Room) bool { return r.ID == listing.ID })
			want := chat.RoomListing{Room: rooms[place].Room, Joined: place%3 == 0, LastActivityAt: at.Add(time.Duration(place/3) * time.Second)}
			if d := diff(want, listing); d != "" {
				t.Errorf("listing %d (-want +got)\n%s", n, d)
			}
		}
	}
}

func publicRoomSearch(t *testing.T, i *Instance) {
	mina := i.AddUser(t, "mina")
	for _, name := range []string{"Straßen und Wege", "한국어 방", "ΣΊΣΥΦΟΣ", "100% _plain_", "İstanbul"} {
		r := i.AddRoom(t, chat.Public, mina)
		r.Name, r.Topic = name, "Topic OF "+name
		i.update(t, r, func(tx chat.RoomTx) error { return tx.PutRoom(r.Room) })
	}
	for query, want := range map[string]string{
		"wege": "Straßen und Wege", "STRAßEN": "Straßen und Wege", "국어": "한국어 방", "σίσυφος": "ΣΊΣΥΦΟΣ", "σίσυφοσ": "ΣΊΣΥΦΟΣ",
		"%": "100% _plain_", "_plain": "100% _plain_", "topic of 한": "한국어 방", "none such": "", "'": "", "stanbul": "İstanbul",
	} {
		got, _, err := i.Store.PublicRooms(t.Context(), mina.ID, query, "", 10)
		if err != nil || roomNames(got) != want {
			t.Errorf("PublicRooms(%q) = %s, %v, want %s", query, roomNames(got), err, want)
		}
	}
}

func badCursors(t *testing.T, i *Instance) {
	mina := i.AddUser(t, "mina")
	r := i.AddRoom(t, chat.Public, mina)
	for _, cursor := range []chat.Cursor{"x", ".", "1", "999999999999999999999.x", "1.not-an-id"} {
		if _, _, err := i.Store.PublicRooms(t.Context(), mina.ID, "", cursor, 10); chat.CodeOf(err) != chat.Invalid {
			t.Errorf("PublicRooms after %q: %v, want invalid", cursor, err)
		}
	}
	for _, cursor := range []chat.Cursor{"x", "mina", "9999.mina"} {
		if _, _, err := i.Store.Members(t.Context(), r.ID, cursor, 10); chat.CodeOf(err) != chat.Invalid {
			t.Errorf("Members after %q: %v, want invalid", cursor, err)
		}
	}
}

func privateRooms(t *testing.T, i *Instance) {
	mina := i.AddUser(t, "mina")
	r := i.AddRoom(t, chat.Public, mina)
	r.Visibility = chat.Private
	i.update(t, r, func(tx chat.RoomTx) error { return tx.PutRoom(r.Room) })
	gone := i.AddRoom(t, chat.Public, mina)
	i.DeleteRoom(t, gone)
	if got, _, err := i.Store.PublicRooms(t.Context(), mina.ID, "", "", 10); err != nil || len(got) != 0 {
		t.Errorf("PublicRooms = %s, %v, want none", roomNames(got), err)
	}
}
