package replay

import (
	"fmt"
	"strings"
)

// Lost is what the log does not hold, in words for people.
const Lost = "passwords, sessions, e-mail addresses, who is an administrator and who is locked, accounts that never did anything in a room, " +
	"status lines, what people changed of their profiles after they last did something in a room, " +
	"invites, read marks (all counts as read), notification levels, reasons of bans, bans of people who were not members and the lifting of bans, " +
	"and changes of the last moments that the database had not told the log yet"

// Outlived is what the log does not hold of the time after a backup, in words for people.
const Outlived = "passwords, e-mail addresses and profiles as they were changed since, who was made an administrator or was locked since, " +
	"accounts that did nothing in a room since they were made, invites, read marks and notification levels since, " +
	"reasons of bans, bans of people who were not members and the lifting of bans, " +
	"and changes to rooms of the last moments that the database had not told the log yet"

// Summary is what a replay has made.
type Summary struct {
	Accounts, Rooms, Numbers int64
	Records                  int64 // of the log
	Unreadable               int64 // of those, such as were never numbered
	DeletedRooms             int64
	MissingRooms             int64    // left out, because the log does not have their creation
	Renamed                  []string // usernames that two people had, one after the other
}

// String tells an operator what was made, and what has to be done before people can come back.
func (s Summary) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Made from %d records of the log: %d accounts, %d rooms, %d events.\n", s.Records, s.Accounts, s.Rooms, s.Numbers)
	unreadable(&b, s.Unreadable)
	if s.DeletedRooms > 0 {
		fmt.Fprintf(&b, "%d rooms that were deleted stay deleted.\n", s.DeletedRooms)
	}
	if s.MissingRooms > 0 {
		fmt.Fprintf(&b, "%d rooms are left out: the log does not have their creation.\n", s.MissingRooms)
	}
	for _, renamed := range s.Renamed {
		fmt.Fprintf(&b, "Two people had one username, one after the other: %s.\n", renamed)
	}
	fmt.Fprintf(&b, "Lost, because the log does not hold it: %s.\n", Lost)
	fmt.Fprintln(&b, "Nobody has a password: give new ones with 'blabber-hive user reset-password NAME', make an administrator with 'user make-admin NAME', "+
		"lock again whom you had locked, and then start the servers.")
	return b.String()
}

// Caught is what a CatchUp has found in the log. Where it goes on with one that was cut short, it counts what was left.
type Caught struct {
	Records, Unreadable int64
	NewRooms            int64
	DeletedRooms        int64
	Members             int64 // memberships that changed, each once
	Homeless            int64 // messages of rooms that are neither in the store nor made by the log
}

// String tells an operator what was found, and what has to be done before people can come back.
func (c Caught) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Stored %d records of the log that the database did not have: %d new rooms, %d deleted rooms, %d changed memberships.\n",
		c.Records, c.NewRooms, c.DeletedRooms, c.Members)
	unreadable(&b, c.Unreadable)
	if c.Homeless > 0 {
		fmt.Fprintf(&b, "%d messages are left out: the log does not have the creation of their rooms, which were deleted before, "+
			"or made in the database's last moments.\n", c.Homeless)
	}
	fmt.Fprintf(&b, "Lost, because the log does not hold it: %s.\n", Outlived)
	fmt.Fprintln(&b, "Who made an account since the backup has no password: give a new one with 'blabber-hive user reset-password NAME'. "+
		"Lock again whom you have locked since. Then start the servers.")
	return b.String()
}

func unreadable(b *strings.Builder, records int64) {
	if records > 0 {
		fmt.Fprintf(b, "%d records cannot be read and never had a number; the dead letters have them.\n", records)
	}
}
