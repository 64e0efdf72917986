package api

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/account"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Promise (FIGURES §4 test 8): of fifty people who race for an invite of one use, one comes in.
func TestInviteRace(t *testing.T) {
	t.Parallel()
	w := anywhere(t)
	owner := w.person()
	room := "/rooms/" + owner.must(201, "POST", "/rooms", object{"name": "Narrow", "visibility": "private"}).text("id")
	code := owner.must(201, "POST", room+"/invites", object{"max_uses": 1}).text("code")
	racers := make([]*caller, 50)
	for i := range racers {
		racers[i] = w.person()
	}
	var won, lost atomic.Int64
	var group sync.WaitGroup
	for _, racer := range racers {
		group.Go(func() {
			switch got := racer.do("POST", "/invites/"+code+"/accept", nil); {
			case got.status == 200:
				won.Add(1)
			case got.code() == chat.NotFound:
				lost.Add(1)
			default:
				t.Errorf("racer got %s", got)
			}
		})
	}
	group.Wait()
	if won.Load() != 1 || lost.Load() != 49 {
		t.Errorf("%d came in and %d did not, want 1 and 49", won.Load(), lost.Load())
	}
	if got := owner.must(200, "GET", room, nil); got.number("members") != 2 {
		t.Errorf("room = %s, want two members", got)
	}
}

