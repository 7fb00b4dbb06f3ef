package organisation

import (
	"context"
	"strings"

	"huoban/internal/audit"
	"huoban/internal/clock"
	"huoban/internal/fault"
	"huoban/internal/id"
	"huoban/internal/scope"
)

// Service changes and reads organisations.
type Service struct {
	store Store
	tx    Tx
	audit audit.Recorder
	clock clock.Clock

	// Told is told, in the transaction, that a partner was suspended or may go on; nil tells nobody.
	Told func(ctx context.Context, partnerID string, suspended bool) error
}

// New makes the service.
func New(store Store, tx Tx, recorder audit.Recorder, clk clock.Clock) *Service {
	return &Service{store: store, tx: tx, audit: recorder, clock: clk}
}

// AddInput names a new organisation.
type AddInput struct {
	Code       string
	Kind       Kind
	Name       string
	ParentCode string // vendor of a partner, distributor of a reseller; empty where allowed
}

// Validate checks what needs no look-up. Faults: organisation.kind_unknown, .code_malformed,
// .name_malformed.
func (in AddInput) Validate() error {
	if _, known := parentRules[in.Kind]; !known {
		return fault.Invalid("organisation.kind_unknown", fault.Args{"kind": string(in.Kind)})
	}
	if err := CheckCode(in.Kind, in.Code); err != nil {
		return err
	}
	return CheckName(in.Name)
}

// AddResult is the organisation and whether it is new.
type AddResult struct {
	Organisation Organisation
	Added        bool
}

// Add makes an organisation; the same input again changes nothing. Vendor staff may add partners and
// customers of their own vendor; vendors are made by the operator. A vendor gets its default
// contracting entity, a partner under a vendor its partnership. Faults: those of Validate,
// organisation.unknown (parent), .parent_missing, .parent_refused, .code_taken, scope.permission_missing.
func (s *Service) Add(ctx context.Context, sc scope.Scope, in AddInput) (AddResult, error) {
	in.Name = strings.TrimSpace(in.Name)
	if in.Name == "" {
		in.Name = in.Code
	}
	if err := in.Validate(); err != nil {
		return AddResult{}, err
	}
	var out AddResult
	err := s.tx.InTx(ctx, func(ctx context.Context) error {
		parent, err := s.parent(ctx, sc, in)
		if err != nil {
			return err
		}
		if err := s.mayAdd(ctx, sc, in.Kind, parent); err != nil {
			return err
		}
		known, err := s.store.ByCode(ctx, in.Code)
		if err == nil {
			out = AddResult{Organisation: known}
			return s.sameAgain(ctx, sc, known, in, parent)
		}
		if !fault.Is(err, fault.KindNotFound) {
			return err
		}
		o, err := s.insert(ctx, sc, in.Code, in.Kind, in.Name, parent)
		out = AddResult{Organisation: o, Added: true}
		return err
	})
	return out, err
}

func (s *Service) parent(ctx context.Context, sc scope.Scope, in AddInput) (*Organisation, error) {
	code := in.ParentCode
	if code == "" {
		if sc.Side() == scope.SideVendor && in.Kind != KindReseller && in.Kind.IsPartner() {
			o, err := s.store.ByID(ctx, sc.OrgID())
			return &o, err
		}
		return nil, CheckParent(in.Kind, nil)
	}
	o, err := s.store.ByCode(ctx, code)
	if err != nil {
		return nil, withCode(err, code)
	}
	return &o, CheckParent(in.Kind, &o)
}

// mayAdd keeps vendor staff inside their own vendor.
func (s *Service) mayAdd(ctx context.Context, sc scope.Scope, kind Kind, parent *Organisation) error {
	if err := sc.Require(scope.ItemOrgChange); err != nil {
		return err
	}
	if sc.Side() == scope.SideSystem {
		return nil
	}
	if sc.Side() != scope.SideVendor || kind == KindVendor {
		return fault.Denied("organisation.operator_only", fault.Args{"kind": string(kind)})
	}
	switch {
	case parent == nil:
		return nil
	case parent.Kind == KindVendor:
		if !sc.SeesVendor(parent.ID) {
			return fault.NotFound("organisation.unknown", fault.Args{"code": parent.Code})
		}
	default:
		if _, ok, err := s.store.Partnership(ctx, sc.OrgID(), parent.ID); err != nil || !ok {
			if err != nil {
				return err
			}
			return fault.NotFound("organisation.unknown", fault.Args{"code": parent.Code})
		}
	}
	return nil
}

// sameAgain accepts a repeat of what stands and adds a partnership that is new; anything else is a
// code already taken.
func (s *Service) sameAgain(ctx context.Context, sc scope.Scope, known Organisation, in AddInput, parent *Organisation) error {
	same := known.Kind == in.Kind && known.Name == in.Name
	if known.Kind == KindReseller {
		same = same && parent != nil && known.ParentID == parent.ID
	}
	if !same {
		return fault.Conflict("organisation.code_taken", fault.Args{"code": known.Code, "kind": string(known.Kind), "name": known.Name})
	}
	if parent != nil && parent.Kind == KindVendor {
		return s.ensurePartnership(ctx, sc, parent.ID, known)
	}
	return nil
}

