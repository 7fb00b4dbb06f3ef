package statement

import (
	"context"
	"slices"

	"huoban/internal/audit"
	"huoban/internal/bill"
	"huoban/internal/clock"
	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/id"
	"huoban/internal/money"
	"huoban/internal/scope"
)

// Deps is what the service stands on.
type Deps struct {
	Tx            Tx
	Store         Store
	Bills         Bills
	Lines         Lines
	Links         Links
	Organisations Organisations
	Log           flow.Log
	Audit         audit.Recorder
	Clock         clock.Clock
	Render        Render

	// Sent is told, in the transaction, that a statement was sent to its customer; nil tells nobody.
	Sent func(ctx context.Context, s *Statement) error
}

// Service makes, issues and shows statements.
type Service struct{ Deps }

// New makes the service.
func New(d Deps) *Service { return &Service{d} }

// partnerOnly refuses everybody but a partner's person who sees all of its customers: a statement shows what the
// partner pays.
func partnerOnly(sc scope.Scope, items ...scope.Item) error {
	if err := sc.Require(items...); err != nil {
		return err
	}
	if sc.Side() != scope.SidePartner || sc.IsLimited() {
		return fault.Denied("statement.not_own", nil)
	}
	return nil
}

// List are the statements in scope. Fault: scope.permission_missing.
func (s *Service) List(ctx context.Context, sc scope.Scope, f Filter) ([]Statement, error) {
	if err := mayRead(sc); err != nil {
		return nil, err
	}
	return s.Store.List(ctx, sc, f)
}

// ByID is a statement with its lines. Faults: statement.unknown, scope.permission_missing.
func (s *Service) ByID(ctx context.Context, sc scope.Scope, id string) (Statement, error) {
	if err := mayRead(sc); err != nil {
		return Statement{}, err
	}
	return s.Store.ByID(ctx, sc, id)
}

func mayRead(sc scope.Scope) error {
	switch sc.Side() {
	case scope.SideCustomer:
		return sc.Require(scope.ItemExpenditureView)
	case scope.SidePartner:
		if sc.IsLimited() {
			return fault.Denied("statement.not_own", nil)
		}
	}
	return sc.Require(scope.ItemStatementView)
}

// Drafted says what Draft did: made anew, left as they were, and those that are issued already.
type Drafted struct{ Made, Same, Issued int }

// Cycles are the cycles with an issued bill of the acting partner, the newest first.
func (s *Service) Cycles(ctx context.Context, sc scope.Scope) ([]cycle.Cycle, error) {
	if err := partnerOnly(sc, scope.ItemStatementView); err != nil {
		return nil, err
	}
	docs, err := s.issued(ctx, sc, "")
	var out []cycle.Cycle
	for i := range docs {
		out = append(out, docs[i].Cycle)
	}
	slices.Sort(out)
	slices.Reverse(out)
	return slices.Compact(out), err
}

func (s *Service) issued(ctx context.Context, sc scope.Scope, c cycle.Cycle) ([]bill.Document, error) {
	docs, err := s.Bills.List(ctx, sc, bill.Filter{PartnerID: sc.OrgID(), Cycle: c})
	return slices.DeleteFunc(docs, func(d bill.Document) bool { return d.State != bill.StateIssued }), err
}

// basis is what statements of one moment are made with.
type basis struct {
	book  *Book
	head  Head
	built []*Statement
}

