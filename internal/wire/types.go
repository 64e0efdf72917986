package wire

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Time is written as RFC 3339 in UTC with milliseconds, always 24 characters.
type Time struct{ time.Time }

const timeLayout = "2006-01-02T15:04:05.000Z"

// MarshalJSON writes the time in its one form.
func (t Time) MarshalJSON() ([]byte, error) {
	return t.UTC().AppendFormat(make([]byte, 0, 26), `"`+timeLayout+`"`), nil
}

// UnmarshalJSON reads any RFC 3339 time.
func (t *Time) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return err
	}
	parsed, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return fmt.Errorf("a time is RFC 3339, like %s", timeLayout)
	}
	t.Time = parsed.UTC().Truncate(time.Millisecond)
	return nil
}

// At gives the time as a value that is null where it was never set.
func At(t time.Time) *Time {
	if t.IsZero() {
		return nil
	}
	return &Time{t}
}

// User is a person as everyone who shares a room sees them.
type User struct {
	ID          chat.UserID `json:"id"`
	Username    string      `json:"username"`
	DisplayName string      `json:"display_name"`
	AvatarURL   *string     `json:"avatar_url"`
}

// UserOf writes a profile.
func UserOf(p chat.Profile) User {
	user := User{ID: p.ID, Username: p.Username, DisplayName: p.DisplayName}
	if p.AvatarURL != "" {
		user.AvatarURL = &p.AvatarURL
	}
	return user
}

// Me is one's own account.
type Me struct {
	User
	Status    string  `json:"status"`
	Email     *string `json:"email"`
	Admin     bool    `json:"admin"`
	CreatedAt Time    `json:"created_at"`
}

// MeOf writes an account for its owner.
func MeOf(u chat.User) Me {
	me := Me{User: UserOf(u.Profile), Status: u.Status, Admin: u.Admin, CreatedAt: Time{u.CreatedAt}}
	if u.Email != "" {
		me.Email = &u.Email
	}
	return me
}

// Room is a room as anyone who may see it sees it.
type Room struct {
	ID          chat.RoomID     `json:"id"`
	Name        string          `json:"name"`
	Topic       string          `json:"topic"`
	Visibility  chat.Visibility `json:"visibility"`
	CreatedBy   chat.UserID     `json:"created_by"`
	CreatedAt   Time            `json:"created_at"`
	Head        chat.Seq        `json:"head"`
	Members     int             `json:"members"`
	MoodEnabled bool            `json:"mood_enabled"`
}

// RoomOf writes a room.
func RoomOf(r chat.Room) Room {
	return Room{
		ID: r.ID, Name: r.Name, Topic: r.Topic, Visibility: r.Visibility, CreatedBy: r.CreatedBy,
		CreatedAt: Time{r.CreatedAt}, Head: r.Head, Members: r.Members, MoodEnabled: r.MoodEnabled,
	}
}

// MemberRoom is a room as one of its members sees it.
type MemberRoom struct {
	Room
	Role        chat.Role   `json:"role"`
	JoinedAt    Time        `json:"joined_at"`
	MutedUntil  *Time       `json:"muted_until"`
	ReadSeq     chat.Seq    `json:"read_seq"`
	UnreadFrom  *chat.Seq   `json:"unread_from"`
	Unread      int         `json:"unread"`
	Mentions    int         `json:"mentions"`
	Notify      chat.Notify `json:"notify"`
	LastMessage *Message    `json:"last_message"`
}

// MemberRoomOf writes a room for the member it belongs to.
func MemberRoomOf(r chat.MemberRoom) MemberRoom {
	room := MemberRoom{
		Room: RoomOf(r.Room), Role: r.Member.Role, JoinedAt: Time{r.Member.JoinedAt}, MutedUntil: At(r.Member.MutedUntil),
		ReadSeq: r.Member.ReadSeq, UnreadFrom: seqOrNull(r.Member.UnreadFrom), Unread: r.Unread, Mentions: r.Mentions,
		Notify: r.Member.Notify,
	}
	if r.LastMessage != nil {
		last := MessageFor(r.LastMessage, r.Member.User.ID)
		room.LastMessage = &last
	}
	return room
}

