// Package accountstore keeps persons, roles, throttles, second factors and set-up links.
//
// It owns those tables' queries; it does not own rules. Secrets arrive hashed or sealed.
package accountstore

import (
	"context"
	"database/sql"
	"embed"
	"strings"
	"time"

	"huoban/internal/account"
	"huoban/internal/fault"
	"huoban/internal/scope"
	"huoban/internal/store"
)

//go:embed query/*.sql
var files embed.FS

var (
	q               = store.Load(files)
	qPersonInsert   = q.Get("person.Insert")
	qVerifyEmail    = q.Get("person.VerifyEmail")
	qPersonByLogin  = q.Get("person.ByLogin")
	qPersonByID     = q.Get("person.ByID")
	qPersonUpdate   = q.Get("person.Update")
	qPersonPassword = q.Get("person.SetPassword")
	qPersonTouch    = q.Get("person.TouchSignIn")
	qPersonAll      = q.Get("person.All")
	qPersonOfOrg    = q.Get("person.OfOrganisation")
	qPersonAny      = q.Get("person.Any")
	qPersonTeam     = q.Get("person.Team")
	qPersonRelease  = q.Get("person.ReleaseTeam")
	qGrantOfPerson  = q.Get("grant.OfPerson")
	qGrantOfOrg     = q.Get("grant.OfOrganisation")
	qGrantClear     = q.Get("grant.Clear")
	qGrantAdd       = q.Get("grant.Add")
	qRoleOfOrg      = q.Get("role.OfOrganisation")
	qRoleSave       = q.Get("role.Save")
	qRoleClearItems = q.Get("role.ClearItems")
	qRoleAddItem    = q.Get("role.AddItem")
	qRoleDelete     = q.Get("role.Delete")
	qThrottleOne    = q.Get("throttle.One")
	qThrottleSave   = q.Get("throttle.Save")
	qThrottleClear  = q.Get("throttle.Clear")
	qThrottlePurge  = q.Get("throttle.Purge")
	qFactorOne      = q.Get("factor.One")
	qFactorSave     = q.Get("factor.Save")
	qFactorDelete   = q.Get("factor.Delete")
	qFactorAdvance  = q.Get("factor.Advance")
	qRecoveryClear  = q.Get("recovery.Clear")
	qRecoveryAdd    = q.Get("recovery.Add")
	qRecoverySpend  = q.Get("recovery.Spend")
	qLinkInsert     = q.Get("link.Insert")
	qLinkOpen       = q.Get("link.Open")
	qLinkOfOrg      = q.Get("link.OfOrganisation")
	qLinkSpend      = q.Get("link.Spend")
	qLinkEndAll     = q.Get("link.EndAll")
	qContactOfOrg   = q.Get("contact.OfOrganisation")
	qContactAdd     = q.Get("contact.Add")
	qContactRemove  = q.Get("contact.Remove")
	qSetupEndAll    = q.Get("setup.EndAll")
	qSetupAdd       = q.Get("setup.Add")
	qSetupOpen      = q.Get("setup.Open")
	qSetupSpend     = q.Get("setup.Spend")
)

// Store implements account.Store.
type Store struct{ db *store.DB }

// New makes the store.
func New(db *store.DB) *Store { return &Store{db} }

func nullText(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }

// InsertPerson writes a new person.
func (s *Store) InsertPerson(ctx context.Context, p account.Person, hash string) error {
	_, err := s.db.Exec(ctx, qPersonInsert, p.ID, p.OrgID, p.Login, strings.ToLower(p.Login), p.Name, p.Phone, p.Email, string(p.State), hash,
		p.MustChange, nullText(p.SupervisorID), store.At(p.CreatedAt), store.At(p.PasswordChangedAt), store.At(p.LastSignInAt))
	return err
}

// row holds a person while it is read.
type row struct {
	c                                    account.Credentials
	boss                                 sql.NullString
	created, changed, seen, hasConfirmed store.Instant
}

func (r *row) dest() []any {
	return []any{&r.c.ID, &r.c.OrgID, &r.c.Login, &r.c.Name, &r.c.Phone, &r.c.Email, &r.c.State, &r.c.MustChange, &r.boss,
		&r.created, &r.changed, &r.seen, &r.hasConfirmed, &r.c.Hash}
}

func (r *row) credentials() account.Credentials {
	c := r.c
	c.SupervisorID, c.CreatedAt, c.PasswordChangedAt, c.LastSignInAt = r.boss.String, r.created.Time, r.changed.Time, r.seen.Time
	c.HasTOTP, c.HasPassword = !r.hasConfirmed.IsZero(), c.Hash != ""
	return c
}

func (s *Store) one(ctx context.Context, q store.Query, arg string) (account.Credentials, error) {
	var r row
	if err := s.db.Row(ctx, q, "account.unknown", []any{arg}, r.dest()...); err != nil {
		return account.Credentials{}, err
	}
	return r.credentials(), nil
}

// Credentials finds a person by login in any case. Fault: account.unknown.
func (s *Store) Credentials(ctx context.Context, login string) (account.Credentials, error) {
	return s.one(ctx, qPersonByLogin, strings.ToLower(login))
}

// CredentialsByID finds a person. Fault: account.unknown.
func (s *Store) CredentialsByID(ctx context.Context, personID string) (account.Credentials, error) {
	return s.one(ctx, qPersonByID, personID)
}

// PersonByID finds a person without what proves it. Fault: account.unknown.
func (s *Store) PersonByID(ctx context.Context, personID string) (account.Person, error) {
	c, err := s.one(ctx, qPersonByID, personID)
	return c.Person, err
}

