package room

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/run"
)

const (
	// SettlePatience is how long an answer waits for the log, so that it carries the head that the change led to.
	SettlePatience = 2 * time.Second

	// What is in the log and has no number yet is looked for after shownFirst, then each time twice as long later, up to
	// shownMax.
	shownFirst = 2 * time.Millisecond
	shownMax   = 100 * time.Millisecond

	signalPatience = 2 * time.Second
	queryRunesMax  = 100
	cursorBytesMax = 200
)

// Settler waits for records to be in the log. *Relay is one.
type Settler interface {
	// Settled returns when the log has the records, or when it has waited long enough.
	Settled(ctx context.Context, records []chat.MessageID)
}

// World is what the service needs of the process.
type World struct {
	Store     Store
	Directory Directory
	People    People
	Signals   Signals
	Settler   Settler
	Shown     Shown // nil where the log has nothing that is not numbered
	Moods     bool  // whether this server reads the moods of messages
	Clock     func() time.Time
	Rand      io.Reader       // cryptographic
	NewID     func() [16]byte // UUIDv7
	Log       *slog.Logger
}

// Service is the use cases of rooms. Its methods may be called concurrently.
type Service struct{ World }

// New makes the service.
func New(world World) *Service { return &Service{world} }

// View is a room as one person sees it: as a member where Member is set, otherwise from outside.
type View struct {
	Room   chat.Room
	Member *chat.MemberRoom
}

// See reads a room.
func (s *Service) See(ctx context.Context, who chat.UserID, room chat.RoomID) (View, error) {
	access, err := s.access(ctx, who, room)
	if err != nil {
		return View{}, err
	}
	if err := access.See(); err != nil {
		return View{}, err
	}
	return s.view(ctx, who, access)
}

func (s *Service) view(ctx context.Context, who chat.UserID, access chat.Access) (View, error) {
	if access.Member == nil {
		return View{Room: access.Room}, nil
	}
	return s.asMember(ctx, who, access.Room.ID)
}

func (s *Service) asMember(ctx context.Context, who chat.UserID, room chat.RoomID) (View, error) {
	member, err := s.Store.RoomOf(ctx, room, who)
	if err != nil {
		return View{}, fmt.Errorf("read room %s for user %s: %w", room, who, err)
	}
	return View{Room: member.Room, Member: &member}, nil
}

func (s *Service) access(ctx context.Context, who chat.UserID, room chat.RoomID) (chat.Access, error) {
	access, err := s.Store.Access(ctx, room, who)
	if err != nil {
		return chat.Access{}, fmt.Errorf("read access of user %s to room %s: %w", who, room, err)
	}
	return access, nil
}

// Browse lists public rooms whose name or topic contains query, newest activity first, and where the next page begins.
func (s *Service) Browse(ctx context.Context, who chat.UserID, query string, after chat.Cursor, limit int) ([]chat.RoomListing, chat.Cursor, error) {
	if err := chat.CheckLine("query", query, queryRunesMax); err != nil {
		return nil, "", err
	}
	if err := chat.CheckLine("cursor", string(after), cursorBytesMax); err != nil {
		return nil, "", err
	}
	rooms, next, err := s.Directory.PublicRooms(ctx, who, strings.TrimSpace(query), after, pageSize(limit))
	if err != nil {
		return nil, "", fmt.Errorf("list public rooms: %w", err)
	}
	return rooms, next, nil
}

func pageSize(limit int) int { return min(max(limit, 1), chat.PageMax) }

// Members lists the members of one of one's rooms, owners first, and where the next page begins.
func (s *Service) Members(ctx context.Context, who chat.UserID, room chat.RoomID, after chat.Cursor, limit int) ([]chat.Member, chat.Cursor, error) {
	if err := s.may(ctx, who, room, chat.Access.Read); err != nil {
		return nil, "", err
	}
	if err := chat.CheckLine("cursor", string(after), cursorBytesMax); err != nil {
		return nil, "", err
	}
	members, next, err := s.Directory.Members(ctx, room, after, pageSize(limit))
	if err != nil {
		return nil, "", fmt.Errorf("list members of room %s: %w", room, err)
	}
	return members, next, nil
}

// BanView is a ban and who made it, where that account can be read.
type BanView struct {
	chat.Ban
	Maker *chat.Profile
}

