package registry

import (
	"context"
	"time"

	"huoban/internal/sso"
	"huoban/internal/sso/metadata"
)

// Store keeps registrations; internal/store/ssostore implements it.
type Store interface {
	InsertPlatform(ctx context.Context, p Platform) error
	// UpdatePlatform writes everything but what is ours for ever, if the version is as given, and raises it.
	UpdatePlatform(ctx context.Context, p Platform) (bool, error)
	// Platform finds by id or key, PlatformByType by the platform's mark.
	Platform(ctx context.Context, idOrKey string) (Platform, bool, error)
	PlatformByType(ctx context.Context, accountType string) (Platform, bool, error)
	// Platforms lists all of a partner, or of everybody, the oldest first.
	Platforms(ctx context.Context, partnerID string) ([]Platform, error)
	// EntityHolders are the active registrations with the entity id that are not meant to share it.
	EntityHolders(ctx context.Context, entityID string) ([]Platform, error)
	// EndSessions ends every session that came from the registration, and tells how many.
	EndSessions(ctx context.Context, platformID, by string, at time.Time) (int64, error)

	Certs(ctx context.Context, platformID string) ([]CertRow, error)
	// PutCert inserts a certificate, or gives the known one this state and document.
	PutCert(ctx context.Context, c CertRow, at time.Time) error
	SetCertState(ctx context.Context, certID string, state sso.CertState) error
	// WarnCert notes that a certificate's end was spoken of; false when somebody just did.
	WarnCert(ctx context.Context, c CertRow, days int, at time.Time) (bool, error)
	// EndingCerts are current certificates of registrations in use that end before the instant.
	EndingCerts(ctx context.Context, before time.Time) ([]CertRow, error)

	Keys(ctx context.Context, entityKey string) ([]KeyRow, error)
	InsertKey(ctx context.Context, k KeyRow) error
	// UpdateKey writes state and times, if the version is as given, and raises it.
	UpdateKey(ctx context.Context, k KeyRow) (bool, error)
	// RollingKeys are the entities whose keys may have a next step to take.
	RollingKeys(ctx context.Context, endsBefore time.Time) ([]EntityRef, error)

	Returns(ctx context.Context, platformID string) ([]sso.Return, error)
	InsertReturn(ctx context.Context, platformID string, r sso.Return, by string, at time.Time) error
	SetReturnState(ctx context.Context, platformID, returnID string, state sso.ReturnState, by string, at time.Time) (bool, error)

	InsertDocument(ctx context.Context, d DocumentRow) error
	Document(ctx context.Context, documentID string) (DocumentRow, bool, error)
	// Documents are the newest of an owner, without their text.
	Documents(ctx context.Context, ownerID string, limit int) ([]DocumentRow, error)
	// WaitingDocuments are those of a kind of owner that wait, the newest first, without their text; DropWaiting
	// refuses what waits of an owner.
	WaitingDocuments(ctx context.Context, kind metadata.Role) ([]DocumentRow, error)
	DropWaiting(ctx context.Context, ownerID, by string, at time.Time) error
	// DecideDocument ends a wait; false when it is over already.
	DecideDocument(ctx context.Context, documentID, state, by string, at time.Time) (bool, error)

	PutFetch(ctx context.Context, f FetchRow) error
	FetchOf(ctx context.Context, ownerID string) (FetchRow, bool, error)
	DropFetch(ctx context.Context, ownerID string) error
	FailingFetches(ctx context.Context) ([]FetchRow, error)
	DueFetches(ctx context.Context, now time.Time, limit int) ([]FetchRow, error)
	// Lease takes a due document for one replica; false when another has it.
	Lease(ctx context.Context, ownerID, by string, now, until time.Time) (bool, error)

	Refusals(ctx context.Context, platformID string, limit int) ([]Refusal, error)
	RefusalByRef(ctx context.Context, ref string) (Refusal, bool, error)
	SignIns(ctx context.Context, platformID string, limit int) ([]SignIn, error)
	SeenOf(ctx context.Context, platformID string, since time.Time) (Seen, error)

	// RequestByID gives a stored request, as package sso asks for it.
	RequestByID(ctx context.Context, id string) (sso.Request, bool, error)

	RequestByRelay(ctx context.Context, relayID string) (sso.Request, bool, error)

	InsertTest(ctx context.Context, t TestRow) error
	// Test and Tests read results that have not expired by now; PurgeTests removes those that have.
	Test(ctx context.Context, testID string, now time.Time) (TestRow, bool, error)
	Tests(ctx context.Context, platformID string, now time.Time, limit int) ([]TestRow, error)
	PurgeTests(ctx context.Context, now time.Time) error

	InsertConsole(ctx context.Context, c Console) error
	// ConsoleWarnings are what was said of certificates of consoles; WarnConsole is false when somebody just said it.
	ConsoleWarnings(ctx context.Context) ([]ConsoleWarning, error)
	WarnConsole(ctx context.Context, w ConsoleWarning) (bool, error)
	// UpdateConsole writes everything but entity, partner and beginning, if the version is as given, and raises it.
	UpdateConsole(ctx context.Context, c Console) (bool, error)
	ConsoleByID(ctx context.Context, consoleID string) (Console, bool, error)
	ConsoleByEntity(ctx context.Context, entityID string) (Console, bool, error)
	Consoles(ctx context.Context) ([]Console, error)
	HostOf(ctx context.Context, partnerID string) (HostRow, bool, error)
	HostByKey(ctx context.Context, key string) (HostRow, bool, error)
	Hosts(ctx context.Context) ([]HostRow, error)
	InsertHost(ctx context.Context, h HostRow) error
}

// EntityRef names an entity of ours.
type EntityRef struct {
	Kind metadata.Role
	Key  string
}
