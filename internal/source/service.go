package source

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"time"

	"huoban/internal/audit"
	"huoban/internal/clock"
	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/id"
	"huoban/internal/ingest"
	"huoban/internal/organisation"
	"huoban/internal/scope"
)

// Tx runs a function in one transaction; fn may be run again.
type Tx interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
}

// Store keeps sources.
type Store interface {
	InsertSource(ctx context.Context, s Source) error
	Sources(ctx context.Context, sc scope.Scope, name, sourceID string) ([]Source, error)
	SetSourceSpan(ctx context.Context, s Source) error
}

// Organisations is what is asked of organisations.
type Organisations interface {
	EnsureVendor(ctx context.Context, sc scope.Scope, code string) (organisation.Organisation, error)
	ByCode(ctx context.Context, sc scope.Scope, code string) (organisation.Organisation, error)
	EntityByCode(ctx context.Context, vendorID, code string) (organisation.Entity, error)
}

// Service declares and lists sources.
type Service struct {
	store Store
	tx    Tx
	orgs  Organisations
	audit audit.Recorder
	clock clock.Clock
}

// New makes the service.
func New(store Store, tx Tx, orgs Organisations, recorder audit.Recorder, clk clock.Clock) *Service {
	return &Service{store, tx, orgs, recorder, clk}
}

// AddInput declares a source. Empty zone, mode and base are the dialect's own. Default and Loose name
// an organisation by code; Default empty is unmapped, Loose "spread" spreads, empty is the default.
type AddInput struct {
	Vendor, Name, Dialect, Zone string
	Mode                        Mode
	Base, KeyColumn             string
	Providers, Accounts         []string
	Currencies                  []string
	Default, Loose, Entity      string
	Columns                     map[string]string
	From, Until                 cycle.Cycle
}

var nameShape = regexp.MustCompile(`^[\p{L}\p{N}][\p{L}\p{N}._-]{0,62}$`)

// Validate checks what needs no look-up. Faults: source.name_malformed, source.vendor_missing,
// source.mode_unknown, source.span_empty, ingest.dialect_unknown and the others of ingest, cycle.zone_malformed.
func (in AddInput) Validate() error {
	if !nameShape.MatchString(in.Name) {
		return fault.Invalid("source.name_malformed", fault.Args{"name": in.Name})
	}
	if in.Vendor == "" {
		return fault.Invalid("source.vendor_missing", nil)
	}
	if in.Mode != "" && in.Mode != ModeSnapshot && in.Mode != ModeAppend {
		return fault.Invalid("source.mode_unknown", fault.Args{"mode": string(in.Mode)})
	}
	if in.From != "" && in.Until != "" && in.Until < in.From {
		return fault.Invalid("source.span_empty", fault.Args{"from": string(in.From), "until": string(in.Until)})
	}
	for _, c := range []cycle.Cycle{in.From, in.Until} {
		if c == "" {
			continue
		}
		if _, err := cycle.Parse(string(c)); err != nil {
			return err
		}
	}
	zone, err := cycle.ParseZone(in.Zone)
	if err != nil {
		return err
	}
	return ingest.Source{Dialect: in.Dialect, Zone: zone, Base: in.Base, KeyColumn: in.KeyColumn, Columns: in.Columns, Providers: in.Providers,
		Accounts: in.Accounts, Currencies: in.Currencies}.Validate()
}

// AddResult is the source and whether it is new.
type AddResult struct {
	Source Source
	Added  bool
}

