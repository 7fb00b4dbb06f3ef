package prospect

import (
	"context"
	"time"

	"huoban/internal/account"
	"huoban/internal/organisation"
	"huoban/internal/scope"
)

// Tx runs a function in one transaction; fn may be run again.
type Tx interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
}

// Rival is an open registration of the same customer.
type Rival struct{ ID, PartnerID string }

// Known is an association in force of a customer that goes by the same name or contact.
type Known struct{ CustomerID, PartnerID string }

// Store keeps registrations. ByID answers not_found "prospect.unknown".
type Store interface {
	ByID(ctx context.Context, id string) (Prospect, error)
	// OfPartner and OfVendor list all, the newest first.
	OfPartner(ctx context.Context, partnerID string) ([]Prospect, error)
	OfVendor(ctx context.Context, vendorID string) ([]Prospect, error)
	Insert(ctx context.Context, p Prospect, k Keys) error
	// Set writes state and what belongs to it if state and version are as loaded.
	Set(ctx context.Context, p Prospect, from State, version int64) (bool, error)
	// SetDetails writes what the partner says if the version is as loaded, and raises it.
	SetDetails(ctx context.Context, p Prospect, k Keys, version int64) (bool, error)
	Reminded(ctx context.Context, id string, at time.Time) error
	// CountOpen counts the open registrations of a partner besides one.
	CountOpen(ctx context.Context, partnerID, besides string) (int, error)
	// Rivals are the open registrations at the vendor that share a key, besides one.
	Rivals(ctx context.Context, vendorID string, k Keys, besides string) ([]Rival, error)
	// KnownAs are associations in force at that instant of customers that share a key, and the partners that do.
	KnownAs(ctx context.Context, k Keys, at time.Time) ([]Known, error)
	// Ending lists registered ones that end before an instant and whose filer was not reminded.
	Ending(ctx context.Context, before time.Time) ([]Prospect, error)
}

// Organisations is what is asked of organisations.
type Organisations interface {
	ByID(ctx context.Context, sc scope.Scope, orgID string) (organisation.Organisation, error)
	VendorsOf(ctx context.Context, partner organisation.Organisation) ([]organisation.Organisation, error)
}

// People is what is asked of accounts.
type People interface {
	PersonByID(ctx context.Context, personID string) (account.Person, error)
	Holders(ctx context.Context, orgID string, item scope.Item) ([]string, error)
	Managers(ctx context.Context, orgID string) ([]account.Person, error)
}

// Grants tells whether a partner may win customers for a vendor now.
type Grants interface {
	Open(ctx context.Context, vendorID, partnerID string) (bool, error)
}
