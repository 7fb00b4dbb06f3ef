package registry

import (
	"context"
	"crypto/rsa"
	"sync"
	"time"

	"huoban/internal/audit"
	"huoban/internal/clock"
	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/internal/sso"
	"huoban/internal/sso/metadata"
)

// Platform is a partner's sales platform as it is registered. Codes of bindings are those of package sso.
type Platform struct {
	ID          string
	Version     int64
	PartnerID   string
	Key         string
	EntityID    string
	ACSURLs     []string // of every public address the portal has had
	AccountType string
	Name        string
	State       sso.State

	IdPEntityID    string
	SSOURL         string
	SSOBinding     sso.Binding
	SLOURL         string
	SLOResponseURL string
	SLOBinding     sso.Binding
	Source         Source
	MetadataURL    string
	MetadataID     string
	PinnedSigner   []byte

	SignRequests       bool
	WantResponseSigned bool
	WantEncrypted      bool
	AllowIdPInitiated  bool
	FirstEntry         sso.FirstEntry
	Association        string // 关联类型 of who comes in for the first time: resale or referral
	AuthnContextMin    string
	MaxAuthnAge        time.Duration
	Skew               time.Duration
	Mapping            sso.Mapping
	DefaultReturnID    string
	NotifyURL          string
	SharedEntityOK     bool
	WeakKeyUntil       time.Time
	Held               bool // disabled by the operator
	CreatedBy          string
	CreatedAt          time.Time
	UpdatedAt          time.Time
}

// Source is where a document came from.
type Source string

// The sources of a document.
const (
	SourceNone Source = ""
	SourceFile Source = "file"
	SourceURL  Source = "url"
)

// CertRow is a certificate of theirs with what was told about it.
type CertRow struct {
	ID         string
	IdPID      string
	MetadataID string
	sso.Certificate
	WarnedAt   time.Time
	WarnedDays int
}

// KeyRow is a key of ours, its private half sealed.
type KeyRow struct {
	ID          string
	Version     int64
	EntityKind  metadata.Role
	EntityKey   string
	Use         sso.KeyUse
	State       sso.KeyState
	CertDER     []byte
	Sealed      []byte
	KEKID       string
	PublishedAt time.Time
	SwitchedAt  time.Time
	RetiredAt   time.Time
	NotAfter    time.Time
	CreatedAt   time.Time
}

// The states of a kept document.
const (
	DocumentApplied = "applied"
	DocumentPending = "pending"
	DocumentRefused = "refused"
)

// DocumentRow is a document that was taken, refused, or waits.
type DocumentRow struct {
	ID         string
	OwnerKind  metadata.Role
	OwnerID    string
	SHA256     []byte
	XML        string
	Signer     string
	ValidUntil time.Time
	Cache      time.Duration
	ETag       string
	FetchedAt  time.Time
	State      string
	Code       string
	Diff       metadata.Diff
	DecidedBy  string
	DecidedAt  time.Time
}

// FetchRow says when a document is fetched again.
type FetchRow struct {
	OwnerID      string
	NextAt       time.Time
	LeaseUntil   time.Time
	LeaseBy      string
	Failures     int
	FailingSince time.Time
	LastCode     string
	LastOKAt     time.Time
}

// Refusal is one refused message as the owner of the registration may see it.
type Refusal struct {
	Ref, Side, Route, PeerID, PartnerID, Code, Step, Facts, Issuer, RequestID, IP, Agent string
	At, LastAt                                                                           time.Time
	Repeats                                                                              int64
}

// SignIn is one accepted message.
type SignIn struct {
	ID, Purpose, CustomerID, AssertionID, IP string
	At                                       time.Time
	Drift                                    time.Duration
}

// Seen is what a list says about a registration's use.
type Seen struct {
	LastSignIn time.Time
	Refused    int64 // during the last day
}

// Tx runs a function in one transaction; fn may be run again.
type Tx interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
}

// Organisations is what is asked of organisations.
type Organisations interface {
	ByID(ctx context.Context, sc scope.Scope, orgID string) (organisation.Organisation, error)
	Suspended(ctx context.Context, orgID string) (bool, error)
	VendorsOf(ctx context.Context, partner organisation.Organisation) ([]organisation.Organisation, error)
}

// Fetcher gets a document from an address that a partner named. Faults: sso.md.url, .address, .redirect,
// .tls, .fetch, .size. A nil body says that the document under the etag is still the newest.
type Fetcher interface {
	Fetch(ctx context.Context, address, etag string) (body []byte, newETag string, err error)
}

