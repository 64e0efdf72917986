package replay

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var start = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func person(n byte, username string) chat.Profile {
	return chat.Profile{ID: chat.UserID{n}, Username: username, DisplayName: username}
}

// scripted is a log of one partition in memory. It has more than what is to be replayed of it.
type scripted struct {
	records []*chat.Record // from First on
	extent  chat.Extent
}

func (s *scripted) Extents(context.Context) (string, []chat.Extent, error) {
	return "scripted", []chat.Extent{s.extent}, nil
}
func (s *scripted) Owners(context.Context) (int, error) { return 0, nil }
func (s *scripted) Release(int)                         {}

// Read gives at most two records at a time.
func (s *scripted) Read(_ context.Context, partition int, from chat.Offset) (chat.LogRun, error) {
	if from < s.extent.First || from >= s.extent.First+chat.Offset(len(s.records)) {
		return chat.LogRun{}, fmt.Errorf("offset %d is not there", from)
	}
	given := s.records[from-s.extent.First:]
	given = given[:min(2, len(given))]
	return chat.LogRun{Partition: partition, From: from, To: from + chat.Offset(len(given)), Records: given}, nil
}

func (s *scripted) stretch() *Stretch {
	return newStretch(s, []chat.Extent{s.extent}, func(int64, int64) {})
}

// Promise: a replay reads what the log had when it began, from where it begins, and nothing twice; a store that is ahead of
// the log is of another.
func TestStretch(t *testing.T) {
	t.Parallel()
	log := &scripted{records: make([]*chat.Record, 7), extent: chat.Extent{First: 3, End: 8}}
	for n := range log.records {
		log.records[n] = &chat.Record{Body: fmt.Sprint(n)}
	}
	s := log.stretch()
	var read []string
	for from := chat.Offset(0); ; {
		records, err := s.Read(t.Context(), 0, from)
		if errors.Is(err, chat.ErrLogClosed) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, record := range records.Records {
			read = append(read, record.Body)
		}
		from = records.To
		s.Settle(t.Context(), records, nil)
	}
	if want := []string{"0", "1", "2", "3", "4"}; !cmp.Equal(read, want) {
		t.Errorf("read %q, want %q", read, want)
	}
	if s.done != 5 || s.total != 10 {
		t.Errorf("after one of two passes %d of %d records are done, want 5 of 10", s.done, s.total)
	}
	if _, err := s.Read(t.Context(), 0, 9); err == nil || !strings.Contains(err.Error(), "not the log that was stored") {
		t.Errorf("reading behind the end gives %v", err)
	}
}

// Promise: people are what the log saw of them last, rooms what they were when they were made; deleted rooms and those that
// were never made are told apart; and nobody is lost because somebody else had the same name.
func TestSurvey(t *testing.T) {
	t.Parallel()
	kept, gone, missing := chat.RoomID{1}, chat.RoomID{2}, chat.RoomID{3}
	at := func(n int) time.Time { return start.Add(time.Duration(n) * time.Minute) }
	told := func(n int, room chat.RoomID, change chat.RoomChange, name string) *chat.Record {
		return &chat.Record{Room: room, Kind: chat.KindRoom, At: at(n), Actor: person(1, "ada"), Info: &chat.RoomDetail{Room: chat.Room{Name: name}, Change: change}}
	}
	renamed := person(1, "ada")
	renamed.DisplayName = "Ada L."
	records := []*chat.Record{
		{Room: kept, Kind: chat.KindMessage, At: at(1), Actor: person(2, "bob")}, // before the creation was told
		told(0, kept, chat.RoomCreated, "first"),
		told(2, gone, chat.RoomCreated, "gone"),
		told(3, kept, chat.RoomChanged, "second"),
		{Room: kept, Kind: chat.KindMember, At: at(4), Actor: renamed, Member: &chat.MemberDetail{User: person(3, "bob"), Change: chat.MemberJoined}},
		told(2, kept, chat.RoomCreated, "first again"),
		{Room: gone, Kind: chat.KindMessage, At: at(5), Actor: person(3, "bob")},
		told(6, gone, chat.RoomDeleted, "gone"),
		{Room: missing, Kind: chat.KindMessage, At: at(7), Actor: renamed},
		{Kind: chat.KindUnreadable},
	}
	log := &scripted{records: records, extent: chat.Extent{End: chat.Offset(len(records))}}
	found, err := log.stretch().survey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := Summary{Records: 10, Unreadable: 1, DeletedRooms: 1, MissingRooms: 1}
	if got := found.summary; len(got.Renamed) != 1 || !strings.Contains(got.Renamed[0], "bob") || found.missing != missing {
		t.Errorf("the survey says %+v, and misses %s", got, found.missing)
	} else if got.Renamed = nil; !cmp.Equal(got, want) {
		t.Errorf("the survey says %+v, want %+v", got, want)
	}
	names, rooms := make(map[chat.UserID]string), make(map[chat.RoomID]string)
	for _, row := range found.rows() {
		switch {
		case row.Account != nil:
			names[row.Account.ID] = row.Account.Username + ", " + row.Account.DisplayName
			if _, err := chat.CheckUsername(row.Account.Username); err != nil {
				t.Errorf("%q is no username: %v", row.Account.Username, err)
			}
		case row.Room != nil:
			rooms[row.Room.ID] = row.Room.Name
		}
	}
	if want := map[chat.UserID]string{{1}: "ada, Ada L.", {2}: "bob-0000000000000000, bob", {3}: "bob, bob"}; !cmp.Equal(names, want) {
		t.Errorf("people are %q, want %q", names, want)
	}
	if want := map[chat.RoomID]string{kept: "first"}; !cmp.Equal(rooms, want) {
		t.Errorf("rooms are %q, want %q", rooms, want)
	}
}

