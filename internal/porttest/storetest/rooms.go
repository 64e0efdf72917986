package storetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

func testRooms(t *testing.T, fresh Fresh) {
	each(t, fresh, map[string]func(t *testing.T, i *Instance){
		"a change that fails changes nothing and its error comes back": refusedChange,
		"what is not there is not found":                               missingInTx,
		"what was put is read, in and after the transaction":           putAndRead,
		"the head and the count of members are the store's own":        ownNumbers,
		"an invite for ten is used ten times":                          racingInvites,
		"the last owner stays, whoever races":                          racingOwnersLeave,
		"a room is created once":                                       racingCreation,
		"changes and commits of one room do not lose each other":       changesAmongCommits,
		"a panic in a change is an error of that change alone":         panicInChange,
		"an invite's code belongs to one room":                         foreignInvite,
	})
}

var errRefused = errors.New("refused by the change")

func refusedChange(t *testing.T, i *Instance) {
	mina, joon := i.AddUser(t, "mina"), i.AddUser(t, "joon")
	r := i.AddRoom(t, chat.Public, mina, joon)
	err := i.Store.Update(t.Context(), r.ID, func(tx chat.RoomTx) error {
		changed := r.Room
		changed.Name = "changed"
		return errors.Join(
			tx.PutRoom(changed), tx.RemoveMember(joon.ID), tx.PutBan(chat.Ban{User: joon.Profile, By: mina.ID, At: i.Now()}),
			tx.PutInvite(chat.Invite{Code: "code", CreatedBy: mina.Profile, CreatedAt: i.Now()}),
			tx.Emit(chat.OutboxEntry{ID: i.MessageID(), Room: r.ID, Payload: []byte("told")}), errRefused,
		)
	})
	if !errors.Is(err, errRefused) {
		t.Errorf("Update = %v, want the change's own error", err)
	}
	if entries, err := i.Store.Outbox(t.Context(), 0, 10); err != nil || len(entries) != 0 {
		t.Errorf("Outbox = %v, %v, want nothing", entries, err)
	}
	i.Check(t, i.Store)

	never := chat.RoomID(i.id())
	refusal := chat.Refuse(chat.Forbidden, "no")
	err = i.Store.Update(t.Context(), never, func(tx chat.RoomTx) error {
		return errors.Join(tx.PutRoom(chat.Room{Name: "never", Visibility: chat.Public, CreatedAt: i.Now()}), refusal)
	})
	if chat.CodeOf(err) != chat.Forbidden {
		t.Errorf("Update = %v, want forbidden", err)
	}
	if _, ok := i.RoomState(t, i.Store, never); ok {
		t.Error("a room that was not created has a state")
	}
}

func missingInTx(t *testing.T, i *Instance) {
	mina, joon := i.AddUser(t, "mina"), i.AddUser(t, "joon")
	r := i.AddRoom(t, chat.Public, mina)
	stranger := chat.Member{User: chat.Profile{ID: i.id(), Username: "stranger"}, Role: chat.Plain, JoinedAt: i.Now(), Notify: chat.NotifyAll}
	calls := map[string]func(tx chat.RoomTx) error{
		"Member":       func(tx chat.RoomTx) error { _, err := tx.Member(joon.ID); return err },
		"Ban":          func(tx chat.RoomTx) error { _, err := tx.Ban(joon.ID); return err },
		"Invite":       func(tx chat.RoomTx) error { _, err := tx.Invite("none"); return err },
		"RemoveMember": func(tx chat.RoomTx) error { return tx.RemoveMember(joon.ID) },
		"RemoveBan":    func(tx chat.RoomTx) error { return tx.RemoveBan(joon.ID) },
		"RemoveInvite": func(tx chat.RoomTx) error { return tx.RemoveInvite("none") },
		"PutMember":    func(tx chat.RoomTx) error { return tx.PutMember(stranger) },
	}
	for name, call := range calls {
		if err := i.Store.Update(t.Context(), r.ID, call); !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("%s: %v, want not_found", name, err)
		}
	}
	calls["Room"] = func(tx chat.RoomTx) error { _, err := tx.Room(); return err }
	calls["DeleteRoom"] = chat.RoomTx.DeleteRoom
	for name, call := range calls {
		if err := i.Store.Update(t.Context(), i.id(), call); !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("%s of a room that is not there: %v, want not_found", name, err)
		}
	}
	i.Check(t, i.Store)
}

