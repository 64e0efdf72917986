package replay

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// survey is what a log tells of people and rooms. It holds an entry for each of them.
type survey struct {
	mu      sync.Mutex
	people  map[chat.UserID]*seen
	rooms   map[chat.RoomID]*surveyed
	summary Summary
	missing chat.RoomID // one of the rooms without a creation
	renamed map[chat.UserID]string
}

// seen is somebody as the log last saw them.
type seen struct {
	chat.Profile
	first, last time.Time
}

type surveyed struct {
	created *chat.Room
	deleted bool
}

// survey looks through the whole log.
func (s *Stretch) survey(ctx context.Context) (*survey, error) {
	found := &survey{people: make(map[chat.UserID]*seen), rooms: make(map[chat.RoomID]*surveyed), renamed: make(map[chat.UserID]string)}
	err := s.Own(ctx, func(ctx context.Context, partition int) error {
		for from := s.extents[partition].First; ; {
			records, err := s.Read(ctx, partition, from)
			if errors.Is(err, chat.ErrLogClosed) {
				return nil
			}
			if err != nil {
				return err
			}
			found.take(records.Records)
			from = records.To
			s.Settle(ctx, records, nil)
		}
	})
	if err != nil {
		return nil, err
	}
	found.end()
	return found, nil
}

func (v *survey) take(records []*chat.Record) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, record := range records {
		v.summary.Records++
		if record.Kind == chat.KindUnreadable {
			v.summary.Unreadable++
			continue
		}
		v.see(record.Actor, record.At)
		if record.Member != nil {
			v.see(record.Member.User, record.At)
		}
		room := v.rooms[record.Room]
		if room == nil {
			room = &surveyed{}
			v.rooms[record.Room] = room
		}
		if record.Kind != chat.KindRoom {
			continue
		}
		switch record.Info.Change {
		case chat.RoomCreated:
			if room.created == nil { // what comes later is a repeat
				room.created = &record.Info.Room
				room.created.ID = record.Room
			}
		case chat.RoomDeleted:
			room.deleted = true
		case chat.RoomChanged, chat.RoomMoodOn, chat.RoomMoodOff:
		}
	}
}

func (v *survey) see(profile chat.Profile, at time.Time) {
	if profile.ID.IsZero() {
		return
	}
	p := v.people[profile.ID]
	if p == nil {
		p = &seen{Profile: profile, first: at, last: at}
		v.people[profile.ID] = p
	}
	if at.Before(p.first) {
		p.first = at
	}
	if !at.Before(p.last) {
		p.Profile, p.last = profile, at
	}
}

func (v *survey) end() {
	for id, room := range v.rooms {
		switch {
		case room.deleted:
			v.summary.DeletedRooms++
		case room.created == nil:
			v.summary.MissingRooms++
			v.missing = id
		}
	}
	holders := make(map[string]chat.UserID)
	for id, p := range v.people {
		name := chat.Fold(p.Username)
		other, taken := holders[name]
		if !taken {
			holders[name] = id
			continue
		}
		// Usernames are never changed nor given again, but for a database that was once restored to a moment before somebody
		// signed up. The name is whose last act is the latest.
		loser := id
		if v.people[other].last.Before(p.last) || (v.people[other].last.Equal(p.last) && id.String() < other.String()) {
			loser, holders[name] = other, id
		}
		v.renamed[loser] = substitute(v.people[loser].Username, loser)
	}
	for id, name := range v.renamed {
		v.summary.Renamed = append(v.summary.Renamed, fmt.Sprintf("%s (%s) is now %s", v.people[id].Username, id, name))
		v.people[id].Username = name
	}
}

// substitute is a username for somebody whose own is another's by now.
func substitute(username string, id chat.UserID) string {
	suffix := "-" + strings.ReplaceAll(id.String(), "-", "")[16:]
	return username[:min(len(username), chat.UsernameRunesMax-len(suffix))] + suffix
}

// rows are the accounts, and the rooms as they were made. Nobody has a password: the hash is none.
func (v *survey) rows() []chat.Row {
	rows := make([]chat.Row, 0, len(v.people)+len(v.rooms))
	for _, p := range v.people {
		user := chat.User{Profile: p.Profile, CreatedAt: p.first}
		if ms, ok := p.ID.UnixMilli(); ok { // ours carry the time at which they were made
			user.CreatedAt = time.UnixMilli(ms).UTC()
		}
		rows = append(rows, chat.Row{Account: &chat.Account{User: user}})
	}
	for _, room := range v.rooms {
		if room.created != nil && !room.deleted {
			rows = append(rows, chat.Row{Room: &chat.RoomRow{Room: *room.created}})
		}
	}
	return rows
}
