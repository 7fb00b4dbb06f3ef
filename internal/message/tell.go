package message

import (
	"context"

	"huoban/internal/organisation"
	"huoban/internal/scope"
)

// Organisations gives names and codes.
type Organisations interface {
	ByID(ctx context.Context, sc scope.Scope, orgID string) (organisation.Organisation, error)
}

// People gives who may do an item in an organisation.
type People interface {
	Holders(ctx context.Context, orgID string, item scope.Item) ([]string, error)
}

// Teller rings for those whom something concerns; the zero one rings for nobody.
type Teller struct {
	Organisations Organisations
	People        People
	Bell          Notifier
}

// Tell rings for everybody in an organisation who may do an item. The notice links to a page of the organisation, "/bills".
func (t Teller) Tell(ctx context.Context, orgID string, item scope.Item, n Notice) error {
	if t.Bell == nil {
		return nil
	}
	people, err := t.People.Holders(ctx, orgID, item)
	if err != nil {
		return err
	}
	return t.Ring(ctx, orgID, people, n)
}

// Ring rings for people of an organisation.
func (t Teller) Ring(ctx context.Context, orgID string, people []string, n Notice) error {
	if t.Bell == nil || len(people) == 0 {
		return nil
	}
	org, err := t.Organisations.ByID(ctx, scope.System("system"), orgID)
	if err != nil {
		return err
	}
	n.OrgID, n.Link = orgID, "/o/"+org.Code+n.Link
	notices := make([]Notice, len(people))
	for i, personID := range people {
		notices[i] = n
		notices[i].PersonID = personID
	}
	return t.Bell.Notify(ctx, notices...)
}

// Name is what an organisation is called.
func (t Teller) Name(ctx context.Context, orgID string) (string, error) {
	if t.Organisations == nil {
		return "", nil
	}
	org, err := t.Organisations.ByID(ctx, scope.System("system"), orgID)
	return org.Name, err
}
