package storetest

import (
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// testModel does random acts to a store and to the model, and compares all that can be read. Every run of rapid takes
// people, rooms and a partition of its own in one database.
func testModel(t *testing.T, fresh Fresh) {
	open := fresh(t)
	var store Store
	reopen := func() Store { store = open(); return store }
	reopen()
	var runs atomic.Int64
	rapid.Check(t, func(rt *rapid.T) {
		i := NewInstance(rt, func() Store { return store }, int(runs.Add(1)))
		i.open = reopen
		i.Populate(rt, rapid.IntRange(1, 15).Draw(rt, "acts"))
		i.Check(rt, i.Store)
		if rapid.IntRange(0, 9).Draw(rt, "restart") == 0 {
			i.Restart()
			i.Check(rt, i.Store)
		}
	})
}

// Populate does a number of random acts.
func (i *Instance) Populate(t *rapid.T, acts int) {
	for n := range rapid.IntRange(1, 4).Draw(t, "people") {
		i.AddUser(t, fmt.Sprintf("user-%d-%d", i.Partition, n))
	}
	for range acts {
		living := i.living()
		if len(living) == 0 {
			i.addRandomRoom(t)
			continue
		}
		r := rapid.SampledFrom(living).Draw(t, "room")
		user := rapid.SampledFrom(i.Users).Draw(t, "user")
		switch rapid.IntRange(0, 19).Draw(t, "act") {
		case 0:
			i.addRandomRoom(t)
		case 1:
			if r.Members[user.ID] == nil {
				i.Join(t, r, user, rapid.SampledFrom([]chat.Role{chat.Owner, chat.Moderator, chat.Plain}).Draw(t, "role"))
			} else {
				i.Leave(t, r, user.ID)
			}
		case 2:
			if rapid.IntRange(0, 4).Draw(t, "sure") == 0 {
				i.DeleteRoom(t, r)
			}
		case 3, 4:
			if r.Members[user.ID] != nil {
				i.MarkRead(t, r, user, drawSeq(t, r))
			}
		case 5:
			if r.Members[user.ID] != nil {
				i.MarkUnread(t, r, user, 1+drawSeq(t, r))
			}
		case 6:
			i.banOrLift(t, r, user)
		default:
			i.commitRandom(t)
		}
	}
}

func drawSeq(t *rapid.T, r *Room) chat.Seq {
	return chat.Seq(rapid.Uint64Range(0, uint64(r.Head)+3).Draw(t, "seq"))
}

func (i *Instance) addRandomRoom(t *rapid.T) {
	members := rapid.SliceOfNDistinct(rapid.SampledFrom(i.Users), 1, len(i.Users), func(u chat.User) chat.UserID { return u.ID }).Draw(t, "members")
	i.AddRoom(t, rapid.SampledFrom([]chat.Visibility{chat.Public, chat.Private, chat.Direct}).Draw(t, "visibility"), members...)
}

func (i *Instance) banOrLift(t *rapid.T, r *Room, user chat.User) {
	if _, banned := r.Bans[user.ID]; banned {
		i.update(t, r, func(tx chat.RoomTx) error { return tx.RemoveBan(user.ID) })
		delete(r.Bans, user.ID)
		return
	}
	ban := chat.Ban{Room: r.ID, User: user.Profile, Reason: "random", By: i.Users[0].ID, At: i.Now()}
	i.update(t, r, func(tx chat.RoomTx) error { return tx.PutBan(ban) })
	r.Bans[user.ID] = ban
}

// commitRandom commits some events of any living rooms and checks which were reported void.
func (i *Instance) commitRandom(t *rapid.T) {
	var events []chat.Event
	var want []chat.Seq
	for range rapid.IntRange(1, 8).Draw(t, "events") {
		r := rapid.SampledFrom(i.living()).Draw(t, "room of event")
		event := i.randomEvent(t, r)
		events = append(events, event)
		if r.Log[event.Seq-1].Kind == chat.KindVoid {
			want = append(want, event.Seq)
		}
	}
	var got []chat.Seq
	for _, void := range i.Commit(t, events...) {
		got = append(got, void.Seq)
	}
	if !slices.Equal(want, got) {
		t.Fatalf("voids %v, want %v", got, want)
	}
}

func (i *Instance) randomEvent(t *rapid.T, r *Room) chat.Event {
	user := rapid.SampledFrom(i.Users).Draw(t, "actor")
	if len(r.Messages) > 0 {
		target := rapid.SampledFrom(r.sortedMessages()).Draw(t, "target")
		switch rapid.IntRange(0, 13).Draw(t, "kind") {
		case 12, 13:
			if target.DeletedAt.IsZero() {
				label := rapid.SampledFrom([]chat.MoodLabel{chat.Positive, chat.Neutral, chat.Negative}).Draw(t, "mood")
				return i.Feel(r, target, label, rapid.IntRange(-1000, 1000).Draw(t, "score"))
			}
		case 0, 1:
			if target.DeletedAt.IsZero() {
				return i.Edit(r, target, drawBody(t), i.drawMentions(t)...)
			}
		case 2:
			return i.Delete(r, target)
		case 3, 4:
			return i.React(r, target, chat.Reaction{Emoji: "👍", Users: []chat.UserID{user.ID}}, chat.Reaction{Emoji: "🐝", Users: i.drawMentions(t)})
		case 5:
			return i.Tell(r, user, i.Users[0], rapid.SampledFrom([]chat.MemberChange{chat.MemberJoined, chat.MemberMuted, chat.MemberLeft}).Draw(t, "change"))
		case 6:
			return i.TellRoom(r, user, chat.RoomChanged)
		case 7, 8:
			first := rapid.SampledFrom(r.Log).Draw(t, "first")
			if first.Kind == chat.KindMessage {
				return i.Resend(r, first)
			}
		}
	}
	event := i.Say(r, user, drawBody(t), i.drawMentions(t)...)
	if rapid.IntRange(0, 5).Draw(t, "all") == 0 {
		event.Message.MentionsAll = true
	}
	if replies := slices.Sorted(maps.Keys(seqIndex(r))); len(replies) > 1 && rapid.Bool().Draw(t, "reply") {
		event.Message.ReplyTo = seqIndex(r)[replies[0]]
	}
	r.Messages[event.RecordID] = event.Message.Clone()
	return event
}

func seqIndex(r *Room) map[chat.Seq]chat.MessageID {
	index := make(map[chat.Seq]chat.MessageID, len(r.Messages))
	for id, m := range r.Messages {
		index[m.Seq] = id
	}
	return index
}

func drawBody(t *rapid.T) string {
	return rapid.SampledFrom([]string{"hello", "안녕하세요", "👩‍👩‍👧‍👦", "a\nb", "x"}).Draw(t, "body") + rapid.StringN(0, 20, -1).Draw(t, "rest")
}

func (i *Instance) drawMentions(t *rapid.T) []chat.UserID {
	users := rapid.SliceOfNDistinct(rapid.SampledFrom(i.Users), 0, len(i.Users), func(u chat.User) chat.UserID { return u.ID }).Draw(t, "mentioned")
	ids := make([]chat.UserID, 0, len(users))
	for _, user := range users {
		ids = append(ids, user.ID)
	}
	return ids
}
