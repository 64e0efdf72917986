package gateway_test

import (
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/room"
)

// Promise (PROTOCOL §3): whoever joins is told joined on every connection, and gets the events after its head.
func TestJoined(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, w *world) {
		ann, bob := w.someone(t, "ann"), w.someone(t, "bob")
		room := w.room(t, chat.Public, ann)
		w.fill(t, ann, room, 3)
		one, two := w.sit(t, bob), w.sit(t, bob)
		w.join(t, bob, room)
		next := w.say(t, ann, room, "welcome")
		for _, c := range []*client{one, two} {
			joined := c.expect("joined")
			if joined.Room.ID != room.String() {
				t.Errorf("joined is %s", joined)
			}
			first := chat.Seq(joined.Room.Head) + 1
			if got, want := c.events(int(next-first)+1), span(first, next); !slices.Equal(got, want) {
				t.Errorf("got %v after joined, want %v", got, want)
			}
			c.quiet()
		}
	})
}

// Promise (FIGURES §4, test 4): a member who is removed, banned, leaves, or whose room is deleted sees event n and never
// n+1, on every connection, and is told why.
func TestRoomEnds(t *testing.T) {
	t.Parallel()
	for reason, end := range map[string]func(t *testing.T, w *world, owner, member person, id chat.RoomID) error{
		"removed": func(t *testing.T, w *world, owner, member person, id chat.RoomID) error {
			t.Helper()
			return w.rooms.Kick(t.Context(), owner.Profile, id, member.ID)
		},
		"banned": func(t *testing.T, w *world, owner, member person, id chat.RoomID) error {
			t.Helper()
			_, err := w.rooms.Ban(t.Context(), owner.Profile, id, member.ID, "")
			return err
		},
		"left": func(t *testing.T, w *world, _, member person, id chat.RoomID) error {
			t.Helper()
			return w.rooms.Leave(t.Context(), member.Profile, id)
		},
		"deleted": func(t *testing.T, w *world, owner, _ person, id chat.RoomID) error {
			t.Helper()
			return w.rooms.Delete(t.Context(), owner.Profile, id)
		},
	} {
		for name, visibility := range map[string]chat.Visibility{"a public room": chat.Public, "a private room": chat.Private} {
			t.Run(reason+" in "+name, func(t *testing.T) {
				t.Parallel()
				bubble(t, func(t *testing.T, w *world) {
					ann, bob, eve := w.someone(t, "ann"), w.someone(t, "bob"), w.someone(t, "eve")
					room := w.room(t, visibility, ann, bob, eve)
					one, two, witness := w.sit(t, eve), w.sit(t, eve), w.sit(t, bob)
					n := w.say(t, ann, room, "the last that eve sees")

					if err := end(t, w, ann, eve, room); err != nil {
						t.Fatal(err)
					}
					if reason != "deleted" {
						w.say(t, ann, room, "not for eve")
						witness.events(3)
					}
					for _, c := range []*client{one, two} {
						if got := c.events(1); got[0] != uint64(n) {
							t.Errorf("got %v before the end, want %d", got, n)
						}
						if left := c.expect("left"); left.RoomID != room.String() || left.Reason != reason {
							t.Errorf("got %s", left)
						}
						c.quiet()
						c.send(room, "am I still in?")
						if refusal := c.expect("error"); refusal.Code == "" || refusal.Code == "internal" {
							t.Errorf("refused with %s", refusal)
						}
					}
				})
			})
		}
	}
}

// Promise: the event of a removal alone, where its signal was lost, ends the room in the middle of the stream.
func TestRemovalWithoutSignal(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, w *world) {
		ann, eve := w.someone(t, "ann"), w.someone(t, "eve")
		id := w.room(t, chat.Public, ann, eve)
		c := w.sit(t, eve)
		w.bus.deaf.Store(true)
		if err := w.rooms.Kick(t.Context(), ann.Profile, id, eve.ID); err != nil {
			t.Fatal(err)
		}
		w.say(t, ann, id, "not for eve")
		if f := c.expect("event"); f.Event.Member.Change != "removed" {
			t.Errorf("got %s", f)
		}
		if left := c.expect("left"); left.Reason != "removed" {
			t.Errorf("got %s", left)
		}
		c.quiet()
	})
}