// News is what a partner's administrators are told of, or, of a console, those who look after it.
type News struct {
	Platform Platform
	Console  *Console
	Code     string // of a sentence: "sso_cert_ends", "sso_metadata_changed", …
	Args     fault.Args
	Once     string // what makes it another one, so that each is told once
}

// Deps is what the service stands on. Secret is the installation's; Base its public address; NewKey makes a key
// pair (nil: RSA-3072); Told tells a partner's administrators inside the running transaction.
type Deps struct {
	Store  Store
	Tx     Tx
	Log    flow.Log
	Audit  audit.Recorder
	Clock  clock.Clock
	Orgs   Organisations
	Fetch  Fetcher
	Secret []byte
	Base   string
	NewKey func() (*rsa.PrivateKey, error)
	Told   func(ctx context.Context, n News) error
	// Switched lets a partner's customers know, in the running transaction, that its platform is off or on again; actor is
	// the partner's person, or nobody.
	Switched func(ctx context.Context, partnerID, actor string, off bool) error
	// Version moves, in the change's own transaction, with every change of what a registration is made of; nil
	// keeps nothing.
	Version func(ctx context.Context) (int64, error)
}

// Service is the registry.
type Service struct {
	Deps
	opened sync.Map // id of a key → its private half; rows of keys never change their pair
	kept   keptBook
}

// New makes the service.
func New(d Deps) *Service {
	if d.NewKey == nil {
		d.NewKey = newKey
	}
	if d.Told == nil {
		d.Told = func(context.Context, News) error { return nil }
	}
	return &Service{Deps: d}
}

var unknown = fault.NotFound("sso.reg.unknown", nil)

// see says whether the actor may look at what is a partner's: its own people, who hold the item, and the system.
func see(sc scope.Scope, partnerID string, items ...scope.Item) bool {
	return sc.Side() == scope.SideSystem || sc.Is(scope.SidePartner, partnerID) && sc.Has(items...)
}

// Find gives a registration by id or key; one of somebody else is unknown. Fault: sso.reg.unknown.
func (s *Service) Find(ctx context.Context, sc scope.Scope, name string) (Platform, error) {
	p, err := s.mine(ctx, sc, name)
	if err == nil && p.State == sso.StateDeleted {
		return Platform{}, unknown
	}
	return p, err
}

// mine gives what was deleted too, so that who acts on it is told by whom.
func (s *Service) mine(ctx context.Context, sc scope.Scope, name string) (Platform, error) {
	p, ok, err := s.Store.Platform(ctx, name)
	if err != nil {
		return p, err
	}
	if !ok || !see(sc, p.PartnerID, scope.ItemAccessConfigView, scope.ItemAccessConfigChange) {
		return Platform{}, unknown
	}
	return p, nil
}

// change is Find for who may change it.
func (s *Service) change(ctx context.Context, sc scope.Scope, name string) (Platform, error) {
	p, err := s.Find(ctx, sc, name)
	if err != nil {
		return p, err
	}
	return p, sc.Require(scope.ItemAccessConfigChange)
}

// List gives the registrations the actor may see, the oldest first; partnerID narrows a list of the system's.
func (s *Service) List(ctx context.Context, sc scope.Scope, partnerID string) ([]Platform, error) {
	if sc.Side() != scope.SideSystem {
		if !see(sc, sc.OrgID(), scope.ItemAccessConfigView, scope.ItemAccessConfigChange) {
			return nil, sc.Require(scope.ItemAccessConfigView)
		}
		partnerID = sc.OrgID()
	}
	all, err := s.Store.Platforms(ctx, partnerID)
	if err != nil {
		return nil, err
	}
	out := all[:0]
	for _, p := range all {
		if p.State != sso.StateDeleted {
			out = append(out, p)
		}
	}
	return out, nil
}

// Registration gives what a message to an entity of ours is judged by: by the key in its address, or by the
// mark of the platform (xAccountType). A deleted one is unknown. Its Version tells two of them apart. It is not
// asked inside a transaction: what is kept must have been committed.
func (s *Service) Registration(ctx context.Context, keyOrType string) (sso.Registration, bool, error) {
	if s.Version == nil {
		return s.find(ctx, keyOrType)
	}
	version, err := s.Version(ctx)
	if err != nil {
		return sso.Registration{}, false, err
	}
	now := s.Clock.Now()
	if r, ok := s.kept.get(keyOrType, version, now); ok {
		return r, true, nil
	}
	r, ok, err := s.find(ctx, keyOrType)
	if ok && err == nil {
		s.kept.put(keyOrType, r, version, now)
	}
	return r, ok, err
}

