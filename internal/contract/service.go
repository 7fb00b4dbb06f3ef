package contract

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"huoban/internal/audit"
	"huoban/internal/clock"
	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/id"
	"huoban/internal/ledger"
	"huoban/internal/message"
	"huoban/internal/money"
	"huoban/internal/paper"
	"huoban/internal/scope"
	"huoban/internal/sorted"
)

// Tx runs a function in one transaction; fn may be run again.
type Tx interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
}

// Filter narrows a list; empty fields narrow nothing.
type Filter struct {
	VendorID, PartnerID string
	State               State
	Kind                Kind
}

// Store keeps contracts. Lists leave deleted ones out, the newest first, without plans.
type Store interface {
	paper.Store
	Contract(ctx context.Context, id string) (Contract, bool, error)
	Contracts(ctx context.Context, f Filter) ([]Contract, error)
	InsertContract(ctx context.Context, c Contract) error
	// SetContract writes what a move changes if state and version are as loaded.
	SetContract(ctx context.Context, c Contract, from State, version int64) (bool, error)
	// AmendContract writes the terms and the plan too, if state and version are as loaded.
	AmendContract(ctx context.Context, c Contract, from State, version int64) (bool, error)
	Plan(ctx context.Context, contractID string) ([]Item, error)
	// Paid sums what a partner paid on contracts with a vendor.
	Paid(ctx context.Context, vendorID, partnerID, currency string) (money.Amount, error)
	// PayItem notes that an item was paid if it was not.
	PayItem(ctx context.Context, contractID string, item Item) (bool, error)
}

// Poster is the part of the books that payments need.
type Poster interface {
	Post(ctx context.Context, e ledger.Entry) (ledger.Posted, error)
}

// Deps is what the service stands on. Vendors are those a partner deals with, Entity the contracting entity it does so
// with; Confirmed asks for the code before an item is paid, where it is switched on.
type Deps struct {
	Store     Store
	Tx        Tx
	Log       flow.Log
	Audit     audit.Recorder
	Clock     clock.Clock
	Ledger    Poster
	Teller    message.Teller
	Vendors   func(ctx context.Context, partnerID string) ([]string, error)
	Entity    func(ctx context.Context, vendorID, partnerID string) (string, error)
	Confirmed func(ctx context.Context, sc scope.Scope) error
}

// Service makes, reviews and ends contracts, and pays their plans.
type Service struct{ Deps }

// New makes the service.
func New(d Deps) *Service { return &Service{d} }

func unknown() error { return fault.NotFound("contract.unknown", nil) }

func sortPlan(plan []Item) {
	sorted.By(plan, func(a, b Item) int { return strings.Compare(a.PromisedOn, b.PromisedOn) })
	for i := range plan {
		plan[i].No = int64(i + 1)
	}
}

// sees tells whether a contract is in the actor's sight: a vendor's once it was submitted.
func sees(c *Contract, sc scope.Scope) bool {
	switch sc.Side() {
	case scope.SidePartner:
		return c.PartnerID == sc.OrgID() && c.State != StateDeleted
	case scope.SideVendor:
		return c.VendorID == sc.OrgID() && c.State != StateDeleted && c.State != StateDraft
	}
	return sc.Side() == scope.SideSystem
}

func mayView(sc scope.Scope) error {
	if sc.Side() == scope.SideVendor {
		return sc.Require(scope.ItemContractReviewView, scope.ItemContractReview)
	}
	return sc.Require(scope.ItemContractView)
}

// List gives what the actor sees. Fault: scope.permission_missing.
func (s *Service) List(ctx context.Context, sc scope.Scope, f Filter) ([]Contract, error) {
	if err := mayView(sc); err != nil {
		return nil, err
	}
	if f.PartnerID, f.VendorID = sc.OrgID(), ""; sc.Side() == scope.SideVendor {
		f.PartnerID, f.VendorID = "", sc.OrgID()
	}
	list, err := s.Store.Contracts(ctx, f)
	return slices.DeleteFunc(list, func(c Contract) bool { return !sees(&c, sc) }), err
}