// Promise: the event of a leaving that arrives after its person has come back is old news and takes nothing away.
func TestOldRemovalAfterComingBack(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, w *world) {
		ann, eve := w.someone(t, "ann"), w.someone(t, "eve")
		id := w.room(t, chat.Public, ann, eve)
		witness, c := w.sit(t, ann), w.sit(t, eve)

		// The outbox is held up: its events come when the signals of leaving and coming back have long been heard.
		var held []chat.Envelope
		lose := func(envelope chat.Envelope) bool { held = append(held, envelope); return true }
		w.bus.lose.Store(&lose)
		if err := w.rooms.Leave(t.Context(), eve.Profile, id); err != nil {
			t.Fatal(err)
		}
		joinWithoutWaiting(t, w, eve, id)
		c.expect("left")
		c.expect("joined")
		synctest.Wait()
		w.bus.lose.Store(nil)
		if err := w.bus.Publish(t.Context(), held); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		next := w.say(t, ann, id, "welcome back")
		for {
			f := c.expect("event")
			if chat.Seq(f.Event.Seq) == next {
				break
			}
		}
		c.quiet()
		witness.events(len(held) + 1)
	})
}

// joinWithoutWaiting makes somebody a member while the store believes the room's head to be what it was: what the outbox
// still holds comes later.
func joinWithoutWaiting(t *testing.T, w *world, who person, id chat.RoomID) {
	t.Helper()
	before := w.head(t, id)
	hook := func(found *chat.MemberRoom) { found.Head = before - 1 }
	w.store.asMember.Store(&hook)
	w.join(t, who, id)
	synctest.Wait()
	w.store.asMember.Store(nil)
}

// Promise: whoever leaves or joins while a connection of theirs is being set up finds the connection as it should be:
// told, once, and in or out of the room.
func TestMembershipDuringSignIn(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		member bool // before
		change func(t *testing.T, w *world, who person, id chat.RoomID)
		in     bool // after
		told   []string
	}{
		"leaves": {true, leave, false, []string{"left"}},
		"joins":  {false, join, true, []string{"joined"}},
		"leaves and comes back": {true, func(t *testing.T, w *world, who person, id chat.RoomID) {
			t.Helper()
			leave(t, w, who, id)
			join(t, w, who, id)
		}, true, nil},
		"joins and leaves": {false, func(t *testing.T, w *world, who person, id chat.RoomID) {
			t.Helper()
			join(t, w, who, id)
			leave(t, w, who, id)
		}, false, nil},
		"sees the room deleted": {true, func(t *testing.T, w *world, _ person, id chat.RoomID) {
			t.Helper()
			access, err := w.store.Access(t.Context(), id, chat.UserID{})
			if err != nil {
				t.Fatal(err)
			}
			if err := w.rooms.Delete(t.Context(), chat.Profile{ID: access.Room.CreatedBy}, id); err != nil {
				t.Fatal(err)
			}
		}, false, []string{"left"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, w *world) {
				ann, eve := w.someone(t, "ann"), w.someone(t, "eve")
				id := w.room(t, chat.Public, ann)
				if tc.member {
					w.join(t, eve, id)
				}
				var once atomic.Bool
				hook := func(who chat.UserID) { // eve's rooms have been read, and nothing done with them yet
					if who == eve.ID && once.CompareAndSwap(false, true) {
						tc.change(t, w, eve, id)
					}
				}
				w.store.listed.Store(&hook)
				c := w.sit(t, eve)
				_, beforePong := c.ping()
				var told []string
				for _, f := range beforePong {
					if f.Type != "event" && f.Type != "presence" {
						told = append(told, f.Type)
					}
				}
				if !slices.Equal(told, tc.told) {
					t.Errorf("after ready came %v, want %v", told, tc.told)
				}
				if name == "sees the room deleted" {
					return
				}
				next := w.say(t, ann, id, "for members")
				synctest.Wait()
				_, beforePong = c.ping()
				got := len(beforePong) > 0 && beforePong[len(beforePong)-1].Event.Seq == uint64(next)
				if got != tc.in {
					t.Errorf("saw the next event: %v, want %v", got, tc.in)
				}
			})
		})
	}
}

func leave(t *testing.T, w *world, who person, id chat.RoomID) {
	t.Helper()
	if err := w.rooms.Leave(t.Context(), who.Profile, id); err != nil {
		t.Fatal(err)
	}
}

func join(t *testing.T, w *world, who person, id chat.RoomID) {
	t.Helper()
	w.join(t, who, id)
}

// ping asks for a pong and answers what came before it.
func (c *client) ping() (pong frame, before []frame) {
	c.t.Helper()
	c.text(`{"type":"ping"}`)
	return c.until("pong")
}