// VerifyEmail notes that an address is the person's own; false when it was known, or is another by now.
func (s *Store) VerifyEmail(ctx context.Context, personID, email string, at time.Time) (bool, error) {
	n, err := s.db.Exec(ctx, qVerifyEmail, personID, email, store.At(at))
	return n == 1, err
}

// UpdatePerson writes name, phone, email, state and supervisor.
func (s *Store) UpdatePerson(ctx context.Context, p account.Person) error {
	_, err := s.db.Exec(ctx, qPersonUpdate, p.ID, p.Name, p.Phone, p.Email, string(p.State), nullText(p.SupervisorID))
	return err
}

// UpdatePassword writes the hash and whether it must be changed.
func (s *Store) UpdatePassword(ctx context.Context, personID, hash string, mustChange bool, at time.Time) error {
	_, err := s.db.Exec(ctx, qPersonPassword, personID, hash, mustChange, store.At(at))
	return err
}

// TouchSignIn notes the last sign-in.
func (s *Store) TouchSignIn(ctx context.Context, personID string, at time.Time) error {
	_, err := s.db.Exec(ctx, qPersonTouch, personID, store.At(at))
	return err
}

// Staff lists the persons inside the scope.
func (s *Store) Staff(ctx context.Context, sc scope.Scope) ([]account.Person, error) {
	query, args := qPersonOfOrg, []any{sc.OrgID()}
	switch sc.Side() {
	case scope.SideNobody:
		return nil, nil
	case scope.SideSystem:
		query, args = qPersonAll, nil
	}
	var out []account.Person
	err := s.db.Each(ctx, query, args, func(rows *sql.Rows) error {
		var r row
		err := rows.Scan(r.dest()...)
		out = append(out, r.credentials().Person)
		return err
	})
	return out, err
}

// AnyPerson tells whether there is anybody.
func (s *Store) AnyPerson(ctx context.Context) (bool, error) {
	var n int64
	err := s.db.Row(ctx, qPersonAny, "account.unknown", nil, &n)
	return n > 0, err
}

// Team lists the managers under a supervisor.
func (s *Store) Team(ctx context.Context, orgID, supervisorID string) ([]string, error) {
	var out []string
	err := s.db.Each(ctx, qPersonTeam, []any{orgID, supervisorID}, func(rows *sql.Rows) error {
		var id string
		err := rows.Scan(&id)
		out = append(out, id)
		return err
	})
	return out, err
}

// ReleaseTeam leaves the supervisor's managers without one and tells how many.
func (s *Store) ReleaseTeam(ctx context.Context, supervisorID string) (int64, error) {
	return s.db.Exec(ctx, qPersonRelease, supervisorID)
}

func (s *Store) grants(ctx context.Context, q store.Query, arg string) ([]account.Grant, error) {
	var out []account.Grant
	err := s.db.Each(ctx, q, []any{arg}, func(rows *sql.Rows) error {
		var g account.Grant
		err := rows.Scan(&g.PersonID, &g.OrgID, &g.Role)
		out = append(out, g)
		return err
	})
	return out, err
}

// Grants lists the roles of a person everywhere.
func (s *Store) Grants(ctx context.Context, personID string) ([]account.Grant, error) {
	return s.grants(ctx, qGrantOfPerson, personID)
}

// GrantsOf lists the roles held in an organisation.
func (s *Store) GrantsOf(ctx context.Context, orgID string) ([]account.Grant, error) {
	return s.grants(ctx, qGrantOfOrg, orgID)
}

// SetGrants replaces the roles of a person in an organisation.
func (s *Store) SetGrants(ctx context.Context, personID, orgID string, roles []string) error {
	if _, err := s.db.Exec(ctx, qGrantClear, personID, orgID); err != nil {
		return err
	}
	for _, r := range roles {
		if _, err := s.db.Exec(ctx, qGrantAdd, personID, orgID, r); err != nil {
			return err
		}
	}
	return nil
}

// CustomRoles lists an organisation's own roles by code.
func (s *Store) CustomRoles(ctx context.Context, orgID string) ([]account.Role, error) {
	var out []account.Role
	err := s.db.Each(ctx, qRoleOfOrg, []any{orgID}, func(rows *sql.Rows) error {
		var code, name string
		var item sql.NullString
		if err := rows.Scan(&code, &name, &item); err != nil {
			return err
		}
		if len(out) == 0 || out[len(out)-1].Code != code {
			out = append(out, account.Role{OrgID: orgID, Code: code, Name: name})
		}
		if item.Valid {
			last := &out[len(out)-1]
			last.Items = append(last.Items, scope.Item(item.String))
		}
		return nil
	})
	return out, err
}

// SaveRole writes a custom role with its items.
func (s *Store) SaveRole(ctx context.Context, r account.Role, at time.Time) error {
	if _, err := s.db.Exec(ctx, qRoleSave, r.OrgID, r.Code, r.Name, store.At(at)); err != nil {
		return err
	}
	if _, err := s.db.Exec(ctx, qRoleClearItems, r.OrgID, r.Code); err != nil {
		return err
	}
	for _, i := range r.Items {
		if _, err := s.db.Exec(ctx, qRoleAddItem, r.OrgID, r.Code, string(i)); err != nil {
			return err
		}
	}
	return nil
}

// DeleteRole removes a custom role.
func (s *Store) DeleteRole(ctx context.Context, orgID, code string) error {
	if _, err := s.db.Exec(ctx, qRoleClearItems, orgID, code); err != nil {
		return err
	}
	n, err := s.db.Exec(ctx, qRoleDelete, orgID, code)
	if err == nil && n == 0 {
		err = fault.NotFound("account.role_unknown", fault.Args{"role": code, "known": ""})
	}
	return err
}
