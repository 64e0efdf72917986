package room

import (
	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/wire"
)

// tellRoom leaves the record of a change to the room itself, as it stands in the transaction now.
func (t *turn) tellRoom(change chat.RoomChange) error {
	room, err := t.tx.Room()
	if err != nil {
		return err
	}
	return t.emit(&chat.Record{Room: room.ID, Kind: chat.KindRoom, Info: &chat.RoomDetail{Room: room, Change: change}})
}

// tellMember leaves the record of what happened to a member, and the signal that other connections act on.
func (t *turn) tellMember(m chat.Member, change chat.MemberChange) error {
	kind := chat.SignalMember
	switch {
	case change == chat.MemberJoined:
		kind = chat.SignalJoined
	case change.Leaves():
		kind = chat.SignalLeft
	}
	t.signals = append(t.signals, chat.Signal{Kind: kind, Room: m.Room, User: m.User.ID, Change: change})
	return t.emit(&chat.Record{Room: m.Room, Kind: chat.KindMember, Member: &chat.MemberDetail{
		User: m.User, Role: m.Role, JoinedAt: m.JoinedAt, MutedUntil: m.MutedUntil, Change: change,
	}})
}

func (t *turn) emit(record *chat.Record) error {
	record.ID, record.At, record.Actor = t.newID(), t.now, t.actor
	payload, err := wire.EncodeRecord(record)
	if err != nil {
		return err
	}
	t.records = append(t.records, record.ID)
	return t.tx.Emit(chat.OutboxEntry{ID: record.ID, Room: record.Room, Payload: payload})
}
