package api

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// lastEvent is the newest event of a room.
func lastEvent(c *caller, room string) answer {
	c.w.t.Helper()
	head := c.must(200, "GET", room, nil).number("head")
	return c.must(200, "GET", fmt.Sprintf("%s/changes?after=%.0f", room, head-1), nil)
}

// Promise (CONTRACT): a room always has an owner; roles go by rank; each change is one event that tells the whole member,
// and a change to what already is tells nothing.
func TestRoles(t *testing.T) {
	t.Parallel()
	w := anywhere(t)
	owner, second, plain := w.person(), w.person(), w.person()
	room := "/rooms/" + owner.must(201, "POST", "/rooms", object{"name": "Ranks", "visibility": "public"}).text("id")
	second.must(200, "POST", room+"/join", nil)
	plain.must(200, "POST", room+"/join", nil)
	member := func(c *caller) string { return room + "/members/" + c.id.String() }

	refused(t, owner.do("POST", room+"/leave", nil), chat.Conflict)
	refused(t, owner.do("PUT", member(owner), object{"role": "member"}), chat.Conflict)
	owner.must(200, "PUT", member(second), object{"role": "moderator"})
	event := lastEvent(owner, room)
	if event.text("events", "0", "member", "change") != "role" || event.text("events", "0", "member", "role") != "moderator" ||
		event.text("events", "0", "member", "user", "id") != second.id.String() || event.text("events", "0", "actor", "id") != owner.id.String() {
		t.Errorf("event = %s, want the new role of the second by the owner", event)
	}
	head := owner.must(200, "GET", room, nil).number("head")
	owner.must(200, "PUT", member(second), object{"role": "moderator"})
	owner.must(200, "PATCH", room, object{"name": "Ranks"})
	plain.must(200, "POST", room+"/join", nil)
	if again := owner.must(200, "GET", room, nil).number("head"); again != head {
		t.Errorf("changes to what already is moved the head from %v to %v", head, again)
	}

	until := time.Now().Add(time.Hour).UTC().Format(time.RFC3339Nano)
	muted := second.must(200, "PUT", member(plain), object{"muted_until": until})
	if !strings.HasPrefix(until, strings.TrimSuffix(muted.text("muted_until"), "Z")) {
		t.Errorf("muted = %s, want until %s", muted, until)
	}
	if event := lastEvent(owner, room); event.text("events", "0", "member", "change") != "muted" {
		t.Errorf("event = %s, want muted", event)
	}
	say := func() answer { return plain.do("POST", room+"/messages", object{"id": w.messageID(), "body": "mmh"}) }
	w.soonRefused(t, chat.Muted, say)
	if got := second.must(200, "PUT", member(plain), object{"muted_until": nil}); got.at("muted_until") != nil {
		t.Errorf("unmuted = %s", got)
	}
	if event := lastEvent(owner, room); event.text("events", "0", "member", "change") != "unmuted" {
		t.Errorf("event = %s, want unmuted", event)
	}
	if got := w.soon(say, func(got answer) bool { return got.status == 201 }); got.status != 201 {
		t.Errorf("unmuted, said = %s, want 201", got)
	}

	owner.must(200, "PUT", member(second), object{"role": "owner"})
	refused(t, second.do("DELETE", member(owner), nil), chat.Forbidden)
	second.must(200, "PUT", member(owner), object{"role": "member"})
	refused(t, second.do("POST", room+"/leave", nil), chat.Conflict)
	second.must(204, "DELETE", member(owner), nil)
	if event := lastEvent(second, room); event.text("events", "0", "member", "change") != "removed" {
		t.Errorf("event = %s, want removed", event)
	}
	members := second.must(200, "GET", room+"/members", nil)
	if len(members.list("members")) != 2 || members.text("members", "0", "role") != "owner" || members.at("members", "0", "online") != false {
		t.Errorf("members = %s, want the owner first of two", members)
	}
	if signals := w.heard(chat.SignalLeft); w.here() && (len(signals) != 1 || signals[0].User != owner.id || signals[0].Change != chat.MemberRemoved) {
		t.Errorf("signals = %+v, want one removal", signals)
	}
	if signals := w.heard(chat.SignalMember); w.here() && len(signals) != 5 {
		t.Errorf("%d signals of changed members, want 5", len(signals))
	}
}

