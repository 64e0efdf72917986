package recent

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// recountPages bounds how many pages of unread messages are read to count them anew; what is beyond is not counted, as in
// the stores.
const recountPages = 10_000 / chat.PageMax

// RoomOf reads one room as its member sees it.
func (r *Reader) RoomOf(ctx context.Context, room chat.RoomID, user chat.UserID) (chat.MemberRoom, error) {
	found, err := r.store.RoomOf(ctx, room, user)
	if err != nil {
		return chat.MemberRoom{}, err
	}
	if _, err := r.goOn(ctx, &found); err != nil {
		return chat.MemberRoom{}, err
	}
	return found, nil
}

// RoomsOf reads every room of a person, newest activity first.
func (r *Reader) RoomsOf(ctx context.Context, user chat.UserID) ([]chat.MemberRoom, error) {
	rooms, err := r.store.RoomsOf(ctx, user)
	if err != nil || len(rooms) == 0 {
		return nil, err
	}
	ids := make([]chat.RoomID, len(rooms))
	for i := range rooms {
		ids[i] = rooms[i].ID
	}
	kept := r.kept(ctx, ids...)
	moved := false
	for i := range rooms {
		if kept[rooms[i].ID] <= rooms[i].Head {
			continue
		}
		spoken, err := r.goOn(ctx, &rooms[i])
		if err != nil {
			return nil, err
		}
		moved = moved || spoken
	}
	if moved {
		slices.SortStableFunc(rooms, func(a, b chat.MemberRoom) int {
			if order := activity(&b).Compare(activity(&a)); order != 0 {
				return order
			}
			return bytes.Compare(a.ID[:], b.ID[:])
		})
	}
	return rooms, nil
}

func activity(room *chat.MemberRoom) time.Time {
	if room.LastMessage != nil {
		return room.LastMessage.CreatedAt
	}
	return room.CreatedAt
}

// goOn brings a room from the stored head to the end of the tail, and reports whether somebody spoke there.
func (r *Reader) goOn(ctx context.Context, room *chat.MemberRoom) (spoken bool, err error) {
	t := r.beyond(ctx, room.ID, room.Head)
	if len(t.events) == 0 || t.apart() {
		return false, nil
	}
	if err := r.count(ctx, room, &t); err != nil {
		return false, err
	}
	room.Head = t.head()
	if made := t.messages(); len(made) > 0 {
		room.LastMessage = &made[len(made)-1]
		return true, nil
	}
	if room.LastMessage != nil {
		room.LastMessage = t.newer(room.LastMessage)
	}
	return false, nil
}

// count brings the counts of a room from the stored head to the end of the tail.
func (r *Reader) count(ctx context.Context, room *chat.MemberRoom, t *tail) error {
	u := unread{user: room.Member.User.ID, from: room.Member.ReadSeq + 1}
	if room.Member.UnreadFrom != 0 {
		u.from = room.Member.UnreadFrom
	}
	stored := u
	stored.messages, stored.mentions = room.Unread, room.Mentions
	made := t.messages()
	for i := range made {
		u.add(&made[i])
	}
	// What the tail changed of messages that the store has counted. Their earlier states are not at hand: whether one had
	// mentioned the person matters where the store counts mentions, and where a count stands at its cap, beyond which the
	// store does not count, one that is gone may leave it there or not.
	certain := true
	for i := range t.events {
		event := &t.events[i]
		if event.Message == nil || event.Message.Seq > t.after || !u.of(event.Message) {
			continue
		}
		switch event.Kind {
		case chat.KindDelete:
			certain = certain && stored.mentions == 0 && stored.messages < chat.UnreadCap
			stored.messages--
		case chat.KindEdit:
			certain = certain && stored.mentions == 0 && !u.mentioned(event.Message)
		}
	}
	if !certain {
		counted, err := r.recount(ctx, room.ID, t, u.user, u.from)
		if err != nil {
			return err
		}
		stored = counted
	}
	room.Unread = min(stored.messages+u.messages, chat.UnreadCap)
	room.Mentions = min(stored.mentions+u.mentions, chat.UnreadCap)
	return nil
}

// recount counts the unread messages that were stored when the tail was read, as they are at its end.
func (r *Reader) recount(ctx context.Context, room chat.RoomID, t *tail, user chat.UserID, from chat.Seq) (unread, error) {
	u := unread{user: user, from: from}
	query := chat.HistoryQuery{After: from - 1, FromStart: from == 1, Limit: chat.PageMax}
	for range recountPages {
		messages, _, err := r.store.Messages(ctx, room, query)
		if err != nil {
			return unread{}, fmt.Errorf("count what is unread in room %s from %d on: %w", room, from, err)
		}
		for i := range messages {
			if messages[i].Seq > t.after {
				return u, nil
			}
			u.add(t.newer(&messages[i]))
		}
		if len(messages) < query.Limit || (u.messages >= chat.UnreadCap && u.mentions >= chat.UnreadCap) {
			break
		}
		query.After, query.FromStart = messages[len(messages)-1].Seq, false
	}
	return u, nil
}

// unread counts what a person has not read.
type unread struct {
	user               chat.UserID
	from               chat.Seq
	messages, mentions int
}

// of reports whether the message counts unless it was deleted.
func (u *unread) of(m *chat.Message) bool { return m.Seq >= u.from && m.Sender.ID != u.user }

func (u *unread) mentioned(m *chat.Message) bool {
	return m.MentionsAll || slices.Contains(m.Mentions, u.user)
}

func (u *unread) add(m *chat.Message) {
	if !u.of(m) || !m.DeletedAt.IsZero() {
		return
	}
	u.messages++
	if u.mentioned(m) {
		u.mentions++
	}
}