// Bans lists who is kept out of a room and by whom, newest first.
func (s *Service) Bans(ctx context.Context, who chat.UserID, room chat.RoomID) ([]BanView, error) {
	if err := s.may(ctx, who, room, doing(chat.ActKick)); err != nil {
		return nil, err
	}
	bans, err := s.Directory.Bans(ctx, room)
	if err != nil {
		return nil, fmt.Errorf("list bans of room %s: %w", room, err)
	}
	makers := map[chat.UserID]*chat.Profile{} // a room has few moderators, however many it has banned
	views := make([]BanView, len(bans))
	for i, ban := range bans {
		if _, read := makers[ban.By]; !read {
			user, err := s.People.User(ctx, ban.By)
			switch {
			case err == nil:
				makers[ban.By] = &user.Profile
			case errors.Is(err, chat.ErrNotFound):
				makers[ban.By] = nil
			default:
				return nil, fmt.Errorf("read user %s: %w", ban.By, err)
			}
		}
		views[i] = BanView{Ban: ban, Maker: makers[ban.By]}
	}
	return views, nil
}

func (s *Service) may(ctx context.Context, who chat.UserID, room chat.RoomID, rule func(chat.Access) error) error {
	access, err := s.access(ctx, who, room)
	if err != nil {
		return err
	}
	return rule(access)
}

// doing is the rule that the role must allow the action.
func doing(act chat.Action) func(chat.Access) error {
	return func(a chat.Access) error { return a.Do(act) }
}

// turn is one person's change of one room inside its transaction, and what must follow once it is committed.
type turn struct {
	tx      chat.RoomTx
	access  chat.Access
	actor   chat.Profile
	now     time.Time
	newID   func() [16]byte
	records []chat.MessageID
	signals []chat.Signal
}

// change lets a person change a room that exists. rule is asked before the transaction, where it costs a stranger nothing
// but a read, and again inside, where it holds. Afterwards the signals go out and the records' numbers are waited for.
func (s *Service) change(ctx context.Context, actor chat.Profile, room chat.RoomID, rule func(chat.Access) error, do func(t *turn) error) error {
	if err := s.may(ctx, actor.ID, room, rule); err != nil {
		return err
	}
	return s.update(ctx, actor, room, func(t *turn) error {
		access, err := accessIn(t.tx, actor.ID)
		if err != nil {
			return err
		}
		if err := rule(access); err != nil {
			return err
		}
		t.access = access
		return do(t)
	})
}

func (s *Service) update(ctx context.Context, actor chat.Profile, room chat.RoomID, do func(t *turn) error) error {
	var done *turn
	err := s.Store.Update(ctx, room, func(tx chat.RoomTx) error {
		done = &turn{tx: tx, actor: actor, now: s.Clock().Truncate(time.Millisecond), newID: s.NewID} // anew each time: the store may run this again
		return do(done)
	})
	if err != nil {
		return fmt.Errorf("change room %s for user %s: %w", room, actor.ID, err)
	}
	s.tell(ctx, done.signals)
	if len(done.records) > 0 {
		waiting, cancel := context.WithTimeout(ctx, SettlePatience)
		defer cancel()
		s.Settler.Settled(waiting, done.records)
		s.shown(waiting, room, done.access.Room.Head, done.records[len(done.records)-1])
	}
	return nil
}

// shown waits until a record that the log has is an event after the given number, where that comes later. It does not wait
// for what will never be seen: the room may be gone.
func (s *Service) shown(ctx context.Context, room chat.RoomID, after chat.Seq, record chat.MessageID) {
	if s.Shown == nil {
		return
	}
	for wait := shownFirst; ; wait = min(2*wait, shownMax) {
		page, err := s.Shown.Changes(ctx, room, after, chat.ChangesMax)
		switch {
		case errors.Is(err, chat.ErrNotFound):
			return
		case err == nil:
			if slices.ContainsFunc(page.Events, func(e chat.Event) bool { return e.RecordID == record }) {
				return
			}
			after = max(after, page.Through)
			if page.More {
				continue
			}
		}
		if run.Pause(ctx, wait) != nil {
			return // the answer tells the head of before
		}
	}
}

// tell sends signals after the commit. The caller may have gone by now, which must not keep the news from anyone.
func (s *Service) tell(ctx context.Context, signals []chat.Signal) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), signalPatience)
	defer cancel()
	for _, signal := range signals {
		if err := s.Signals.Signal(ctx, signal); err != nil {
			s.Log.WarnContext(ctx, "a signal was lost; it will be noticed from the room's events",
				"kind", signal.Kind, "room_id", signal.Room, "user_id", signal.User, "error", err)
		}
	}
}

func accessIn(tx chat.RoomTx, user chat.UserID) (access chat.Access, err error) {
	if access.Room, err = tx.Room(); err != nil {
		return chat.Access{}, err
	}
	member, err := tx.Member(user)
	switch {
	case err == nil:
		access.Member = &member
	case !errors.Is(err, chat.ErrNotFound):
		return chat.Access{}, err
	}
	access.Banned, err = isBanned(tx, user)
	return access, err
}

func isBanned(tx chat.RoomTx, user chat.UserID) (bool, error) {
	_, err := tx.Ban(user)
	if errors.Is(err, chat.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
