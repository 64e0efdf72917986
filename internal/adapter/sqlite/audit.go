package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/blabber-hive/blabber-hive/internal/adapter/sqlite/column"
	"github.com/blabber-hive/blabber-hive/internal/adapter/sqlite/engine"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// findingsMax bounds what each check reports: of a database that is damaged all over, the beginning says enough.
const findingsMax = 100

// Audit reports what contradicts itself in what the store derives: SQLite's own structures, copies of names, the newest
// messages by others, and the rows of mentions.
func (s *Store) Audit(ctx context.Context, report func(finding string)) error {
	err := s.db.ReadLong(ctx, func(c *engine.Conn) error {
		a := auditor{c: c, report: report}
		for _, check := range []func() error{a.file, a.names, a.orphans, a.lastOthers, a.missingMentions, a.strayMentions, a.moods} {
			a.left = findingsMax
			if err := check(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	return nil
}

type auditor struct {
	c      *engine.Conn
	report func(string)
	left   int // findings of this check
}

func (a *auditor) say(format string, args ...any) {
	if a.left--; a.left >= 0 {
		a.report(fmt.Sprintf(format, args...))
	}
}

// file has SQLite look at its pages and indexes.
func (a *auditor) file() error {
	if err := a.c.Each(`pragma integrity_check(100)`, nil, func(rows *sql.Rows) error {
		var verdict string
		err := rows.Scan(&verdict)
		if verdict != "ok" {
			a.say("the database file: %s", verdict)
		}
		return err
	}); err != nil {
		return err
	}
	return a.c.Each(`pragma foreign_key_check`, nil, func(rows *sql.Rows) error {
		var table, parent string
		var row, key sql.NullInt64
		err := rows.Scan(&table, &row, &parent, &key)
		a.say("a row of %s refers to a row of %s that is not there", table, parent)
		return err
	})
}

func (a *auditor) names() error {
	if err := a.c.Each(`select u.id, u.display_name, u.display_folded from users u`, nil, func(rows *sql.Rows) error {
		var id chat.UserID
		var name, folded string
		err := rows.Scan(column.Into(&id), &name, &folded)
		if chat.Fold(name) != folded {
			a.say("the name of person %s is searched as %q and is %q", id, folded, name)
		}
		return err
	}); err != nil {
		return err
	}
	if err := a.c.Each(`select id, name, name_folded, topic, topic_folded from rooms where id is not null`, nil, func(rows *sql.Rows) error {
		var id chat.RoomID
		var name, nameFolded, topic, topicFolded string
		err := rows.Scan(column.Into(&id), &name, &nameFolded, &topic, &topicFolded)
		if chat.Fold(name) != nameFolded || chat.Fold(topic) != topicFolded {
			a.say("room %s is searched as %q, %q and is %q, %q", id, nameFolded, topicFolded, name, topic)
		}
		return err
	}); err != nil {
		return err
	}
	return a.c.Each(`select p.username, u.username from members p join users u on u.id = p.user where p.username <> u.username`, nil, func(rows *sql.Rows) error {
		var copied, name string
		err := rows.Scan(&copied, &name)
		a.say("a member is listed as %s and is %s", copied, name)
		return err
	})
}

// orphans looks for rows of rooms that are not there: messages have no foreign key.
func (a *auditor) orphans() error {
	for _, table := range []string{"messages", "events", "mentions", "moods"} {
		if err := a.c.Each(`select distinct room from `+table+` where room not in (select no from rooms)`, nil, func(rows *sql.Rows) error {
			var no int64
			err := rows.Scan(&no)
			a.say("%s has rows of room number %d, which is not there", table, no)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// lastOthers checks what spares people who only talk to themselves a count of it all.
func (a *auditor) lastOthers() error {
	return a.c.Each(`select id, last_other_seq, other, sender is last_sender from (
			select r.id, r.last_other_seq, r.last_sender,
				(select m.sender from messages m where m.room = r.no order by m.seq desc limit 1) sender,
				ifnull((select m.seq from messages m where m.room = r.no and m.sender is not r.last_sender order by m.seq desc limit 1), 0) other
			from rooms r where r.id is not null)
		where last_other_seq <> other or sender is not last_sender`, nil, func(rows *sql.Rows) error {
		var id chat.RoomID
		var said, is chat.Seq
		var sender bool
		err := rows.Scan(column.Into(&id), (*column.Seq)(&said), (*column.Seq)(&is), &sender)
		if !sender {
			a.say("in room %s the sender of the last message is said to be another", id)
		} else {
			a.say("in room %s the last message of others than the last sender is said to be %d and is %d", id, said, is)
		}
		return err
	})
}

// mentioning is a message that mentions somebody.
type mentioning struct {
	no, room int64
	id       chat.RoomID
	seq      chat.Seq
	message  chat.Message
}

// missingMentions looks for people whom a message mentions and who have no row for it.
func (a *auditor) missingMentions() error {
	for last := int64(0); ; {
		var page []mentioning
		if err := a.c.Each(`select m.no, m.room, r.id, m.seq, m.mentions from messages m join rooms r on r.no = m.room
			where m.no > ? and m.mentions is not null and r.id is not null order by m.no limit ?`, []any{last, rowsPage}, func(rows *sql.Rows) error {
			page = append(page, mentioning{})
			m := &page[len(page)-1]
			return rows.Scan(&m.no, &m.room, column.Into(&m.id), (*column.Seq)(&m.seq), (*column.Mentions)(&m.message))
		}); err != nil || len(page) == 0 {
			return err
		}
		for i := range page {
			if err := a.mentionRows(&page[i]); err != nil {
				return err
			}
		}
		last = page[len(page)-1].no
	}
}

func (a *auditor) mentionRows(m *mentioning) error {
	for _, user := range column.Mentioned(&m.message) {
		var found bool
		if err := a.c.Row(`select exists (select 1 from mentions where user = ? and room = ? and seq = ?)`, []any{user[:], m.room, column.Num(m.seq)}, &found); err != nil {
			return err
		}
		if !found {
			a.say("in room %s message %d mentions %s, who has no row for it", m.id, m.seq, user)
		}
	}
	return nil
}

// strayMentions looks for rows whose message does not mention that person.
func (a *auditor) strayMentions() error {
	return a.c.Each(`select r.id, n.seq, n.user, m.mentions from mentions n join rooms r on r.no = n.room
		left join messages m on m.room = n.room and m.seq = n.seq where r.id is not null`, nil, func(rows *sql.Rows) error {
		var room chat.RoomID
		var seq chat.Seq
		var user chat.UserID
		var message chat.Message
		err := rows.Scan(column.Into(&room), (*column.Seq)(&seq), column.Into(&user), (*column.Mentions)(&message))
		if err == nil && !slices.Contains(column.Mentioned(&message), user) {
			a.say("in room %s %s has a row for message %d, which does not mention that person", room, user, seq)
		}
		return err
	})
}