func putAndRead(t *testing.T, i *Instance) {
	mina, joon := i.AddUser(t, "mina"), i.AddUser(t, "joon")
	r := i.AddRoom(t, chat.Public, mina)
	i.Commit(t, i.Say(r, mina, "word"))
	member := chat.Member{Room: r.ID, User: joon.Profile, Role: chat.Moderator, JoinedAt: i.Now(), MutedUntil: i.Now(), ReadSeq: 1, Notify: chat.NotifyMentions}
	ban := chat.Ban{Room: r.ID, User: joon.Profile, Reason: "이유", By: mina.ID, At: i.Now()}
	invite := chat.Invite{Code: "abc", Room: r.ID, CreatedBy: mina.Profile, CreatedAt: i.Now(), ExpiresAt: i.Now(), MaxUses: 3, Uses: 1}
	info := r.Room
	info.Name, info.Topic, info.Visibility, info.MoodEnabled, info.Members = "이름", "new topic", chat.Private, true, 2
	read := func(tx chat.RoomTx) error {
		gotRoom, err1 := tx.Room()
		gotMember, err2 := tx.Member(joon.ID)
		gotBan, err3 := tx.Ban(joon.ID)
		gotInvite, err4 := tx.Invite("abc")
		owners, err5 := tx.Owners()
		if d := diff([]any{info, member, ban, invite, 1}, []any{gotRoom, gotMember, gotBan, gotInvite, owners}); d != "" {
			t.Errorf("(-want +got)\n%s", d)
		}
		return errors.Join(err1, err2, err3, err4, err5)
	}
	i.update(t, r, func(tx chat.RoomTx) error {
		return errors.Join(tx.PutRoom(info), tx.PutMember(member), tx.PutBan(ban), tx.PutInvite(invite), read(tx))
	})
	i.update(t, r, read)
	invite.Uses, ban.Reason, member.Role = 2, "another", chat.Plain
	i.update(t, r, func(tx chat.RoomTx) error {
		return errors.Join(tx.PutMember(member), tx.PutBan(ban), tx.PutInvite(invite), read(tx))
	})
	r.Room, r.Members[joon.ID], r.Bans[joon.ID], r.Invites["abc"] = info, &member, ban, invite
	i.Check(t, i.Store)
	i.update(t, r, func(tx chat.RoomTx) error {
		return errors.Join(tx.RemoveBan(joon.ID), tx.RemoveInvite("abc"), tx.RemoveMember(joon.ID))
	})
	delete(r.Bans, joon.ID)
	delete(r.Members, joon.ID)
	r.Room.Members = 1
	i.Check(t, i.Store)
}

func ownNumbers(t *testing.T, i *Instance) {
	mina, joon := i.AddUser(t, "mina"), i.AddUser(t, "joon")
	r := i.AddRoom(t, chat.Public, mina)
	stale := r.Room // read before what follows
	i.Commit(t, i.Say(r, mina, "word"))
	i.Join(t, r, joon, chat.Plain)
	stale.Topic = "changed"
	i.update(t, r, func(tx chat.RoomTx) error { return tx.PutRoom(stale) })
	r.Topic = "changed"
	// A line beyond the head would count what is yet to be said as read.
	ahead := *r.Members[joon.ID]
	i.Leave(t, r, joon.ID)
	ahead.ReadSeq = 99
	i.update(t, r, func(tx chat.RoomTx) error { return tx.PutMember(ahead) })
	ahead.ReadSeq = r.Head
	r.Members[joon.ID], r.Room.Members = &ahead, 2
	i.Check(t, i.Store)
}

