package replay

import (
	"errors"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// fold is what the stored events make of rooms, members and bans. It holds an entry for each.
type fold struct {
	accounts, count, numbers int64

	rooms   map[chat.RoomID]chat.Room
	changed map[chat.RoomID]chat.Room
	members map[place]chat.Member
	bans    map[place]chat.Ban
	last    map[place]chat.MemberChange // what happened to each last
}

// place is one person in one room.
type place struct {
	room chat.RoomID
	user chat.UserID
}

func newFold() *fold {
	return &fold{
		rooms: make(map[chat.RoomID]chat.Room), changed: make(map[chat.RoomID]chat.Room),
		members: make(map[place]chat.Member), bans: make(map[place]chat.Ban), last: make(map[place]chat.MemberChange),
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
	f.last[at] = m.Change
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

// settle makes of somebody's place in a room, as it was, what it became. Whoever was a member stays it with what they had read.
func (f *fold) settle(tx chat.RoomTx, at place, last chat.MemberChange) error {
	member, is := f.members[at]
	if !is {
		if err := tx.RemoveMember(at.user); err != nil && !errors.Is(err, chat.ErrNotFound) {
			return err
		}
		if ban, kept := f.bans[at]; kept && last == chat.MemberBanned {
			return tx.PutBan(ban)
		}
		return nil
	}
	if err := tx.RemoveBan(at.user); err != nil && !errors.Is(err, chat.ErrNotFound) { // see member
		return err
	}
	room, err := tx.Room()
	if err != nil {
		return err
	}
	member.ReadSeq = room.Head
	return tx.PutMember(member)
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
