package replay

import (
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// fold is what the stored events make of rooms, members and bans. It holds an entry for each.
type fold struct {
	accounts, count, numbers int64

	rooms   map[chat.RoomID]chat.Room
	changed map[chat.RoomID]chat.Room
	members map[place]chat.Member
	bans    map[place]chat.Ban
}

// place is one person in one room.
type place struct {
	room chat.RoomID
	user chat.UserID
}

func newFold() *fold {
	return &fold{
		rooms: make(map[chat.RoomID]chat.Room), changed: make(map[chat.RoomID]chat.Room),
		members: make(map[place]chat.Member), bans: make(map[place]chat.Ban),
	}
}

// row takes the next of all rows.
func (f *fold) row(row chat.Row) error {
	switch {
	case row.Account != nil:
		f.accounts++
	case row.Room != nil:
		f.count++
		f.rooms[row.Room.ID] = row.Room.Room
	case row.Log != nil:
		f.numbers++
		f.event(&row.Log.Event)
	}
	return nil
}

func (f *fold) event(event *chat.Event) {
	switch event.Kind {
	case chat.KindRoom:
		if event.Info != nil && event.Info.Change.Alters() {
			f.changed[event.Room] = event.Info.Room
		}
	case chat.KindMember:
		if event.Member != nil {
			f.member(event, event.Member)
		}
	default:
	}
}

func (f *fold) member(event *chat.Event, m *chat.MemberDetail) {
	at := place{event.Room, m.User.ID}
	if m.Change.Leaves() {
		delete(f.members, at)
		if m.Change == chat.MemberBanned {
			f.bans[at] = chat.Ban{Room: event.Room, User: m.User, By: event.Actor.ID, At: event.At}
		}
		return
	}
	if m.Change == chat.MemberJoined {
		delete(f.bans, at) // whoever is kept out cannot join, so the ban had been lifted
	}
	// What was read is not known. Better all of it than none: nobody wants to be told of years of messages at once.
	f.members[at] = chat.Member{
		Room: event.Room, User: m.User, Role: m.Role, JoinedAt: m.JoinedAt, MutedUntil: m.MutedUntil,
		ReadSeq: f.rooms[event.Room].Head, Notify: chat.NotifyAll,
	}
}

// rows are the members and the bans.
func (f *fold) rows() []chat.Row {
	rows := make([]chat.Row, 0, len(f.members)+len(f.bans))
	for _, member := range f.members {
		rows = append(rows, chat.Row{Member: &member})
	}
	for _, ban := range f.bans {
		rows = append(rows, chat.Row{Ban: &ban})
	}
	return rows
}
