package archive

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

const (
	formatName    = "blabber-hive archive"
	formatVersion = 1

	headerName   = "archive.json"
	manifestName = "manifest.json"

	// A part is closed once it is this long; with its last line it may be longer, up to partBytesMax.
	partBytes    = 4 << 20
	lineBytesMax = 8 << 20 // a message that 20 × 500 people reacted to has half a megabyte
	partBytesMax = partBytes + lineBytesMax
)

// The tables of an archive, in their order.
const (
	tableUsers   = "users"
	tableRooms   = "rooms"
	tableMembers = "members"
	tableBans    = "bans"
	tableInvites = "invites"
	tableLog     = "log"
	tableOutbox  = "outbox"
)

func tables() []string {
	return []string{tableUsers, tableRooms, tableMembers, tableBans, tableInvites, tableLog, tableOutbox}
}

// Origin says which archive this is.
type Origin struct {
	ID      string    `json:"id"` // of the archive: each export makes a new one
	At      time.Time `json:"at"`
	Version string    `json:"version"` // of the program
}

type header struct {
	Format        string `json:"format"`
	FormatVersion int    `json:"format_version"`
	Origin
}

// Manifest is what an archive holds: the rows of each table, and the SHA-256 of the names and contents of all parts.
type Manifest struct {
	Origin
	Rows   map[string]int64 `json:"rows"`
	SHA256 string           `json:"sha256"`
}

// Progress tells how far an export or import is: after each part, which table it was of and how many rows were done.
type Progress struct {
	Table string
	Rows  int64
}

// Lines of the tables. Fields are added and never renamed: archives are kept for years.
type (
	userLine struct {
		chat.Profile
		Status       string    `json:"status,omitempty"`
		Email        string    `json:"email,omitempty"`
		Admin        bool      `json:"admin,omitempty"`
		Disabled     bool      `json:"disabled,omitempty"`
		CreatedAt    time.Time `json:"created_at"`
		PasswordHash string    `json:"password_hash,omitempty"`
	}
	roomLine struct {
		chat.Room
		LastMessage    chat.Seq  `json:"last_message"`
		LastActivityAt time.Time `json:"last_activity_at"`
	}
	memberLine struct {
		Room       chat.RoomID `json:"room_id"`
		User       chat.UserID `json:"user_id"`
		Role       chat.Role   `json:"role"`
		JoinedAt   time.Time   `json:"joined_at"`
		MutedUntil time.Time   `json:"muted_until,omitzero"`
		ReadSeq    chat.Seq    `json:"read_seq"`
		UnreadFrom chat.Seq    `json:"unread_from,omitempty"`
		Notify     chat.Notify `json:"notify"`
	}
	banLine struct {
		Room   chat.RoomID `json:"room_id"`
		User   chat.UserID `json:"user_id"`
		Reason string      `json:"reason,omitempty"`
		By     chat.UserID `json:"by"`
		At     time.Time   `json:"at"`
	}
	inviteLine struct {
		Code      string      `json:"code"`
		Room      chat.RoomID `json:"room_id"`
		CreatedBy chat.UserID `json:"created_by"`
		CreatedAt time.Time   `json:"created_at"`
		ExpiresAt time.Time   `json:"expires_at,omitzero"`
		MaxUses   int         `json:"max_uses,omitempty"`
		Uses      int         `json:"uses"`
	}
	logLine struct {
		Room     chat.RoomID          `json:"room_id"`
		Seq      chat.Seq             `json:"seq"`
		Kind     chat.Kind            `json:"kind"`
		ID       chat.MessageID       `json:"id,omitzero"`
		At       time.Time            `json:"at"`
		Actor    chat.UserID          `json:"actor"`
		Target   chat.Seq             `json:"target,omitempty"`
		Message  *messageLine         `json:"message,omitempty"`
		Reaction *chat.ReactionDetail `json:"reaction,omitempty"`
		Member   *chat.MemberDetail   `json:"member,omitempty"`
		Info     *chat.RoomDetail     `json:"room,omitempty"`
	}
	messageLine struct {
		Body        string          `json:"body"`
		ReplyTo     chat.MessageID  `json:"reply_to,omitzero"`
		Mentions    []chat.UserID   `json:"mentions,omitempty"`
		MentionsAll bool            `json:"mentions_all,omitempty"`
		ChangedSeq  chat.Seq        `json:"changed_seq,omitempty"`
		EditedAt    time.Time       `json:"edited_at,omitzero"`
		DeletedAt   time.Time       `json:"deleted_at,omitzero"`
		Reactions   []chat.Reaction `json:"reactions,omitempty"`
		Mood        chat.Mood       `json:"mood,omitzero"`
		Fingerprint string          `json:"fingerprint"`
	}
	outboxLine struct {
		ID      chat.MessageID `json:"id"`
		Room    chat.RoomID    `json:"room_id"`
		Payload []byte         `json:"payload"`
	}
)

