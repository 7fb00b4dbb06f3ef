package account

import "time"

// Session is a sign-in as the database keeps it; package session decides when it ends. Handle names
// it to its owner without being good for anything else; the token is known by its hash alone.
type Session struct {
	TokenHash []byte
	Handle    string
	PersonID  string
	Data      []byte
	IP, Agent string
	CreatedAt time.Time
	SeenAt    time.Time
	ExpiresAt time.Time

	// As the session was found, and not kept: the version of what pages show, and what the person has not
	// read of the organisation asked for.
	Version, Unread int64
}
