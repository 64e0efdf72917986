package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/blabber-hive/blabber-hive/internal/adapter/sqlite/column"
	"github.com/blabber-hive/blabber-hive/internal/adapter/sqlite/engine"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Commit stores a batch as one transaction, which it may share with other changes.
func (s *Store) Commit(ctx context.Context, batch chat.Batch) ([]chat.Void, error) {
	var voids []chat.Void
	queued := false
	err := s.db.Write(ctx, func(c *engine.Conn) error {
		if err := moveOffset(c, batch); err != nil {
			return err
		}
		w := newBatchWriter(c, &s.heads)
		for i := range batch.Events {
			if err := w.store(&batch.Events[i]); err != nil {
				return fmt.Errorf("event %d of room %s: %w", batch.Events[i].Seq, batch.Events[i].Room, err)
			}
		}
		voids, queued = w.voids, w.queued
		return w.storeHeads()
	})
	if queued && err == nil {
		s.wakeTexts()
	}
	if err != nil {
		return nil, fmt.Errorf("commit %d events of partition %d: %w", len(batch.Events), batch.Partition, err)
	}
	return voids, nil
}

// moveOffset is the fence: of two owners of a partition one finds the offset moved.
func moveOffset(c *engine.Conn, batch chat.Batch) error {
	moved, err := c.Exec(`update partitions set stored = ?3 where partition = ?1 and stored = ?2`,
		batch.Partition, int64(batch.From), int64(batch.To))
	if err == nil && moved == 0 && batch.From == 0 {
		moved, err = c.Exec(`insert into partitions (partition, stored) values (?, ?) on conflict do nothing`,
			batch.Partition, int64(batch.To))
	}
	if err == nil && moved == 0 {
		return chat.ErrFenced
	}
	return err
}

// batchWriter stores the events of one batch; it holds the heads of their rooms until all are stored.
type batchWriter struct {
	c     *engine.Conn
	known *heads
	rooms map[chat.RoomID]*roomHead
	voids []chat.Void

	queued bool // a text was left to be read
}

func newBatchWriter(c *engine.Conn, known *heads) batchWriter {
	return batchWriter{c: c, known: known, rooms: make(map[chat.RoomID]*roomHead)}
}

func (w *batchWriter) head(room chat.RoomID) (*roomHead, error) {
	if r, ok := w.rooms[room]; ok {
		return r, nil
	}
	r, err := w.known.find(w.c, room)
	if err != nil {
		return nil, err
	}
	w.rooms[room] = &r
	return &r, nil
}

// storeHeads is the last that a batch writes.
func (w *batchWriter) storeHeads() error {
	for _, r := range w.rooms {
		if r.no == 0 {
			continue
		}
		if _, err := w.c.Exec(`update or fail rooms set head = ?, last_message_seq = ?, last_sender = ?, last_other_seq = ?, last_activity_at = ?
			where no = ?`, column.Num(r.head), column.Num(r.lastMessage), column.OrNull(r.lastSender), column.Num(r.lastOther), r.lastActivity, r.no); err != nil {
			return err
		}
	}
	w.known.keep(w.c, w.rooms)
	return nil
}

func (w *batchWriter) store(event *chat.Event) error {
	r, err := w.head(event.Room)
	if err != nil || r.no == 0 {
		return err
	}
	if event.Seq != r.head+1 {
		return fmt.Errorf("its number does not follow the stored head %d", r.head)
	}
	r.head = event.Seq
	switch event.Kind {
	case chat.KindMessage:
		voids := len(w.voids)
		if err := w.storeMessage(r, event); err != nil || len(w.voids) > voids {
			return err
		}
		return w.queueText(r, event, event.Seq)
	case chat.KindEdit, chat.KindDelete, chat.KindReaction, chat.KindMood:
		return w.storeChange(r, event)
	case chat.KindMember, chat.KindRoom:
		return w.storeEvent(r, event, 0)
	case chat.KindVoid:
		return w.storeVoid(r, event, chat.Known{})
	}
	return fmt.Errorf("unknown kind %q", event.Kind)
}

func (w *batchWriter) storeMessage(r *roomHead, event *chat.Event) error {
	m := event.Message
	if m == nil || m.Seq != event.Seq {
		return errors.New("a message event without its message")
	}
	mentions := column.Mentioned(m)
	sign, thousandths := column.MoodOrNull(m.Mood)
	// The id of any record counts: one that stands under an event is as much a repeat as one that stands under a message.
	stored, err := w.c.Exec(`insert or fail into messages (room, seq, id, sender, created_at, fingerprint, changed_seq, edited_at, deleted_at, body, reply_to, mentions, reactions, mood, mood_score)
		select ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?
		where not exists (select 1 from events where id = ? and room = ?)
		on conflict (id, room) do nothing`,
		r.no, column.Num(m.Seq), m.ID[:], m.Sender.ID[:], m.CreatedAt.UnixMilli(), m.Fingerprint[:],
		column.SeqOrNull(m.ChangedSeq), column.MS(m.EditedAt), column.MS(m.DeletedAt), m.Body, column.OrNull(m.ReplyTo),
		column.Blob(column.MentionsBlob(mentions)), column.Blob(column.ReactionsBlob(m.Reactions)), sign, thousandths,
		m.ID[:], r.no)
	if err != nil {
		return err
	}
	if stored == 0 {
		return w.storeRepeat(r, event, m.ID)
	}
	if m.Sender.ID != r.lastSender {
		r.lastOther, r.lastSender = r.lastMessage, m.Sender.ID
	}
	r.lastMessage, r.lastActivity = m.Seq, m.CreatedAt.UnixMilli()
	if err := w.countMood(r, m.Seq, m.CreatedAt, chat.Mood{}, m.Mood); err != nil {
		return err
	}
	return w.mention(r, m.Seq, mentions)
}