// Promise: of two owners who leave, or step down, at the same moment, one stays.
func TestOwnersRace(t *testing.T) {
	t.Parallel()
	w := anywhere(t)
	for i := range 20 {
		first, second, plain := w.person(), w.person(), w.person()
		room := "/rooms/" + first.must(201, "POST", "/rooms", object{"name": "Race", "visibility": "public"}).text("id")
		second.must(200, "POST", room+"/join", nil)
		plain.must(200, "POST", room+"/join", nil)
		first.must(200, "PUT", room+"/members/"+second.id.String(), object{"role": "owner"})
		var group sync.WaitGroup
		var conflicts atomic.Int64
		for _, owner := range []*caller{first, second} {
			group.Go(func() {
				var got answer
				if i%2 == 0 {
					got = owner.do("POST", room+"/leave", nil)
				} else {
					got = owner.do("PUT", room+"/members/"+owner.id.String(), object{"role": "member"})
				}
				if got.code() == chat.Conflict {
					conflicts.Add(1)
				}
			})
		}
		group.Wait()
		members := plain.must(200, "GET", room+"/members", nil)
		if conflicts.Load() != 1 || members.text("members", "0", "role") != "owner" || members.text("members", "1", "role") == "owner" {
			t.Errorf("%d conflicts and %s, want one owner left", conflicts.Load(), members)
		}
	}
}

// Promise: a ban keeps out until it is lifted; who banned whom, when and why is told to moderators.
func TestBans(t *testing.T) {
	t.Parallel()
	w := anywhere(t)
	owner, noisy := w.person(), w.person()
	room := "/rooms/" + owner.must(201, "POST", "/rooms", object{"name": "Calm", "visibility": "public"}).text("id")
	noisy.must(200, "POST", room+"/join", nil)
	made := owner.must(201, "POST", room+"/bans", object{"user_id": noisy.id, "reason": "noise"})
	if made.text("user", "id") != noisy.id.String() || made.text("reason") != "noise" || made.text("by", "id") != owner.id.String() || made.text("banned_at") == "" {
		t.Errorf("ban = %s", made)
	}
	if event := lastEvent(owner, room); event.text("events", "0", "member", "change") != "banned" {
		t.Errorf("event = %s, want banned", event)
	}
	owner.must(201, "POST", room+"/bans", object{"user_id": noisy.id, "reason": "much noise"})
	if bans := owner.must(200, "GET", room+"/bans", nil); len(bans.list("bans")) != 1 || bans.text("bans", "0", "reason") != "much noise" {
		t.Errorf("bans = %s, want one with the newer reason", bans)
	}
	refused(t, noisy.do("POST", room+"/join", nil), chat.Banned)
	owner.must(204, "DELETE", room+"/bans/"+noisy.id.String(), nil)
	refused(t, owner.do("DELETE", room+"/bans/"+noisy.id.String(), nil), chat.NotFound)
	noisy.must(200, "POST", room+"/join", nil)
	refused(t, owner.do("POST", room+"/bans", object{"user_id": chat.UserID(w.newID())}), chat.Invalid)
}

// Promise: a room that turns private disappears for whoever is not in it, and comes back when it turns public.
func TestVisibility(t *testing.T) {
	t.Parallel()
	w := anywhere(t)
	owner, other := w.person(), w.person()
	room := "/rooms/" + owner.must(201, "POST", "/rooms", object{"name": "Shy " + other.name, "visibility": "public"}).text("id")
	listed := func() int {
		return len(other.must(200, "GET", "/rooms?query=shy%20"+other.name, nil).list("rooms"))
	}
	other.must(200, "GET", room, nil)
	if listed() != 1 {
		t.Error("a public room is not listed")
	}
	owner.must(200, "PATCH", room, object{"visibility": "private", "topic": "hush"})
	if event := lastEvent(owner, room); event.text("events", "0", "room", "visibility") != "private" || event.text("events", "0", "change") != "changed" {
		t.Errorf("event = %s, want the room's change", event)
	}
	refused(t, other.do("GET", room, nil), chat.NotFound)
	refused(t, other.do("POST", room+"/join", nil), chat.NotFound)
	if listed() != 0 {
		t.Error("a private room is listed")
	}
	owner.must(200, "PATCH", room, object{"visibility": "public"})
	other.must(200, "POST", room+"/join", nil)
}

