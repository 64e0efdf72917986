package wire

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Every message is encoded on its way to everybody, between its commit and its ack. So the event of a new message and its
// ack are written out here; encoding/json, which finds its way through types and takes a slice for each id and time,
// measured seven times as long. The bytes are the same, which a test holds.

// newMessageBytes is what the event of a new message takes beside its body, generously.
const newMessageBytes = 1024

// isNewMessage reports whether appendNewMessage can write the event.
func isNewMessage(e *chat.Event) bool {
	return e.Kind == chat.KindMessage && e.Message != nil && len(e.Message.Reactions) == 0 && e.Message.Mood.IsZero() &&
		e.Reaction == nil && e.Member == nil && e.Info == nil
}

func appendNewMessage(b []byte, e *chat.Event) []byte {
	m := e.Message
	b = append(b, `{"room_id":`...)
	b = appendID(b, e.Room)
	b = append(b, `,"seq":`...)
	b = strconv.AppendUint(b, uint64(e.Seq), 10)
	b = append(b, `,"kind":"message","at":`...)
	b = appendTime(b, e.At)
	b = append(b, `,"actor":`...)
	if e.Actor.ID.IsZero() {
		b = append(b, `null`...)
	} else {
		b = appendUser(b, &e.Actor)
	}
	b = append(b, `,"message":{"id":`...)
	b = appendID(b, m.ID)
	b = append(b, `,"room_id":`...)
	b = appendID(b, m.Room)
	b = append(b, `,"seq":`...)
	b = strconv.AppendUint(b, uint64(m.Seq), 10)
	b = append(b, `,"changed_seq":`...)
	if m.ChangedSeq == 0 {
		b = append(b, `null`...)
	} else {
		b = strconv.AppendUint(b, uint64(m.ChangedSeq), 10)
	}
	b = append(b, `,"sender":`...)
	b = appendUser(b, &m.Sender)
	b = append(b, `,"body":`...)
	b = appendString(b, m.Body)
	b = append(b, `,"reply_to":`...)
	if m.ReplyTo.IsZero() {
		b = append(b, `null`...)
	} else {
		b = appendID(b, m.ReplyTo)
	}
	b = append(b, `,"mentions":[`...)
	for i, user := range m.Mentions {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendID(b, user)
	}
	b = append(b, `],"mentions_all":`...)
	b = strconv.AppendBool(b, m.MentionsAll)
	b = append(b, `,"created_at":`...)
	b = appendTime(b, m.CreatedAt)
	b = append(b, `,"edited_at":`...)
	b = appendTimeOrNull(b, m.EditedAt)
	b = append(b, `,"deleted_at":`...)
	b = appendTimeOrNull(b, m.DeletedAt)
	return append(b, `,"reactions":[],"attachments":[],"sentiment":null}}`...)
}

func appendUser(b []byte, p *chat.Profile) []byte {
	b = append(b, `{"id":`...)
	b = appendID(b, p.ID)
	b = append(b, `,"username":`...)
	b = appendString(b, p.Username)
	b = append(b, `,"display_name":`...)
	b = appendString(b, p.DisplayName)
	b = append(b, `,"avatar_url":`...)
	if p.AvatarURL == "" {
		b = append(b, `null`...)
	} else {
		b = appendString(b, p.AvatarURL)
	}
	return append(b, '}')
}

func appendID[Of any](b []byte, id chat.ID[Of]) []byte {
	b = append(b, '"')
	b, _ = id.AppendText(b) // it never fails
	return append(b, '"')
}

func appendTimeOrNull(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(b, `null`...)
	}
	return appendTime(b, t)
}

func appendTime(b []byte, t time.Time) []byte {
	return t.UTC().AppendFormat(b, `"`+timeLayout+`"`)
}

// appendString writes a text as encoding/json does. Most texts have nothing in them that needs escaping.
func appendString(b []byte, s string) []byte {
	if !plain(s) {
		quoted, err := json.Marshal(s)
		if err != nil {
			panic("wire: encode a text: " + err.Error()) // there is no text that it refuses
		}
		return append(b, quoted...)
	}
	b = append(slices.Grow(b, len(s)+2), '"')
	b = append(b, s...)
	return append(b, '"')
}

// plain reports whether encoding/json writes the text as it is.
func plain(s string) bool {
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c < ' ' || c == 0x7f || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
				return false
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if (r == utf8.RuneError && size == 1) || r == '\u2028' || r == '\u2029' {
			return false
		}
		i += size
	}
	return true
}
