package chat

import (
	"crypto/sha256"
	"slices"
	"time"
)

// Message is a message in its newest state. Seq is its number for life; ChangedSeq is that of its last change, or zero.
// A deleted message keeps its id and numbers and loses the rest.
type Message struct {
	ID          MessageID
	Room        RoomID
	Seq         Seq
	ChangedSeq  Seq
	Sender      Profile
	Body        string
	ReplyTo     MessageID
	Mentions    []UserID
	MentionsAll bool
	CreatedAt   time.Time
	EditedAt    time.Time
	DeletedAt   time.Time
	Reactions   []Reaction
	Mood        Mood // of Body; an edit takes it away
	Fingerprint Fingerprint
}

// Reaction is one emoji under a message and who gave it, oldest first, at most ReactorsMax.
type Reaction struct {
	Emoji string
	Users []UserID
}

// Reacted reports whether the person gave that emoji.
func (m *Message) Reacted(emoji string, user UserID) bool {
	for _, r := range m.Reactions {
		if r.Emoji == emoji {
			return slices.Contains(r.Users, user)
		}
	}
	return false
}

// Clone copies the message so that changing one leaves the other alone.
func (m *Message) Clone() *Message {
	copied := *m
	copied.Mentions = slices.Clone(m.Mentions)
	copied.Reactions = slices.Clone(m.Reactions)
	for i := range copied.Reactions {
		copied.Reactions[i].Users = slices.Clone(copied.Reactions[i].Users)
	}
	return &copied
}

// Fingerprint tells whether two sends of one message id are the same message: it covers the sender and what was
// first written, and stays as it was when the message is edited. It is the first half of a SHA-256.
type Fingerprint [16]byte

// FingerprintOf computes the fingerprint of a send.
func FingerprintOf(sender UserID, body string, replyTo MessageID) (f Fingerprint) {
	buf := make([]byte, 0, 32+len(body))
	buf = append(buf, sender[:]...)
	buf = append(buf, replyTo[:]...)
	buf = append(buf, body...)
	sum := sha256.Sum256(buf)
	copy(f[:], sum[:])
	return f
}
