package prospect

import (
	"context"
	"slices"
	"time"

	"huoban/internal/account"
	"huoban/internal/audit"
	"huoban/internal/clock"
	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/id"
	"huoban/internal/message"
	"huoban/internal/organisation"
	"huoban/internal/scope"
)

// Deps is what the service stands on.
type Deps struct {
	Store         Store
	Tx            Tx
	Log           flow.Log
	Audit         audit.Recorder
	Clock         clock.Clock
	Organisations Organisations
	People        People
	Bell          message.Notifier
	Grants        Grants
}

// Service changes and reads registrations.
type Service struct{ Deps }

// New makes the service.
func New(d Deps) *Service { return &Service{d} }

// List gives the registrations inside the scope, the newest first: a partner's own, those a 客户经理 filed, those
// filed in the team of a 客户经理主管; to a vendor those that were submitted to it. Fault: scope.permission_missing.
func (s *Service) List(ctx context.Context, sc scope.Scope) ([]Prospect, error) {
	if err := sc.Require(scope.ItemProspectView, scope.ItemProspectReviewView); err != nil {
		return nil, err
	}
	switch sc.Side() {
	case scope.SideVendor:
		all, err := s.Store.OfVendor(ctx, sc.OrgID())
		return slices.DeleteFunc(all, func(p Prospect) bool { return p.SubmittedAt.IsZero() }), err
	case scope.SidePartner:
		all, err := s.Store.OfPartner(ctx, sc.OrgID())
		if err != nil || !sc.IsLimited() {
			return all, err
		}
		mine, err := s.team(ctx, sc)
		return slices.DeleteFunc(all, func(p Prospect) bool { return !slices.Contains(mine, p.PersonID) }), err
	}
	return nil, nil
}

// team is the persons whose work a limited scope sees: its own, and that of the managers below it.
func (s *Service) team(ctx context.Context, sc scope.Scope) ([]string, error) {
	managers, err := s.People.Managers(ctx, sc.OrgID())
	return account.Team(managers, sc.PersonID()), err
}

// Find gives one inside the scope. Faults: prospect.unknown, scope.permission_missing.
func (s *Service) Find(ctx context.Context, sc scope.Scope, prospectID string) (Prospect, error) {
	if err := sc.Require(scope.ItemProspectView, scope.ItemProspectReviewView); err != nil {
		return Prospect{}, err
	}
	unknown := fault.NotFound("prospect.unknown", nil)
	p, err := s.Store.ByID(ctx, prospectID)
	if err != nil {
		return p, err
	}
	switch sc.Side() {
	case scope.SideSystem:
		return p, nil
	case scope.SideVendor:
		if p.VendorID == sc.OrgID() && !p.SubmittedAt.IsZero() {
			return p, nil
		}
	case scope.SidePartner:
		if p.PartnerID != sc.OrgID() {
			return Prospect{}, unknown
		}
		if !sc.IsLimited() {
			return p, nil
		}
		mine, err := s.team(ctx, sc)
		if err != nil {
			return Prospect{}, err
		}
		if slices.Contains(mine, p.PersonID) {
			return p, nil
		}
	}
	return Prospect{}, unknown
}

// Vendors are the vendors a registration may be filed with.
func (s *Service) Vendors(ctx context.Context, sc scope.Scope) ([]organisation.Organisation, error) {
	own, err := s.Organisations.ByID(ctx, sc, sc.OrgID())
	if err != nil {
		return nil, err
	}
	return s.Organisations.VendorsOf(ctx, own)
}

// FileInput is a customer to be registered; an empty VendorID is the only vendor there is. Submit also hands it
// to the vendor: then what refuses that refuses the whole.
type FileInput struct {
	VendorID string
	Details
	Submit bool
}

