package column

import (
	"encoding/binary"
	"errors"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Reactions are a message's, in one blob, because they are always read and written whole with it. For each emoji in order:
// its length (uvarint) and bytes, how many people gave it (uvarint), and 16 bytes for each of them, oldest first.
type Reactions []chat.Reaction

var errReactions = errors.New("the reactions are damaged")

// ReactionsBlob is what Reactions reads; nil for none.
func ReactionsBlob(reactions []chat.Reaction) []byte {
	if len(reactions) == 0 {
		return nil
	}
	var blob []byte
	for _, r := range reactions {
		blob = binary.AppendUvarint(blob, uint64(len(r.Emoji)))
		blob = append(blob, r.Emoji...)
		blob = binary.AppendUvarint(blob, uint64(len(r.Users)))
		for i := range r.Users {
			blob = append(blob, r.Users[i][:]...)
		}
	}
	return blob
}

// Scan reads a blob of ReactionsBlob. A damaged one is an error, never a wrong or an endless read.
func (r *Reactions) Scan(value any) error {
	*r = nil
	if value == nil {
		return nil
	}
	blob, ok := value.([]byte)
	if !ok {
		return errReactions
	}
	for len(blob) > 0 {
		var reaction chat.Reaction
		emoji, rest, err := cut(blob, 1)
		if err != nil {
			return err
		}
		users, rest, err := cut(rest, 16)
		if err != nil {
			return err
		}
		reaction.Emoji = string(emoji)
		reaction.Users = make([]chat.UserID, 0, len(users)/16)
		for ; len(users) > 0; users = users[16:] {
			reaction.Users = append(reaction.Users, chat.UserID(users[:16]))
		}
		*r = append(*r, reaction)
		blob = rest
	}
	return nil
}

// cut takes a count and that many parts of the given size off the front.
func cut(blob []byte, size uint64) (parts, rest []byte, err error) {
	n, width := binary.Uvarint(blob)
	if width <= 0 {
		return nil, nil, errReactions
	}
	blob = blob[width:]
	if n > uint64(len(blob))/size {
		return nil, nil, errReactions
	}
	return blob[:n*size], blob[n*size:], nil
}