func racingInvites(t *testing.T, i *Instance) {
	const racers, uses = 50, 10
	mina := i.AddUser(t, "mina")
	r := i.AddRoom(t, chat.Private, mina)
	guests := make([]chat.User, racers)
	for n := range guests {
		guests[n] = i.AddUser(t, fmt.Sprint("guest", n))
	}
	i.update(t, r, func(tx chat.RoomTx) error {
		return tx.PutInvite(chat.Invite{Code: "ten", Room: r.ID, CreatedBy: mina.Profile, CreatedAt: i.Now(), MaxUses: uses})
	})
	at := i.Now()
	var all sync.WaitGroup
	var joined atomic.Int64
	for _, guest := range guests {
		all.Go(func() {
			err := i.Store.Update(t.Context(), r.ID, func(tx chat.RoomTx) error {
				invite, err := tx.Invite("ten")
				if err != nil || invite.Spent(at) {
					return errors.Join(err, chat.ErrNotFound)
				}
				invite.Uses++
				return errors.Join(tx.PutInvite(invite), tx.PutMember(chat.Member{User: guest.Profile, Role: chat.Plain, JoinedAt: at, Notify: chat.NotifyAll}))
			})
			switch {
			case err == nil:
				joined.Add(1)
			case !errors.Is(err, chat.ErrNotFound):
				t.Errorf("Update: %v", err)
			}
		})
	}
	all.Wait()
	members, _, err := i.Store.Members(t.Context(), r.ID, "", 100)
	if joined.Load() != uses || err != nil || len(members) != uses+1 {
		t.Errorf("%d joined, %d members, %v, want %d and one more", joined.Load(), len(members), err, uses)
	}
	if got, err := i.Store.Invite(t.Context(), "ten"); err != nil || got.Invite.Uses != uses || got.Room.Members != uses+1 {
		t.Errorf("Invite = %+v, %v", got, err)
	}
}

func racingOwnersLeave(t *testing.T, i *Instance) {
	mina, joon := i.AddUser(t, "mina"), i.AddUser(t, "joon")
	r := i.AddRoom(t, chat.Public, mina)
	i.Join(t, r, joon, chat.Owner)
	var all sync.WaitGroup
	var left atomic.Int64
	for _, user := range []chat.User{mina, joon} {
		all.Go(func() {
			if err := i.Store.Update(t.Context(), r.ID, func(tx chat.RoomTx) error {
				if owners, err := tx.Owners(); err != nil || owners == 1 {
					return errors.Join(err, errRefused)
				}
				return tx.RemoveMember(user.ID)
			}); err == nil {
				left.Add(1)
			}
		})
	}
	all.Wait()
	if left.Load() != 1 {
		t.Errorf("%d owners left, want one", left.Load())
	}
}

func racingCreation(t *testing.T, i *Instance) {
	mina := i.AddUser(t, "mina")
	info := chat.Room{ID: i.id(), Name: "once", Visibility: chat.Direct, CreatedBy: mina.ID, CreatedAt: i.Now()}
	var all sync.WaitGroup
	var created atomic.Int64
	for range 20 {
		all.Go(func() {
			err := i.Store.Update(t.Context(), info.ID, func(tx chat.RoomTx) error {
				if _, err := tx.Room(); !errors.Is(err, chat.ErrNotFound) {
					return errors.Join(err, errRefused)
				}
				return errors.Join(tx.PutRoom(info), tx.PutMember(chat.Member{User: mina.Profile, Role: chat.Owner, JoinedAt: info.CreatedAt, Notify: chat.NotifyAll}))
			})
			switch {
			case err == nil:
				created.Add(1)
			case !errors.Is(err, errRefused):
				t.Errorf("Update: %v", err)
			}
		})
	}
	all.Wait()
	if created.Load() != 1 {
		t.Errorf("the room was created %d times", created.Load())
	}
}