// Find gives one in sight with its plan. Faults: contract.unknown, scope.permission_missing.
func (s *Service) Find(ctx context.Context, sc scope.Scope, contractID string) (Contract, error) {
	c, found, err := s.Store.Contract(ctx, contractID)
	if err == nil && (!found || !sees(&c, sc)) {
		err = unknown()
	}
	if err == nil && sc.Side() != scope.SideSystem {
		err = mayView(sc)
	}
	if err == nil {
		c.Plan, err = s.Store.Plan(ctx, c.ID)
	}
	return c, err
}

// acted is one that is acted on: also what was deleted in sight, so that who comes late is told by whom.
func (s *Service) acted(ctx context.Context, sc scope.Scope, contractID string) (Contract, error) {
	c, found, err := s.Store.Contract(ctx, contractID)
	if err != nil || !found || c.State != StateDeleted || c.PartnerID != sc.OrgID() {
		return s.Find(ctx, sc, contractID)
	}
	return c, mayView(sc)
}

// Preview is the contract an input makes, which is kept nowhere. Faults: those of Input.parse; contract.vendor_unknown,
// .partner_unknown, scope.permission_missing.
func (s *Service) Preview(ctx context.Context, sc scope.Scope, in Input) (Contract, error) {
	c := Contract{ID: id.New(), Kind: KindOnline, State: StateDraft, Version: 1, VendorID: in.VendorID, PartnerID: sc.OrgID(), CreatedBy: sc.Login()}
	item := scope.ItemContractChange
	if sc.Side() == scope.SideVendor {
		c.Kind, c.State, c.VendorID, c.PartnerID = KindOffline, StateApproved, sc.OrgID(), in.PartnerID
		item = scope.ItemContractReview
	}
	if err := sc.Require(item); err != nil {
		return c, err
	}
	c.CreatedAt = s.Clock.Now()
	c.Number = id.Number("HT", cycle.Day(c.CreatedAt), c.ID)
	return c, s.fill(ctx, sc, &c, in)
}

// fill puts the terms of an input into a contract between two that deal with each other.
func (s *Service) fill(ctx context.Context, sc scope.Scope, c *Contract, in Input) error {
	now := s.Clock.Now()
	plan, err := in.parse(c.Kind, now)
	if err != nil {
		return err
	}
	vendors, err := s.Vendors(ctx, c.PartnerID)
	if fault.Is(err, fault.KindNotFound) || err == nil && !slices.Contains(vendors, c.VendorID) {
		err = fault.NotFound("contract.vendor_unknown", nil)
		if sc.Side() == scope.SideVendor {
			err = fault.NotFound("contract.partner_unknown", nil)
		}
	}
	if err != nil {
		return err
	}
	c.Title, c.PaperNo, c.Currency, c.Begins, c.Ends, c.Remark, c.Plan = in.Title, in.PaperNo, in.Currency, in.Begins, in.Ends, in.Remark, plan
	c.ChangedAt, c.Amount = now, 0
	for i := range plan {
		if c.Amount, err = c.Amount.Add(plan[i].Amount); err != nil {
			return err
		}
	}
	c.EntityID, err = s.Entity(ctx, c.VendorID, c.PartnerID)
	return err
}

// Amendable tells whether the terms may be changed in the state.
func (s State) Amendable() bool { return s == StateDraft || s == StateRefused }

// Amend gives a draft or a refused contract other terms with the same vendor, and hands it in again where submit says so; until
// then it is a draft, which the vendor does not see. Faults: contract.unknown, those of Preview and of flow.Fire.
func (s *Service) Amend(ctx context.Context, sc scope.Scope, contractID string, in Input, submit bool) (Contract, error) {
	var c Contract
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		was, err := s.Find(ctx, sc, contractID)
		if err != nil {
			return err
		}
		c = was
		change := s.move(&was, ActionAmend, sc, "")
		if _, err := Flow.Decide(was.State, ActionAmend, change.Facts, sc, change.Now); err == nil { // otherwise Fire says why not
			if err := s.fill(ctx, sc, &c, in); err != nil {
				return err
			}
		}
		err = Flow.Fire(ctx, s.Log, change, func(ctx context.Context, to State) (bool, error) {
			c.State, c.Version = to, was.Version+1
			return s.Store.AmendContract(ctx, c, was.State, was.Version)
		})
		if err != nil {
			return err
		}
		before := map[string]any{"title": was.Title, "amount": was.Amount.String(), "currency": was.Currency, "begins": was.Begins, "ends": was.Ends, "plan": PlanText(was.Plan)}
		if err := s.record(ctx, sc, &c, "contract.amend", map[string]any{"before": before, "plan": PlanText(c.Plan)}); err != nil || !submit {
			return err
		}
		c, err = s.fire(flow.WithSeen(ctx, Flow.Machine, c.ID, c.Version), sc, c, ActionSubmit, "")
		return err
	})
	return c, err
}