// Promise (FIGURES §4 test 6): ids from elsewhere open nothing: messages of another room cannot be read, changed, reacted
// to or answered under this one's address.
func TestForeignIDs(t *testing.T) {
	t.Parallel()
	w := anywhere(t)
	owner, other := w.person(), w.person()
	here := "/rooms/" + owner.must(201, "POST", "/rooms", object{"name": "Here", "visibility": "private"}).text("id")
	there := "/rooms/" + other.must(201, "POST", "/rooms", object{"name": "There", "visibility": "private"}).text("id")
	foreign := w.messageID()
	other.must(201, "POST", there+"/messages", object{"id": foreign, "body": "a secret"})
	head := other.must(200, "GET", there, nil).number("head")

	path := here + "/messages/" + foreign
	refused(t, owner.do("PATCH", path, object{"body": "mine now"}), chat.NotFound)
	refused(t, owner.do("DELETE", path, nil), chat.NotFound)
	refused(t, owner.do("PUT", path+"/reactions/%F0%9F%91%8D", nil), chat.NotFound)
	refused(t, owner.do("POST", here+"/messages", object{"id": w.messageID(), "body": "re:", "reply_to": foreign}), chat.Invalid)
	refused(t, owner.do("PUT", here+"/read", object{"unread_from": 1000}), chat.Invalid)
	refused(t, owner.do("POST", here+"/messages", object{"id": w.messageID(), "body": "with a file", "attachment_ids": []string{foreign}}), chat.Invalid)
	for _, emoji := range []string{"x", "%3Cscript%3E", "%F0%9F%91%8D%00", "%ff", strings.Repeat("%F0%9F%91%8D", 20), "a%F0%9F%91%8D"} {
		got := owner.do("PUT", path+"/reactions/"+emoji, nil)
		if got.status < 400 || got.status >= 500 {
			t.Errorf("reaction %s = %s, want a refusal", emoji, got)
		}
	}
	// The same id in another room is another message.
	owner.must(201, "POST", here+"/messages", object{"id": foreign, "body": "not a secret"})
	if got := other.must(200, "GET", there+"/messages", nil); got.text("messages", "0", "body") != "a secret" || got.number("head") != head {
		t.Errorf("there = %s, want it untouched", got)
	}
}

// Promise (FIGURES §4 test 7): one id is one message of one sender with one text; anything else under it is refused.
func TestSameID(t *testing.T) {
	t.Parallel()
	w := anywhere(t)
	owner, other := w.person(), w.person()
	room := "/rooms/" + owner.must(201, "POST", "/rooms", object{"name": "Once", "visibility": "public"}).text("id")
	other.must(200, "POST", room+"/join", nil)
	id := w.messageID()
	first := owner.must(201, "POST", room+"/messages", object{"id": id, "body": "once"})
	check := func(when string) {
		t.Helper()
		for _, resend := range []bool{false, true} {
			if got := owner.must(200, "POST", room+"/messages", object{"id": id, "body": "once", "resend": resend}); got.number("seq") != first.number("seq") {
				t.Errorf("%s: repeat = %s, want %s", when, got, first)
			}
			refused(t, owner.do("POST", room+"/messages", object{"id": id, "body": "twice", "resend": resend}), chat.Conflict)
			refused(t, owner.do("POST", room+"/messages", object{"id": id, "body": "once", "reply_to": id, "resend": resend}), chat.Conflict)
			got := other.do("POST", room+"/messages", object{"id": id, "body": "once", "resend": resend})
			refused(t, got, chat.Conflict)
			if strings.Contains(string(got.body), owner.name) {
				t.Errorf("%s: %s tells whose it is", when, got)
			}
		}
	}
	check("at once")
	owner.must(200, "PATCH", room+"/messages/"+id, object{"body": "edited"})
	check("after an edit")
	if w.here() {
		w.clock.pass(time.Minute)
		check("a minute later")
	}
	for i := range 1100 { // beyond what numbering remembers
		owner.must(201, "POST", room+"/messages", object{"id": w.messageID(), "body": fmt.Sprint(i)})
	}
	w.clock.pass(time.Minute)
	for _, resend := range []bool{false, true} {
		owner.must(200, "POST", room+"/messages", object{"id": id, "body": "once", "resend": resend})
		refused(t, owner.do("POST", room+"/messages", object{"id": id, "body": "twice", "resend": resend}), chat.Conflict)
	}
	refused(t, owner.do("POST", room+"/messages", object{"id": "01900000-0000-4000-8000-000000000000", "body": "a version 4"}), chat.Invalid)
}

