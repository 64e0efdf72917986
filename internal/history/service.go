package history

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// ChangesDefault is how many events an answer holds where no limit was asked for.
const ChangesDefault = 200

const signalPatience = 2 * time.Second

// World is what the service needs of the process.
type World struct {
	Store   Store
	Marks   Marks
	Signals Signals
	Log     *slog.Logger
}

// Service is the use cases of history. Its methods may be called concurrently.
type Service struct{ World }

// New makes the service.
func New(world World) *Service { return &Service{world} }

func (s *Service) mayRead(ctx context.Context, who chat.UserID, room chat.RoomID) (chat.Access, error) {
	access, err := s.Store.Access(ctx, room, who)
	if err != nil {
		return chat.Access{}, fmt.Errorf("read access of user %s to room %s: %w", who, room, err)
	}
	return access, access.Read()
}

// Messages reads messages of a room, ascending by seq, and its head. A Limit of zero is chat.PageDefault; one beyond
// chat.PageMax is cut to it.
func (s *Service) Messages(ctx context.Context, who chat.UserID, room chat.RoomID, query chat.HistoryQuery) ([]chat.Message, chat.Seq, error) {
	if _, err := s.mayRead(ctx, who, room); err != nil {
		return nil, 0, err
	}
	asked := 0
	if query.FromStart {
		asked++
	}
	for _, seq := range []chat.Seq{query.Before, query.After, query.Around} {
		if seq != 0 {
			asked++
		}
	}
	if asked > 1 {
		return nil, 0, chat.InvalidField("around", "give at most one of before, after and around")
	}
	query.Limit = bound(query.Limit, chat.PageDefault, chat.PageMax)
	messages, head, err := s.Store.Messages(ctx, room, query)
	if err != nil {
		return nil, 0, fmt.Errorf("read messages of room %s: %w", room, err)
	}
	return messages, head, nil
}

// Changes reads the events of a room after a position, ascending. A limit of zero is ChangesDefault; one beyond
// chat.ChangesMax is cut to it.
func (s *Service) Changes(ctx context.Context, who chat.UserID, room chat.RoomID, after chat.Seq, limit int) (chat.Page, error) {
	if _, err := s.mayRead(ctx, who, room); err != nil {
		return chat.Page{}, err
	}
	page, err := s.Store.Changes(ctx, room, after, bound(limit, ChangesDefault, chat.ChangesMax))
	if err != nil {
		return chat.Page{}, fmt.Errorf("read changes of room %s after %d: %w", room, after, err)
	}
	return page, nil
}

func bound(limit, none, most int) int {
	if limit <= 0 {
		return none
	}
	return min(limit, most)
}

// Rooms reads every room of a person with counts and last message, newest activity first.
func (s *Service) Rooms(ctx context.Context, who chat.UserID) ([]chat.MemberRoom, error) {
	rooms, err := s.Store.RoomsOf(ctx, who)
	if err != nil {
		return nil, fmt.Errorf("read rooms of user %s: %w", who, err)
	}
	return rooms, nil
}

// MarkRead moves one's read line forward to seq, or to the head where seq is beyond it, and forgets where one had marked
// the room unread. connection, which may be empty, is the connection that asked and need not hear of it.
func (s *Service) MarkRead(ctx context.Context, who chat.UserID, room chat.RoomID, seq chat.Seq, connection string) (chat.ReadState, error) {
	if _, err := s.mayRead(ctx, who, room); err != nil {
		return chat.ReadState{}, err
	}
	state, err := s.Marks.MarkRead(ctx, room, who, seq)
	if err != nil {
		return chat.ReadState{}, fmt.Errorf("mark room %s read to %d for user %s: %w", room, seq, who, err)
	}
	s.tell(ctx, who, room, state, connection)
	return state, nil
}

// MarkUnread marks a room unread from a message on; the read line stays where it is.
func (s *Service) MarkUnread(ctx context.Context, who chat.UserID, room chat.RoomID, from chat.Seq, connection string) (chat.ReadState, error) {
	access, err := s.mayRead(ctx, who, room)
	if err != nil {
		return chat.ReadState{}, err
	}
	if from < 1 || from > access.Room.Head {
		return chat.ReadState{}, chat.InvalidField("unread_from", "there is no message %d in this room", from)
	}
	state, err := s.Marks.MarkUnread(ctx, room, who, from)
	if err != nil {
		return chat.ReadState{}, fmt.Errorf("mark room %s unread from %d for user %s: %w", room, from, who, err)
	}
	s.tell(ctx, who, room, state, connection)
	return state, nil
}

// SetNotify sets how much of a room one wants to be told of.
func (s *Service) SetNotify(ctx context.Context, who chat.UserID, room chat.RoomID, level chat.Notify) error {
	if _, err := s.mayRead(ctx, who, room); err != nil {
		return err
	}
	if level != chat.NotifyAll && level != chat.NotifyMentions && level != chat.NotifyNone {
		return chat.InvalidField("notify", "this is all, mentions or none")
	}
	if err := s.Marks.SetNotify(ctx, room, who, level); err != nil {
		return fmt.Errorf("set notifications of room %s for user %s: %w", room, who, err)
	}
	return nil
}

// tell informs the person's other devices, after the mark is stored, whether or not the caller is still there.
func (s *Service) tell(ctx context.Context, who chat.UserID, room chat.RoomID, state chat.ReadState, connection string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), signalPatience)
	defer cancel()
	err := s.Signals.Signal(ctx, chat.Signal{Kind: chat.SignalRead, Room: room, User: who, Read: &state, Connection: connection})
	if err != nil {
		s.Log.WarnContext(ctx, "a signal was lost; other devices keep the old read line until they ask",
			"room_id", room, "user_id", who, "error", err)
	}
}