// Make keeps a contract: a partner's as 草稿, or handed to the vendor at once; a vendor's as signed on paper, in force from
// its first day. Faults: those of Preview and of the guards of submit.
func (s *Service) Make(ctx context.Context, sc scope.Scope, in Input, submit bool) (Contract, error) {
	var c Contract
	err := s.Tx.InTx(ctx, func(ctx context.Context) (err error) {
		if c, err = s.Preview(ctx, sc, in); err != nil {
			return err
		}
		if err := s.Store.InsertContract(ctx, c); err != nil {
			return err
		}
		if err := Flow.Begin(ctx, s.Log, c.ID, c.State, sc, c.CreatedAt, s.due(&c, c.CreatedAt)); err != nil {
			return err
		}
		if err := s.record(ctx, sc, &c, "contract.make", nil); err != nil {
			return err
		}
		switch {
		case c.Kind == KindOffline:
			if err := s.tell(ctx, sc, &c, "register"); err != nil {
				return err
			}
			c, err = s.begin(ctx, c)
		case submit:
			c, err = s.fire(ctx, sc, c, ActionSubmit, "")
		}
		return err
	})
	return c, err
}

// begin puts a contract in force where its first day has come.
func (s *Service) begin(ctx context.Context, c Contract) (Contract, error) {
	if cycle.Day(s.Clock.Now()) < c.Begins {
		return c, nil
	}
	return s.fire(ctx, scope.System("system"), c, ActionActivate, "")
}

func (s *Service) due(c *Contract, now time.Time) map[Action]int {
	return map[Action]int{ActionActivate: cycle.DaysUntil(now, c.Begins), ActionEnd: cycle.DaysUntil(now, c.Ends) + 1}
}

// MaySign tells whether the actor may keep a scan: the vendor of what was signed on paper, the partner of what is not
// submitted.
func MaySign(c *Contract, sc scope.Scope) bool {
	if c.Kind == KindOffline {
		return sc.Is(scope.SideVendor, c.VendorID) && sc.Has(scope.ItemContractReview) && (c.State == StateApproved || c.State == StateEffective)
	}
	return sc.Is(scope.SidePartner, c.PartnerID) && sc.Has(scope.ItemContractChange) && (c.State == StateDraft || c.State == StateRefused)
}

// Sign keeps the scan of a contract; another replaces it. Faults: those of Find and paper.Recognise; contract.closed,
// scope.permission_missing.
func (s *Service) Sign(ctx context.Context, sc scope.Scope, contractID string, body []byte) error {
	if err := sc.Require(scope.ItemContractChange, scope.ItemContractReview); err != nil {
		return err
	}
	if _, err := paper.Recognise(body); err != nil {
		return err
	}
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		c, err := s.Find(ctx, sc, contractID)
		if err != nil {
			return err
		}
		if !MaySign(&c, sc) {
			return fault.Conflict("contract.closed", nil)
		}
		p, another, err := paper.Keep(ctx, s.Store, paper.Paper{SubjectID: c.ID, VendorID: c.VendorID, PartnerID: c.PartnerID, By: sc.Login(), At: s.Clock.Now()}, body)
		if err != nil || !another {
			return err
		}
		return s.record(ctx, sc, &c, "contract.sign", map[string]any{"sha": p.SHA})
	})
}

