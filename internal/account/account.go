// Package account is who may sign in and what for: persons (人员), roles (角色) made of permission
// items, passwords, second factors and the first-run set-up link.
//
// It owns persons, roles and their rules, the sign-in decision with its throttling, and how a person
// becomes a scope. It does not own organisations, sessions or the cookie.
//
// Invariants: a login is unique whatever its case and never changes; a person holds one to three
// roles per organisation; 系统管理员 combines with nothing; 客户经理 and 客户经理主管 exclude each other;
// only failures count against a login or an address; a password is kept as argon2id and appears in no
// log, audit row or fault; a one-time code and a recovery code pass once.
package account

import (
	"context"
	"time"

	"huoban/internal/audit"
	"huoban/internal/clock"
	"huoban/internal/organisation"
	"huoban/internal/scope"
)

// PersonState is whether a person may sign in.
type PersonState string

// The states.
const (
	PersonActive   PersonState = "active"
	PersonDisabled PersonState = "disabled"
)

// Person is one human being with a login.
type Person struct {
	ID                string
	OrgID             string // the organisation the person belongs to
	Login             string
	Name              string
	Phone             string
	Email             string
	State             PersonState
	MustChange        bool   // the password must be changed before anything else
	HasTOTP           bool   // a second factor is confirmed
	HasPassword       bool   // one was chosen; without it only a link or a partner's platform lets in
	SupervisorID      string // the 客户经理主管 of a 客户经理; may be empty
	CreatedAt         time.Time
	PasswordChangedAt time.Time
	LastSignInAt      time.Time
}

// Membership is an organisation a person may act for, with the roles held there.
type Membership struct {
	Organisation organisation.Organisation
	Roles        []string
	Named        map[string]string // names of custom roles by code
}

// Staff is a person as lists show it.
type Staff struct {
	Person
	OrgCode string
	Roles   []string // in the person's own organisation
}

// Label is the key of the state's name.
func (s PersonState) Label() string { return "account.state." + string(s) }

// Role is a preset or custom role of an organisation; OrgID is empty for presets.
type Role struct {
	OrgID  string
	Code   string
	Name   string // of custom roles; presets are named by account.role.<side>.<code>
	Side   scope.Side
	Preset bool
	Items  []scope.Item
}

// Tx runs a function in one transaction; fn may be run again.
type Tx interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
}

// Sessions ends sessions; internal/session implements it. It joins the transaction of ctx.
type Sessions interface {
	// RevokePerson ends every session of the person except the one named, if any.
	RevokePerson(ctx context.Context, personID, except string) error
}

// Windows tells which customers persons of a partner look after and when; package customer implements it.
type Windows interface {
	Windows(ctx context.Context, partnerID string, personIDs []string) ([]scope.Window, error)
}

// Organisations is what accounts ask of organisations.
type Organisations interface {
	ByID(ctx context.Context, sc scope.Scope, orgID string) (organisation.Organisation, error)
	ByCode(ctx context.Context, sc scope.Scope, code string) (organisation.Organisation, error)
	Resellers(ctx context.Context, distributorID string) ([]organisation.Organisation, error)
}

// Deps is what the service stands on. Secret is the installation's key; it seals second factors.
type Deps struct {
	Store         Store
	Tx            Tx
	Audit         audit.Recorder
	Clock         clock.Clock
	Organisations Organisations
	Windows       Windows
	Sessions      Sessions
	Letters       Letters // nil: links are handed over by hand
	Secret        []byte
	Issuer        string   // name shown by authenticator apps
	Hashing       *Hashing // nil = DefaultHashing
}

// Service knows persons and decides sign-ins.
type Service struct {
	Deps
	hasher *hasher
}

// New makes the service.
func New(d Deps) (*Service, error) {
	h, err := newHasher(d.Hashing)
	if err != nil {
		return nil, err
	}
	if d.Issuer == "" {
		d.Issuer = "Huoban"
	}
	return &Service{Deps: d, hasher: h}, nil
}

// self is the scope in which the service looks up organisations for its own decisions.
func self() scope.Scope { return scope.System("system") }

// SideOf is the side of a kind of organisation.
func SideOf(k organisation.Kind) scope.Side {
	switch {
	case k == organisation.KindVendor:
		return scope.SideVendor
	case k.IsPartner():
		return scope.SidePartner
	case k == organisation.KindCustomer:
		return scope.SideCustomer
	}
	return scope.SideNobody
}
