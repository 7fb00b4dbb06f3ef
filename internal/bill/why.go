package bill

import (
	"context"

	"huoban/internal/fault"
	"huoban/internal/money"
	"huoban/internal/price"
	"huoban/internal/scope"
	"huoban/internal/usage"
)

// Why explains the amount of one line on one bill (为什么是这个金额). The delivered text belongs to
// deliveries and the attribution rule to attribution: Row names file, line and rule for them.
type Why struct {
	Row      LineRow
	Day      price.Date     // local day of the charge start, which decides validity
	Rule     *price.Rule    // nil: no rule, billed × 1
	Fallback bool           // the rule's own column is absent on the line
	Others   []price.Runner // rules that were not chosen, and why
	Residue  money.Exact    // exact − amount
	Before   *Before        // nil: the rule has no version before
	Whole    *money.Exact   // of a spread line: its whole billed amount
}

// Before is what the previous version of the rule would give.
type Before struct {
	Rule   price.Rule
	Amount money.Amount
}

// Histories finds former versions of rules.
type Histories interface {
	Previous(ctx context.Context, vendorID string, number, version int64) (price.Rule, bool, error)
}

// Why explains one line of a bill, named by its place; customerID tells which part of a spread line.
// Faults: bill.unknown, bill.line_unknown, scope.permission_missing.
func (s *Service) Why(ctx context.Context, sc scope.Scope, doc *Document, place usage.Place, customerID string) (*Why, error) {
	if err := sc.Require(scope.ItemBillExplain); err != nil {
		return nil, err
	}
	w, err := s.walker(ctx, sc, doc)
	if err != nil {
		return nil, err
	}
	row, whole, err := s.find(ctx, w, place, customerID)
	if err != nil {
		return nil, err
	}
	out := &Why{Row: *row, Rule: row.Chosen.Rule, Fallback: row.Base != row.Chosen.Base, Whole: whole,
		Residue: row.Exact.Sub(row.Amount.Exact())}
	if out.Day, err = w.pricer.Day(&row.Line); err != nil {
		return nil, err
	}
	buyer, _ := w.cfg.Parties.Org(doc.Partner.ID)
	_, out.Others = w.cfg.Book.Explain(queryOf(usage.GroupOf(&row.Line), buyer, out.Day))
	if out.Rule != nil && s.Histories != nil {
		old, ok, err := s.Histories.Previous(ctx, doc.Vendor.ID, out.Rule.Number, out.Rule.Version)
		if err != nil {
			return nil, err
		}
		if ok {
			base, _, _ := price.Chosen{Rule: &old, Base: old.Base, Factor: old.Factor}.Column(&row.Line.Line)
			b := Before{Rule: old}
			if b.Amount, err = base.Mul(old.Factor).Amount(); err != nil {
				return nil, err
			}
			out.Before = &b
		}
	}
	return out, nil
}

func (s *Service) find(ctx context.Context, w *walker, place usage.Place, customerID string) (*LineRow, *money.Exact, error) {
	unknown := fault.NotFound("bill.line_unknown", nil)
	if _, err := w.pricer.slot(place.SlotID); err != nil {
		return nil, nil, unknown
	}
	before := place
	before.Occurrence--
	lines, err := s.LineStore.CustomerLines(ctx, place.SlotID, place.CustomerID, w.doc.Currency, LineFilter{}, before, false, 1)
	if err != nil {
		return nil, nil, err
	}
	if len(lines) == 0 || lines[0].Place() != place {
		return nil, nil, unknown
	}
	if place.CustomerID != usage.CustomerSpread {
		c, _ := w.cfg.Parties.Org(place.CustomerID)
		return found(w.price(&lines[0], place, partyOf(c), OriginUsage))(nil, unknown)
	}
	var part *usage.Stored
	err = s.Reader.Shares(scope.AsSystem(ctx, "shares"), w.slots(), func(sh usage.Share) error {
		if sh.Of == place && sh.Part.CustomerID == customerID {
			p := sh.Part
			part = &p
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	if part == nil {
		return nil, nil, unknown
	}
	c, _ := w.cfg.Parties.Org(customerID)
	return found(w.price(part, place, partyOf(c), OriginSpread))(&lines[0].Billed, unknown)
}

// found turns the answer of walker.price into a row or the fault of an absent one.
func found(row *LineRow, ok bool, err error) func(whole *money.Exact, unknown error) (*LineRow, *money.Exact, error) {
	return func(whole *money.Exact, unknown error) (*LineRow, *money.Exact, error) {
		if err == nil && !ok {
			err = unknown
		}
		return row, whole, err
	}
}
