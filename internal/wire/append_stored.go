package wire

import (
	"encoding/base64"
	"strconv"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// appendStoredMessage writes the event of a new message as a bus keeps it, with the bytes that encoding/json gives it. It is
// false where it cannot: for times that no calendar has.
func appendStoredMessage(b []byte, e *chat.Event) ([]byte, bool) {
	m, whole := e.Message, true
	at := func(name string, t time.Time) {
		b = append(b, name...)
		var err error
		if b, err = t.AppendText(b); err != nil {
			whole = false
		}
		b = append(b, '"')
	}
	b = append(b, `{"room_id":`...)
	b = appendID(b, e.Room)
	b = append(b, `,"seq":`...)
	b = strconv.AppendUint(b, uint64(e.Seq), 10)
	at(`,"kind":"message","at":"`, e.At)
	if e.Actor != (chat.Profile{}) {
		b = append(b, `,"actor":`...)
		b = appendProfile(b, &e.Actor)
	}
	if !e.RecordID.IsZero() {
		b = append(b, `,"id":`...)
		b = appendID(b, e.RecordID)
	}
	b = append(b, `,"message":{"id":`...)
	b = appendID(b, m.ID)
	b = append(b, `,"seq":`...)
	b = strconv.AppendUint(b, uint64(m.Seq), 10)
	if m.ChangedSeq != 0 {
		b = append(b, `,"changed_seq":`...)
		b = strconv.AppendUint(b, uint64(m.ChangedSeq), 10)
	}
	b = append(b, `,"sender":`...)
	b = appendProfile(b, &m.Sender)
	if m.Body != "" {
		b = append(b, `,"body":`...)
		b = appendString(b, m.Body)
	}
	if !m.ReplyTo.IsZero() {
		b = append(b, `,"reply_to":`...)
		b = appendID(b, m.ReplyTo)
	}
	for i, user := range m.Mentions {
		if i == 0 {
			b = append(b, `,"mentions":[`...)
		} else {
			b = append(b, ',')
		}
		b = appendID(b, user)
	}
	if len(m.Mentions) > 0 {
		b = append(b, ']')
	}
	if m.MentionsAll {
		b = append(b, `,"mentions_all":true`...)
	}
	at(`,"created_at":"`, m.CreatedAt)
	if !m.EditedAt.IsZero() {
		at(`,"edited_at":"`, m.EditedAt)
	}
	if !m.DeletedAt.IsZero() {
		at(`,"deleted_at":"`, m.DeletedAt)
	}
	if m.Fingerprint != (chat.Fingerprint{}) {
		b = append(b, `,"fingerprint":"`...)
		b = base64.StdEncoding.AppendEncode(b, m.Fingerprint[:])
		b = append(b, '"')
	}
	return append(b, `}}`...), whole
}

// appendProfile writes a person as chat.Profile is marshalled.
func appendProfile(b []byte, p *chat.Profile) []byte {
	b = append(b, `{"id":`...)
	b = appendID(b, p.ID)
	b = append(b, `,"username":`...)
	b = appendString(b, p.Username)
	b = append(b, `,"display_name":`...)
	b = appendString(b, p.DisplayName)
	if p.AvatarURL != "" {
		b = append(b, `,"avatar_url":`...)
		b = appendString(b, p.AvatarURL)
	}
	return append(b, '}')
}