// Promise: lists come in pages that together are the whole list, once each.
func TestPages(t *testing.T) {
	t.Parallel()
	w := setup(t)
	owner := w.person()
	room := owner.must(201, "POST", "/rooms", object{"name": "Paged", "visibility": "public"}).text("id")
	people := []*caller{owner}
	for range 11 {
		c := w.person()
		c.must(200, "POST", "/rooms/"+room+"/join", nil)
		c.must(201, "POST", "/rooms", object{"name": "Room of " + c.name, "visibility": "public"})
		people = append(people, c)
	}
	for path, key := range map[string]string{"/rooms/" + room + "/members": "members", "/users": "users", "/rooms": "rooms"} {
		seen := map[string]bool{}
		cursor, pages := "", 0
		for {
			got := owner.must(200, "GET", path+"?limit=5&cursor="+cursor, nil)
			for _, item := range got.list(key) {
				text := fmt.Sprint(item)
				if seen[text] {
					t.Errorf("%s: %s comes twice", path, text)
				}
				seen[text] = true
			}
			pages++
			if cursor = got.text("next_cursor"); cursor == "" {
				break
			}
		}
		if len(seen) != 12 || pages != 3 {
			t.Errorf("%s: %d items on %d pages, want 12 on 3", path, len(seen), pages)
		}
	}
	w.presence.Connected(t.Context(), people[3].id) //nolint:errcheck // memory never fails
	found := owner.must(200, "GET", "/users?query="+strings.ToUpper(people[3].name), nil)
	if len(found.list("users")) != 1 || found.at("users", "0", "online") != true {
		t.Errorf("found %s, want the one person, online", found)
	}
	w.operate("disable", people[3].name)
	if found := owner.must(200, "GET", "/users?query="+people[3].name, nil); len(found.list("users")) != 0 {
		t.Errorf("found %s, want no disabled account", found)
	}
}