// File keeps a customer as 未报备, or hands it to the vendor at once. Faults: those of Validate and of the guards
// of submit, prospect.vendor_unknown, .partner_decides, .not_granted, scope.permission_missing.
func (s *Service) File(ctx context.Context, sc scope.Scope, in FileInput) (Prospect, error) {
	if err := mayFile(sc); err != nil {
		return Prospect{}, err
	}
	in.Details = in.Details.Tidy()
	if err := in.Details.Validate(); err != nil {
		return Prospect{}, err
	}
	var out Prospect
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		vendors, err := s.Vendors(ctx, sc)
		if err != nil {
			return err
		}
		if in.VendorID == "" && len(vendors) == 1 {
			in.VendorID = vendors[0].ID
		}
		if !slices.ContainsFunc(vendors, func(o organisation.Organisation) bool { return o.ID == in.VendorID }) {
			return fault.Invalid("prospect.vendor_unknown", nil)
		}
		if open, err := s.Grants.Open(ctx, in.VendorID, sc.OrgID()); err != nil || !open {
			if err == nil {
				err = fault.Conflict(granted.Code, nil)
			}
			return err
		}
		now := s.Clock.Now()
		out = Prospect{ID: id.New(), VendorID: in.VendorID, PartnerID: sc.OrgID(), PersonID: sc.PersonID(), Login: sc.Login(), Details: in.Details,
			State: StateDraft, Version: 1, CreatedAt: now, ChangedAt: now}
		if err := s.Store.Insert(ctx, out, KeysOf(out.Details)); err != nil {
			return err
		}
		if err := Flow.Begin(ctx, s.Log, out.ID, out.State, sc, now, nil); err != nil {
			return err
		}
		if err := s.record(ctx, sc, out, "prospect.file", nil); err != nil || !in.Submit {
			return err
		}
		out, err = s.fire(ctx, sc, out, ActionSubmit, "")
		return err
	})
	return out, err
}

func mayFile(sc scope.Scope) error {
	if err := sc.Require(scope.ItemProspectChange); err != nil {
		return err
	}
	if sc.Side() != scope.SidePartner {
		return fault.Denied("prospect.partner_decides", nil)
	}
	return nil
}

// Amend corrects what was said. While a registration is open its name and kind stay, because they are what was
// reviewed; its contact may change as long as nobody else has it. Faults: those of Validate,
// prospect.closed, .taken, .duplicate, .already_customer, .unknown, flow.changed_meanwhile.
func (s *Service) Amend(ctx context.Context, sc scope.Scope, prospectID string, d Details) (Prospect, error) {
	if err := mayFile(sc); err != nil {
		return Prospect{}, err
	}
	d = d.Tidy()
	var out Prospect
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		p, err := s.Find(ctx, sc, prospectID)
		if err != nil {
			return err
		}
		if p.State == StateRefused || p.State == StateAssociated {
			return fault.Conflict("prospect.closed", nil)
		}
		if p.State.Open() {
			d.Kind, d.Name = p.Kind, p.Name
		}
		if err := d.Validate(); err != nil {
			return err
		}
		before := p.Version
		p.Details, p.ChangedAt = d, s.Clock.Now()
		if p.State.Open() {
			if err := s.free(ctx, p); err != nil {
				return err
			}
		}
		won, err := s.Store.SetDetails(ctx, p, KeysOf(d), before)
		if err != nil {
			return err
		}
		if !won {
			return flow.Lost(ctx, s.Log, Flow.Machine, p.ID)
		}
		p.Version = before + 1
		out = p
		return s.record(ctx, sc, p, "prospect.amend", nil)
	})
	return out, err
}

// free refuses a customer that is known already.
func (s *Service) free(ctx context.Context, p Prospect) error {
	match, err := s.match(ctx, p)
	if err != nil {
		return err
	}
	for _, g := range []flow.Guard[Facts]{notTwice, notYours, notTaken} {
		if !g.Holds(Facts{Match: match}, scope.Scope{}, time.Time{}) {
			return fault.Conflict(g.Code, nil)
		}
	}
	return nil
}

// Do fires an action of a person. Faults: prospect.unknown, those of the guards and of flow.Fire.
func (s *Service) Do(ctx context.Context, sc scope.Scope, prospectID string, do Action, reason string) (Prospect, error) {
	var out Prospect
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		p, err := s.Find(ctx, sc, prospectID)
		if err != nil {
			return err
		}
		out, err = s.fire(ctx, sc, p, do, reason)
		return err
	})
	return out, err
}

