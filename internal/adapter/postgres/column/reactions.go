package column

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Reactions are a message's, in one value, because they are always read and written whole with it.
type Reactions []chat.Reaction

// reaction is one emoji as the column has it.
type reaction struct {
	Emoji string        `json:"emoji"`
	Users []chat.UserID `json:"users"` // oldest first
}

var errReactions = errors.New("the reactions are damaged")

// ReactionsJSON is what Reactions reads; nil for none.
func ReactionsJSON(reactions []chat.Reaction) ([]byte, error) {
	if len(reactions) == 0 {
		return nil, nil
	}
	values := make([]reaction, len(reactions))
	for i, r := range reactions {
		values[i] = reaction(r)
	}
	text, err := json.Marshal(values)
	if err != nil {
		return nil, fmt.Errorf("encode reactions: %w", err)
	}
	return text, nil
}

// ScanBytes reads what ReactionsJSON wrote.
func (r *Reactions) ScanBytes(text []byte) error {
	*r = nil
	if len(text) == 0 {
		return nil
	}
	var values []reaction
	if err := json.Unmarshal(text, &values); err != nil {
		return errors.Join(errReactions, err)
	}
	for _, value := range values {
		*r = append(*r, chat.Reaction(value))
	}
	return nil
}
