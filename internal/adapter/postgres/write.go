package postgres

import (
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/column"
	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/engine"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// copyRowsMin is from how many messages on COPY is the better way: it cannot share a round trip with anything and has two of its
// own, but the server takes its rows with a fifth less work (docs/decisions/0012).
const copyRowsMin = 2000

// insertMessages adds messages, now or with the other statements of the batch.
func insertMessages(c *engine.Conn, b *engine.Batch, rows []*messageRow) error {
	if len(rows) >= copyRowsMin {
		return copyMessages(c, b, rows)
	}
	return insertArrays(c, b, rows)
}

// copyMessages adds messages by COPY.
func copyMessages(c *engine.Conn, _ *engine.Batch, rows []*messageRow) error {
	return c.CopyFrom("messages", copiedColumns(), copiedRows(rows))
}

func copiedColumns() []string {
	return []string{
		"room_id", "seq", "created_at", "id", "sender", "fingerprint", "body", "changed_seq", "edited_at", "deleted_at", "reply_to", "mentions", "reactions",
		"mood", "mood_score",
	}
}

func copiedRows(rows []*messageRow) pgx.CopyFromSource {
	return pgx.CopyFromSlice(len(rows), func(i int) ([]any, error) {
		row, first, state := rows[i], rows[i].first, rows[i].state
		reactions, err := column.ReactionsJSON(state.Reactions)
		sign, thousandths := column.MoodOrNull(state.Mood)
		return []any{
			row.room, column.Num(row.seq), column.At(first.CreatedAt), column.ID(first.ID), column.ID(first.Sender.ID), [16]byte(first.Fingerprint), column.Escape(state.Body),
			column.SeqOrNull(row.changed), column.AtOrNull(state.EditedAt), column.AtOrNull(state.DeletedAt), column.OrNull(first.ReplyTo),
			column.MentionsBytes(column.Mentioned(state)), reactions, sign, thousandths,
		}, err
	})
}

// insertArrays adds messages as one array for each column. Most are nothing but words, and an array that holds only nulls costs as
// much as any other: those go by themselves.
func insertArrays(_ *engine.Conn, b *engine.Batch, rows []*messageRow) error {
	plain := make([]*messageRow, 0, len(rows))
	var rest []*messageRow
	for _, row := range rows {
		if m := row.state; row.changed == 0 && row.first.ReplyTo.IsZero() && !m.MentionsAll && len(m.Mentions)+len(m.Reactions) == 0 && m.EditedAt.IsZero() && m.DeletedAt.IsZero() && m.Mood.IsZero() {
			plain = append(plain, row)
		} else {
			rest = append(rest, row)
		}
	}
	if len(plain) > 0 {
		c := newMessageArrays(plain)
		b.Exec(nil, `insert into messages (room_id, seq, created_at, id, sender, fingerprint, body)
			select * from unnest($1::bigint[], $2::bigint[], $3::timestamptz[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[])`,
			c.rooms, c.seqs, c.created, c.ids, c.senders, c.fingerprints, c.bodies)
	}
	if len(rest) == 0 {
		return nil
	}
	c, n := newMessageArrays(rest), len(rest)
	changed, edited, deleted := make([]pgtype.Int8, n), make([]pgtype.Timestamptz, n), make([]pgtype.Timestamptz, n)
	replies, mentions, reactions := make([]pgtype.UUID, n), make([][]byte, n), make([][]byte, n)
	signs, thousandths := make([]pgtype.Int2, n), make([]pgtype.Int2, n)
	for i, row := range rest {
		changed[i], edited[i], deleted[i] = column.SeqOrNull(row.changed), column.AtOrNull(row.state.EditedAt), column.AtOrNull(row.state.DeletedAt)
		replies[i], mentions[i] = column.OrNull(row.first.ReplyTo), column.MentionsBytes(column.Mentioned(row.state))
		signs[i], thousandths[i] = column.MoodOrNull(row.state.Mood)
		var err error
		if reactions[i], err = column.ReactionsJSON(row.state.Reactions); err != nil {
			return err
		}
	}
	b.Exec(nil, `insert into messages (room_id, seq, created_at, id, sender, fingerprint, body, changed_seq, edited_at, deleted_at, reply_to, mentions, reactions, mood, mood_score)
		select * from unnest($1::bigint[], $2::bigint[], $3::timestamptz[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[],
			$8::bigint[], $9::timestamptz[], $10::timestamptz[], $11::uuid[], $12::bytea[], $13::json[], $14::smallint[], $15::smallint[])`,
		c.rooms, c.seqs, c.created, c.ids, c.senders, c.fingerprints, c.bodies, changed, edited, deleted, replies, mentions, reactions, signs, thousandths)
	return nil
}

// messageArrays are what every message has.
type messageArrays struct {
	rooms, seqs                []int64
	created                    []pgtype.Timestamptz
	ids, senders, fingerprints [][16]byte
	bodies                     []string
}

func newMessageArrays(rows []*messageRow) messageArrays {
	n := len(rows)
	c := messageArrays{
		rooms: make([]int64, n), seqs: make([]int64, n), created: make([]pgtype.Timestamptz, n),
		ids: make([][16]byte, n), senders: make([][16]byte, n), fingerprints: make([][16]byte, n), bodies: make([]string, n),
	}
	for i, row := range rows {
		c.rooms[i], c.seqs[i], c.created[i] = row.room, column.Num(row.seq), column.At(row.first.CreatedAt)
		c.ids[i], c.senders[i], c.fingerprints[i] = row.first.ID, row.first.Sender.ID, row.first.Fingerprint
		c.bodies[i] = column.Escape(row.state.Body)
	}
	return c
}

// write adds all but new messages.
func (w *batchWriter) write(b *engine.Batch) error {
	if err := updateMessages(b, w.changes); err != nil {
		return err
	}
	if err := insertEvents(b, w.events); err != nil {
		return err
	}
	written := slices.Concat(w.messages, w.changes)
	writeMentions(b, written)
	countMoods(b, written)
	updateHeads(b, w.moved())
	return nil
}

func updateMessages(b *engine.Batch, rows []*messageRow) error {
	if len(rows) == 0 {
		return nil
	}
	n := len(rows)
	rooms, seqs, changed := make([]int64, n), make([]int64, n), make([]int64, n)
	edited, deleted := make([]pgtype.Timestamptz, n), make([]pgtype.Timestamptz, n)
	bodies, mentions, reactions := make([]string, n), make([][]byte, n), make([][]byte, n)
	signs, thousandths := make([]pgtype.Int2, n), make([]pgtype.Int2, n)
	for i, row := range rows {
		rooms[i], seqs[i], changed[i] = row.room, column.Num(row.seq), column.Num(row.changed)
		edited[i], deleted[i] = column.AtOrNull(row.state.EditedAt), column.AtOrNull(row.state.DeletedAt)
		bodies[i], mentions[i] = column.Escape(row.state.Body), column.MentionsBytes(column.Mentioned(row.state))
		signs[i], thousandths[i] = column.MoodOrNull(row.state.Mood)
		var err error
		if reactions[i], err = column.ReactionsJSON(row.state.Reactions); err != nil {
			return err
		}
	}
	b.Exec(nil, `update messages m set changed_seq = k.changed_seq, edited_at = k.edited_at, deleted_at = k.deleted_at, body = k.body,
			mentions = k.mentions, reactions = k.reactions, mood = k.mood, mood_score = k.mood_score
		from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::timestamptz[], $5::timestamptz[], $6::text[], $7::bytea[], $8::json[], $9::smallint[], $10::smallint[])
			k(room_id, seq, changed_seq, edited_at, deleted_at, body, mentions, reactions, mood, mood_score)
		where m.room_id = k.room_id and m.seq = k.seq`, rooms, seqs, changed, edited, deleted, bodies, mentions, reactions, signs, thousandths)
	return nil
}

func insertEvents(b *engine.Batch, rows []eventRow) error {
	if len(rows) == 0 {
		return nil
	}
	n := len(rows)
	rooms, seqs, targets := make([]int64, n), make([]int64, n), make([]pgtype.Int8, n)
	ids, actors, subjects := make([]pgtype.UUID, n), make([][16]byte, n), make([]pgtype.UUID, n)
	times, kinds, payloads := make([]pgtype.Timestamptz, n), make([]string, n), make([][]byte, n)
	for i, row := range rows {
		event := row.event
		rooms[i], seqs[i], targets[i] = row.room, column.Num(event.Seq), column.SeqOrNull(row.target)
		actors[i], times[i], kinds[i] = event.Actor.ID, column.At(event.At), string(row.kind)
		if row.kind == chat.KindVoid {
			continue
		}
		ids[i] = pgtype.UUID{Bytes: row.id, Valid: true}
		if event.Member != nil {
			subjects[i] = column.OrNull(event.Member.User.ID)
		}
		var err error
		if payloads[i], err = column.Payload(event); err != nil {
			return err
		}
	}
	b.Exec(nil, `insert into events (room_id, seq, at, target_seq, id, actor, subject, kind, payload)
		select * from unnest($1::bigint[], $2::bigint[], $3::timestamptz[], $4::bigint[], $5::uuid[], $6::uuid[], $7::uuid[], $8::text[], $9::json[])`,
		rooms, seqs, times, targets, ids, actors, subjects, kinds, payloads)
	return nil
}

// writeMentions makes the rows of mentions those of the messages' newest states.
func writeMentions(b *engine.Batch, rows []*messageRow) {
	var lost, won mentionRows
	for _, row := range rows {
		after := column.Mentioned(row.state)
		for _, user := range row.before {
			if !slices.Contains(after, user) {
				lost.add(user, row)
			}
		}
		for _, user := range after {
			if !slices.Contains(row.before, user) {
				won.add(user, row)
			}
		}
	}
	if len(lost.users) > 0 {
		b.Exec(nil, `delete from mentions n using unnest($1::uuid[], $2::bigint[], $3::bigint[]) k(user_id, room_id, seq)
			where n.user_id = k.user_id and n.room_id = k.room_id and n.seq = k.seq`, lost.users, lost.rooms, lost.seqs)
	}
	if len(won.users) > 0 {
		b.Exec(nil, `insert into mentions (user_id, room_id, seq) select * from unnest($1::uuid[], $2::bigint[], $3::bigint[])
			on conflict do nothing`, won.users, won.rooms, won.seqs) // a message may name one person twice
	}
}

type mentionRows struct {
	users [][16]byte
	rooms []int64
	seqs  []int64
}

func (m *mentionRows) add(user chat.UserID, row *messageRow) {
	m.users, m.rooms, m.seqs = append(m.users, user), append(m.rooms, row.room), append(m.seqs, column.Num(row.seq))
}

func updateHeads(b *engine.Batch, rooms []*roomHead) {
	if len(rooms) == 0 {
		return
	}
	n := len(rooms)
	numbers, heads, messages, others := make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n)
	senders, activities := make([]pgtype.UUID, n), make([]pgtype.Timestamptz, n)
	for i, r := range rooms {
		numbers[i], heads[i], messages[i], others[i] = r.no, column.Num(r.head), column.Num(r.lastMessage), column.Num(r.lastOther)
		senders[i], activities[i] = column.OrNull(r.lastSender), column.At(time.Time(r.lastActivity))
	}
	b.Exec(nil, `update rooms r set head = k.head, last_message_seq = k.last_message_seq, last_other_seq = k.last_other_seq,
			last_sender = k.last_sender, last_activity_at = k.last_activity_at
		from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::uuid[], $6::timestamptz[])
			k(room_id, head, last_message_seq, last_other_seq, last_sender, last_activity_at)
		where r.room_id = k.room_id`, numbers, heads, messages, others, senders, activities)
}
