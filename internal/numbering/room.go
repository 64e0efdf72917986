package numbering

import (
	"slices"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Room numbers the records of one room. It is not safe for concurrent use: a room has one owner at a time.
type Room struct {
	id     chat.RoomID
	head   chat.Seq
	window window
}

// NewRoom goes on from a stored state.
func NewRoom(state chat.RoomState) *Room {
	room := &Room{id: state.Room, head: state.Head}
	for _, known := range state.Recent {
		if known.Seq >= oldest(state.Head) && known.Seq <= state.Head {
			room.window.add(known)
		}
	}
	return room
}

// Head is the room's highest number.
func (r *Room) Head() chat.Seq { return r.head }

// Knows reports whether the record is among those that the room remembers.
func (r *Room) Knows(id chat.MessageID) bool {
	_, ok := r.window.find(id)
	return ok
}

// State is what NewRoom needs to go on from here.
func (r *Room) State() chat.RoomState {
	return chat.RoomState{Room: r.id, Head: r.head, Recent: r.window.oldestFirst(r.head)}
}

// Void corrects what Apply remembered of a number that the store gave up because the record's id stands under an older
// one, first. The number stays used, and the id stays remembered, as the one it really is: without this, the impostor of
// an old message would be taken for that message from then on.
func (r *Room) Void(seq chat.Seq, first chat.Known) {
	r.window.replace(chat.Known{ID: first.ID, Seq: seq, Fingerprint: first.Fingerprint, First: first.Seq})
}

// Apply numbers a record. target is the newest state of the message that the record changes (see Target), or nil where
// there is none; it is not modified.
//
// The outcome is one of three: an event with the next number; Repeat, for a record that has been numbered before or
// that changes nothing, with the number that says so; or a refusal. Only an event takes a number.
func (r *Room) Apply(record *chat.Record, target *chat.Message) chat.Outcome {
	if known, ok := r.window.find(record.ID); ok {
		if known.Fingerprint != record.Fingerprint {
			return refused(ErrOtherMessage)
		}
		return repeat(known.Stands())
	}
	event := chat.Event{
		Room: r.id, Seq: r.head + 1, Kind: record.Kind, At: record.At, Actor: record.Actor, RecordID: record.ID,
		Member: record.Member, Info: record.Info, Trace: record.Trace,
	}
	switch record.Kind {
	case chat.KindMessage:
		event.Message = &chat.Message{
			ID: record.ID, Room: r.id, Seq: event.Seq, Sender: record.Actor, Body: record.Body, ReplyTo: record.ReplyTo,
			Mentions: record.Mentions, MentionsAll: record.MentionsAll, CreatedAt: record.At, Fingerprint: record.Fingerprint,
		}
	case chat.KindEdit, chat.KindDelete, chat.KindReaction, chat.KindMood:
		changed, err := change(record, target)
		switch {
		case err != nil:
			return refused(err)
		case changed == nil:
			return repeat(max(target.Seq, target.ChangedSeq))
		}
		changed.ChangedSeq = event.Seq
		event.Message = changed
		if record.Kind == chat.KindReaction {
			event.Reaction = &chat.ReactionDetail{Emoji: record.Emoji, Added: record.Added}
		}
	case chat.KindMember:
	case chat.KindRoom:
		if record.Info != nil && record.Info.Change == chat.RoomDeleted {
			return refused(chat.ErrNotFound) // the room is gone from the store, and only from memory not yet
		}
	default:
		return refused(chat.Refuse(chat.BadRequest, "a record of kind %q cannot be numbered", record.Kind))
	}
	r.head = event.Seq
	r.window.add(chat.Known{ID: record.ID, Seq: event.Seq, Fingerprint: record.Fingerprint})
	return chat.Outcome{Receipt: chat.Receipt{Seq: event.Seq, Event: &event}}
}

// Target is the message whose newest state Apply needs for the record; ok is false where it needs none.
func Target(record *chat.Record) (id chat.MessageID, ok bool) {
	switch record.Kind {
	case chat.KindEdit, chat.KindDelete, chat.KindReaction, chat.KindMood:
		return record.Target, true
	}
	return chat.MessageID{}, false
}

// ErrOtherMessage refuses a message id that already stands for another message, or for somebody else's.
var ErrOtherMessage = chat.Refuse(chat.Conflict, "this message id already stands for another message in this room")

// change gives the message after the record, or nil where nothing changes. Who may change what was decided where the
// record was made and is checked here once more, because a log outlives the code that filled it.
func change(record *chat.Record, target *chat.Message) (*chat.Message, error) {
	if target == nil {
		return nil, chat.ErrNotFound
	}
	own := target.Sender.ID == record.Actor.ID
	deleted := !target.DeletedAt.IsZero()
	switch record.Kind {
	case chat.KindEdit:
		switch {
		case !own:
			return nil, chat.Refuse(chat.Forbidden, "only its sender may edit a message")
		case deleted:
			return nil, chat.Refuse(chat.Conflict, "the message was deleted")
		case target.Body == record.Body:
			return nil, nil
		}
		changed := target.Clone()
		changed.Body, changed.EditedAt = record.Body, record.At
		changed.Mentions, changed.MentionsAll = record.Mentions, record.MentionsAll
		changed.Mood = chat.Mood{} // of a text that is no longer there
		return changed, nil
	case chat.KindDelete:
		switch {
		case !own && !record.Moderation:
			return nil, chat.Refuse(chat.Forbidden, "only its sender or a moderator may delete a message")
		case deleted:
			return nil, nil
		}
		return &chat.Message{
			ID: target.ID, Room: target.Room, Seq: target.Seq, Sender: target.Sender, ReplyTo: target.ReplyTo,
			CreatedAt: target.CreatedAt, EditedAt: target.EditedAt, DeletedAt: record.At, Fingerprint: target.Fingerprint,
		}, nil
	case chat.KindMood:
		if deleted || !target.Mood.IsZero() || record.Text != chat.TextHash(target.Body) {
			return nil, nil // it was read before, or what was read is no longer there
		}
		changed := target.Clone()
		changed.Mood = record.Mood
		return changed, nil
	default:
		if deleted {
			return nil, chat.Refuse(chat.Conflict, "the message was deleted")
		}
		return react(record, target)
	}
}

func react(record *chat.Record, target *chat.Message) (*chat.Message, error) {
	if target.Reacted(record.Emoji, record.Actor.ID) == record.Added {
		return nil, nil
	}
	changed := target.Clone()
	at := slices.IndexFunc(changed.Reactions, func(r chat.Reaction) bool { return r.Emoji == record.Emoji })
	switch {
	case !record.Added:
		users := &changed.Reactions[at].Users
		*users = slices.DeleteFunc(*users, func(user chat.UserID) bool { return user == record.Actor.ID })
		if len(*users) == 0 {
			changed.Reactions = slices.Delete(changed.Reactions, at, at+1)
		}
	case at < 0 && len(changed.Reactions) == chat.ReactionsMax:
		return nil, chat.InvalidField("emoji", "a message carries at most %d different reactions", chat.ReactionsMax)
	case at < 0:
		changed.Reactions = append(changed.Reactions, chat.Reaction{Emoji: record.Emoji, Users: []chat.UserID{record.Actor.ID}})
	case len(changed.Reactions[at].Users) == chat.ReactorsMax:
		return nil, chat.InvalidField("emoji", "at most %d people can give the same reaction", chat.ReactorsMax)
	default:
		changed.Reactions[at].Users = append(changed.Reactions[at].Users, record.Actor.ID)
	}
	return changed, nil
}

func refused(err error) chat.Outcome { return chat.Outcome{Err: err} }

func repeat(seq chat.Seq) chat.Outcome {
	return chat.Outcome{Receipt: chat.Receipt{Seq: seq, Repeat: true}}
}