// FireDue is the flow.FireDue of this machine.
func (s *Service) FireDue(ctx context.Context, entity, action string, who scope.Scope, _ time.Time) error {
	p, err := s.Store.ByID(ctx, entity)
	if err != nil {
		return err
	}
	_, err = s.fire(ctx, who, p, Action(action), "")
	return err
}

// Associated notes, in the transaction that associates the customer, that what was registered came true.
func (s *Service) Associated(ctx context.Context, sc scope.Scope, prospectID, customerID string) error {
	p, err := s.Store.ByID(ctx, prospectID)
	if err != nil {
		return err
	}
	p.CustomerID = customerID
	_, err = s.fire(ctx, scope.System(sc.Login()), p, ActionAssociate, "")
	return err
}

func (s *Service) fire(ctx context.Context, sc scope.Scope, p Prospect, do Action, reason string) (Prospect, error) {
	facts, err := s.facts(ctx, p)
	if err != nil {
		return p, err
	}
	now := s.Clock.Now()
	next := p
	next.ChangedAt = now
	switch do {
	case ActionSubmit:
		next.SubmittedAt, next.DecidedAt, next.DecidedBy, next.Reason, next.ExpiresAt, next.RemindedAt = now, time.Time{}, "", "", time.Time{}, time.Time{}
	case ActionApprove:
		next.DecidedAt, next.DecidedBy, next.ExpiresAt = now, sc.Login(), (flow.Due{Days: Days}).At(now, -1)
	case ActionRefuse:
		next.DecidedAt, next.DecidedBy, next.Reason = now, sc.Login(), reason
	}
	err = Flow.Fire(ctx, s.Log, flow.Move[State, Action, Facts]{Entity: p.ID, State: p.State, Version: p.Version, Do: do, Facts: facts, Who: sc,
		Now: now, Reason: reason}, func(ctx context.Context, to State) (bool, error) {
		next.State, next.Version = to, p.Version+1
		return s.Store.Set(ctx, next, p.State, p.Version)
	})
	if err != nil {
		return p, err
	}
	if err := s.record(ctx, sc, next, "prospect."+string(do), map[string]any{"reason": reason}); err != nil {
		return next, err
	}
	return next, s.tell(ctx, next, do)
}

func (s *Service) facts(ctx context.Context, p Prospect) (Facts, error) {
	f := Facts{PartnerID: p.PartnerID, VendorID: p.VendorID, PersonID: p.PersonID}
	var err error
	if f.Open, err = s.Store.CountOpen(ctx, p.PartnerID, p.ID); err != nil {
		return f, err
	}
	if f.Granted, err = s.Grants.Open(ctx, p.VendorID, p.PartnerID); err != nil {
		return f, err
	}
	if f.HasPhone, f.HasEmail, err = s.contact(ctx, p); err != nil {
		return f, err
	}
	f.Match, err = s.match(ctx, p)
	return f, err
}

// contact tells whether the vendor could ask back: by the filer's phone and e-mail, or an administrator's.
func (s *Service) contact(ctx context.Context, p Prospect) (phone, email bool, err error) {
	admins, err := s.People.Holders(ctx, p.PartnerID, scope.ItemStaffChange)
	if err != nil {
		return false, false, err
	}
	for _, personID := range append([]string{p.PersonID}, admins...) {
		if personID == "" {
			continue
		}
		who, err := s.People.PersonByID(ctx, personID)
		if err != nil {
			return false, false, err
		}
		phone, email = phone || who.Phone != "", email || who.Email != ""
	}
	return phone, email, nil
}

func (s *Service) match(ctx context.Context, p Prospect) (Match, error) {
	k := KeysOf(p.Details)
	rivals, err := s.Store.Rivals(ctx, p.VendorID, k, p.ID)
	if err != nil {
		return MatchNone, err
	}
	known, err := s.Store.KnownAs(ctx, k, s.Clock.Now())
	if err != nil {
		return MatchNone, err
	}
	out := MatchNone
	for _, r := range rivals {
		if r.PartnerID != p.PartnerID {
			return MatchTaken, nil
		}
		out = MatchOwn
	}
	for _, x := range known {
		if x.PartnerID != p.PartnerID {
			return MatchTaken, nil
		}
		out = MatchYours
	}
	return out, nil
}