// Promise: nobody is in more rooms than the bound.
func TestRoomBound(t *testing.T) {
	t.Parallel()
	w := setup(t)
	owner, busy := w.person(), w.person()
	room := owner.must(201, "POST", "/rooms", object{"name": "One more", "visibility": "public"}).text("id")
	for range chat.RoomsPerUserMax {
		id := chat.RoomID(w.newID())
		err := w.store.Store.Update(t.Context(), id, func(tx chat.RoomTx) error {
			if err := tx.PutRoom(chat.Room{ID: id, Name: "x", Visibility: chat.Private, CreatedBy: busy.id, CreatedAt: w.clock.now()}); err != nil {
				return err
			}
			return tx.PutMember(chat.Member{Room: id, User: w.profile(busy), Role: chat.Owner, JoinedAt: w.clock.now()})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	refused(t, busy.do("POST", "/rooms/"+room+"/join", nil), chat.Conflict)
	refused(t, busy.do("POST", "/rooms", object{"name": "y", "visibility": "public"}), chat.Conflict)
	code := owner.must(201, "POST", "/rooms/"+room+"/invites", nil).text("code")
	refused(t, busy.do("POST", "/invites/"+code+"/accept", nil), chat.Conflict)
}

// Promise: one's profile is what one makes it, and no more than that.
func TestProfile(t *testing.T) {
	t.Parallel()
	w := anywhere(t)
	c := w.person()
	got := c.must(200, "PATCH", "/me", object{
		"display_name": "가나다", "status": "away", "avatar_url": "https://example.com/a.png",
		"admin": true, "username": "root", "id": w.messageID(), "email": "x@example.com", "created_at": "2000-01-01T00:00:00Z",
	})
	if got.text("display_name") != "가나다" || got.text("status") != "away" || got.text("avatar_url") != "https://example.com/a.png" {
		t.Errorf("me = %s", got)
	}
	if got.at("admin") != false || got.text("username") != c.name || got.text("id") != c.id.String() || got.at("email") != nil {
		t.Errorf("me = %s, want what is not one's to change unchanged", got)
	}
	if got := c.must(200, "PATCH", "/me", object{}); got.text("avatar_url") == "" || got.text("status") != "away" {
		t.Errorf("me after no change = %s", got)
	}
	if got := c.must(200, "PATCH", "/me", object{"avatar_url": nil, "status": ""}); got.at("avatar_url") != nil || got.text("status") != "" {
		t.Errorf("me without picture = %s", got)
	}
	for _, avatar := range []string{"javascript:alert(1)", "data:image/png;base64,x", "//evil.example/a.png", "/\\evil.example", "https://", "https://u:p@example.com/x", "ftp://example.com/x", "x.png", "https://e/" + strings.Repeat("x", 500)} {
		refused(t, c.do("PATCH", "/me", object{"avatar_url": avatar}), chat.Invalid)
	}
	if signals := w.heard(chat.SignalProfileChanged); w.here() && (len(signals) == 0 || signals[0].Profile.DisplayName != "가나다") {
		t.Errorf("signals = %+v, want the new name", signals)
	}
	if got := c.must(200, "GET", "/me", nil); got.text("display_name") != "가나다" {
		t.Errorf("me = %s", got)
	}
	list := c.must(200, "GET", "/me/sessions", nil)
	if len(list.list("sessions")) != 1 || list.at("sessions", "0", "current") != true {
		t.Errorf("sessions = %s, want this one", list)
	}
}

// Promise: an owner decides whether a room's texts are read. A public room begins so, a private one does not, and one that does
// not change stays.
func TestMoodIsTheOwnersChoice(t *testing.T) {
	t.Parallel()
	w := anywhere(t)
	owner := w.person()
	for visibility, begins := range map[string]bool{"public": true, "private": false} {
		room := owner.must(http.StatusCreated, "POST", "/rooms", object{"name": "Mood", "visibility": visibility})
		path := "/rooms/" + room.text("id")
		if got := room.at("mood_enabled"); got != begins {
			t.Errorf("a %s room begins with mood %v", visibility, got)
		}
		for _, on := range []bool{!begins, !begins, begins} {
			if got := owner.must(http.StatusOK, "PATCH", path, object{"mood_enabled": on}).at("mood_enabled"); got != on {
				t.Errorf("turned to %v it is %v", on, got)
			}
			if got, want := lastEvent(owner, path).text("events", "0", "change"), map[bool]string{true: "mood_on", false: "mood_off"}[on]; got != want {
				t.Errorf("turned to %v, people are told %q, want %q", on, got, want)
			}
		}
		if got := owner.must(http.StatusOK, "PATCH", path, object{"topic": "talk"}).at("mood_enabled"); got != begins {
			t.Errorf("after another change it is %v", got)
		}
		owner.must(http.StatusOK, "PATCH", path, object{"topic": "hush", "mood_enabled": !begins})
		if got := lastEvent(owner, path).text("events", "0", "change"); got != "changed" {
			t.Errorf("of a change of more than the mood people are told %q", got)
		}
		if buckets := owner.must(http.StatusOK, "GET", path+"/mood?bucket=week&tz=Asia/Kathmandu&from=2026-01-01T00:00:00Z&to=2026-11-01T00:00:00.5%2B09:00", nil).list("buckets"); len(buckets) > 0 {
			t.Errorf("a room in which nothing was read has %v", buckets)
		}
		for query, field := range map[string]string{
			"bucket=year": "bucket", "tz=Mars/Base": "tz", "tz=Local": "tz", "from=yesterday": "from", "to=2026": "to",
			"from=2025-01-01T00:00:00Z&to=2024-01-01T00:00:00Z": "from", "from=2020-01-01T00:00:00Z": "from", "tz=../../etc/passwd": "tz",
		} {
			if got := owner.do("GET", path+"/mood?"+query, nil); got.code() != chat.Invalid || !strings.Contains(got.String(), field) {
				t.Errorf("%s: %s", query, got)
			}
		}
	}
}
