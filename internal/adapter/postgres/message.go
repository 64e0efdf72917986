package postgres

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/column"
	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/engine"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// messageColumns read a message m with its sender u, who may be missing: an imported message outlives its account.
const (
	messageColumns = `m.id, m.seq, m.changed_seq, m.sender, u.username, u.display_name, u.avatar_url, m.body, m.reply_to,
	m.mentions, m.created_at, m.edited_at, m.deleted_at, m.reactions, m.mood, coalesce(m.mood_score, 0), m.fingerprint`
	messageSource = `messages m left join users u on u.id = m.sender`
)

// roomOf is the number of the room $1. As a subquery of its own it is one value, so that what is asked of the room's messages
// is a range of one index; joined, the server would sort the room.
const roomOf = `(select room_id from rooms where id = $1)`

// messageInto are the destinations of messageColumns.
func messageInto(m *chat.Message) []any {
	return append(append([]any{column.Into(&m.ID), (*column.Seq)(&m.Seq), (*column.Seq)(&m.ChangedSeq)}, column.Profile(&m.Sender)...),
		(*column.Text)(&m.Body), column.Into(&m.ReplyTo), (*column.Mentions)(m),
		(*column.Time)(&m.CreatedAt), (*column.Time)(&m.EditedAt), (*column.Time)(&m.DeletedAt),
		(*column.Reactions)(&m.Reactions), (*column.Mood)(&m.Mood.Label), &m.Mood.Thousandths, (*column.UUID)(&m.Fingerprint))
}

// Message reads a message in its newest state.
func (s *Store) Message(ctx context.Context, room chat.RoomID, id chat.MessageID) (*chat.Message, error) {
	message := &chat.Message{Room: room}
	err := s.db.Row(ctx, `select `+messageColumns+` from `+messageSource+` where m.room_id = `+roomOf+` and m.id = $2`,
		[]any{column.ID(room), column.ID(id)}, messageInto(message)...)
	if err != nil {
		return nil, fmt.Errorf("read message %s of room %s: %w", id, room, err)
	}
	return message, nil
}

// Messages reads a page of a room's messages.
func (s *Store) Messages(ctx context.Context, room chat.RoomID, query chat.HistoryQuery) (messages []chat.Message, head chat.Seq, err error) {
	limit := min(max(query.Limit, 1), chat.PageMax)
	var reads engine.Batch
	reads.Row(`select head from rooms where id = $1`, []any{column.ID(room)}, (*column.Seq)(&head))
	page := messagePage{reads: &reads, room: room}
	var older, newer []chat.Message
	switch {
	case query.After > 0 || query.FromStart:
		page.after(&newer, query.After, limit)
	case query.Around > 0:
		page.before(&older, query.Around, limit)
		page.after(&newer, query.Around-1, limit)
	case query.Before > 0:
		page.before(&older, query.Before, limit)
	default:
		page.before(&older, 1<<62, limit)
	}
	if err := s.db.Moment(ctx, &reads); err != nil {
		return nil, 0, fmt.Errorf("read messages of room %s: %w", room, err)
	}
	slices.Reverse(older)
	if query.Around > 0 {
		// Half of the page for what was before and half for the asked one and what came after; where one side has less the
		// other gets the rest.
		newer = newer[:min(len(newer), limit-min(len(older), limit/2))]
		older = older[max(0, len(older)-(limit-len(newer))):]
	}
	return append(older, newer...), head, nil
}

// messagePage reads ranges of one room's messages.
type messagePage struct {
	reads *engine.Batch
	room  chat.RoomID
}

// after is ascending.
func (p messagePage) after(messages *[]chat.Message, seq chat.Seq, limit int) {
	p.read(messages, `select `+messageColumns+` from `+messageSource+`
		where m.room_id = `+roomOf+` and m.seq > $2 order by m.seq limit $3`, seq, limit)
}

// before is descending.
func (p messagePage) before(messages *[]chat.Message, seq chat.Seq, limit int) {
	p.read(messages, `select `+messageColumns+` from `+messageSource+`
		where m.room_id = `+roomOf+` and m.seq < $2 order by m.seq desc limit $3`, seq, limit)
}

func (p messagePage) read(messages *[]chat.Message, query string, seq chat.Seq, limit int) {
	p.reads.Each(query, []any{column.ID(p.room), column.Num(seq), limit}, func(row pgx.CollectableRow) error {
		*messages = append(*messages, chat.Message{Room: p.room})
		return row.Scan(messageInto(&(*messages)[len(*messages)-1])...)
	})
}
