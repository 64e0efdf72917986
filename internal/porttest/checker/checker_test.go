package checker_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/porttest/checker"
)

var (
	room     = chat.RoomID{1}
	ada, bob = chat.UserID{1}, chat.UserID{2}
)

func id(n byte) chat.MessageID { return chat.MessageID{n} }

// good is a run in which everything happened that can: resends, a refusal, an edit, a deletion, a void number, a reset,
// somebody who left and came back.
func good() *checker.History {
	message := func(n byte, sender chat.UserID, body string, seq, changed chat.Seq) *checker.Message {
		return &checker.Message{ID: id(n), Sender: sender, Body: body, Seq: seq, ChangedSeq: changed}
	}
	first := message(1, ada, "one, corrected", 2, 5)
	gone := &checker.Message{ID: id(2), Sender: bob, Seq: 3, ChangedSeq: 7, Deleted: true}
	third := message(3, ada, "three", 6, 0)
	events := []checker.Event{
		{Seq: 1, Kind: chat.KindMember, Actor: ada},
		{Seq: 2, Kind: chat.KindMessage, Actor: ada, Message: first},
		{Seq: 3, Kind: chat.KindMessage, Actor: bob, Message: gone},
		{Seq: 5, Kind: chat.KindEdit, Actor: ada, Message: first},
		{Seq: 6, Kind: chat.KindMessage, Actor: ada, Message: third},
		{Seq: 7, Kind: chat.KindDelete, Actor: bob, Message: gone},
		{Seq: 8, Kind: chat.KindMember, Actor: bob},
	}
	live := slices.Clone(events)
	live[1].Message = message(1, ada, "one", 2, 0)
	live[2].Message = message(2, bob, "two", 3, 0)
	all := func(events []checker.Event) []checker.Seen {
		seen := []checker.Seen{{What: checker.Began}}
		for _, event := range events {
			seen = append(seen, checker.Seen{What: checker.Saw, Event: event})
		}
		return seen
	}
	return &checker.History{
		Attempts: []checker.Attempt{
			{Client: "ada", Connection: "a1", Sender: ada, Room: room, ID: id(1), Body: "one", Answer: checker.Acked, Seq: 2},
			{Client: "ada", Connection: "a1", Sender: ada, Room: room, ID: id(3), Body: "three", Answer: checker.Refused},
			{Client: "bob", Connection: "b1", Sender: bob, Room: room, ID: id(2), Body: "two"},
			{Client: "bob", Connection: "b2", Sender: bob, Room: room, ID: id(2), Body: "two", Answer: checker.Acked},
			{Client: "bob", Connection: "b2", Sender: bob, Room: room, ID: id(1), Body: "stolen", Answer: checker.Refused},
			{Client: "ada", Connection: "a1", Sender: ada, Room: room, ID: id(3), Body: "three", Answer: checker.Acked, Seq: 6},
		},
		Changes: []checker.Change{
			{Sender: ada, Room: room, Kind: chat.KindEdit, Target: id(1), Body: "one, corrected", Answer: checker.Acked},
			{Sender: bob, Room: room, Kind: chat.KindDelete, Target: id(2), Answer: checker.Acked},
		},
		Rooms: []checker.Room{{ID: room, Head: 8, Events: events, Voids: map[chat.Seq]chat.Seq{4: 2}}},
		Views: []checker.View{
			{Client: "ada", Room: room, Seen: all(live), AtHead: true, Messages: []checker.Message{*first, *gone, *third}},
			{Client: "bob", Room: room, Seen: append(all(live[:2]),
				checker.Seen{What: checker.Ended}, checker.Seen{What: checker.Began, Seq: 3},
				checker.Seen{What: checker.Saw, Event: events[3]}, checker.Seen{What: checker.Reset, Seq: 7},
				checker.Seen{What: checker.Saw, Event: events[6]}), AtHead: true},
		},
	}
}

// Promise: a run in which the contract was kept is not accused.
func TestAGoodRunPasses(t *testing.T) {
	t.Parallel()
	for _, violation := range checker.Check(*good()) {
		t.Error(violation)
	}
}

