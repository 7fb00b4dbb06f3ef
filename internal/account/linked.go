package account

import (
	"context"

	"huoban/internal/id"
	"huoban/internal/organisation"
	"huoban/internal/scope"
)

// AddLinkedInput names a person who comes in by the word of a partner's platform alone. What does not fit as
// contact is left empty by the caller: it was asserted, not typed.
type AddLinkedInput struct {
	Org   organisation.Organisation
	Login string
	Name  string
	Phone string
	Email string
	Role  string
}

// AddLinked makes a person without a password: no password fits it until one is set. It joins the transaction of
// ctx. Faults: account.login_malformed, those of Contact.Validate and CheckRoles, store.exists.
func (s *Service) AddLinked(ctx context.Context, sc scope.Scope, in AddLinkedInput) (Person, error) {
	if !loginShape.MatchString(in.Login) {
		return Person{}, malformedLogin(in.Login)
	}
	if err := (Contact{in.Name, in.Phone, in.Email}).Validate(); err != nil {
		return Person{}, err
	}
	known, err := s.Roles(ctx, in.Org)
	if err != nil {
		return Person{}, err
	}
	roles := []string{in.Role}
	if err := CheckRoles(roles, known); err != nil {
		return Person{}, err
	}
	now := s.Clock.Now()
	p := Person{ID: id.New(), OrgID: in.Org.ID, Login: in.Login, Name: in.Name, Phone: in.Phone, Email: in.Email, State: PersonActive,
		CreatedAt: now, PasswordChangedAt: now}
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		if err := s.Store.InsertPerson(ctx, p, ""); err != nil {
			return err
		}
		if err := s.Store.SetGrants(ctx, p.ID, in.Org.ID, roles); err != nil {
			return err
		}
		return s.recordPerson(ctx, sc.Login(), p, "person.add", map[string]any{"organisation": in.Org.Code, "roles": roles})
	})
	return p, err
}
