package column

import (
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Each of these is a type of the product's that reads its column, null as the zero value: a destination is converted to it
// in place, so that scanning allocates nothing.
type (
	// UUID is any id, or another value of 16 bytes.
	UUID [16]byte
	// Time is a time in UTC.
	Time time.Time
	// Seq is a number of a room's log.
	Seq chat.Seq
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

// ScanUUID reads 16 bytes.
func (id *UUID) ScanUUID(value pgtype.UUID) error {
	*id = value.Bytes // zero for null
	return nil
}

// ScanTimestamptz reads a time.
func (t *Time) ScanTimestamptz(value pgtype.Timestamptz) error {
	if value.InfinityModifier != pgtype.Finite {
		return fmt.Errorf("%s is not a time", value.InfinityModifier)
	}
	*t = Time{}
	if value.Valid {
		*t = Time(value.Time.UTC())
	}
	return nil
}

// ScanInt64 reads a number of a room's log.
func (s *Seq) ScanInt64(value pgtype.Int8) error {
	if value.Int64 < 0 {
		return fmt.Errorf("%d is not a number of a log", value.Int64)
	}
	*s = Seq(value.Int64) // zero for null
	return nil
}

// ScanInt64 reads the sign of a mood.
func (m *Mood) ScanInt64(value pgtype.Int8) error {
	switch {
	case !value.Valid:
		*m = ""
	case value.Int64 == 1:
		*m = Mood(chat.Positive)
	case value.Int64 == 0:
		*m = Mood(chat.Neutral)
	case value.Int64 == -1:
		*m = Mood(chat.Negative)
	default:
		return fmt.Errorf("%d is not a mood", value.Int64)
	}
	return nil
}

// MoodOrNull is a mood as its two columns have it; null for none.
func MoodOrNull(mood chat.Mood) (sign, thousandths pgtype.Int2) {
	switch mood.Label {
	case chat.Positive:
		sign = pgtype.Int2{Int16: 1, Valid: true}
	case chat.Neutral:
		sign = pgtype.Int2{Valid: true}
	case chat.Negative:
		sign = pgtype.Int2{Int16: -1, Valid: true}
	default:
		return sign, thousandths
	}
	return sign, pgtype.Int2{Int16: int16(mood.Thousandths), Valid: true} //nolint:gosec // within a thousand, see chat.Mood.Valid
}

// ScanInt64 reads the rank of a role.
func (r *Role) ScanInt64(value pgtype.Int8) error {
	switch value.Int64 {
	case 0:
		*r = ""
	case rankOwner:
		*r = Role(chat.Owner)
	case rankModerator:
		*r = Role(chat.Moderator)
	case rankPlain:
		*r = Role(chat.Plain)
	default:
		return fmt.Errorf("%d is not a role", value.Int64)
	}
	return nil
}

// The ranks of roles, in the order in which members are listed.
const (
	rankOwner     = 1
	rankModerator = 2
	rankPlain     = 3
)

// Rank is a role as a column has it.
func Rank(role chat.Role) int16 {
	switch role {
	case chat.Owner:
		return rankOwner
	case chat.Moderator:
		return rankModerator
	case chat.Plain:
		return rankPlain
	}
	return 0 // refused by members_role_known
}

// ScanBytes reads the people whom a message mentions; the zero id first stands for everybody.
func (m *Mentions) ScanBytes(raw []byte) error {
	m.Mentions, m.MentionsAll = nil, false
	if len(raw)%16 != 0 {
		return fmt.Errorf("%x are not mentions", raw)
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

// MentionsBytes is what Mentions reads; nil for nobody.
func MentionsBytes(users []chat.UserID) []byte {
	if len(users) == 0 {
		return nil
	}
	raw := make([]byte, 0, 16*len(users))
	for i := range users {
		raw = append(raw, users[i][:]...)
	}
	return raw
}

// ID is an id as a parameter has it; pgx knows the plain array best.
func ID[Of any](id chat.ID[Of]) [16]byte { return id }

// IDs are ids as an array has them.
func IDs[Of any](ids []chat.ID[Of]) [][16]byte {
	raw := make([][16]byte, len(ids))
	for i, id := range ids {
		raw[i] = id
	}
	return raw
}

// OrNull is an id as a column has it; null for none.
func OrNull[Of any](id chat.ID[Of]) pgtype.UUID {
	return pgtype.UUID{Bytes: id, Valid: !id.IsZero()}
}

// At is a time as a column has it, in whole milliseconds.
func At(t time.Time) pgtype.Timestamptz {
	return pgtype.Timestamptz{Time: time.UnixMilli(t.UnixMilli()), Valid: true}
}

// AtOrNull is a time as a column has it; null for none.
func AtOrNull(t time.Time) pgtype.Timestamptz {
	if t.IsZero() {
		return pgtype.Timestamptz{}
	}
	return At(t)
}

// SeqOrNull is a number as a column has it; null for none.
func SeqOrNull(seq chat.Seq) pgtype.Int8 {
	return pgtype.Int8{Int64: Num(seq), Valid: seq != 0}
}

// Num is a number as a column has it. Numbers beyond 2^62 exist only in a client's imagination: there they stay positive.
func Num(seq chat.Seq) int64 {
	return int64(min(seq, 1<<62))
}
