package account

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"time"

	"huoban/internal/audit"
	"huoban/internal/fault"
	"huoban/internal/organisation"
	"huoban/internal/scope"
)

// SetupLife is how long a set-up link opens.
const SetupLife = 24 * time.Hour

// SetupSource is the first source declared on the set-up page; an empty name leaves it for later.
type SetupSource struct{ Name, Dialect, Zone string }

// SetupInput is what the set-up page sends: the vendor, its administrator and the first source.
type SetupInput struct {
	Token    string
	OrgCode  string
	OrgName  string
	Login    string
	Name     string
	Email    string
	Password string
	Source   SetupSource
}

// SetupResult is what was made.
type SetupResult struct {
	Organisation organisation.Organisation
	Person       Person
}

// Setup opens an empty installation to its first administrator by a link that works once.
type Setup struct {
	accounts      *Service
	organisations interface {
		Add(ctx context.Context, sc scope.Scope, in organisation.AddInput) (organisation.AddResult, error)
	}
	addSource func(ctx context.Context, sc scope.Scope, vendorCode string, in SetupSource) error
}

// NewSetup makes the service; addSource declares the first source inside the running transaction.
func NewSetup(accounts *Service, organisations *organisation.Service,
	addSource func(ctx context.Context, sc scope.Scope, vendorCode string, in SetupSource) error) *Setup {
	return &Setup{accounts: accounts, organisations: organisations, addSource: addSource}
}

// Needed tells whether nobody can sign in yet.
func (s *Setup) Needed(ctx context.Context) (bool, error) {
	somebody, err := s.accounts.Store.AnyPerson(ctx)
	return !somebody, err
}

// Issue makes the token of a new link and ends earlier ones; only its hash is kept.
// Fault: account.setup_done when somebody can sign in already.
func (s *Setup) Issue(ctx context.Context) (token string, expiresAt time.Time, err error) {
	raw := make([]byte, 32)
	if _, err := rand.Read(raw); err != nil {
		return "", time.Time{}, err
	}
	token = base64.RawURLEncoding.EncodeToString(raw)
	now := s.accounts.Clock.Now()
	expiresAt = now.Add(SetupLife)
	err = s.accounts.Tx.InTx(ctx, func(ctx context.Context) error {
		if err := s.refuseIfDone(ctx); err != nil {
			return err
		}
		if err := s.accounts.Store.InsertSetup(ctx, setupHash(token), now, expiresAt); err != nil {
			return err
		}
		return s.accounts.Audit.Record(ctx, audit.Entry{Actor: "system", Action: "setup.issue", Object: "setup:link", Outcome: "done"})
	})
	if err != nil {
		return "", time.Time{}, err
	}
	return token, expiresAt, nil
}

func setupHash(token string) []byte {
	sum := sha256.Sum256([]byte("setup\x00" + token))
	return sum[:]
}

func (s *Setup) refuseIfDone(ctx context.Context) error {
	needed, err := s.Needed(ctx)
	if err != nil {
		return err
	}
	if !needed {
		return fault.Conflict("account.setup_done", nil)
	}
	return nil
}

// Check tells whether the link still opens, for showing the page. Faults: account.setup_refused,
// .setup_done.
func (s *Setup) Check(ctx context.Context, token string) error {
	if err := s.refuseIfDone(ctx); err != nil {
		return err
	}
	ok, err := s.accounts.Store.SetupOpen(ctx, setupHash(token), s.accounts.Clock.Now())
	if err == nil && !ok {
		err = fault.Denied("account.setup_refused", nil)
	}
	return err
}

// Complete spends the link and makes vendor, administrator and first source in one transaction: all
// or nothing, and the link stays good when something is refused. The administrator chose the
// password, so it need not be changed. Faults: account.setup_refused, .setup_done and those of the
// parts.
func (s *Setup) Complete(ctx context.Context, in SetupInput) (SetupResult, error) {
	if err := s.Check(ctx, in.Token); err != nil {
		return SetupResult{}, err
	}
	sc := scope.System("setup")
	var out SetupResult
	err := s.accounts.Tx.InTx(ctx, func(ctx context.Context) error {
		if err := s.refuseIfDone(ctx); err != nil {
			return err
		}
		ok, err := s.accounts.Store.SpendSetup(ctx, setupHash(in.Token), s.accounts.Clock.Now())
		if err != nil {
			return err
		}
		if !ok {
			return fault.Denied("account.setup_refused", nil)
		}
		org, err := s.organisations.Add(ctx, sc, organisation.AddInput{Code: in.OrgCode, Kind: organisation.KindVendor, Name: in.OrgName})
		if err != nil {
			return err
		}
		person, err := s.accounts.AddPerson(ctx, sc, AddPersonInput{OrgCode: org.Organisation.Code, Login: in.Login, Name: in.Name,
			Email: in.Email, Roles: []string{RoleAdmin}, Password: in.Password, KeepPassword: true})
		if err != nil {
			return err
		}
		out = SetupResult{org.Organisation, person.Person}
		if in.Source.Name == "" || s.addSource == nil {
			return nil
		}
		return s.addSource(ctx, sc, org.Organisation.Code, in.Source)
	})
	if err != nil {
		return SetupResult{}, err
	}
	return out, nil
}
