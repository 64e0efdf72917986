package column

import (
	"fmt"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Each of these is a type of the product's with a Scan that takes null as the zero value: a destination is converted to
// it in place, so that scanning allocates nothing.
type (
	// UUID is any id, or another value of 16 bytes.
	UUID [16]byte
	// Time is milliseconds since 1970 UTC.
	Time time.Time
	// Seq is a number of a room's log.
	Seq chat.Seq
	// Text is a text that a join may have left out.
	Text string
	// Role is a role as its rank.
	Role chat.Role
	// Mood is a label of moods as its sign.
	Mood chat.MoodLabel
	// Mentions are the people whom a message mentions: 16 bytes each, the zero id first for everybody.
	Mentions chat.Message
)

// Into is the destination of an id.
func Into[Of any](id *chat.ID[Of]) *UUID { return (*UUID)(id) }

// Profile are the destinations of an id, username, display_name and avatar_url.
func Profile(p *chat.Profile) []any {
	return []any{Into(&p.ID), (*Text)(&p.Username), (*Text)(&p.DisplayName), (*Text)(&p.AvatarURL)}
}

// Scan reads 16 bytes.
func (id *UUID) Scan(value any) error {
	switch raw := value.(type) {
	case nil:
		*id = UUID{}
		return nil
	case []byte:
		if len(raw) == len(id) {
			copy(id[:], raw)
			return nil
		}
	}
	return fmt.Errorf("%v is not an id", value)
}

// Scan reads milliseconds since 1970.
func (t *Time) Scan(value any) error {
	switch ms := value.(type) {
	case nil:
		*t = Time{}
		return nil
	case int64:
		*t = Time(time.UnixMilli(ms).UTC())
		return nil
	}
	return fmt.Errorf("%v is not a time", value)
}

// Scan reads a number of a room's log.
func (s *Seq) Scan(value any) error {
	switch n := value.(type) {
	case nil:
		*s = 0
		return nil
	case int64:
		*s = Seq(n) //nolint:gosec // never negative: the store wrote it
		return nil
	}
	return fmt.Errorf("%v is not a number", value)
}

// Scan reads the sign of a mood.
func (m *Mood) Scan(value any) error {
	switch value {
	case nil:
		*m = ""
	case int64(1):
		*m = Mood(chat.Positive)
	case int64(0):
		*m = Mood(chat.Neutral)
	case int64(-1):
		*m = Mood(chat.Negative)
	default:
		return fmt.Errorf("%v is not a mood", value)
	}
	return nil
}

// MoodOrNull is a mood as its two columns have it; null for none.
func MoodOrNull(mood chat.Mood) (sign, thousandths any) {
	switch mood.Label {
	case chat.Positive:
		return 1, mood.Thousandths
	case chat.Neutral:
		return 0, mood.Thousandths
	case chat.Negative:
		return -1, mood.Thousandths
	}
	return nil, nil
}

// Scan reads a text that a join may have left out.
func (t *Text) Scan(value any) error {
	switch text := value.(type) {
	case nil:
		*t = ""
		return nil
	case string:
		*t = Text(text)
		return nil
	}
	return fmt.Errorf("%v is not a text", value)
}

// Scan reads the rank of a role.
func (r *Role) Scan(value any) error {
	rank, ok := value.(int64)
	if value != nil && !ok {
		return fmt.Errorf("%v is not a role", value)
	}
	switch rank {
	case 0:
		*r = ""
	case RankOwner:
		*r = Role(chat.Owner)
	case RankModerator:
		*r = Role(chat.Moderator)
	case RankPlain:
		*r = Role(chat.Plain)
	default:
		return fmt.Errorf("%d is not a role", rank)
	}
	return nil
}

// The ranks of roles, in the order in which members are listed.
const (
	RankOwner     = 1
	RankModerator = 2
	RankPlain     = 3
)

// Rank is a role as a column has it.
func Rank(role chat.Role) int64 {
	switch role {
	case chat.Owner:
		return RankOwner
	case chat.Moderator:
		return RankModerator
	case chat.Plain:
		return RankPlain
	}
	return 0 // refused by members_role_known
}

// Scan reads the people whom a message mentions; the zero id first stands for everybody.
func (m *Mentions) Scan(value any) error {
	m.Mentions, m.MentionsAll = nil, false
	if value == nil {
		return nil
	}
	raw, ok := value.([]byte)
	if !ok || len(raw)%16 != 0 {
		return fmt.Errorf("%v are not mentions", value)
	}
	for ; len(raw) > 0; raw = raw[16:] {
		id := chat.UserID(raw[:16])
		if id.IsZero() {
			m.MentionsAll = true
			continue
		}
		m.Mentions = append(m.Mentions, id)
	}
	return nil
}

// Mentioned lists whom a message mentions as rows of the mentions table have it: the zero id for everybody.
func Mentioned(m *chat.Message) []chat.UserID {
	if !m.MentionsAll {
		return m.Mentions
	}
	return append([]chat.UserID{{}}, m.Mentions...)
}

// MentionsBlob is what Mentions reads; nil for nobody.
func MentionsBlob(users []chat.UserID) []byte {
	if len(users) == 0 {
		return nil
	}
	blob := make([]byte, 0, 16*len(users))
	for i := range users {
		blob = append(blob, users[i][:]...)
	}
	return blob
}

// MS is a time as a column has it; null for none.
func MS(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMilli()
}

// OrNull is an id as a column has it; null for none.
func OrNull[Of any](id chat.ID[Of]) any {
	if id.IsZero() {
		return nil
	}
	return id[:]
}

// Blob keeps an empty blob from being stored as one: null costs one byte.
func Blob(blob []byte) any {
	if len(blob) == 0 {
		return nil
	}
	return blob
}

// SeqOrNull is a number as a column has it; null for none.
func SeqOrNull(seq chat.Seq) any {
	if seq == 0 {
		return nil
	}
	return Num(seq)
}

// Num is a number as a column has it. Numbers beyond 2^62 exist only in a client's imagination: there they stay positive.
func Num(seq chat.Seq) int64 {
	return int64(min(seq, 1<<62))
}