// Promise (FIGURES §4 test 8): codes cannot be guessed, and what is used up, over, revoked, of a deleted room, or made by
// somebody who has left, leads nowhere, with one answer for all of it.
func TestInvites(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(w *world, owner, member *caller, room, code string){
		"used up": func(w *world, _, _ *caller, _, code string) {
			for range 2 {
				w.person().must(200, "POST", "/invites/"+code+"/accept", nil)
			}
		},
		"expired": func(w *world, _, _ *caller, _, _ string) { w.pass(10 * time.Minute) },
		"revoked by its maker": func(_ *world, _, member *caller, room, code string) {
			member.must(204, "DELETE", room+"/invites/"+code, nil)
		},
		"revoked by the owner": func(_ *world, owner, _ *caller, room, code string) {
			owner.must(204, "DELETE", room+"/invites/"+code, nil)
		},
		"room deleted":   func(_ *world, owner, _ *caller, room, _ string) { owner.must(204, "DELETE", room, nil) },
		"its maker left": func(_ *world, _, member *caller, room, _ string) { member.must(204, "POST", room+"/leave", nil) },
		"its maker was put out": func(_ *world, owner, member *caller, room, _ string) {
			owner.must(204, "DELETE", room+"/members/"+member.id.String(), nil)
		},
		"its maker was banned": func(_ *world, owner, member *caller, room, _ string) {
			owner.must(201, "POST", room+"/bans", object{"user_id": member.id, "reason": "noise"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := anywhere(t)
			owner, member, guest := w.person(), w.person(), w.person()
			room := "/rooms/" + owner.must(201, "POST", "/rooms", object{"name": "Door", "topic": "Knock", "visibility": "private"}).text("id")
			first := owner.must(201, "POST", room+"/invites", nil)
			if first.at("max_uses") != nil || first.at("expires_at") != nil || len(first.text("code")) < 22 {
				t.Errorf("invite = %s, want no bounds and a code of 128 bits", first)
			}
			member.must(200, "POST", "/invites/"+first.text("code")+"/accept", nil)
			invite := member.must(201, "POST", room+"/invites", object{"max_uses": 2, "expires_in_seconds": 600})
			code := invite.text("code")
			if !strings.HasSuffix(invite.text("url"), "/invite/"+code) || invite.number("max_uses") != 2 || invite.text("created_by", "username") != member.name {
				t.Errorf("invite = %s", invite)
			}
			preview := w.nobody().must(200, "GET", "/invites/"+code, nil)
			if preview.text("room", "name") != "Door" || preview.text("room", "topic") != "Knock" || preview.number("room", "members") != 2 || preview.text("inviter", "username") != member.name {
				t.Errorf("preview = %s", preview)
			}
			member.must(200, "POST", "/invites/"+code+"/accept", nil) // uses nothing up
			if own := member.must(200, "GET", room+"/invites", nil); len(own.list("invites")) != 1 {
				t.Errorf("a member's invites = %s, want the own one", own)
			}
			if all := owner.must(200, "GET", room+"/invites", nil); len(all.list("invites")) != 2 || all.number("invites", "0", "uses") != 0 {
				t.Errorf("the owner's invites = %s, want both, unused but for the first", all)
			}

			spoil(w, owner, member, room, code)

			never := strings.Repeat("A", len(code))
			for _, ask := range []func(code string) answer{
				func(code string) answer { return w.nobody().do("GET", "/invites/"+code, nil) },
				func(code string) answer { return guest.do("POST", "/invites/"+code+"/accept", nil) },
			} {
				got, unknown := ask(code), ask(never)
				refused(t, got, chat.NotFound)
				if got.String() != unknown.String() {
					t.Errorf("%s, but for a code that never was %s", got, unknown)
				}
			}
			for _, list := range []answer{owner.do("GET", room+"/invites", nil), owner.do("GET", room+"/members", nil)} {
				if (name == "used up" || name == "expired") && strings.Contains(string(list.body), code) {
					t.Errorf("%s still shows the code", list)
				}
			}
			if w.here() && strings.Contains(w.logs.String(), code) {
				t.Error("the code is in the log")
			}
		})
	}
}

// Promise: codes are not tied to how they are written, and belong to one room.
func TestInviteCodes(t *testing.T) {
	t.Parallel()
	w := setup(t, func(_ *account.Config, options *Options) {
		options.PublicOrigins = []string{"https://chat.example", "https://app.example"}
	})
	owner := w.person()
	here := "/rooms/" + owner.must(201, "POST", "/rooms", object{"name": "Here", "visibility": "private"}).text("id")
	there := "/rooms/" + owner.must(201, "POST", "/rooms", object{"name": "There", "visibility": "private"}).text("id")
	seen := map[string]bool{}
	for range 200 {
		invite := owner.must(201, "POST", here+"/invites", nil)
		if seen[invite.text("code")] || invite.text("url") != "https://chat.example/invite/"+invite.text("code") {
			t.Fatalf("invite = %s, want another code at the public address", invite)
		}
		seen[invite.text("code")] = true
	}
	var code string
	for code = range seen {
		break
	}
	refused(t, owner.do("DELETE", there+"/invites/"+code, nil), chat.NotFound)
	owner.must(204, "DELETE", here+"/invites/"+code, nil)
	for _, odd := range []string{"%00", "..", strings.Repeat("x", 5000), "%20" + code, code + "%20", code[:21], code + "A", "%F0%9F%91%8D"} {
		refused(t, w.nobody().do("GET", "/invites/"+odd, nil), chat.NotFound)
	}
}

// Promise: a room takes so many invites and no more; those that are used up make place.
func TestInviteBound(t *testing.T) {
	t.Parallel()
	w := setup(t)
	owner := w.person()
	room := "/rooms/" + owner.must(201, "POST", "/rooms", object{"name": "Full", "visibility": "private"}).text("id")
	id, err := chat.ParseRoomID(strings.TrimPrefix(room, "/rooms/"))
	if err != nil {
		t.Fatal(err)
	}
	err = w.store.Store.Update(t.Context(), id, func(tx chat.RoomTx) error {
		for i := range chat.InvitesPerRoomMax {
			invite := chat.Invite{
				Code: fmt.Sprintf("%022d", i), Room: id, CreatedBy: w.profile(owner), CreatedAt: w.clock.now(), ExpiresAt: w.clock.now().Add(time.Hour),
			}
			if err := tx.PutInvite(invite); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	refused(t, owner.do("POST", room+"/invites", nil), chat.Conflict)
	w.clock.pass(time.Hour)
	owner.signedIn(owner.do("POST", "/auth/login", object{"username": owner.name, "password": password}), 200)
	owner.must(201, "POST", room+"/invites", nil)
	if left := owner.must(200, "GET", room+"/invites", nil); len(left.list("invites")) != 1 {
		t.Errorf("invites = %d, want the new one alone", len(left.list("invites")))
	}
}