// lineOf says in which table a row stands, and as what.
func lineOf(row chat.Row) (table string, line any, err error) {
	switch {
	case row.Account != nil:
		a := row.Account
		return tableUsers, userLine{a.Profile, a.Status, a.Email, a.Admin, a.Disabled, a.CreatedAt, a.PasswordHash}, nil
	case row.Room != nil:
		return tableRooms, roomLine(*row.Room), nil
	case row.Member != nil:
		m := row.Member
		return tableMembers, memberLine{m.Room, m.User.ID, m.Role, m.JoinedAt, m.MutedUntil, m.ReadSeq, m.UnreadFrom, m.Notify}, nil
	case row.Ban != nil:
		b := row.Ban
		return tableBans, banLine{b.Room, b.User.ID, b.Reason, b.By, b.At}, nil
	case row.Invite != nil:
		i := row.Invite
		return tableInvites, inviteLine{i.Code, i.Room, i.CreatedBy.ID, i.CreatedAt, i.ExpiresAt, i.MaxUses, i.Uses}, nil
	case row.Log != nil:
		return tableLog, logLineOf(row.Log), nil
	case row.Outbox != nil:
		return tableOutbox, outboxLine{row.Outbox.ID, row.Outbox.Room, row.Outbox.Payload}, nil
	}
	return "", nil, fmt.Errorf("a row that is nothing: %+v", row)
}

func logLineOf(l *chat.LogRow) logLine {
	line := logLine{
		Room: l.Room, Seq: l.Seq, Kind: l.Kind, ID: l.RecordID, At: l.At, Actor: l.Actor.ID, Target: l.Target,
		Reaction: l.Reaction, Member: l.Member, Info: l.Info,
	}
	if m := l.Message; m != nil {
		line.Message = &messageLine{
			m.Body, m.ReplyTo, m.Mentions, m.MentionsAll, m.ChangedSeq, m.EditedAt, m.DeletedAt, m.Reactions, m.Mood, hex.EncodeToString(m.Fingerprint[:]),
		}
	}
	return line
}

// rowOf reads a line of a table.
func rowOf(table string, text []byte) (row chat.Row, err error) {
	switch table {
	case tableUsers:
		line, err := decode[userLine](text)
		user := chat.User{Profile: line.Profile, Status: line.Status, Email: line.Email, Admin: line.Admin, Disabled: line.Disabled, CreatedAt: line.CreatedAt}
		return chat.Row{Account: &chat.Account{User: user, PasswordHash: line.PasswordHash}}, err
	case tableRooms:
		line, err := decode[roomLine](text)
		room := chat.RoomRow(line)
		return chat.Row{Room: &room}, err
	case tableMembers:
		l, err := decode[memberLine](text)
		return chat.Row{Member: &chat.Member{
			Room: l.Room, User: chat.Profile{ID: l.User}, Role: l.Role, JoinedAt: l.JoinedAt, MutedUntil: l.MutedUntil,
			ReadSeq: l.ReadSeq, UnreadFrom: l.UnreadFrom, Notify: l.Notify,
		}}, err
	case tableBans:
		l, err := decode[banLine](text)
		return chat.Row{Ban: &chat.Ban{Room: l.Room, User: chat.Profile{ID: l.User}, Reason: l.Reason, By: l.By, At: l.At}}, err
	case tableInvites:
		l, err := decode[inviteLine](text)
		return chat.Row{Invite: &chat.Invite{
			Code: l.Code, Room: l.Room, CreatedBy: chat.Profile{ID: l.CreatedBy}, CreatedAt: l.CreatedAt, ExpiresAt: l.ExpiresAt, MaxUses: l.MaxUses, Uses: l.Uses,
		}}, err
	case tableLog:
		l, err := decode[logLine](text)
		if err != nil {
			return chat.Row{}, err
		}
		return logRowOf(l)
	case tableOutbox:
		l, err := decode[outboxLine](text)
		return chat.Row{Outbox: &chat.OutboxEntry{ID: l.ID, Room: l.Room, Payload: l.Payload}}, err
	}
	return chat.Row{}, fmt.Errorf("there is no table %q", table)
}

func logRowOf(l logLine) (chat.Row, error) {
	row := &chat.LogRow{Target: l.Target, Event: chat.Event{
		Room: l.Room, Seq: l.Seq, Kind: l.Kind, At: l.At, Actor: chat.Profile{ID: l.Actor}, RecordID: l.ID,
		Reaction: l.Reaction, Member: l.Member, Info: l.Info,
	}}
	if (l.Kind == chat.KindMessage) != (l.Message != nil) {
		return chat.Row{}, fmt.Errorf("number %d of room %s is of kind %q and has a message: %t", l.Seq, l.Room, l.Kind, l.Message != nil)
	}
	if m := l.Message; m != nil {
		message := &chat.Message{
			ID: l.ID, Room: l.Room, Seq: l.Seq, ChangedSeq: m.ChangedSeq, Sender: row.Actor, Body: m.Body, ReplyTo: m.ReplyTo,
			Mentions: m.Mentions, MentionsAll: m.MentionsAll, CreatedAt: l.At, EditedAt: m.EditedAt, DeletedAt: m.DeletedAt, Reactions: m.Reactions, Mood: m.Mood,
		}
		if n, err := hex.Decode(message.Fingerprint[:], []byte(m.Fingerprint[:min(len(m.Fingerprint), 2*len(message.Fingerprint))])); err != nil || n != len(message.Fingerprint) {
			return chat.Row{}, fmt.Errorf("number %d of room %s: %q is not a fingerprint", l.Seq, l.Room, m.Fingerprint)
		}
		row.Message = message
	}
	return chat.Row{Log: row}, nil
}

func decode[Line any](text []byte) (line Line, err error) {
	if err := json.Unmarshal(text, &line); err != nil {
		return line, fmt.Errorf("it is not what it should be: %w", err)
	}
	return line, nil
}
