// Package audit looks for what contradicts itself in what the store derives: indexes and constraints, references, copies of
// names, the newest messages by others, the rows of mentions, and what is counted of moods.
package audit

import (
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/column"
	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/engine"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// findingsMax bounds what each check reports: of a database that is damaged all over, the beginning says enough.
const findingsMax = 100

// Run reports what it finds, as sentences.
func Run(c *engine.Conn, report func(finding string)) error {
	a := auditor{c: c, report: report}
	for _, check := range []func() error{
		a.schema, a.references, a.names, a.roomNames, a.memberNames, a.orphans, a.lastOthers, a.missingMentions, a.strayMentions, a.moods,
	} {
		a.left = findingsMax
		if err := check(); err != nil {
			return err
		}
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

// rules are the constraints and indexes without which rows can contradict each other.
func rules() []string {
	return []string{
		"bans_pk", "events_id_unique", "events_pk", "imports_pk", "invites_pk", "keys_pk", "members_by_role", "members_by_user", "members_pk",
		"mentions_pk", "messages_id_unique", "messages_pk", "outbox_pk", "partitions_pk", "rooms_id_unique", "rooms_pk", "sessions_pk",
		"sessions_refresh_hash_unique", "spent_refresh_pk", "users_pk", "users_username_unique",
	}
}

// schema looks for rules that somebody has taken away, and for indexes that the server has given up building.
func (a *auditor) schema() error {
	var there []string
	if err := a.c.Each(`select c.relname, i.indisvalid and i.indisready and i.indisunique from pg_index i join pg_class c on c.oid = i.indexrelid
		where c.relnamespace = current_schema()::regnamespace`, nil, func(row pgx.CollectableRow) error {
		var name string
		var sound bool
		err := row.Scan(&name, &sound)
		if sound {
			there = append(there, name)
		}
		return err
	}); err != nil {
		return err
	}
	for _, rule := range rules() {
		if !slices.Contains(there, rule) {
			a.say("the database: the index %s is missing or not valid", rule)
		}
	}
	return nil
}

// references looks for rows whose foreign keys lead nowhere: the server checks them, unless somebody has told it not to.
func (a *auditor) references() error {
	for _, ref := range []struct{ table, column, parent, key string }{
		{"members", "room_id", "rooms", "room_id"},
		{"members", "user_id", "users", "id"},
		{"bans", "room_id", "rooms", "room_id"},
		{"bans", "user_id", "users", "id"},
		{"invites", "room_id", "rooms", "room_id"},
		{"invites", "created_by", "users", "id"},
		{"sessions", "user_id", "users", "id"},
		{"spent_refresh", "session_id", "sessions", "id"},
	} {
		var lost int64
		if err := a.c.Row(`select count(*) from `+ref.table+` t where not exists (select from `+ref.parent+` p where p.`+ref.key+` = t.`+ref.column+`)`, nil, &lost); err != nil {
			return err
		}
		if lost > 0 {
			a.say("%d rows of %s refer to rows of %s that are not there", lost, ref.table, ref.parent)
		}
	}
	return nil
}

func (a *auditor) names() error {
	return a.c.Each(`select id, display_name, display_folded from users`, nil, func(row pgx.CollectableRow) error {
		var id chat.UserID
		var name, folded string
		err := row.Scan(column.Into(&id), (*column.Text)(&name), (*column.Text)(&folded))
		if chat.Fold(name) != folded {
			a.say("the name of person %s is searched as %q and is %q", id, folded, name)
		}
		return err
	})
}

func (a *auditor) roomNames() error {
	return a.c.Each(`select id, name, name_folded, topic, topic_folded from rooms where id is not null`, nil, func(row pgx.CollectableRow) error {
		var id chat.RoomID
		var name, nameFolded, topic, topicFolded string
		err := row.Scan(column.Into(&id), (*column.Text)(&name), (*column.Text)(&nameFolded), (*column.Text)(&topic), (*column.Text)(&topicFolded))
		if chat.Fold(name) != nameFolded || chat.Fold(topic) != topicFolded {
			a.say("room %s is searched as %q, %q and is %q, %q", id, nameFolded, topicFolded, name, topic)
		}
		return err
	})
}

func (a *auditor) memberNames() error {
	return a.c.Each(`select p.username, u.username from members p join users u on u.id = p.user_id where p.username <> u.username`, nil, func(row pgx.CollectableRow) error {
		var copied, name string
		err := row.Scan((*column.Text)(&copied), (*column.Text)(&name))
		a.say("a member is listed as %s and is %s", copied, name)
		return err
	})
}

// orphans looks for rows of rooms that are not there: messages have no foreign key. Rooms are far fewer than rows, and each
// table has an index that begins with the room or can be walked once.
func (a *auditor) orphans() error {
	for _, table := range []string{"messages", "events", "mentions", "moods"} {
		if err := a.c.Each(`select distinct t.room_id from `+table+` t where not exists (select from rooms r where r.room_id = t.room_id)`, nil, func(row pgx.CollectableRow) error {
			var no int64
			err := row.Scan(&no)
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
	return a.c.Each(`select id, last_other_seq, other, sender is not distinct from last_sender from (
			select r.id, r.last_other_seq, r.last_sender,
				(select m.sender from messages m where m.room_id = r.room_id order by m.seq desc limit 1) as sender,
				coalesce((select m.seq from messages m where m.room_id = r.room_id and m.sender is distinct from r.last_sender order by m.seq desc limit 1), 0) as other
			from rooms r where r.id is not null) r
		where last_other_seq <> other or sender is distinct from last_sender`, nil, func(row pgx.CollectableRow) error {
		var id chat.RoomID
		var said, is chat.Seq
		var sender bool
		err := row.Scan(column.Into(&id), (*column.Seq)(&said), (*column.Seq)(&is), &sender)
		if !sender {
			a.say("in room %s the sender of the last message is said to be another", id)
		} else {
			a.say("in room %s the last message of others than the last sender is said to be %d and is %d", id, said, is)
		}
		return err
	})
}

// missingMentions looks for people whom a message mentions and who have no row for it.
func (a *auditor) missingMentions() error {
	return a.c.Each(`select r.id, m.seq, k.user_id from messages m join rooms r on r.room_id = m.room_id
		cross join lateral (select encode(substring(m.mentions from 16 * n + 1 for 16), 'hex')::uuid as user_id
			from generate_series(0, length(m.mentions) / 16 - 1) n) k
		where m.mentions is not null and r.id is not null
			and not exists (select from mentions x where x.user_id = k.user_id and x.room_id = m.room_id and x.seq = m.seq)`, nil, func(row pgx.CollectableRow) error {
		var room chat.RoomID
		var seq chat.Seq
		var user chat.UserID
		err := row.Scan(column.Into(&room), (*column.Seq)(&seq), column.Into(&user))
		a.say("in room %s message %d mentions %s, who has no row for it", room, seq, user)
		return err
	})
}

// strayMentions looks for rows whose message does not mention that person.
func (a *auditor) strayMentions() error {
	return a.c.Each(`select r.id, n.seq, n.user_id, m.mentions from mentions n join rooms r on r.room_id = n.room_id
		left join messages m on m.room_id = n.room_id and m.seq = n.seq where r.id is not null`, nil, func(row pgx.CollectableRow) error {
		var room chat.RoomID
		var seq chat.Seq
		var user chat.UserID
		var message chat.Message
		err := row.Scan(column.Into(&room), (*column.Seq)(&seq), column.Into(&user), (*column.Mentions)(&message))
		if err == nil && !slices.Contains(column.Mentioned(&message), user) {
			a.say("in room %s %s has a row for message %d, which does not mention that person", room, user, seq)
		}
		return err
	})
}

// moods checks what is counted against the messages themselves.
func (a *auditor) moods() error {
	return a.c.Each(`select r.id, k.at from (
			select room_id, date_bin('15 minutes', created_at, 'epoch') as at, count(*) filter (where mood = 1) as positive,
				count(*) filter (where mood = 0) as neutral, count(*) filter (where mood = -1) as negative, sum(mood_score) as thousandths
			from messages where mood is not null group by 1, 2) m
		full join (select * from moods where positive <> 0 or neutral <> 0 or negative <> 0 or thousandths <> 0) c on c.room_id = m.room_id and c.at = m.at
		cross join lateral (select coalesce(m.room_id, c.room_id) as room_id, coalesce(m.at, c.at) as at) k
		join rooms r on r.room_id = k.room_id
		where r.id is not null and (m.positive, m.neutral, m.negative, m.thousandths)
			is distinct from (c.positive::bigint, c.neutral::bigint, c.negative::bigint, c.thousandths::numeric)
		order by r.id, k.at`, nil, func(row pgx.CollectableRow) error {
		var room chat.RoomID
		var at time.Time
		err := row.Scan(column.Into(&room), (*column.Time)(&at))
		a.say("in room %s the moods of the quarter of an hour from %s are counted wrongly", room, at.Format(time.RFC3339))
		return err
	})
}