func changesAmongCommits(t *testing.T, i *Instance) {
	mina := i.AddUser(t, "mina")
	r := i.AddRoom(t, chat.Public, mina)
	guests := make([]chat.User, 30)
	for n := range guests {
		guests[n] = i.AddUser(t, fmt.Sprint("guest", n))
	}
	var batches []chat.Batch
	for n := range 30 {
		batches = append(batches, chat.Batch{From: chat.Offset(n), To: chat.Offset(n + 1), Events: []chat.Event{i.Say(r, mina, "word")}})
	}
	at := i.Now()
	var all sync.WaitGroup
	all.Go(func() {
		for _, batch := range batches {
			if _, err := i.Store.Commit(t.Context(), batch); err != nil {
				t.Errorf("Commit: %v", err)
			}
		}
	})
	for _, guest := range guests {
		all.Go(func() {
			if err := i.Store.Update(t.Context(), r.ID, func(tx chat.RoomTx) error {
				info, err := tx.Room()
				if err != nil {
					return err
				}
				info.Topic = "by " + guest.Username
				return errors.Join(tx.PutRoom(info), tx.PutMember(chat.Member{User: guest.Profile, Role: chat.Plain, JoinedAt: at, Notify: chat.NotifyAll}))
			}); err != nil {
				t.Errorf("Update: %v", err)
			}
		})
	}
	all.Wait()
	got, err := i.Store.Access(t.Context(), r.ID, mina.ID)
	if err != nil || got.Room.Head != 30 || got.Room.Members != 31 || !slices.ContainsFunc(guests, func(u chat.User) bool { return got.Room.Topic == "by "+u.Username }) {
		t.Errorf("room = %+v, %v, want head 30 and 31 members", got.Room, err)
	}
}

func panicInChange(t *testing.T, i *Instance) {
	mina := i.AddUser(t, "mina")
	r := i.AddRoom(t, chat.Public, mina)
	err := i.Store.Update(t.Context(), r.ID, func(tx chat.RoomTx) error {
		if err := tx.RemoveMember(mina.ID); err != nil {
			return err
		}
		panic("a bug in the change")
	})
	if err == nil {
		t.Error("a change that panicked succeeded")
	}
	i.Commit(t, i.Say(r, mina, "goes on"))
	i.Check(t, i.Store)
}

func foreignInvite(t *testing.T, i *Instance) {
	mina := i.AddUser(t, "mina")
	a, b := i.AddRoom(t, chat.Private, mina), i.AddRoom(t, chat.Private, mina)
	invite := chat.Invite{Code: "code", Room: a.ID, CreatedBy: mina.Profile, CreatedAt: i.Now(), MaxUses: 1}
	i.update(t, a, func(tx chat.RoomTx) error { return tx.PutInvite(invite) })
	for name, call := range map[string]func(tx chat.RoomTx) error{
		"Invite":       func(tx chat.RoomTx) error { _, err := tx.Invite("code"); return err },
		"RemoveInvite": func(tx chat.RoomTx) error { return tx.RemoveInvite("code") },
	} {
		if err := i.Store.Update(t.Context(), b.ID, call); !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("%s from another room: %v, want not_found", name, err)
		}
	}
	stolen := invite
	stolen.Room, stolen.MaxUses = b.ID, 0
	if err := i.Store.Update(t.Context(), b.ID, func(tx chat.RoomTx) error { return tx.PutInvite(stolen) }); chat.CodeOf(err) != chat.Conflict {
		t.Errorf("PutInvite over another room's: %v, want conflict", err)
	}
	got, err := i.Store.Invite(t.Context(), "code")
	if d := diff(invite, got.Invite); err != nil || d != "" {
		t.Errorf("Invite: %v; diff (-want +got)\n%s", err, d)
	}
}