func seqOrNull(seq chat.Seq) *chat.Seq {
	if seq == 0 {
		return nil
	}
	return &seq
}

// ReadState is where one stands in a room.
type ReadState struct {
	ReadSeq    chat.Seq  `json:"read_seq"`
	UnreadFrom *chat.Seq `json:"unread_from"`
	Unread     int       `json:"unread"`
	Mentions   int       `json:"mentions"`
}

// ReadStateOf writes a read state.
func ReadStateOf(s chat.ReadState) ReadState {
	return ReadState{ReadSeq: s.ReadSeq, UnreadFrom: seqOrNull(s.UnreadFrom), Unread: s.Unread, Mentions: s.Mentions}
}

// ReactorsShown is how many of the people behind a reaction are named.
const ReactorsShown = 100

// Reaction is one emoji under a message. Me is absent where one encoding is shared by all readers.
type Reaction struct {
	Emoji   string        `json:"emoji"`
	Count   int           `json:"count"`
	Me      *bool         `json:"me,omitempty"`
	UserIDs []chat.UserID `json:"user_ids"`
}

// Attachment is a file that a message carries.
type Attachment struct {
	ID string `json:"id"`
}

// Sentiment is the mood of a message: Score from -1 to 1.
type Sentiment struct {
	Label chat.MoodLabel `json:"label"`
	Score float64        `json:"score"`
}

func sentimentOf(m chat.Mood) *Sentiment {
	if m.IsZero() {
		return nil
	}
	return &Sentiment{Label: m.Label, Score: float64(m.Thousandths) / 1000}
}

// Message is a message in its newest state.
type Message struct {
	ID          chat.MessageID  `json:"id"`
	RoomID      chat.RoomID     `json:"room_id"`
	Seq         chat.Seq        `json:"seq"`
	ChangedSeq  *chat.Seq       `json:"changed_seq"`
	Sender      User            `json:"sender"`
	Body        string          `json:"body"`
	ReplyTo     *chat.MessageID `json:"reply_to"`
	Mentions    []chat.UserID   `json:"mentions"`
	MentionsAll bool            `json:"mentions_all"`
	CreatedAt   Time            `json:"created_at"`
	EditedAt    *Time           `json:"edited_at"`
	DeletedAt   *Time           `json:"deleted_at"`
	Reactions   []Reaction      `json:"reactions"`
	Attachments []Attachment    `json:"attachments"`
	Sentiment   *Sentiment      `json:"sentiment"`
}

// MessageFor writes a message for one reader.
func MessageFor(m *chat.Message, reader chat.UserID) Message {
	message := messageOf(m)
	for i := range message.Reactions {
		me := m.Reacted(message.Reactions[i].Emoji, reader)
		message.Reactions[i].Me = &me
	}
	return message
}

func messageOf(m *chat.Message) Message {
	message := Message{
		ID: m.ID, RoomID: m.Room, Seq: m.Seq, ChangedSeq: seqOrNull(m.ChangedSeq), Sender: UserOf(m.Sender), Body: m.Body,
		Mentions: orEmpty(m.Mentions), MentionsAll: m.MentionsAll, CreatedAt: Time{m.CreatedAt}, EditedAt: At(m.EditedAt),
		DeletedAt: At(m.DeletedAt), Reactions: make([]Reaction, len(m.Reactions)), Attachments: []Attachment{},
		Sentiment: sentimentOf(m.Mood),
	}
	if !m.ReplyTo.IsZero() {
		message.ReplyTo = &m.ReplyTo
	}
	for i, r := range m.Reactions {
		message.Reactions[i] = Reaction{Emoji: r.Emoji, Count: len(r.Users), UserIDs: r.Users[:min(len(r.Users), ReactorsShown)]}
	}
	return message
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