// Promise: each breach of the contract is found and said in words that name it.
func TestEveryPlantedBreachIsFound(t *testing.T) {
	t.Parallel()
	drop := func(events *[]checker.Event, seq chat.Seq) {
		*events = slices.DeleteFunc(*events, func(e checker.Event) bool { return e.Seq == seq })
	}
	unsee := func(h *checker.History, seq chat.Seq) {
		h.Views[0].Seen = slices.DeleteFunc(h.Views[0].Seen, func(s checker.Seen) bool { return s.Event.Seq == seq })
	}
	for name, tc := range map[string]struct {
		plant func(*checker.History)
		want  string
	}{
		"an acknowledged message is lost": {func(h *checker.History) {
			h.Attempts = append(h.Attempts, checker.Attempt{Client: "ada", Sender: ada, Room: room, ID: id(9), Body: "x", Answer: checker.Acked})
		}, "was acknowledged and is lost"},
		"an ack tells another number": {func(h *checker.History) { h.Attempts[0].Seq = 3 }, "acknowledged as number 3 and stands under 2"},
		"an acknowledged message is another's": {func(h *checker.History) {
			h.Attempts[4].Answer = checker.Acked
		}, "was acknowledged and is somebody else's"},
		"an acknowledged message says something else": {func(h *checker.History) {
			h.Attempts[5].Body = "drei"
		}, `acknowledged as "drei" and says "three"`},
		"one id is acknowledged for two messages": {func(h *checker.History) {
			h.Attempts[4].Answer = checker.Acked
		}, "was acknowledged for 2 different messages"},
		"a message stands twice": {func(h *checker.History) {
			h.Rooms[0].Events[6] = checker.Event{Seq: 8, Kind: chat.KindMessage, Actor: ada, Message: h.Rooms[0].Events[1].Message}
		}, "stands twice"},
		"a message was never sent": {func(h *checker.History) {
			h.Rooms[0].Events[4].Message.ID = id(77)
		}, "that nobody sent"},
		"a message has a body that nobody wrote": {func(h *checker.History) {
			h.Rooms[0].Events[4].Message.Body = "four"
		}, "which its sender never wrote"},
		"a deleted message keeps its body": {func(h *checker.History) { h.Rooms[0].Events[2].Message.Body = "two" }, "which is deleted"},
		"a message forgets its number":     {func(h *checker.History) { h.Rooms[0].Events[4].Message.Seq = 5 }, "calls itself number 5"},
		"a change that nobody asked for":   {func(h *checker.History) { h.Changes = h.Changes[:1] }, "never asked for"},
		"a deletion by somebody else": {func(h *checker.History) {
			h.Changes[1].Sender = ada
			h.Rooms[0].Events[5].Actor = ada
		}, "who may not"},
		"an edit by somebody else": {func(h *checker.History) {
			h.Changes[0].Sender, h.Changes[0].Moderator = bob, true
			h.Rooms[0].Events[3].Actor = bob
		}, "who may not"},
		"a change of what never was": {func(h *checker.History) {
			drop(&h.Rooms[0].Events, 2)
		}, "which never was"},
		"two states of one message are the newest": {func(h *checker.History) {
			other := *h.Rooms[0].Events[1].Message
			other.Body = "one"
			h.Rooms[0].Events[3].Message = &other
		}, "disagree on the newest state"},
		"a message does not know its change": {func(h *checker.History) { h.Rooms[0].Events[1].Message.ChangedSeq = 4 }, "says its last change was 4"},
		"an acknowledged deletion is lost": {func(h *checker.History) {
			m := h.Rooms[0].Events[2].Message
			m.Deleted, m.Body = false, "two"
		}, "the deletion of message"},
		"an acknowledged edit is lost": {func(h *checker.History) {
			m := h.Rooms[0].Events[1].Message
			m.ChangedSeq, m.Body = 0, "one"
			drop(&h.Rooms[0].Events, 5)
		}, "an edit of message"},
		"a number is missing":                   {func(h *checker.History) { drop(&h.Rooms[0].Events, 8) }, "number 8 of 8 is missing"},
		"a number stands twice":                 {func(h *checker.History) { h.Rooms[0].Events[6].Seq = 7 }, "has number 7 after number 7"},
		"the history runs beyond the head":      {func(h *checker.History) { h.Rooms[0].Head = 7 }, "beyond its head 7"},
		"a number is void for the sake of none": {func(h *checker.History) { h.Rooms[0].Voids[4] = 6 }, "not an older event"},
		"what one connection sent is out of order": {func(h *checker.History) {
			h.Attempts[0], h.Attempts[5] = h.Attempts[5], h.Attempts[0]
			h.Attempts = slices.Delete(h.Attempts, 1, 2)
		}, "over one connection and it has the lower number"},
		"a client sees a number twice": {func(h *checker.History) {
			h.Views[0].Seen = slices.Insert(h.Views[0].Seen, 3, h.Views[0].Seen[2])
		}, "saw number 2 twice"},
		"a client goes backwards": {func(h *checker.History) {
			h.Views[0].Seen = append(h.Views[0].Seen, h.Views[0].Seen[3])
		}, "saw number 3 after number 8"},
		"a client is reset backwards": {func(h *checker.History) {
			h.Views[1].Seen[6].Seq = 2
		}, "was reset from 5 back to 2"},
		"a client misses a number":          {func(h *checker.History) { unsee(h, 6) }, "never saw number 6 and saw the one after it"},
		"a client does not get to the head": {func(h *checker.History) { unsee(h, 8) }, "never saw number 8 and was told that it is at the head"},
		"a client sees another event under a number": {func(h *checker.History) {
			h.Views[0].Seen[1].Event.Kind = chat.KindRoom
		}, "saw number 1 as room"},
		"a client sees another message under a number": {func(h *checker.History) {
			m := *h.Views[0].Seen[5].Event.Message
			m.ID = id(1)
			h.Views[0].Seen[5].Event.Message = &m
		}, "saw number 6 about message"},
		"a client sees a number that never was": {func(h *checker.History) {
			h.Views[0].Seen = append(h.Views[0].Seen, checker.Seen{What: checker.Saw, Event: checker.Event{Seq: 9, Kind: chat.KindRoom}})
		}, "which the history does not have"},
		"a client sees a state from the future": {func(h *checker.History) {
			m := *h.Views[0].Seen[2].Event.Message
			m.ChangedSeq = 11
			h.Views[0].Seen[2].Event.Message = &m
		}, "in the state of number 11"},
		"a client sees a body that nobody wrote": {func(h *checker.History) {
			m := *h.Views[0].Seen[2].Event.Message
			m.Body = "won"
			h.Views[0].Seen[2].Event.Message = &m
		}, `ada has message`},
		"a client sees a room after it was put out": {func(h *checker.History) {
			h.Views[0].Seen = slices.Insert(h.Views[0].Seen, 5, checker.Seen{What: checker.Ended})
		}, "while out of the room"},
		"a client shows an old state": {func(h *checker.History) {
			h.Views[0].Messages[0].Body, h.Views[0].Messages[0].ChangedSeq = "one", 0
		}, `shows message`},
		"a client shows what never was": {func(h *checker.History) { h.Views[0].Messages[0].ID = id(50) }, "which the history does not have"},
		"a room is followed whose history is unknown": {func(h *checker.History) {
			h.Views[0].Room = chat.RoomID{9}
		}, "nobody read its history"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := good()
			tc.plant(h)
			violations := checker.Check(*h)
			if !slices.ContainsFunc(violations, func(v string) bool { return strings.Contains(v, tc.want) }) {
				t.Errorf("want a violation with %q, got:\n%s", tc.want, strings.Join(violations, "\n"))
			}
		})
	}
}

// Promise: a run that is broken all over is told in a bounded number of sentences.
func TestViolationsAreBounded(t *testing.T) {
	t.Parallel()
	h := good()
	h.Rooms[0].Head = 10_000
	if n := len(checker.Check(*h)); n == 0 || n > 50 {
		t.Errorf("%d sentences", n)
	}
}