// insert writes the organisation and what comes with its kind, inside the running transaction.
func (s *Service) insert(ctx context.Context, sc scope.Scope, code string, kind Kind, name string, parent *Organisation) (Organisation, error) {
	o := Organisation{ID: id.New(), Code: code, Kind: kind, Name: name, CreatedAt: s.clock.Now()}
	detail := map[string]any{"kind": string(kind), "name": name}
	if parent != nil {
		detail["parent"] = parent.Code
		if kind == KindReseller {
			o.ParentID = parent.ID
		}
	}
	if err := s.store.Insert(ctx, o); err != nil {
		return Organisation{}, err
	}
	if err := s.record(ctx, sc, o.ID, "organisation.add", o.Code, detail); err != nil {
		return Organisation{}, err
	}
	switch {
	case kind == KindVendor:
		e := Entity{ID: id.New(), VendorID: o.ID, Code: code, Name: name, IsDefault: true}
		if err := s.store.InsertEntity(ctx, e); err != nil {
			return Organisation{}, err
		}
	case kind == KindCustomer && sc.Side() == scope.SideVendor:
		if err := s.store.AddVendorCustomer(ctx, sc.OrgID(), o.ID); err != nil {
			return Organisation{}, err
		}
	case parent != nil && parent.Kind == KindVendor:
		if err := s.ensurePartnership(ctx, sc, parent.ID, o); err != nil {
			return Organisation{}, err
		}
	}
	return o, nil
}

// ensurePartnership lets the partner deal with the vendor; a reseller deals through its distributor.
func (s *Service) ensurePartnership(ctx context.Context, sc scope.Scope, vendorID string, partner Organisation) error {
	partnerID, code := partner.ID, partner.Code
	if partner.Kind == KindReseller {
		partnerID = partner.ParentID
	}
	if _, ok, err := s.store.Partnership(ctx, vendorID, partnerID); err != nil || ok {
		return err
	}
	p := Partnership{VendorID: vendorID, PartnerID: partnerID, CreatedAt: s.clock.Now()}
	if err := s.store.AddPartnership(ctx, p); err != nil {
		return err
	}
	return s.record(ctx, sc, vendorID, "partnership.add", code, nil)
}

// The Ensure functions serve use cases that have authorised their own act (declaring a source, importing
// a map); they ask for no permission of their own.

// EnsureVendor gives the vendor of that code, made with its default contracting entity if new.
// Faults: organisation.code_malformed, .kind_mismatch.
func (s *Service) EnsureVendor(ctx context.Context, sc scope.Scope, code string) (Organisation, error) {
	return s.ensure(ctx, sc, code, KindVendor, code, func(k Kind) bool { return k == KindVendor })
}

// EnsurePartner gives the partner of that code, of whatever partner kind, dealing with the vendor; a
// new one is a 解决方案提供商. Faults: organisation.code_malformed, .kind_mismatch.
func (s *Service) EnsurePartner(ctx context.Context, sc scope.Scope, code, vendorID string) (Organisation, error) {
	var out Organisation
	err := s.tx.InTx(ctx, func(ctx context.Context) error {
		o, err := s.ensure(ctx, sc, code, KindSolution, code, Kind.IsPartner)
		if err != nil {
			return err
		}
		out = o
		return s.ensurePartnership(ctx, sc, vendorID, o)
	})
	return out, err
}

// EnsureCustomer gives the customer of that code, made with the name if new; a partner's own code is
// accepted too, for what the partner itself consumes. Faults: organisation.code_malformed, .kind_mismatch.
func (s *Service) EnsureCustomer(ctx context.Context, sc scope.Scope, code, name string) (Organisation, error) {
	return s.ensure(ctx, sc, code, KindCustomer, name, func(k Kind) bool { return k == KindCustomer || k.IsPartner() })
}

func (s *Service) ensure(ctx context.Context, sc scope.Scope, code string, kind Kind, name string, fits func(Kind) bool) (Organisation, error) {
	var out Organisation
	err := s.tx.InTx(ctx, func(ctx context.Context) error {
		known, err := s.store.ByCode(ctx, code)
		if err == nil {
			out = known
			if !fits(known.Kind) {
				return fault.Conflict("organisation.kind_mismatch", fault.Args{"code": code, "kind": string(known.Kind), "wanted": string(kind)})
			}
			return nil
		}
		if !fault.Is(err, fault.KindNotFound) {
			return err
		}
		if err := CheckCode(kind, code); err != nil {
			return err
		}
		out, err = s.insert(ctx, sc, code, kind, cleanName(name, code), nil)
		return err
	})
	return out, err
}

// cleanName makes a name a file delivered fit to be shown: trimmed, without control characters, cut
// to the limit; the code stands in for an empty one.
func cleanName(name, code string) string {
	name = strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(name, "")))
	if r := []rune(name); len(r) > MaxName {
		name = string(r[:MaxName])
	}
	if CheckName(name) != nil {
		return code
	}
	return name
}

func (s *Service) record(ctx context.Context, sc scope.Scope, orgID, action, code string, detail map[string]any) error {
	return s.audit.Record(ctx, audit.Entry{Actor: sc.Login(), OrgID: orgID, Action: action,
		Object: "organisation:" + code, Outcome: "done", Detail: detail})
}

func withCode(err error, code string) error {
	if fault.Is(err, fault.KindNotFound) {
		return fault.NotFound("organisation.unknown", fault.Args{"code": clip(code)})
	}
	return err
}