// Add declares a source; its vendor is made if new. The same declaration again changes nothing.
// Faults: those of Validate, source.taken, organisation.unknown, organisation.entity_unknown,
// organisation.kind_mismatch, scope.permission_missing.
func (s *Service) Add(ctx context.Context, sc scope.Scope, in AddInput) (AddResult, error) {
	if err := sc.Require(scope.ItemSourceChange); err != nil {
		return AddResult{}, err
	}
	if err := in.Validate(); err != nil {
		return AddResult{}, err
	}
	var out AddResult
	err := s.tx.InTx(ctx, func(ctx context.Context) error {
		x, err := s.build(ctx, sc, in)
		if err != nil {
			return err
		}
		known, err := s.store.Sources(ctx, scope.System(sc.Login()), in.Name, "")
		if err != nil {
			return err
		}
		if len(known) == 1 {
			out = AddResult{Source: known[0]}
			if !sc.SeesVendor(known[0].VendorID) || !sameDeclaration(known[0], x, in) {
				return fault.Conflict("source.taken", fault.Args{"name": in.Name})
			}
			return nil
		}
		out = AddResult{Source: x, Added: true}
		if err := s.store.InsertSource(ctx, x); err != nil {
			return err
		}
		return s.audit.Record(ctx, audit.Entry{Actor: sc.Login(), OrgID: x.VendorID, Action: "source.add", Object: "source:" + x.Name,
			Outcome: "done", Detail: map[string]any{"dialect": x.Dialect, "zone": x.Zone, "mode": string(x.Mode), "base": x.Base,
				"key_column": x.KeyColumn, "default": x.DefaultOrg, "loose": string(x.Loose), "loose_customer": x.LooseOrg}})
	})
	return out, err
}

// build fills what was left out from the dialect and finds the organisations named.
func (s *Service) build(ctx context.Context, sc scope.Scope, in AddInput) (Source, error) {
	vendor, err := s.vendor(ctx, sc, in.Vendor)
	if err != nil {
		return Source{}, err
	}
	d, _ := ingest.Lookup(in.Dialect)
	x := Source{ID: id.New(), VendorID: vendor.ID, Vendor: vendor.Code, Name: in.Name, Dialect: d.Name, Zone: in.Zone, Mode: in.Mode,
		Base: in.Base, KeyColumn: in.KeyColumn, Providers: orEmpty(in.Providers), Accounts: orEmpty(in.Accounts),
		Currencies: orEmpty(in.Currencies), Columns: in.Columns, From: in.From, Until: in.Until, CreatedAt: s.clock.Now(), Loose: LooseDefault}
	if x.Columns == nil {
		x.Columns = map[string]string{}
	}
	if x.Zone == "" {
		x.Zone = zoneText(d.Zone)
	}
	if x.Mode == "" {
		x.Mode = Mode(d.Mode)
	}
	if x.Base == "" {
		x.Base = d.Base
	}
	if in.Default != "" {
		o, err := s.orgs.ByCode(ctx, sc, in.Default)
		if err != nil {
			return Source{}, err
		}
		x.DefaultOrgID, x.DefaultOrg = o.ID, o.Code
	}
	switch in.Loose {
	case "", string(LooseDefault):
	case string(LooseSpread):
		x.Loose = LooseSpread
	default:
		o, err := s.orgs.ByCode(ctx, sc, in.Loose)
		if err != nil {
			return Source{}, err
		}
		x.Loose, x.LooseOrgID, x.LooseOrg = LooseOrganisation, o.ID, o.Code
	}
	if in.Entity != "" {
		e, err := s.orgs.EntityByCode(ctx, vendor.ID, in.Entity)
		if err != nil {
			return Source{}, err
		}
		x.EntityID, x.Entity = e.ID, e.Code
	}
	return x, nil
}

// vendor finds or makes the vendor; vendor staff can only name their own.
func (s *Service) vendor(ctx context.Context, sc scope.Scope, code string) (organisation.Organisation, error) {
	if sc.Side() == scope.SideSystem {
		return s.orgs.EnsureVendor(ctx, sc, code)
	}
	o, err := s.orgs.ByCode(ctx, sc, code)
	if err == nil && (o.Kind != organisation.KindVendor || !sc.SeesVendor(o.ID)) {
		err = fault.NotFound("organisation.unknown", fault.Args{"code": code})
	}
	return o, err
}

func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