// Reserved tells whether a customer of that name or contact is registered by another partner of the vendor, and
// which registration of the partner itself names it; both for the program's own decisions.
func (s *Service) Reserved(ctx context.Context, vendorID, partnerID string, k Keys) (byOther bool, own string, err error) {
	rivals, err := s.Store.Rivals(ctx, vendorID, k, "")
	for _, r := range rivals {
		if r.PartnerID != partnerID {
			byOther = true
			continue
		}
		p, err := s.Store.ByID(ctx, r.ID)
		if err != nil {
			return byOther, "", err
		}
		if p.State == StateRegistered {
			own = p.ID
		}
	}
	return byOther, own, err
}

// Allowed lists what the actor may do, with reasons where not.
func (s *Service) Allowed(ctx context.Context, sc scope.Scope, p Prospect) ([]flow.Button, error) {
	facts, err := s.facts(scope.AsSystem(ctx, "rivals"), p) // whether anybody named the customer, of which only that shows
	if err != nil {
		return nil, err
	}
	return Flow.Allowed(p.State, facts, sc, s.Clock.Now()), nil
}

// History is what happened to one, the oldest first.
func (s *Service) History(ctx context.Context, prospectID string) ([]flow.Change, error) {
	return s.Log.History(ctx, Flow.Machine, prospectID)
}

// OpenOf counts a partner's open registrations.
func (s *Service) OpenOf(ctx context.Context, partnerID string) (int, error) {
	return s.Store.CountOpen(ctx, partnerID, "")
}

// tell writes to whom it concerns: the vendor's reviewers of a submission, else whoever filed it.
func (s *Service) tell(ctx context.Context, p Prospect, do Action) error {
	switch do {
	case ActionSubmit:
		t := s.teller()
		partner, err := t.Name(ctx, p.PartnerID)
		if err != nil {
			return err
		}
		return t.Tell(ctx, p.VendorID, scope.ItemProspectReview, message.Notice{Category: message.CategoryCustomer, Code: "prospect_submit", Args: fault.Args{"Partner": partner}, Link: "/registrations/" + p.ID})
	case ActionAssociate:
		return nil // the customer's consent tells
	}
	return s.tellFiler(ctx, p, "prospect_"+string(do))
}

func (s *Service) teller() message.Teller {
	return message.Teller{Organisations: s.Organisations, People: s.People, Bell: s.Bell}
}

func (s *Service) tellFiler(ctx context.Context, p Prospect, code string) error {
	if p.PersonID == "" {
		return nil
	}
	args := fault.Args{"Name": Masked(p.Name)}
	if !p.ExpiresAt.IsZero() {
		args["Until"] = p.ExpiresAt.In(cycle.Zone).Format("2006-01-02 15:04")
	}
	return s.teller().Ring(ctx, p.PartnerID, []string{p.PersonID}, message.Notice{Category: message.CategoryCustomer, Code: code, Args: args, Link: "/prospects/" + p.ID})
}

// Masked keeps the first character of a name: what is told by a bell may be read over a shoulder.
func Masked(name string) string {
	for _, r := range name {
		return string(r) + "***"
	}
	return ""
}

// Remind tells the filers of registrations that end within RemindDays, each once, and gives how many.
func (s *Service) Remind(ctx context.Context) (int, error) {
	now := s.Clock.Now()
	told := 0
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		told = 0
		list, err := s.Store.Ending(ctx, now.AddDate(0, 0, RemindDays))
		if err != nil {
			return err
		}
		for i := range list {
			if err := s.Store.Reminded(ctx, list[i].ID, now); err != nil {
				return err
			}
			if err := s.tellFiler(ctx, list[i], "prospect_ending"); err != nil {
				return err
			}
			told++
		}
		return nil
	})
	return told, err
}

func (s *Service) record(ctx context.Context, sc scope.Scope, p Prospect, action string, more map[string]any) error {
	detail := map[string]any{"state": string(p.State), "kind": string(p.Kind), "relation": string(p.Relation), "vendor": p.VendorID}
	for k, v := range more {
		if v != "" {
			detail[k] = v
		}
	}
	return s.Audit.Record(ctx, audit.Entry{Actor: sc.Login(), OrgID: p.PartnerID, Action: action, Object: "prospect:" + p.ID, Outcome: "done", Detail: detail})
}
