package withdrawal

import (
	"context"
	"slices"

	"huoban/internal/fault"
	"huoban/internal/ledger"
	"huoban/internal/money"
	"huoban/internal/organisation"
	"huoban/internal/scope"
)

// Standing tells what a partner may take now. Faults: withdrawal.unknown, scope.permission_missing.
func (s *Service) Standing(ctx context.Context, sc scope.Scope, vendorID, currency string) (Standing, error) {
	if err := s.applicant(ctx, sc, vendorID); err != nil {
		return Standing{}, err
	}
	return s.standing(ctx, sc.OrgID(), vendorID, currency)
}

// applicant lets a partner's person act towards a vendor it deals with.
func (s *Service) applicant(ctx context.Context, sc scope.Scope, vendorID string) error {
	if err := sc.Require(scope.ItemWithdraw); err != nil {
		return err
	}
	if sc.Side() != scope.SidePartner || sc.IsLimited() {
		return fault.Denied("withdrawal.partner_decides", nil)
	}
	self, err := s.Organisations.ByID(ctx, scope.System("system"), sc.OrgID())
	if err != nil {
		return err
	}
	vendors, err := s.Organisations.VendorsOf(ctx, self)
	if err == nil && !slices.ContainsFunc(vendors, func(v organisation.Organisation) bool { return v.ID == vendorID }) {
		err = unknown()
	}
	return err
}

func (s *Service) standing(ctx context.Context, partnerID, vendorID, currency string) (Standing, error) {
	out := Standing{VendorID: vendorID, Currency: currency, Reached: map[Kind]money.Amount{}}
	account := ledger.Of(vendorID, partnerID, ledger.KindBalance, currency)
	st, err := s.Ledger.State(ctx, account)
	if err != nil {
		return out, err
	}
	frozen, err := s.Ledger.State(ctx, ledger.Of(vendorID, partnerID, ledger.KindFrozen, currency))
	if err != nil {
		return out, err
	}
	out.Balance, out.Pending = st.Balance, frozen.Balance
	if out.Invoiced, _, err = s.invoiced(ctx, partnerID, vendorID, currency, st.Balance); err != nil {
		return out, err
	}
	out.Free = out.Balance - out.Invoiced
	if out.Sources, err = s.sources(ctx, account); err != nil {
		return out, err
	}
	now := s.Clock.Now()
	for i := range out.Sources {
		for _, k := range Kinds {
			if out.Sources[i].Fits(k, k == KindCard, now) == nil {
				out.Reached[k] = min(out.Free, out.Reached[k]+out.Sources[i].Left())
			}
		}
	}
	return out, nil
}

// sources lists what came in and is not taken whole, the newest first.
func (s *Service) sources(ctx context.Context, a ledger.Account) ([]Source, error) {
	moves, err := s.Ledger.Incoming(ctx, a)
	if err != nil {
		return nil, err
	}
	taken, returned, err := s.Store.Taken(ctx, a.VendorID, a.PartnerID)
	if err != nil {
		return nil, err
	}
	var origins map[string]Origin
	if s.Origins != nil {
		if origins, err = s.Origins(ctx, a.VendorID, a.PartnerID, moves); err != nil {
			return nil, err
		}
	}
	var out []Source
	for i := range moves {
		m := &moves[i]
		x := Source{EntryID: m.EntryID, Number: m.Number, At: m.At, Amount: m.Amount, Taken: taken[m.EntryID], Returned: returned[m.EntryID], Way: WayTransfer}
		if o, ok := origins[m.EntryID]; ok {
			x.EntityID, x.Entity = o.EntityID, o.Entity
			if o.Way != "" {
				x.Way = o.Way
			}
		}
		switch {
		case m.Type == ledger.TypeTradeMode:
			x.Way = WayTradeMode
		case m.Detail == ledger.DetailRechargeRebate:
			x.Way = WayRebate
		case m.Type != ledger.TypeRecharge:
			continue
		}
		if x.Left() > 0 {
			out = append(out, x)
		}
	}
	return out, nil
}

// invoiced is how much of a balance is invoiced: what invoices hold beyond what was spent on bills, which is money that was
// refunded or came in, is invoiced, and would leave without its invoice.
func (s *Service) invoiced(ctx context.Context, partnerID, vendorID, currency string, balance money.Amount) (money.Amount, func(money.Amount) *fault.Error, error) {
	if s.Invoiced == nil {
		return 0, nil, nil
	}
	held, refuse, err := s.Invoiced(ctx, partnerID, vendorID, currency)
	if err != nil || held == 0 {
		return 0, nil, err
	}
	spent, err := s.Ledger.Spent(ctx, vendorID, partnerID, currency)
	if err != nil {
		return 0, nil, err
	}
	if s.Apart != nil {
		apart, err := s.Apart(ctx, vendorID, partnerID, currency)
		if err != nil {
			return 0, nil, err
		}
		spent -= apart
	}
	return min(balance, max(0, held-max(0, spent))), refuse, nil
}

// Blockers are the reasons why nothing can be taken, or not all of the balance.
func (s *Service) Blockers(ctx context.Context, sc scope.Scope, st *Standing) ([]Blocker, error) {
	var out []Blocker
	_, refusal, err := s.identity(ctx, sc.OrgID())
	if err != nil {
		return nil, err
	}
	if refusal != nil {
		out = append(out, Blocker{refusal, true})
	}
	if st.Invoiced > 0 {
		_, refuse, err := s.invoiced(ctx, sc.OrgID(), st.VendorID, st.Currency, st.Balance)
		if err != nil {
			return nil, err
		}
		if refuse != nil {
			out = append(out, Blocker{refuse(st.Invoiced), st.Free == 0})
		}
	}
	if st.Free == 0 && st.Invoiced == 0 {
		out = append(out, Blocker{fault.Conflict("withdrawal.nothing_there", nil), true})
	}
	return out, nil
}

func (s *Service) identity(ctx context.Context, partnerID string) (string, *fault.Error, error) {
	if s.Identity == nil {
		return "", nil, nil
	}
	name, ok, err := s.Identity(ctx, partnerID)
	if err != nil || ok {
		return name, nil, err
	}
	return "", fault.Conflict("withdrawal.unverified", nil), nil
}
