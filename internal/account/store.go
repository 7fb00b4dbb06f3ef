package account

import (
	"context"
	"time"

	"huoban/internal/scope"
)

// Credentials is a person with what proves who it is.
type Credentials struct {
	Person
	Hash string
}

// Grant is one role of one person in one organisation.
type Grant struct{ PersonID, OrgID, Role string }

// Throttle is how often a login or an address failed lately.
type Throttle struct {
	Failures    int64
	LastAt      time.Time
	LockedUntil time.Time
}

// Factor is a person's second factor; Secret is sealed. ConfirmedAt zero = not yet in use.
type Factor struct {
	PersonID    string
	Secret      []byte
	Counter     int64 // the last counter used; a code passes once
	ConfirmedAt time.Time
}

// Store keeps accounts. Person look-ups answer not_found "account.unknown".
type Store interface {
	InsertPerson(ctx context.Context, p Person, hash string) error
	Credentials(ctx context.Context, login string) (Credentials, error) // login in any case
	CredentialsByID(ctx context.Context, personID string) (Credentials, error)
	PersonByID(ctx context.Context, personID string) (Person, error)
	// VerifyEmail notes that an address is the person's own; false when it was known, or is another by now. A change
	// of the address takes it back.
	VerifyEmail(ctx context.Context, personID, email string, at time.Time) (bool, error)
	UpdatePerson(ctx context.Context, p Person) error // name, phone, email, state, supervisor
	UpdatePassword(ctx context.Context, personID, hash string, mustChange bool, at time.Time) error
	TouchSignIn(ctx context.Context, personID string, at time.Time) error
	// Staff lists the persons the scope may see: everybody for the system, else the actor's organisation.
	Staff(ctx context.Context, sc scope.Scope) ([]Person, error)
	AnyPerson(ctx context.Context) (bool, error)
	Team(ctx context.Context, orgID, supervisorID string) ([]string, error)
	ReleaseTeam(ctx context.Context, supervisorID string) (int64, error)

	Grants(ctx context.Context, personID string) ([]Grant, error)
	GrantsOf(ctx context.Context, orgID string) ([]Grant, error)
	SetGrants(ctx context.Context, personID, orgID string, roles []string) error

	CustomRoles(ctx context.Context, orgID string) ([]Role, error)
	SaveRole(ctx context.Context, r Role, at time.Time) error
	DeleteRole(ctx context.Context, orgID, code string) error

	Throttle(ctx context.Context, kind, key string) (Throttle, error) // the zero value when unknown
	SaveThrottle(ctx context.Context, kind, key string, t Throttle) error
	ClearThrottle(ctx context.Context, kind, key string) error
	PurgeThrottles(ctx context.Context, before time.Time) error

	Factor(ctx context.Context, personID string) (Factor, bool, error)
	SaveFactor(ctx context.Context, f Factor) error
	DeleteFactor(ctx context.Context, personID string) error
	// AdvanceFactor moves the counter forward; false when it was not behind: the code was used.
	AdvanceFactor(ctx context.Context, personID string, counter int64) (bool, error)
	ReplaceRecovery(ctx context.Context, personID string, hashes [][]byte) error
	SpendRecovery(ctx context.Context, personID string, hash []byte, at time.Time) (bool, error)

	InsertLink(ctx context.Context, l Link) error
	// OpenLink finds a link that still opens.
	OpenLink(ctx context.Context, linkID string, now time.Time) (Link, bool, error)
	// OpenLinks are those of an organisation's persons.
	OpenLinks(ctx context.Context, orgID string, now time.Time) ([]Link, error)
	// SpendLink uses a link; false when it opens no more.
	SpendLink(ctx context.Context, linkID string, at time.Time) (bool, error)
	EndLinks(ctx context.Context, personID string, at time.Time) error

	Contacts(ctx context.Context, orgID string) ([]string, error)
	AddContact(ctx context.Context, orgID, personID string, at time.Time) error
	RemoveContact(ctx context.Context, orgID, personID string) error

	InsertSetup(ctx context.Context, hash []byte, createdAt, expiresAt time.Time) error // ends earlier links
	SetupOpen(ctx context.Context, hash []byte, now time.Time) (bool, error)
	SpendSetup(ctx context.Context, hash []byte, now time.Time) (bool, error)
}