// Promise: a joined room that was left again before it could be shown is not shown, and its connection gets nothing of
// it; nor does the one who was late take away what came of joining once more.
func TestJoinedAndLeftAtOnce(t *testing.T) {
	t.Parallel()
	for name, back := range map[string]bool{"left": false, "left and joined once more": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, w *world) {
				ann, eve := w.someone(t, "ann"), w.someone(t, "eve")
				id := w.room(t, chat.Public, ann)
				c := w.sit(t, eve)
				var asked, answered atomic.Bool
				reached, left, late := make(chan struct{}), make(chan struct{}), make(chan struct{})
				before := func(chat.RoomID) { // the first place is taken, the room is about to be read
					if asked.CompareAndSwap(false, true) {
						close(reached)
						<-left
					}
				}
				after := func(*chat.MemberRoom) { // and was read: it is not there
					if answered.CompareAndSwap(false, true) {
						<-late
					}
				}
				w.store.roomOf.Store(&before)
				w.store.asMember.Store(&after)
				w.join(t, eve, id)
				<-reached
				leave(t, w, eve, id)
				close(left)
				synctest.Wait()
				if back {
					w.join(t, eve, id)
					synctest.Wait()
				}
				close(late)
				synctest.Wait()
				next := w.say(t, ann, id, "for members")
				synctest.Wait()
				_, frames := c.ping()
				got := len(frames) > 0 && frames[len(frames)-1].Event.Seq == uint64(next)
				if got != back {
					t.Errorf("saw the next event: %v, want %v, of %v", got, back, frames)
				}
			})
		})
	}
}

// Promise: a room that is deleted between the opening of its feed and the taking of a place in it is told as left.
func TestDeletedWhileJoining(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, w *world) {
		ann := w.someone(t, "ann")
		id := w.room(t, chat.Public, ann)
		var once atomic.Bool
		read := func(chat.RoomID, chat.Page) {
			if once.CompareAndSwap(false, true) {
				if err := w.rooms.Delete(t.Context(), ann.Profile, id); err != nil {
					t.Error(err)
				}
			}
		}
		w.store.read.Store(&read)
		c := w.sit(t, ann)
		if left := c.expect("left"); left.Reason != "deleted" {
			t.Errorf("got %s", left)
		}
	})
}

// Promise: a connection that cannot be shown a room its person has joined is told to come back.
func TestJoinedWhileTheStoreIsAway(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, w *world) {
		ann, eve := w.someone(t, "ann"), w.someone(t, "eve")
		id := w.room(t, chat.Public, ann)
		c := w.sit(t, eve)
		w.store.away.Store(true)
		w.signal(t, chat.Signal{Kind: chat.SignalJoined, Room: id, User: eve.ID})
		wantClosed(t, c.closed(), 1013)
	})
}

// Promise: a signal of a room that never was, or of somebody without a connection, does nothing.
func TestSignalsOfNobody(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, w *world) {
		ann := w.someone(t, "ann")
		w.room(t, chat.Public, ann)
		c := w.sit(t, ann)
		for _, kind := range []chat.SignalKind{
			chat.SignalJoined, chat.SignalLeft, chat.SignalMember, chat.SignalRoomDeleted, chat.SignalSessionEnded,
			chat.SignalProfileChanged, chat.SignalRead, chat.SignalTyping, chat.SignalPresence, "a kind of the future",
		} {
			w.signal(t, chat.Signal{Kind: kind, Room: chat.RoomID(uuid.New()), User: chat.UserID(uuid.New())})
		}
		w.signal(t, chat.Signal{Kind: chat.SignalJoined, Room: chat.RoomID(uuid.New()), User: ann.ID})
		w.signal(t, chat.Signal{Kind: chat.SignalProfileChanged, User: ann.ID})
		w.signal(t, chat.Signal{Kind: chat.SignalRead, User: ann.ID})
		synctest.Wait()
		c.quiet()
	})
}

// Promise: a room that its last listener here leaves and that is opened again loses nothing, however the two interleave.
func TestRoomClosedAndReopened(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, w *world) {
		ann := w.someone(t, "ann")
		id := w.room(t, chat.Public, ann)
		for range 30 {
			old := w.sit(t, ann)
			old.hangUp() // gives the room up while the next one opens it
			c, ready := w.connect(t, ann)
			first := chat.Seq(ready.Rooms[0].Head) + 1
			last := w.fill(t, ann, id, 3)
			if got, want := c.events(3), span(first, last); !slices.Equal(got, want) {
				t.Fatalf("got %v, want %v", got, want)
			}
			c.hangUp()
		}
	})
}

// Promise: a muted member is refused, and may write again when the mute ends.
func TestMute(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, w *world) {
		ann, bob := w.someone(t, "ann"), w.someone(t, "bob")
		id := w.room(t, chat.Public, ann, bob)
		const mute = time.Minute
		c := w.sit(t, bob)
		c.send(id, "hello")
		c.both()
		until := time.Now().Add(mute)
		if _, err := w.rooms.ChangeMember(t.Context(), ann.Profile, id, bob.ID, room.MemberChange{MutedUntil: &until}); err != nil {
			t.Fatal(err)
		}
		c.expect("event")
		c.send(id, "hello?")
		if refusal := c.expect("error"); refusal.Code != "muted" {
			t.Errorf("refused with %s", refusal)
		}
		keepAlive(c, mute)
		c.send(id, "hello again")
		c.both()
	})
}
