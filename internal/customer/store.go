package customer

import (
	"context"
	"time"

	"huoban/internal/cycle"
	"huoban/internal/organisation"
	"huoban/internal/scope"
)

// Tx runs a function in one transaction; fn may be run again.
type Tx interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
}

// Store keeps associations and assignments.
type Store interface {
	AllAssociations(ctx context.Context) ([]Association, error) // the program's own view
	AssociationsOf(ctx context.Context, customerID string) ([]Association, error)
	VisibleAssociations(ctx context.Context, sc scope.Scope) ([]Association, error)
	AssociationByID(ctx context.Context, id string) (Association, error) // not_found customer.association_unknown
	InsertAssociation(ctx context.Context, a Association) error
	// SetAssociation writes state, interval and consent if state and version are still as loaded.
	SetAssociation(ctx context.Context, a Association, from State, version int64) (bool, error)
	// LastSealed is the newest issued cycle in which the customer has lines, "" when there is none, and the
	// latest zone in which a source of these lines ends it.
	LastSealed(ctx context.Context, customerID string) (cycle.Cycle, *time.Location, error)

	// Directory is every association of a partner and its resellers with the names of both sides, and Cares every
	// assignment of the partner with the name of the manager.
	Directory(ctx context.Context, partnerID string) ([]Entry, error)
	Cares(ctx context.Context, partnerID string) ([]Care, error)
	// Reach is by what each customer of a partner is reached: the first of its administrators with a telephone or address.
	Reach(ctx context.Context, partnerID string) (map[string]Contact, error)

	LabelStore

	Assignments(ctx context.Context, partnerID string) ([]Assignment, error)
	AssignmentsOfCustomer(ctx context.Context, partnerID, customerID string) ([]Assignment, error)
	InsertAssignment(ctx context.Context, a Assignment) error
	EndAssignment(ctx context.Context, id string, to time.Time) error
	// AssignmentsAbout are those of a customer at every partner, by time, and Carers the managers they name.
	AssignmentsAbout(ctx context.Context, customerID string) ([]Assignment, error)
	Carers(ctx context.Context, customerID string) ([]Carer, error)

	// PutSeen notes an act that concerns the customer of that code, or counts it up; a code of no customer does nothing.
	PutSeen(ctx context.Context, x Seen, code, day string) error
	// PutSeenByAll notes an act for every customer of the partner at that instant.
	PutSeenByAll(ctx context.Context, x Seen, day string) error
	// SeenOf are the acts that concern a customer, the newest first.
	SeenOf(ctx context.Context, customerID string) ([]Seen, error)
}

// Organisations is what is asked of organisations; outside the scope is not found.
type Organisations interface {
	ByID(ctx context.Context, sc scope.Scope, orgID string) (organisation.Organisation, error)
}

// People tells whether a person is 客户经理 of a partner, and under whom.
type People interface {
	Manager(ctx context.Context, orgID, personID string) (ok bool, supervisorID string, err error)
}
