package sqlite

import (
	"database/sql"
	"errors"

	"github.com/blabber-hive/blabber-hive/internal/adapter/sqlite/column"
	"github.com/blabber-hive/blabber-hive/internal/adapter/sqlite/engine"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// headsMax is how many rooms' heads are remembered between batches, about a megabyte. Beyond it others are let go of, no
// matter which, and read again when they are written to.
const headsMax = 10_000

// roomHead is what a batch moves of a room. no is zero for a room that is gone.
type roomHead struct {
	no           int64
	head         chat.Seq
	lastMessage  chat.Seq
	lastSender   chat.UserID
	lastOther    chat.Seq
	lastActivity int64
	mood         bool // whether texts of the room are to be read
}

// heads remembers what batches wrote of rooms, which measured a sixth of a batch's time when it was read again for each.
// Only changes use it, which run one at a time.
//
// What is remembered is what conn sees, committed or not. A commit that fails takes its connection along (see package
// engine), and another connection begins with nothing. A change that is taken back alone must not leave anything here: it
// calls keep only when nothing of it can fail any more.
type heads struct {
	conn   *engine.Conn
	byRoom map[chat.RoomID]roomHead
}

// find answers the head of a room, remembered or read.
func (h *heads) find(c *engine.Conn, room chat.RoomID) (r roomHead, err error) {
	if h.conn == c {
		if r, ok := h.byRoom[room]; ok {
			return r, nil
		}
	}
	err = c.Row(`select no, head, last_message_seq, last_sender, last_other_seq, last_activity_at, mood_enabled from rooms where id = ?`, []any{room[:]},
		&r.no, (*column.Seq)(&r.head), (*column.Seq)(&r.lastMessage), column.Into(&r.lastSender), (*column.Seq)(&r.lastOther), &r.lastActivity, &r.mood)
	if errors.Is(err, sql.ErrNoRows) {
		return roomHead{}, nil
	}
	return r, err
}

// keep remembers what a change has written of rooms that are there.
func (h *heads) keep(c *engine.Conn, written map[chat.RoomID]*roomHead) {
	if h.conn != c {
		h.conn, h.byRoom = c, make(map[chat.RoomID]roomHead)
	}
	for room, r := range written {
		if r.no != 0 {
			h.byRoom[room] = *r
		}
	}
	for room := range h.byRoom {
		if len(h.byRoom) <= headsMax {
			break
		}
		delete(h.byRoom, room)
	}
}

// forget lets go of a room that is changed or deleted. Should that be taken back, the room is read again.
func (h *heads) forget(room chat.RoomID) { delete(h.byRoom, room) }