// Promise: who is in a room, as what, and who is kept out, follows from what happened to them, in order.
func TestFold(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		changes []chat.MemberDetail
		member  chat.Role // empty: none
		muted   bool
		banned  bool
	}{
		"joined":                     {[]chat.MemberDetail{{Change: chat.MemberJoined, Role: chat.Plain}}, chat.Plain, false, false},
		"promoted, and muted":        {[]chat.MemberDetail{{Change: chat.MemberJoined, Role: chat.Plain}, {Change: chat.MemberRole, Role: chat.Moderator}, {Change: chat.MemberMuted, Role: chat.Moderator, MutedUntil: start}}, chat.Moderator, true, false},
		"left":                       {[]chat.MemberDetail{{Change: chat.MemberJoined, Role: chat.Plain}, {Change: chat.MemberLeft, Role: chat.Plain}}, "", false, false},
		"kicked, and back":           {[]chat.MemberDetail{{Change: chat.MemberJoined, Role: chat.Moderator}, {Change: chat.MemberRemoved, Role: chat.Moderator}, {Change: chat.MemberJoined, Role: chat.Plain}}, chat.Plain, false, false},
		"banned":                     {[]chat.MemberDetail{{Change: chat.MemberJoined, Role: chat.Plain}, {Change: chat.MemberBanned, Role: chat.Plain}}, "", false, true},
		"banned, let in, and joined": {[]chat.MemberDetail{{Change: chat.MemberJoined, Role: chat.Plain}, {Change: chat.MemberBanned, Role: chat.Plain}, {Change: chat.MemberJoined, Role: chat.Plain}}, chat.Plain, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			room, somebody := chat.RoomID{1}, person(7, "cy")
			f := newFold()
			row := func(row chat.Row) {
				if err := f.row(row); err != nil {
					t.Fatal(err)
				}
			}
			row(chat.Row{Room: &chat.RoomRow{Room: chat.Room{ID: room, Head: 40}}})
			for n, detail := range tc.changes {
				detail.User = somebody
				row(chat.Row{Log: &chat.LogRow{Event: chat.Event{Room: room, Seq: chat.Seq(n + 1), Kind: chat.KindMember, At: start, Actor: person(1, "ada"), Member: &detail}}})
			}
			var member chat.Member
			banned := false
			for _, row := range f.rows() {
				switch {
				case row.Member != nil:
					member = *row.Member
				case row.Ban != nil:
					banned = row.Ban.User.ID == somebody.ID && row.Ban.By == person(1, "").ID && row.Ban.At.Equal(start)
				}
			}
			if member.Role != tc.member || !member.MutedUntil.IsZero() != tc.muted || banned != tc.banned {
				t.Errorf("got member %+v, banned %t; want role %q, muted %t, banned %t", member, banned, tc.member, tc.muted, tc.banned)
			}
			if tc.member != "" && member.ReadSeq != 40 {
				t.Errorf("the read line is at %d, want the head", member.ReadSeq)
			}
		})
	}
}

// Promise: a room is as the last of its changes left it, whatever that was.
func TestFoldRooms(t *testing.T) {
	t.Parallel()
	made := chat.Room{ID: chat.RoomID{1}, Name: "Bees", MoodEnabled: true, Head: 9}
	for change, alter := range map[chat.RoomChange]func(*chat.Room){
		chat.RoomChanged: func(r *chat.Room) { r.Name = "Wasps" },
		chat.RoomMoodOff: func(r *chat.Room) { r.MoodEnabled = false },
		chat.RoomMoodOn:  func(r *chat.Room) { r.MoodEnabled = true },
	} {
		f, after := newFold(), made
		alter(&after)
		for _, row := range []chat.Row{
			{Room: &chat.RoomRow{Room: made}},
			{Log: &chat.LogRow{Event: chat.Event{Room: made.ID, Seq: 9, Kind: chat.KindRoom, Info: &chat.RoomDetail{Room: after, Change: change}}}},
		} {
			if err := f.row(row); err != nil {
				t.Fatal(err)
			}
		}
		if got := f.changed[made.ID]; got != after {
			t.Errorf("after %s the room is %+v, want %+v", change, got, after)
		}
	}
}