// build computes the statements of a cycle, or of one bill and customer, and writes nothing.
func (s *Service) build(ctx context.Context, sc scope.Scope, docs []bill.Document, customerID string) (*basis, error) {
	out := &basis{}
	err := s.Tx.InRead(ctx, func(ctx context.Context) error {
		*out = basis{}
		versions, err := s.Store.Rules(ctx, sc.OrgID())
		if err != nil {
			return err
		}
		out.book = NewBook(versions, newest(versions))
		if out.head, _, err = s.Store.Head(ctx, sc.OrgID(), 0); err != nil {
			return err
		}
		links, err := s.Links.Book(ctx)
		if err != nil {
			return err
		}
		lines := func(ctx context.Context, doc *bill.Document, customerID string, fn func(*bill.LineRow) error) error {
			return s.Lines.EachLine(ctx, sc, doc, bill.LineFilter{CustomerID: customerID}, fn)
		}
		for i := range docs {
			doc, err := s.Bills.ByID(ctx, sc, docs[i].ID)
			if err != nil {
				return err
			}
			list, err := newBuilder(&doc, out.book, links, sc.Resellers(), lines).all(ctx, customerID)
			if err != nil {
				return err
			}
			out.built = append(out.built, list...)
		}
		for _, x := range out.built {
			x.TaxRate, x.HeadVersion, x.CreatedBy = out.head.TaxRate, out.head.Version, sc.Login()
			if err := x.seal(); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

// Draft makes drafts of every customer of an issued cycle, or anew where rules or letter head changed since; what
// is issued stays. The same again changes nothing. Faults: statement.cycle_not_issued, .rules_changed,
// scope.permission_missing.
func (s *Service) Draft(ctx context.Context, sc scope.Scope, c cycle.Cycle) (Drafted, error) {
	var out Drafted
	if err := partnerOnly(sc, scope.ItemStatementChange); err != nil {
		return out, err
	}
	docs, err := s.issued(ctx, sc, c)
	if err != nil {
		return out, err
	}
	if c == "" || len(docs) == 0 {
		return out, fault.Conflict("statement.cycle_not_issued", fault.Args{"cycle": string(c)})
	}
	b, err := s.build(ctx, sc, docs, "")
	if err != nil {
		return out, err
	}
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		out = Drafted{}
		if err := s.stillBased(ctx, sc, b); err != nil {
			return err
		}
		known, err := s.Store.List(ctx, sc, Filter{Cycle: c})
		if err != nil {
			return err
		}
		var fresh []*Statement
		for _, x := range b.built {
			live, draft := standing(known, x)
			switch {
			case live != nil:
				out.Issued++
				continue
			case draft != nil && draft.same(x):
				out.Same++
				continue
			case draft != nil:
				if err := s.discard(ctx, sc, draft); err != nil {
					return err
				}
			}
			out.Made++
			fresh = append(fresh, x)
		}
		if len(fresh) == 0 {
			return nil
		}
		if err := s.insert(ctx, sc, fresh); err != nil {
			return err
		}
		return s.recordMany(ctx, sc, "statement.draft", c, fresh)
	})
	return out, err
}

// same tells whether a draft says what another computation of it says.
func (s *Statement) same(o *Statement) bool {
	return s.Code == o.Code && s.Cost == o.Cost && s.RuleSeq == o.RuleSeq && s.HeadVersion == o.HeadVersion
}

// standing finds what there is of the same bill and customer.
func standing(known []Statement, x *Statement) (live, draft *Statement) {
	for i := range known {
		k := &known[i]
		if k.BillID != x.BillID || k.Customer.ID != x.Customer.ID {
			continue
		}
		switch {
		case k.Live():
			live = k
		case k.State == StateDraft:
			draft = k
		}
	}
	return live, draft
}

// stillBased refuses what was computed with rules or a letter head that changed meanwhile.
func (s *Service) stillBased(ctx context.Context, sc scope.Scope, b *basis) error {
	versions, err := s.Store.Rules(ctx, sc.OrgID())
	if err != nil {
		return err
	}
	h, _, err := s.Store.Head(ctx, sc.OrgID(), 0)
	if err == nil && (newest(versions) != b.book.seq || h.Version != b.head.Version) {
		err = fault.Conflict("statement.rules_changed", nil)
	}
	return err
}

func (s *Service) insert(ctx context.Context, sc scope.Scope, list []*Statement) error {
	now := s.Clock.Now()
	for _, x := range list {
		x.ID, x.State, x.Version, x.CreatedAt = id.New(), StateDraft, 1, now
	}
	if err := s.Store.Insert(ctx, list); err != nil {
		return err
	}
	for _, x := range list {
		if err := Flow.Begin(ctx, s.Log, x.ID, x.State, sc, now, nil); err != nil {
			return err
		}
	}
	return nil
}

// Correct makes a draft that takes the place of an issued statement once it is issued itself; an earlier one is
// discarded. Faults: statement.unknown, .not_live, .rules_changed, scope.permission_missing.
func (s *Service) Correct(ctx context.Context, sc scope.Scope, statementID string) (Statement, error) {
	none := Statement{}
	if err := partnerOnly(sc, scope.ItemStatementChange); err != nil {
		return none, err
	}
	old, err := s.Store.ByID(ctx, sc, statementID)
	if err != nil {
		return none, err
	}
	if !old.Live() {
		return none, fault.Conflict("statement.not_live", nil)
	}
	doc, err := s.Bills.ByID(ctx, sc, old.BillID)
	if err != nil {
		return none, err
	}
	b, err := s.build(ctx, sc, []bill.Document{doc}, old.Customer.ID)
	if err != nil {
		return none, err
	}
	if len(b.built) != 1 {
		return none, fault.Conflict("statement.nothing_left", nil)
	}
	x := b.built[0]
	x.ReplacesID, x.ReplacesNumber = old.ID, old.Number
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		if err := s.stillBased(ctx, sc, b); err != nil {
			return err
		}
		known, err := s.Store.List(ctx, sc, Filter{BillID: old.BillID, CustomerID: old.Customer.ID})
		if err != nil {
			return err
		}
		live, draft := standing(known, x)
		if live == nil || live.ID != old.ID {
			return fault.Conflict("statement.not_live", nil)
		}
		if draft != nil {
			if err := s.discard(ctx, sc, draft); err != nil {
				return err
			}
		}
		if err := s.insert(ctx, sc, []*Statement{x}); err != nil {
			return err
		}
		return s.record(ctx, sc, "statement.correct", x, map[string]any{"replaces": old.Number})
	})
	return *x, err
}

func (s *Service) record(ctx context.Context, sc scope.Scope, action string, x *Statement, more map[string]any) error {
	detail := map[string]any{"customer": x.Customer.Code, "cycle": string(x.Cycle), "currency": x.Currency, "state": string(x.State), "total": x.Total.String(), "code": x.Code}
	if x.Number != "" {
		detail["number"] = x.Number
	}
	for k, v := range more {
		detail[k] = v
	}
	return s.Audit.Record(ctx, audit.Entry{Actor: sc.Login(), OrgID: x.PartnerID, Action: action, Object: "statement:" + x.ID, Outcome: "done", Detail: detail})
}

// recordMany is one entry for what happened to many at once.
func (s *Service) recordMany(ctx context.Context, sc scope.Scope, action string, c cycle.Cycle, list []*Statement) error {
	totals := map[string]string{}
	sums := map[string]money.Exact{}
	for _, x := range list {
		sums[x.Currency] = sums[x.Currency].Add(x.Total.Exact())
		totals[x.Currency] = sums[x.Currency].String()
	}
	return s.Audit.Record(ctx, audit.Entry{Actor: sc.Login(), OrgID: sc.OrgID(), Action: action, Object: "statements:" + string(c), Outcome: "done",
		Detail: map[string]any{"cycle": string(c), "count": len(list), "totals": totals, "rules": list[0].RuleSeq, "head": list[0].HeadVersion}})
}
