package chat

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// The limits of what a person can send, in runes where not said otherwise. Clients read the first four from /config.
const (
	MessageRunesMax     = 4000
	FrameBytesMax       = 64 << 10
	SendsPerSecond      = 10
	SendBurst           = 30
	UsernameRunesMin    = 2
	UsernameRunesMax    = 32
	DisplayNameRunesMax = 64
	StatusRunesMax      = 100
	EmailRunesMax       = 254
	URLRunesMax         = 500
	PasswordRunesMin    = 8
	PasswordRunesMax    = 256
	RoomNameRunesMax    = 80
	TopicRunesMax       = 250
	ReasonRunesMax      = 250
	EmojiBytesMax       = 32
	ReactionsMax        = 20
	ReactorsMax         = 500
	MentionsMax         = 50
	MuteMax             = 366 * 24 * time.Hour
	InviteUsesMax       = 100_000
	InviteLifeMax       = 366 * 24 * time.Hour
	PageDefault         = 50
	PageMax             = 200
	ChangesMax          = 1000
	ResumeMax           = 1000
	PositionsMax        = 1000
	RoomsPerUserMax     = 1000
	InvitesPerRoomMax   = 500
	ResendAge           = 30 * time.Second // an id older than this is looked up in the store before it is sent again
)

// CheckBody refuses a message body that is empty, too long, or not text.
func CheckBody(body string) error {
	if strings.TrimSpace(body) == "" {
		return InvalidField("body", "a message needs some text")
	}
	return checkText("body", body, MessageRunesMax, true)
}

// CheckRoomName refuses a room name that is empty, too long, or not one line of text.
func CheckRoomName(name string) error {
	if strings.TrimSpace(name) == "" {
		return InvalidField("name", "a room needs a name")
	}
	return checkText("name", name, RoomNameRunesMax, false)
}

// CheckLine refuses a text that is too long or not one line; empty is allowed.
func CheckLine(field, text string, runesMax int) error {
	return checkText(field, text, runesMax, false)
}

// CheckDisplayName refuses a display name that is empty, too long, or not one line of text.
func CheckDisplayName(name string) error {
	if strings.TrimSpace(name) == "" {
		return InvalidField("display_name", "a display name cannot be empty")
	}
	return checkText("display_name", name, DisplayNameRunesMax, false)
}

// CheckPassword refuses a password that is too short or too long to be one.
func CheckPassword(field, password string) error {
	n := utf8.RuneCountInString(password)
	switch {
	case n < PasswordRunesMin:
		return InvalidField(field, "a password has at least %d characters", PasswordRunesMin)
	case n > PasswordRunesMax:
		return InvalidField(field, "a password has at most %d characters", PasswordRunesMax)
	}
	return nil
}

// CheckUsername folds a username to lower case and refuses what is not one.
func CheckUsername(username string) (string, error) {
	folded := strings.ToLower(username)
	if n := len(folded); n < UsernameRunesMin || n > UsernameRunesMax {
		return "", InvalidField("username", "a username has %d to %d characters", UsernameRunesMin, UsernameRunesMax)
	}
	for i, c := range folded {
		letter := (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')
		if !letter && (i == 0 || !strings.ContainsRune("_.-", c)) {
			return "", InvalidField("username", "a username has letters a to z, digits, and _ . - after the first")
		}
	}
	return folded, nil
}

func checkText(field, text string, runesMax int, lines bool) error {
	if !utf8.ValidString(text) {
		return InvalidField(field, "this is not valid UTF-8")
	}
	if n := utf8.RuneCountInString(text); n > runesMax {
		return InvalidField(field, "at most %d characters, this has %d", runesMax, n)
	}
	for _, c := range text {
		if (lines && (c == '\n' || c == '\t' || c == '\r')) || !unicode.IsControl(c) {
			continue
		}
		return InvalidField(field, "control characters are not allowed")
	}
	return nil
}

// Cut is the beginning of a text, of at most so many runes.
func Cut(text string, runes int) string {
	if len(text) <= runes || utf8.RuneCountInString(text) <= runes {
		return text
	}
	return string([]rune(text)[:runes])
}
