package chat

import "time"

// Profile is what everyone who shares a room sees of a person.
type Profile struct {
	ID          UserID `json:"id"`
	Username    string `json:"username"`
	DisplayName string `json:"display_name"`
	AvatarURL   string `json:"avatar_url,omitempty"`
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

// Claims is what a token of another sign-in service says of whoever holds it. Username, DisplayName and Email were chosen
// there, follow no rule of ours and prove nothing: only User says who it is.
type Claims struct {
	User      UserID // the service's own id of the person
	Session   SessionID
	ExpiresAt time.Time // of the token

	Username, DisplayName, Email string
}

// Login is one person on one signed-in device.
type Login struct {
	User    UserID
	Session SessionID
}