// Signed tells whether there is a scan, and which.
func (s *Service) Signed(ctx context.Context, c *Contract) (paper.Paper, bool, error) {
	return s.Store.Paper(ctx, c.ID)
}

// Paper is the scan of a contract in sight, and its body, written down as taken. Faults: those of Find, paper.none.
func (s *Service) Paper(ctx context.Context, sc scope.Scope, contractID string) (Contract, paper.Paper, []byte, error) {
	c, err := s.Find(ctx, sc, contractID)
	if err != nil {
		return c, paper.Paper{}, nil, err
	}
	p, body, err := paper.Read(ctx, s.Store, c.ID)
	if err == nil {
		err = s.Tx.InTx(ctx, func(ctx context.Context) error { return s.record(ctx, sc, &c, "contract.download", nil) })
	}
	return c, p, body, err
}

// Allowed lists what the actor may do, with reasons where not.
func (s *Service) Allowed(sc scope.Scope, c *Contract) []flow.Button {
	return Flow.Allowed(c.State, factsOf(c), sc, s.Clock.Now())
}

// History is what happened to one, the oldest first.
func (s *Service) History(ctx context.Context, contractID string) ([]flow.Change, error) {
	return s.Log.History(ctx, Flow.Machine, contractID)
}

func factsOf(c *Contract) Facts {
	return Facts{PartnerID: c.PartnerID, VendorID: c.VendorID, Begins: c.Begins, Ends: c.Ends}
}

// Do fires an action of a person; what is approved after its first day is in force at once. Faults: contract.unknown, those
// of the guards and of flow.Fire.
func (s *Service) Do(ctx context.Context, sc scope.Scope, contractID string, do Action, reason string) (Contract, error) {
	var out Contract
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		c, err := s.acted(ctx, sc, contractID)
		if err != nil {
			return err
		}
		if out, err = s.fire(ctx, sc, c, do, reason); err == nil && do == ActionApprove {
			out, err = s.begin(ctx, out)
		}
		return err
	})
	return out, err
}

// FireDue is the flow.FireDue of this machine.
func (s *Service) FireDue(ctx context.Context, entity, action string, who scope.Scope, _ time.Time) error {
	c, found, err := s.Store.Contract(ctx, entity)
	if err == nil && !found {
		err = unknown()
	}
	if err == nil {
		_, err = s.fire(ctx, who, c, Action(action), "")
	}
	return err
}

func (s *Service) move(c *Contract, do Action, sc scope.Scope, reason string) flow.Move[State, Action, Facts] {
	now := s.Clock.Now()
	return flow.Move[State, Action, Facts]{Entity: c.ID, State: c.State, Version: c.Version, Do: do, Facts: factsOf(c), Who: sc, Now: now, Reason: reason, DueDays: s.due(c, now)}
}

func (s *Service) fire(ctx context.Context, sc scope.Scope, c Contract, do Action, reason string) (Contract, error) {
	now, next := s.Clock.Now(), c
	next.ChangedAt, next.Version = now, c.Version+1
	switch do {
	case ActionSubmit:
		next.SubmittedAt, next.DecidedBy, next.DecidedAt, next.Reason = now, "", time.Time{}, ""
	case ActionApprove, ActionRefuse:
		next.DecidedBy, next.DecidedAt, next.Reason = sc.Login(), now, strings.TrimSpace(reason)
	case ActionTerminate:
		next.EndedAt, next.Reason = now, strings.TrimSpace(reason)
	}
	err := Flow.Fire(ctx, s.Log, s.move(&c, do, sc, reason),
		func(ctx context.Context, to State) (bool, error) {
			next.State = to
			return s.Store.SetContract(ctx, next, c.State, c.Version)
		})
	if err != nil {
		return c, err
	}
	if err := s.record(ctx, sc, &next, "contract."+string(do), nil); err != nil {
		return next, err
	}
	return next, s.tell(ctx, sc, &next, string(do))
}

// Paid is what a partner paid on its contracts with a vendor, for rules of other packages. It asks for no permission.
func (s *Service) Paid(ctx context.Context, vendorID, partnerID, currency string) (money.Amount, error) {
	return s.Store.Paid(ctx, vendorID, partnerID, currency)
}

