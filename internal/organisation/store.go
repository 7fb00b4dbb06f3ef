package organisation

import (
	"context"

	"huoban/internal/scope"
)

// Tx runs a function in one transaction; fn may be run again.
type Tx interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
}

// Store keeps organisations. ByID and ByCode answer not_found "organisation.unknown".
type Store interface {
	ByID(ctx context.Context, id string) (Organisation, error)
	ByCode(ctx context.Context, code string) (Organisation, error)
	Insert(ctx context.Context, o Organisation) error
	// Visible lists the organisations inside the scope in order of kind and code.
	Visible(ctx context.Context, sc scope.Scope) ([]Organisation, error)
	Resellers(ctx context.Context, distributorID string) ([]Organisation, error)

	AddVendorCustomer(ctx context.Context, vendorID, customerID string) error
	Partnership(ctx context.Context, vendorID, partnerID string) (Partnership, bool, error)
	Partnerships(ctx context.Context, vendorID string) ([]Partnership, error)
	VendorsOf(ctx context.Context, partnerID string) ([]Organisation, error)
	AddPartnership(ctx context.Context, p Partnership) error
	SetPartnershipEntity(ctx context.Context, vendorID, partnerID, entityID string) error

	// Suspensions lists what is suspended; SetSuspension writes one, false when there is one already.
	Suspensions(ctx context.Context) ([]Suspension, error)
	SetSuspension(ctx context.Context, x Suspension) (bool, error)
	EndSuspension(ctx context.Context, orgID string) (bool, error)

	Entities(ctx context.Context, vendorID string) ([]Entity, error)
	InsertEntity(ctx context.Context, e Entity) error
	SetDefaultEntity(ctx context.Context, vendorID, entityID string) error
}
