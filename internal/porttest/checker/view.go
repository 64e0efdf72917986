package checker

import "github.com/blabber-hive/blabber-hive/internal/chat"

// view checks what one client saw of one room against the room's history.
func (j *judge) view(v *View) {
	k := j.rooms[v.Room]
	if k == nil {
		j.say("room %s: %s followed it and nobody read its history", v.Room, v.Client)
		return
	}
	inside, at := false, chat.Seq(0)
	for i := range v.Seen {
		seen := &v.Seen[i]
		switch seen.What {
		case Began:
			inside, at = true, seen.Seq
		case Reset:
			if seen.Seq < at {
				j.say("room %s: %s was reset from %d back to %d", v.Room, v.Client, at, seen.Seq)
			}
			at = seen.Seq
		case Ended:
			inside = false
		case Saw:
			if !inside {
				j.say("room %s: %s saw number %d while out of the room", v.Room, v.Client, seen.Event.Seq)
				continue
			}
			j.saw(k, v, at, &seen.Event)
			at = max(at, seen.Event.Seq)
		}
	}
	if v.AtHead && inside {
		j.missed(k, v, at, k.Head+1, "was told that it is at the head")
		j.shows(k, v)
	}
}

func (j *judge) saw(k *known, v *View, at chat.Seq, event *Event) {
	switch {
	case event.Seq == at:
		j.say("room %s: %s saw number %d twice", v.Room, v.Client, event.Seq)
	case event.Seq < at:
		j.say("room %s: %s saw number %d after number %d", v.Room, v.Client, event.Seq, at)
	default:
		j.missed(k, v, at, event.Seq, "saw the one after it")
	}
	actual := k.events[event.Seq]
	if actual == nil {
		j.say("room %s: %s saw number %d, which the history does not have", v.Room, v.Client, event.Seq)
		return
	}
	if actual.Kind != event.Kind || actual.Actor != event.Actor || (actual.Message == nil) != (event.Message == nil) {
		j.say("room %s: %s saw number %d as %s by %s, the history has %s by %s", v.Room, v.Client, event.Seq, event.Kind, event.Actor, actual.Kind, actual.Actor)
		return
	}
	if m := event.Message; m != nil {
		if m.ID != actual.Message.ID || m.Seq != actual.Message.Seq || m.Sender != actual.Message.Sender {
			j.say("room %s: %s saw number %d about message %s of number %d, the history has %s of number %d",
				v.Room, v.Client, event.Seq, m.ID, m.Seq, actual.Message.ID, actual.Message.Seq)
			return
		}
		if newest := max(m.Seq, m.ChangedSeq); newest < event.Seq || newest > max(actual.Message.Seq, actual.Message.ChangedSeq) {
			j.say("room %s: %s saw number %d with message %s in the state of number %d", v.Room, v.Client, event.Seq, m.ID, newest)
		}
		j.content(v.Room, v.Client, m)
	}
}

// missed checks that all numbers after at and before the given one are void.
func (j *judge) missed(k *known, v *View, at, before chat.Seq, how string) {
	for seq := at + 1; seq < before; seq++ {
		if k.events[seq] != nil {
			j.say("room %s: %s never saw number %d and %s", v.Room, v.Client, seq, how)
			return
		}
	}
}

// shows checks that what a client shows in the end is the newest state.
func (j *judge) shows(k *known, v *View) {
	for i := range v.Messages {
		m := &v.Messages[i]
		switch actual := k.messages[m.ID]; {
		case actual == nil:
			j.say("room %s: %s shows message %s, which the history does not have", v.Room, v.Client, m.ID)
		case *actual != *m:
			j.say("room %s: %s shows message %s as %q of number %d, its newest state is %q of number %d",
				v.Room, v.Client, m.ID, m.Body, max(m.Seq, m.ChangedSeq), actual.Body, max(actual.Seq, actual.ChangedSeq))
		}
	}
}