func (s *Service) find(ctx context.Context, keyOrType string) (sso.Registration, bool, error) {
	p, ok, err := s.Store.Platform(ctx, keyOrType)
	if err == nil && !ok {
		p, ok, err = s.Store.PlatformByType(ctx, keyOrType)
	}
	if err != nil || !ok || p.State == sso.StateDeleted {
		return sso.Registration{}, false, err
	}
	r, err := s.registration(ctx, p)
	return r, err == nil, err
}

func (s *Service) registration(ctx context.Context, p Platform) (sso.Registration, error) {
	org, err := s.Orgs.ByID(ctx, scope.System("sso"), p.PartnerID)
	if err != nil {
		return sso.Registration{}, err
	}
	suspended, err := s.Orgs.Suspended(ctx, p.PartnerID)
	if err != nil {
		return sso.Registration{}, err
	}
	r := sso.Registration{ID: p.ID, PartnerID: p.PartnerID, BpID: org.Code, PartnerName: org.Name, PartnerActive: !suspended, Key: p.Key,
		AccountType: p.AccountType, Name: p.Name, State: p.State, Version: p.Version, EntityID: p.EntityID, ACS: s.ACS(p.Key), SLO: s.SLO(p.Key),
		IdPEntityID: p.IdPEntityID, SSOURL: p.SSOURL, SSOBinding: p.SSOBinding, SLOURL: p.SLOURL, SLOResponseURL: p.SLOResponseURL,
		SLOBinding: p.SLOBinding, SignRequests: p.SignRequests, WantResponseSigned: p.WantResponseSigned, WantEncrypted: p.WantEncrypted,
		AllowIdPInitiated: p.AllowIdPInitiated, FirstEntry: p.FirstEntry, Association: p.Association, AuthnContextMin: p.AuthnContextMin, MaxAuthnAge: p.MaxAuthnAge,
		Skew: p.Skew, WeakKeyUntil: p.WeakKeyUntil, Mapping: p.Mapping, DefaultReturnID: p.DefaultReturnID, NotifyURL: p.NotifyURL,
		SharedEntityOK: p.SharedEntityOK}
	if r.Keys, err = s.keys(ctx, p.Key); err != nil {
		return r, err
	}
	if r.Returns, err = s.Store.Returns(ctx, p.ID); err != nil {
		return r, err
	}
	certs, err := s.Store.Certs(ctx, p.ID)
	if err != nil {
		return r, err
	}
	if r.Certs, err = s.inForce(ctx, p, certs); err != nil {
		return r, err
	}
	return r, nil
}

// inForce are their certificates, none of which is current any more once the document they came with has been
// over for too long.
func (s *Service) inForce(ctx context.Context, p Platform, rows []CertRow) ([]sso.Certificate, error) {
	stale := false
	if p.Source == SourceURL && p.MetadataID != "" {
		d, ok, err := s.Store.Document(ctx, p.MetadataID)
		if err != nil {
			return nil, err
		}
		stale = ok && metadata.Stale(d.ValidUntil, s.Clock.Now())
	}
	var out []sso.Certificate
	for _, c := range rows {
		if stale && c.State == sso.CertStateCurrent {
			c.State = sso.CertStateRemoved
		}
		out = append(out, c.Certificate)
	}
	return out, nil
}

// The addresses of an entity of ours.
func (s *Service) address(kind, key, last string) string {
	return s.Base + "/saml/" + kind + "/" + key + "/" + last
}

// ACS is where a platform's answers come to.
func (s *Service) ACS(key string) string { return s.address("sp", key, "acs") }

// SLO is where a platform's logouts come to.
func (s *Service) SLO(key string) string { return s.address("sp", key, "slo") }

// Entry is the link by which a platform's customers begin; the service is to be put behind it.
func (s *Service) Entry(p Platform) string {
	return s.Base + "/authui/saml/login?xAccountType=" + p.AccountType + "&isFirstLogin=true&service="
}

func (s *Service) record(ctx context.Context, sc scope.Scope, p Platform, action string, detail map[string]any) error {
	return s.Audit.Record(ctx, audit.Entry{Actor: sc.Login(), OrgID: p.PartnerID, Action: action, Object: "platform:" + p.Key, Detail: detail})
}

// save writes a changed registration by compare-and-set and raises its version.
func (s *Service) save(ctx context.Context, p *Platform) error {
	p.UpdatedAt = s.Clock.Now()
	won, err := s.Store.UpdatePlatform(ctx, *p)
	if err != nil {
		return err
	}
	if !won {
		return flow.Lost(ctx, s.Log, Flow.Machine, p.ID)
	}
	p.Version++
	return nil
}
