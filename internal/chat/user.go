package chat

import "time"

// Profile is what everyone who shares a room sees of a person.
type Profile struct {
	ID          UserID
	Username    string
	DisplayName string
	AvatarURL   string
}

// User is an account. Disabled ones cannot sign in, and their sessions end.
type User struct {
	Profile
	Status    string
	Email     string
	Admin     bool
	Disabled  bool
	CreatedAt time.Time
}

// Session is one signed-in device.
type Session struct {
	ID         SessionID
	User       UserID
	CreatedAt  time.Time
	LastUsedAt time.Time
	ExpiresAt  time.Time
	UserAgent  string
}
