package sqlite

import (
	"fmt"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// The values of columns and of the product's types. Each into-type is its product type with a Scan that takes null as
// the zero value, so that scanning allocates nothing.
type (
	idInto       [16]byte
	timeInto     time.Time
	seqInto      chat.Seq
	textInto     string
	roleInto     chat.Role
	mentionsInto chat.Message
)

func into[Of any](id *chat.ID[Of]) *idInto { return (*idInto)(id) }

// Scan reads 16 bytes.
func (id *idInto) Scan(value any) error {
	switch raw := value.(type) {
	case nil:
		*id = idInto{}
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
func (t *timeInto) Scan(value any) error {
	switch ms := value.(type) {
	case nil:
		*t = timeInto{}
		return nil
	case int64:
		*t = timeInto(time.UnixMilli(ms).UTC())
		return nil
	}
	return fmt.Errorf("%v is not a time", value)
}

// Scan reads a number of a room's log.
func (s *seqInto) Scan(value any) error {
	switch n := value.(type) {
	case nil:
		*s = 0
		return nil
	case int64:
		*s = seqInto(n) //nolint:gosec // never negative: the store wrote it
		return nil
	}
	return fmt.Errorf("%v is not a number", value)
}

// Scan reads a text that a join may have left out.
func (t *textInto) Scan(value any) error {
	switch text := value.(type) {
	case nil:
		*t = ""
		return nil
	case string:
		*t = textInto(text)
		return nil
	}
	return fmt.Errorf("%v is not a text", value)
}

// Scan reads the rank of a role.
func (r *roleInto) Scan(value any) error {
	rank, ok := value.(int64)
	if value != nil && !ok {
		return fmt.Errorf("%v is not a role", value)
	}
	switch rank {
	case 0:
		*r = ""
	case roleOwner:
		*r = roleInto(chat.Owner)
	case roleModerator:
		*r = roleInto(chat.Moderator)
	case rolePlain:
		*r = roleInto(chat.Plain)
	default:
		return fmt.Errorf("%d is not a role", rank)
	}
	return nil
}

// The ranks of roles, in the order in which members are listed.
const (
	roleOwner     = 1
	roleModerator = 2
	rolePlain     = 3
)

func roleRank(role chat.Role) int64 {
	switch role {
	case chat.Owner:
		return roleOwner
	case chat.Moderator:
		return roleModerator
	case chat.Plain:
		return rolePlain
	}
	return 0 // refused by members_role_known
}

// Scan reads the people whom a message mentions; the zero id first stands for everybody.
func (m *mentionsInto) Scan(value any) error {
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

// mentioned lists whom a message mentions as rows of the mentions table have it: the zero id for everybody.
func mentioned(m *chat.Message) []chat.UserID {
	if !m.MentionsAll {
		return m.Mentions
	}
	return append([]chat.UserID{{}}, m.Mentions...)
}

func mentionsBlob(users []chat.UserID) []byte {
	if len(users) == 0 {
		return nil
	}
	blob := make([]byte, 0, 16*len(users))
	for i := range users {
		blob = append(blob, users[i][:]...)
	}
	return blob
}

// ms is a time as a column has it; null for none.
func ms(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMilli()
}

// idOrNull is an id as a column has it; null for none.
func idOrNull[Of any](id chat.ID[Of]) any {
	if id.IsZero() {
		return nil
	}
	return id[:]
}

// blobOrNull keeps an empty blob from being stored as one: null costs one byte.
func blobOrNull(blob []byte) any {
	if len(blob) == 0 {
		return nil
	}
	return blob
}

// seqOrNull is a number as a column has it; null for none.
func seqOrNull(seq chat.Seq) any {
	if seq == 0 {
		return nil
	}
	return num(seq)
}

// num is a number as a column has it. Numbers beyond 2^62 exist only in a client's imagination: there they stay positive.
func num(seq chat.Seq) int64 {
	return int64(min(seq, 1<<62))
}