// Pay pays one item of the plan whole from the top-up account. Faults: contract.unknown, .not_in_force, .item_unknown,
// .item_paid, ledger.balance_short, passcode.needed, scope.permission_missing.
func (s *Service) Pay(ctx context.Context, sc scope.Scope, contractID string, no int64) (Contract, error) {
	var c Contract
	if err := sc.Require(scope.ItemContractChange); err != nil {
		return c, err
	}
	err := s.Tx.InTx(ctx, func(ctx context.Context) (err error) {
		if c, err = s.Find(ctx, sc, contractID); err != nil {
			return err
		}
		at := slices.IndexFunc(c.Plan, func(x Item) bool { return x.No == no })
		switch {
		case sc.Side() != scope.SidePartner || at < 0:
			return fault.NotFound("contract.item_unknown", nil)
		case c.State != StateEffective || c.Kind != KindOnline:
			return fault.Conflict("contract.not_in_force", nil)
		case !c.Plan[at].PaidAt.IsZero():
			return fault.Conflict("contract.item_paid", fault.Args{"no": no})
		}
		x := &c.Plan[at]
		x.PaidAt, x.PaidBy = s.Clock.Now(), sc.Login()
		won, err := s.Store.PayItem(ctx, c.ID, *x)
		if err == nil && !won {
			err = fault.Conflict("contract.item_paid", fault.Args{"no": no})
		}
		if err != nil {
			return err
		}
		_, err = s.Ledger.Post(ctx, ledger.Entry{VendorID: c.VendorID, Type: ledger.TypeDeduct, Detail: ledger.DetailDeduct, Key: fmt.Sprintf("contract/%s/%d", c.ID, no), Reference: "contract:" + c.ID, Number: c.Number, Memo: c.Title, Actor: sc.Login(),
			Lines: []ledger.Line{{Account: ledger.Of(c.VendorID, c.PartnerID, ledger.KindBalance, c.Currency), Amount: -x.Amount}, {Account: ledger.Counter(c.VendorID, ledger.KindSettled, c.Currency), Amount: x.Amount}}})
		if err != nil {
			return err
		}
		if err := s.record(ctx, sc, &c, "contract.pay", map[string]any{"item": no, "amount": x.Amount.String(), "currency": c.Currency}); err != nil {
			return err
		}
		if s.Confirmed == nil {
			return nil
		}
		return s.Confirmed(ctx, sc)
	})
	return c, err
}

// tell writes to whom an action concerns: the vendor of what is to be reviewed, the partner of what the vendor did.
func (s *Service) tell(ctx context.Context, sc scope.Scope, c *Contract, did string) error {
	to, item := c.PartnerID, scope.ItemContractChange
	switch Action(did) {
	case ActionSubmit:
		to, item = c.VendorID, scope.ItemContractReview
	case ActionWithdraw, ActionDelete, ActionActivate:
		return nil
	}
	partner, err := s.Teller.Name(ctx, c.PartnerID)
	if err != nil {
		return err
	}
	return s.Teller.Tell(ctx, to, item, message.Notice{Category: message.CategoryBill, Code: "contract_" + did,
		Args: fault.Args{"Number": c.Number, "Partner": partner, "Title": c.Title, "Reason": c.Reason}, Link: "/contracts/" + c.ID})
}

// record writes one line for each side that sees the contract.
func (s *Service) record(ctx context.Context, sc scope.Scope, c *Contract, action string, more map[string]any) error {
	detail := map[string]any{"number": c.Number, "kind": string(c.Kind), "amount": c.Amount.String(), "currency": c.Currency, "state": string(c.State)}
	if c.Reason != "" {
		detail["reason"] = c.Reason
	}
	for k, v := range more {
		detail[k] = v
	}
	orgs := []string{c.PartnerID}
	if c.State != StateDraft && c.State != StateDeleted {
		orgs = append(orgs, c.VendorID)
	}
	return audit.RecordFor(ctx, s.Audit, audit.Entry{Actor: sc.Login(), Action: action, Object: "contract:" + c.ID, Outcome: audit.OutcomeDone, Detail: detail}, orgs...)
}
