package invitation

import (
	"context"

	"huoban/internal/account"
	"huoban/internal/customer"
	"huoban/internal/fault"
	"huoban/internal/organisation"
	"huoban/internal/scope"
)

// Tx runs a function in one transaction; fn may be run again.
type Tx interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
}

// Store keeps invitations. ByID and ByHash answer not_found "invitation.unknown".
type Store interface {
	ByID(ctx context.Context, id string) (Invitation, error)
	ByHash(ctx context.Context, hash []byte) (Invitation, error)
	OfPartner(ctx context.Context, partnerID string) ([]Invitation, error)
	// OpenOf lists the invitations of a registration whose link opens.
	OpenOf(ctx context.Context, prospectID string) ([]Invitation, error)
	Insert(ctx context.Context, i Invitation, hash []byte) error
	// Set writes what changes, with the hash of the link, if state and version are as loaded.
	Set(ctx context.Context, i Invitation, hash []byte, from State, version int64) (bool, error)
	// Count writes one more customer of a general link, whose state stays.
	Count(ctx context.Context, invitationID, customerID string) error
	InsertTry(ctx context.Context, t Try) error
	// TriesOf lists the attempts on an invitation, TriesOfPartner those on all of a partner, the newest first.
	TriesOf(ctx context.Context, invitationID string) ([]Try, error)
	TriesOfPartner(ctx context.Context, partnerID string) ([]Try, error)
}

// Organisations is what is asked of organisations.
type Organisations interface {
	ByID(ctx context.Context, sc scope.Scope, orgID string) (organisation.Organisation, error)
	VendorsOf(ctx context.Context, partner organisation.Organisation) ([]organisation.Organisation, error)
	Add(ctx context.Context, sc scope.Scope, in organisation.AddInput) (organisation.AddResult, error)
	Suspended(ctx context.Context, orgID string) (bool, error)
}

// Customers is what is asked of associations and assignments.
type Customers interface {
	Of(ctx context.Context, customerID string) ([]customer.Association, error)
	Agree(ctx context.Context, proposer, accepter scope.Scope, in customer.ProposeInput) (customer.Association, error)
	Assign(ctx context.Context, sc scope.Scope, in customer.AssignInput) (customer.Assignment, error)
}

// People is what is asked of accounts.
type People interface {
	PersonByID(ctx context.Context, personID string) (account.Person, error)
	Memberships(ctx context.Context, p account.Person) ([]account.Membership, error)
	AddPerson(ctx context.Context, sc scope.Scope, in account.AddPersonInput) (account.AddPersonResult, error)
	Manager(ctx context.Context, orgID, personID string) (ok bool, supervisorID string, err error)
	Managers(ctx context.Context, orgID string) ([]account.Person, error)
	Holders(ctx context.Context, orgID string, item scope.Item) ([]string, error)
}

// Letters sends the invitation of a mail in the running transaction; Ready tells whether there is a mail server.
type Letters interface {
	Ready() bool
	Send(ctx context.Context, key, to string, args fault.Args, link string) error
}