// storeChange stores an edit, a deletion, a reaction or a mood and the message's new state. The message is found by its id and
// sender: if its own number had to be voided, as a repeat of a message that stands elsewhere, the change belongs to that
// one; if that one is somebody else's, to none, and the number is void.
func (w *batchWriter) storeChange(r *roomHead, event *chat.Event) error {
	m := event.Message
	if m == nil {
		return fmt.Errorf("a change of kind %q without its message", event.Kind)
	}
	var target chat.Seq
	var before chat.Message
	err := w.c.Row(`select seq, mentions, created_at, mood, coalesce(mood_score, 0) from messages where room = ? and id = ? and sender = ?`,
		[]any{r.no, m.ID[:], m.Sender.ID[:]}, (*column.Seq)(&target), (*column.Mentions)(&before),
		(*column.Time)(&before.CreatedAt), (*column.Mood)(&before.Mood.Label), &before.Mood.Thousandths)
	if errors.Is(err, sql.ErrNoRows) {
		w.voids = append(w.voids, chat.Void{Room: event.Room, Seq: event.Seq})
		return w.storeVoid(r, event, chat.Known{})
	}
	if err != nil {
		return err
	}
	voids := len(w.voids)
	if err := w.storeEvent(r, event, target); err != nil || len(w.voids) > voids {
		return err // a repeat: the message stays as it is
	}
	after := column.Mentioned(m)
	sign, thousandths := column.MoodOrNull(m.Mood)
	if _, err := w.c.Exec(`update messages set changed_seq = ?3, edited_at = ?4, deleted_at = ?5, body = ?6, mentions = ?7, reactions = ?8, mood = ?9, mood_score = ?10
		where room = ?1 and seq = ?2`, r.no, column.Num(target), column.Num(event.Seq), column.MS(m.EditedAt), column.MS(m.DeletedAt), m.Body,
		column.Blob(column.MentionsBlob(after)), column.Blob(column.ReactionsBlob(m.Reactions)), sign, thousandths); err != nil {
		return err
	}
	if err := w.countMood(r, target, before.CreatedAt, before.Mood, m.Mood); err != nil {
		return err
	}
	if event.Kind == chat.KindEdit {
		if err := w.queueText(r, event, target); err != nil {
			return err
		}
	}
	for _, user := range column.Mentioned(&before) {
		if _, err := w.c.Exec(`delete from mentions where user = ? and room = ? and seq = ?`, user[:], r.no, column.Num(target)); err != nil {
			return err
		}
	}
	return w.mention(r, target, after)
}

func (w *batchWriter) mention(r *roomHead, seq chat.Seq, users []chat.UserID) error {
	for _, user := range users {
		if _, err := w.c.Exec(`insert into mentions (user, room, seq) values (?, ?, ?) on conflict do nothing`, user[:], r.no, column.Num(seq)); err != nil {
			return err
		}
	}
	return nil
}

func (w *batchWriter) storeEvent(r *roomHead, event *chat.Event, target chat.Seq) error {
	payload, err := column.Payload(event)
	if err != nil {
		return err
	}
	var subject any
	if event.Member != nil {
		subject = event.Member.User.ID[:]
	}
	stored, err := w.c.Exec(`insert into events (room, seq, id, kind, at, actor, target_seq, subject, payload)
		select ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9
		where not exists (select 1 from messages where room = ?1 and id = ?3)
		on conflict (id, room) do nothing`,
		r.no, column.Num(event.Seq), event.RecordID[:], string(event.Kind), event.At.UnixMilli(), event.Actor.ID[:],
		column.SeqOrNull(target), subject, payload)
	if err == nil && stored == 0 {
		return w.storeRepeat(r, event, event.RecordID)
	}
	return err
}

// storeRepeat gives up a number whose record already stands, and reports where.
func (w *batchWriter) storeRepeat(r *roomHead, event *chat.Event, id chat.MessageID) error {
	first := chat.Known{ID: id}
	err := w.c.Row(`select seq, fingerprint from messages where room = ?1 and id = ?2
		union all select seq, null from events where room = ?1 and id = ?2`, []any{r.no, id[:]},
		(*column.Seq)(&first.Seq), (*column.UUID)(&first.Fingerprint))
	if err != nil {
		return fmt.Errorf("find the first of record %s: %w", id, err)
	}
	w.voids = append(w.voids, chat.Void{Room: event.Room, Seq: event.Seq, First: first})
	return w.storeVoid(r, event, first)
}

func (w *batchWriter) storeVoid(r *roomHead, event *chat.Event, first chat.Known) error {
	_, err := w.c.Exec(`insert into events (room, seq, kind, at, actor, target_seq) values (?, ?, 'void', ?, ?, ?)`,
		r.no, column.Num(event.Seq), event.At.UnixMilli(), event.Actor.ID[:], column.SeqOrNull(first.Seq))
	return err
}
