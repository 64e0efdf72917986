package archive

import (
	"context"
	"fmt"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// agreeRecords is how many records are compared with the store at a time.
const agreeRecords = 1000

// Agree checks that the store of a cluster says what the log says: that each record which the log still has up to the
// stored offset stands in the store as the log has it and in its order, and that the store has no number which the log
// does not have. It reports what is wrong, as sentences; a finding is no error. Servers may be at work meanwhile. It holds
// an entry for each room of a partition.
//
// What it cannot see, because numbering it again would need everything that was ever said in memory: a change of a message
// that is in the log and has no number at all. Verify misses its number.
func Agree(ctx context.Context, log Log, store Logged, report func(finding string)) (records int64, err error) {
	_, parts, err := log.Extents(ctx)
	if err != nil {
		return 0, fmt.Errorf("compare with the log: %w", err)
	}
	stored := make([]chat.Offset, len(parts))
	for number := range parts {
		if stored[number], _, err = store.StoredHeads(ctx, number, nil); err != nil {
			return 0, fmt.Errorf("compare with the log: %w", err)
		}
	}
	if _, parts, err = log.Extents(ctx); err != nil { // once more: what was stored was in it before
		return 0, fmt.Errorf("compare with the log: %w", err)
	}
	for number, extent := range parts {
		a := &agreement{log: log, store: store, partition: number, extent: extent, report: report, rooms: make(map[chat.RoomID]*agreed)}
		err := a.compare(ctx, stored[number])
		log.Release(number)
		if err != nil {
			return records, fmt.Errorf("compare partition %d with the log: %w", number, err)
		}
		records += a.records
	}
	return records, nil
}

// agreement compares one partition.
type agreement struct {
	log       Log
	store     Logged
	partition int
	extent    chat.Extent
	report    func(string)
	rooms     map[chat.RoomID]*agreed
	records   int64
}

// agreed is a room as far as its log was followed.
type agreed struct {
	first, last chat.Seq // numbers of records that were found in the store
	created     bool     // the log has the room's creation, and so all of it
	deleted     bool     // it has its deletion, too
	// certain: last is where the log is. The first record that is met of a room whose beginning is not in the log may be the
	// repeat of a much older one.
	certain  bool
	findings []string // kept until it is known that the room was not deleted meanwhile
}

func (r *agreed) say(format string, args ...any) {
	if len(r.findings) < findingsMax {
		r.findings = append(r.findings, fmt.Sprintf(format, args...))
	}
}

// findingsMax bounds what is reported of one room: where all is wrong, the beginning says enough.
const findingsMax = 20

func (a *agreement) compare(ctx context.Context, stored chat.Offset) error {
	switch {
	case stored > a.extent.End:
		a.report(fmt.Sprintf("partition %d is stored up to offset %d and the log ends at %d: the log has lost records, or is another one's", a.partition, stored, a.extent.End))
		return nil
	case stored < a.extent.First && stored > 0:
		a.report(fmt.Sprintf("partition %d is stored up to offset %d and the log begins at %d: what is between was deleted before it was stored", a.partition, stored, a.extent.First))
		return nil
	}
	if err := a.follow(ctx, a.extent.First, stored); err != nil {
		return err
	}
	// Heads and the offset that they belong to, of one moment; what was stored meanwhile is followed up to there.
	rooms := make([]chat.RoomID, 0, len(a.rooms))
	for id := range a.rooms {
		rooms = append(rooms, id)
	}
	now, heads, err := a.store.StoredHeads(ctx, a.partition, rooms)
	if err != nil {
		return err
	}
	if err := a.follow(ctx, max(stored, a.extent.First), now); err != nil {
		return err
	}
	var gone []chat.RoomID
	for _, id := range rooms {
		head, there := heads[id]
		if !there {
			if room := a.rooms[id]; room.created && !room.deleted {
				gone = append(gone, id)
			}
			continue // deleted, and so is all that was found or missed in it
		}
		if err := a.end(ctx, id, head); err != nil {
			return err
		}
	}
	return a.missing(ctx, gone, now)
}

// missing reports the rooms, of those that are gone from the store, which nobody has deleted. Of one that was deleted the log is told
// afterwards: its deletion is in the outbox until it is in the log, so who looks there first meets it.
func (a *agreement) missing(ctx context.Context, gone []chat.RoomID, from chat.Offset) error {
	if len(gone) == 0 {
		return nil
	}
	waiting := make(map[chat.RoomID]bool)
	for after := int64(0); ; {
		entries, err := a.store.Outbox(ctx, after, agreeRecords)
		if err != nil {
			return err
		}
		for _, entry := range entries {
			waiting[entry.Room], after = true, entry.Position
		}
		if len(entries) < agreeRecords {
			break
		}
	}
	_, parts, err := a.log.Extents(ctx)
	if err != nil {
		return err
	}
	for from = max(from, parts[a.partition].First); from < parts[a.partition].End; {
		run, err := a.log.Read(ctx, a.partition, from)
		if err != nil {
			return err
		}
		for _, record := range run.Records {
			if room := a.rooms[record.Room]; room != nil {
				room.tell(record)
			}
		}
		from = run.To
	}
	for _, id := range gone {
		if !waiting[id] && !a.rooms[id].deleted {
			a.report(fmt.Sprintf("partition %d: room %s, which the log creates and does not delete, is not in the store, with all that was said in it", a.partition, id))
		}
	}
	return nil
}

// follow compares the records in [from, to).
func (a *agreement) follow(ctx context.Context, from, to chat.Offset) error {
	for from < to {
		run, err := a.log.Read(ctx, a.partition, from)
		if err != nil {
			return err
		}
		if run.From >= to {
			return nil
		}
		records := run.Records[:min(chat.Offset(len(run.Records)), to-run.From, agreeRecords)]
		if err := a.take(ctx, records, run.From); err != nil {
			return err
		}
		from = run.From + chat.Offset(len(records))
	}
	return nil
}

func (a *agreement) take(ctx context.Context, records []*chat.Record, from chat.Offset) error {
	refs := make([]chat.MessageRef, 0, len(records))
	for _, record := range records {
		if record.Kind != chat.KindUnreadable {
			refs = append(refs, chat.MessageRef{Room: record.Room, ID: record.ID})
		}
	}
	rows, err := a.store.Numbered(ctx, refs)
	if err != nil {
		return err
	}
	for i, record := range records {
		a.records++
		if record.Kind == chat.KindUnreadable {
			continue
		}
		room := a.rooms[record.Room]
		if room == nil {
			room = &agreed{}
			a.rooms[record.Room] = room
		}
		room.tell(record)
		row, found := rows[chat.MessageRef{Room: record.Room, ID: record.ID}]
		if !found {
			room.miss(record, from+chat.Offset(i))
			continue
		}
		if err := a.place(ctx, room, record, &row); err != nil {
			return err
		}
	}
	return nil
}

// tell takes what a record says of whether there is the room.
func (r *agreed) tell(record *chat.Record) {
	if record.Kind == chat.KindRoom {
		r.created = r.created || record.Info.Change == chat.RoomCreated
		r.deleted = r.deleted || record.Info.Change == chat.RoomDeleted
	}
}

// miss takes a record that is not in the store. A change may have been refused, or have changed nothing.
func (r *agreed) miss(record *chat.Record, offset chat.Offset) {
	switch record.Kind {
	case chat.KindMessage, chat.KindMember:
		r.say("the %s %s, at offset %d of the log, is not in the store", record.Kind, record.ID, offset)
	case chat.KindRoom:
		if record.Info.Change != chat.RoomDeleted {
			r.say("the change of the room %s, at offset %d of the log, is not in the store", record.ID, offset)
		}
	default:
	}
}

// place compares where a record stands in the store with where the log has it.
func (a *agreement) place(ctx context.Context, room *agreed, record *chat.Record, row *chat.LogRow) error {
	if room.first != 0 && row.Seq <= room.last {
		return nil // a repeat
	}
	if room.first == 0 {
		room.first, room.last = row.Seq, row.Seq
		room.compare(record, row)
		return nil
	}
	stray, err := a.between(ctx, record.Room, room.last, row.Seq-1)
	if err != nil {
		return err
	}
	if stray != 0 && room.certain {
		room.say("number %d stands between %d and %d, and the log has no record for it there", stray, room.last, row.Seq)
	}
	room.certain = room.certain || stray == 0
	room.last = row.Seq
	room.compare(record, row)
	return nil
}

// between finds a number after one, through another, that is not void.
func (a *agreement) between(ctx context.Context, room chat.RoomID, after, through chat.Seq) (chat.Seq, error) {
	for after < through {
		page, err := a.store.Changes(ctx, room, after, int(min(through-after, chat.ChangesMax)))
		if err != nil {
			return 0, err
		}
		if len(page.Events) > 0 {
			if seq := page.Events[0].Seq; seq <= through {
				return seq, nil
			}
			return 0, nil
		}
		if page.Through <= after {
			return 0, nil
		}
		after = page.Through
	}
	return 0, nil
}

// compare reports what of a stored number is not as its record has it.
func (r *agreed) compare(record *chat.Record, row *chat.LogRow) {
	wrong := ""
	switch {
	case row.Kind != record.Kind:
		wrong = "kind"
	case row.Actor.ID != record.Actor.ID:
		wrong = "person"
	case row.At.UnixMilli() != record.At.UnixMilli():
		wrong = "time"
	case record.Kind == chat.KindMessage && (row.Message.Fingerprint != record.Fingerprint || row.Message.ReplyTo != record.ReplyTo ||
		(row.Message.ChangedSeq == 0 && row.Message.Body != record.Body)):
		wrong = "text"
	case record.Kind == chat.KindReaction && *row.Reaction != chat.ReactionDetail{Emoji: record.Emoji, Added: record.Added}:
		wrong = "reaction"
	case record.Kind == chat.KindMember && (row.Member.User.ID != record.Member.User.ID || row.Member.Change != record.Member.Change || row.Member.Role != record.Member.Role):
		wrong = "member"
	case record.Kind == chat.KindRoom && (row.Info.Change != record.Info.Change || row.Info.Room.Name != record.Info.Room.Name || row.Info.Room.Topic != record.Info.Room.Topic):
		wrong = "room"
	}
	if wrong != "" {
		r.say("number %d, record %s, has another %s than in the log", row.Seq, row.RecordID, wrong)
	}
}

// end compares what the log did not tell: the numbers at both ends.
func (a *agreement) end(ctx context.Context, id chat.RoomID, head chat.Seq) error {
	room := a.rooms[id]
	if room.created && a.extent.First == 0 {
		stray, err := a.between(ctx, id, 0, max(room.first, 1)-1)
		if err != nil {
			return err
		}
		if stray != 0 {
			room.say("number %d stands before the first record that the log has of the room", stray)
		}
	}
	switch {
	case room.first == 0:
	case head < room.last:
		room.say("the head is %d, and the log has a record for number %d", head, room.last)
	default:
		stray, err := a.between(ctx, id, room.last, head)
		if err != nil {
			return err
		}
		if stray != 0 {
			room.say("number %d stands after %d, the last that the log knows of", stray, room.last)
		}
	}
	for _, finding := range room.findings {
		a.report(fmt.Sprintf("partition %d: in room %s %s", a.partition, id, finding))
	}
	return nil
}
