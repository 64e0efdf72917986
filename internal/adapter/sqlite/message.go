package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/blabber-hive/blabber-hive/internal/adapter/sqlite/column"
	"github.com/blabber-hive/blabber-hive/internal/adapter/sqlite/engine"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// messageColumns read a message m with its sender u, who may be missing: an imported message outlives its account.
const (
	messageColumns = `m.id, m.seq, m.changed_seq, m.sender, u.username, u.display_name, u.avatar_url, m.body, m.reply_to,
	m.mentions, m.created_at, m.edited_at, m.deleted_at, m.reactions, m.mood, coalesce(m.mood_score, 0), m.fingerprint`
	messageSource = `messages m left join users u on u.id = m.sender`
)

// messageInto are the destinations of messageColumns.
func messageInto(m *chat.Message) []any {
	return append(append([]any{column.Into(&m.ID), (*column.Seq)(&m.Seq), (*column.Seq)(&m.ChangedSeq)}, column.Profile(&m.Sender)...),
		(*column.Text)(&m.Body), column.Into(&m.ReplyTo), (*column.Mentions)(m),
		(*column.Time)(&m.CreatedAt), (*column.Time)(&m.EditedAt), (*column.Time)(&m.DeletedAt),
		(*column.Reactions)(&m.Reactions), (*column.Mood)(&m.Mood.Label), &m.Mood.Thousandths, (*column.UUID)(&m.Fingerprint))
}

// Message reads a message in its newest stored state.
func (s *Store) Message(ctx context.Context, room chat.RoomID, id chat.MessageID) (message *chat.Message, err error) {
	err = s.db.Read(ctx, func(c *engine.Conn) (err error) {
		message, err = readMessage(c, room, id)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read message %s of room %s: %w", id, room, err)
	}
	return message, nil
}

func readMessage(c *engine.Conn, room chat.RoomID, id chat.MessageID) (*chat.Message, error) {
	message := &chat.Message{Room: room}
	return message, c.Row(`select `+messageColumns+` from rooms r join `+messageSource+`
		where r.id = ?1 and m.room = r.no and m.id = ?2`, []any{room[:], id[:]}, messageInto(message)...)
}

// Messages reads a page of a room's messages.
func (s *Store) Messages(ctx context.Context, room chat.RoomID, query chat.HistoryQuery) (messages []chat.Message, head chat.Seq, err error) {
	limit := min(max(query.Limit, 1), chat.PageMax)
	err = s.db.ReadMoment(ctx, func(c *engine.Conn) error {
		var no int64
		if err := c.Row(`select no, head from rooms where id = ?`, []any{room[:]}, &no, (*column.Seq)(&head)); err != nil {
			return err
		}
		page := messagePage{c: c, room: room, no: no}
		switch {
		case query.After > 0 || query.FromStart:
			messages, err = page.from(min(query.After, head)+1, limit) // min: the highest number there can be has no next
		case query.Around > 0:
			messages, err = page.around(query.Around, limit)
		case query.Before > 0:
			messages, err = page.before(query.Before, limit)
		default:
			messages, err = page.before(head+1, limit)
		}
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("read messages of room %s: %w", room, err)
	}
	return messages, head, nil
}

// messagePage reads ranges of one room's messages, ascending.
type messagePage struct {
	c    *engine.Conn
	room chat.RoomID
	no   int64
}

func (p messagePage) from(seq chat.Seq, limit int) ([]chat.Message, error) {
	return p.read(`select `+messageColumns+` from `+messageSource+`
		where m.room = ? and m.seq >= ? order by m.seq limit ?`, seq, limit)
}

func (p messagePage) before(seq chat.Seq, limit int) ([]chat.Message, error) {
	return p.read(`select * from (select `+messageColumns+` from `+messageSource+`
		where m.room = ? and m.seq < ? order by m.seq desc limit ?) order by seq`, seq, limit)
}

// around gives half of the page to what was before seq and half to seq and what came after; where one side has less the
// other gets the rest.
func (p messagePage) around(seq chat.Seq, limit int) ([]chat.Message, error) {
	older, err := p.before(seq, limit)
	if err != nil {
		return nil, err
	}
	newer, err := p.from(seq, limit)
	if err != nil {
		return nil, err
	}
	newer = newer[:min(len(newer), limit-min(len(older), limit/2))]
	older = older[max(0, len(older)-(limit-len(newer))):]
	return append(older, newer...), nil
}

func (p messagePage) read(query string, seq chat.Seq, limit int) (messages []chat.Message, err error) {
	err = p.c.Each(query, []any{p.no, column.Num(seq), limit}, func(rows *sql.Rows) error {
		messages = append(messages, chat.Message{Room: p.room})
		return rows.Scan(messageInto(&messages[len(messages)-1])...)
	})
	return messages, err
}
