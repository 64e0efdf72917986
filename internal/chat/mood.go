package chat

import (
	"crypto/sha256"
	"time"
)

// MoodLabel says in a word how a text sounds.
type MoodLabel string

// The labels of moods. A text that was not read has none.
const (
	Positive MoodLabel = "positive"
	Neutral  MoodLabel = "neutral"
	Negative MoodLabel = "negative"
)

// Mood is how a text sounds. Thousandths is the score, from -1000 for as bad as can be to 1000: whole, so that a sum of
// scores from which some are taken away again is exact. The zero Mood is that of a text that was not read.
type Mood struct {
	Label       MoodLabel `json:"label"`
	Thousandths int       `json:"thousandths"`
}

// IsZero reports whether the text was not read.
func (m Mood) IsZero() bool { return m == Mood{} }

// Valid reports whether the mood is one: a label that there is, and a score within its bounds.
func (m Mood) Valid() bool {
	switch m.Label {
	case Positive, Neutral, Negative:
		return m.Thousandths >= -1000 && m.Thousandths <= 1000
	}
	return false
}

// TextHash tells whether a text is still the one that was read. It is the first half of a SHA-256.
func TextHash(text string) (f Fingerprint) {
	sum := sha256.Sum256([]byte(text))
	copy(f[:], sum[:])
	return f
}

// MoodText is a text whose mood is to be found: what Message says since Record, which made or edited it.
type MoodText struct {
	Room    RoomID
	Message MessageID
	Record  MessageID
	At      time.Time // of Record
	Body    string
	Trace   string // of Record, where that is known
}

// MoodSpan is how long what is counted together was written in: of this, in any time zone that there is, are hours and days.
const MoodSpan = 15 * time.Minute

// MoodCount is what moods a room's messages have that were created from At on, for a MoodSpan or longer. First and Last are
// the numbers between which they stand.
type MoodCount struct {
	At                          time.Time
	Positive, Neutral, Negative int
	Thousandths                 int64 // the sum of their scores
	First, Last                 Seq
}

// Messages is how many messages are counted.
func (c *MoodCount) Messages() int { return c.Positive + c.Neutral + c.Negative }

// Add counts what other counts, too.
func (c *MoodCount) Add(other MoodCount) {
	c.Positive += other.Positive
	c.Neutral += other.Neutral
	c.Negative += other.Negative
	c.Thousandths += other.Thousandths
	if c.First == 0 || (other.First != 0 && other.First < c.First) {
		c.First = other.First
	}
	c.Last = max(c.Last, other.Last)
}

// Count counts a message's mood by times: once, or -1 times where it is so no more. A text that was not read counts nothing.
func (c *MoodCount) Count(mood Mood, seq Seq, times int) {
	switch mood.Label {
	case Positive:
		c.Positive += times
	case Neutral:
		c.Neutral += times
	case Negative:
		c.Negative += times
	default:
		return
	}
	c.Thousandths += int64(times * mood.Thousandths)
	if c.First == 0 || seq < c.First {
		c.First = seq
	}
	c.Last = max(c.Last, seq)
}