func zoneText(z *time.Location) string {
	if z == nil || z == time.UTC {
		return "UTC"
	}
	_, offset := time.Unix(0, 0).In(z).Zone()
	sign := '+'
	if offset < 0 {
		sign, offset = '-', -offset
	}
	return fmt.Sprintf("%c%02d:%02d", sign, offset/3600, offset/60%60)
}

// sameDeclaration compares what was asked for with what stands; targets that were changed later and
// are not named again do not count.
func sameDeclaration(a, b Source, in AddInput) bool {
	same := a.VendorID == b.VendorID && a.Dialect == b.Dialect && a.Zone == b.Zone && a.Mode == b.Mode && a.Base == b.Base &&
		slices.Equal(a.Providers, b.Providers) && slices.Equal(a.Accounts, b.Accounts) && slices.Equal(a.Currencies, b.Currencies) &&
		a.EntityID == b.EntityID && len(a.Columns) == len(b.Columns) && a.From == b.From && a.Until == b.Until
	for k, v := range b.Columns {
		same = same && a.Columns[k] == v
	}
	if in.KeyColumn != "" {
		same = same && a.KeyColumn == b.KeyColumn
	}
	if in.Default != "" {
		same = same && a.DefaultOrgID == b.DefaultOrgID
	}
	if in.Loose != "" {
		same = same && a.Loose == b.Loose && a.LooseOrgID == b.LooseOrgID
	}
	return same
}

// List gives the sources in scope in order of name. Faults: scope.permission_missing.
func (s *Service) List(ctx context.Context, sc scope.Scope) ([]Source, error) {
	if err := sc.Require(scope.ItemSourceView); err != nil {
		return nil, err
	}
	return s.store.Sources(ctx, sc, "", "")
}

// ByName gives a source in scope. Faults: source.unknown.
func (s *Service) ByName(ctx context.Context, sc scope.Scope, name string) (Source, error) {
	return s.one(ctx, sc, name, "")
}

// ByID gives a source in scope. Faults: source.unknown.
func (s *Service) ByID(ctx context.Context, sc scope.Scope, sourceID string) (Source, error) {
	return s.one(ctx, sc, "", sourceID)
}

func (s *Service) one(ctx context.Context, sc scope.Scope, name, sourceID string) (Source, error) {
	if name != "" || sourceID != "" {
		list, err := s.store.Sources(ctx, sc, name, sourceID)
		if err != nil {
			return Source{}, err
		}
		if len(list) == 1 {
			return list[0], nil
		}
	}
	return Source{}, fault.NotFound("source.unknown", fault.Args{"name": name})
}

// OfVendor lists a vendor's sources, for the program's own work.
func (s *Service) OfVendor(ctx context.Context, vendorID string) ([]Source, error) {
	all, err := s.store.Sources(ctx, scope.System("system"), "", "")
	return slices.DeleteFunc(all, func(x Source) bool { return x.VendorID != vendorID }), err
}

// SetSpan changes from when and until when deliveries are expected. Faults: source.unknown,
// source.span_empty, scope.permission_missing.
func (s *Service) SetSpan(ctx context.Context, sc scope.Scope, name string, from, until cycle.Cycle) error {
	if err := sc.Require(scope.ItemSourceChange); err != nil {
		return err
	}
	if from != "" && until != "" && until < from {
		return fault.Invalid("source.span_empty", fault.Args{"from": string(from), "until": string(until)})
	}
	return s.tx.InTx(ctx, func(ctx context.Context) error {
		x, err := s.ByName(ctx, sc, name)
		if err != nil || x.From == from && x.Until == until {
			return err
		}
		x.From, x.Until = from, until
		if err := s.store.SetSourceSpan(ctx, x); err != nil {
			return err
		}
		return s.audit.Record(ctx, audit.Entry{Actor: sc.Login(), OrgID: x.VendorID, Action: "source.set_span", Object: "source:" + x.Name,
			Outcome: "done", Detail: map[string]any{"from": string(from), "until": string(until)}})
	})
}
