package postgres

import (
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/column"
	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/engine"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Rows travel as one array for each column, and each table is one statement whatever the number of rows. COPY was
// measured against it (docs/decisions); it cannot share a round trip with anything.

// insertMessages adds messages.
func insertMessages(_ *engine.Conn, b *engine.Batch, rows []*messageRow) error {
	if len(rows) == 0 {
		return nil
	}
	n := len(rows)
	rooms, seqs, changed := make([]int64, n), make([]int64, n), make([]pgtype.Int8, n)
	created, edited, deleted := make([]pgtype.Timestamptz, n), make([]pgtype.Timestamptz, n), make([]pgtype.Timestamptz, n)
	ids, senders, fingerprints := make([][16]byte, n), make([][16]byte, n), make([][16]byte, n)
	replies, bodies := make([]pgtype.UUID, n), make([]string, n)
	mentions, reactions := make([][]byte, n), make([][]byte, n)
	for i, row := range rows {
		rooms[i], seqs[i], changed[i] = row.room, column.Num(row.seq), column.SeqOrNull(row.changed)
		created[i], edited[i], deleted[i] = column.At(row.first.CreatedAt), column.AtOrNull(row.state.EditedAt), column.AtOrNull(row.state.DeletedAt)
		ids[i], senders[i], fingerprints[i] = row.first.ID, row.first.Sender.ID, row.first.Fingerprint
		replies[i], bodies[i] = column.OrNull(row.first.ReplyTo), column.Escape(row.state.Body)
		var err error
		if reactions[i], err = column.ReactionsJSON(row.state.Reactions); err != nil {
			return err
		}
		mentions[i] = column.MentionsBytes(column.Mentioned(row.state))
	}
	b.Exec(nil, `insert into messages (room_id, seq, created_at, changed_seq, edited_at, deleted_at, id, sender, fingerprint, reply_to, body, mentions, reactions)
		select * from unnest($1::bigint[], $2::bigint[], $3::timestamptz[], $4::bigint[], $5::timestamptz[], $6::timestamptz[],
			$7::uuid[], $8::uuid[], $9::uuid[], $10::uuid[], $11::text[], $12::bytea[], $13::json[])`,
		rooms, seqs, created, changed, edited, deleted, ids, senders, fingerprints, replies, bodies, mentions, reactions)
	return nil
}

// write adds all but new messages.
func (w *batchWriter) write(b *engine.Batch) error {
	if err := updateMessages(b, w.changes); err != nil {
		return err
	}
	if err := insertEvents(b, w.events); err != nil {
		return err
	}
	writeMentions(b, slices.Concat(w.messages, w.changes))
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
	for i, row := range rows {
		rooms[i], seqs[i], changed[i] = row.room, column.Num(row.seq), column.Num(row.changed)
		edited[i], deleted[i] = column.AtOrNull(row.state.EditedAt), column.AtOrNull(row.state.DeletedAt)
		bodies[i], mentions[i] = column.Escape(row.state.Body), column.MentionsBytes(column.Mentioned(row.state))
		var err error
		if reactions[i], err = column.ReactionsJSON(row.state.Reactions); err != nil {
			return err
		}
	}
	b.Exec(nil, `update messages m set changed_seq = k.changed_seq, edited_at = k.edited_at, deleted_at = k.deleted_at, body = k.body,
			mentions = k.mentions, reactions = k.reactions
		from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::timestamptz[], $5::timestamptz[], $6::text[], $7::bytea[], $8::json[])
			k(room_id, seq, changed_seq, edited_at, deleted_at, body, mentions, reactions)
		where m.room_id = k.room_id and m.seq = k.seq`, rooms, seqs, changed, edited, deleted, bodies, mentions, reactions)
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
