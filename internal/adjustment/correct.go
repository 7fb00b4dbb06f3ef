package adjustment

import (
	"cmp"
	"context"
	"slices"

	"huoban/internal/attribution"
	"huoban/internal/audit"
	"huoban/internal/bill"
	"huoban/internal/clock"
	"huoban/internal/cycle"
	"huoban/internal/delivery"
	"huoban/internal/flow"
	"huoban/internal/foureyes"
	"huoban/internal/id"
	"huoban/internal/money"
	"huoban/internal/price"
	"huoban/internal/scope"
	"huoban/internal/usage"
)

// Service makes adjustments. It implements attribution.Remapper and delivery.Correcter.
type Service struct {
	Tx      Tx
	Store   Store
	Cycles  Cycles
	Books   bill.Books
	Parties PartyBook
	Audit   audit.Recorder
	Log     flow.Log
	Clock   clock.Clock

	// Limits are a vendor's amounts up to which one person decides; nil always wants two.
	Limits func(ctx context.Context, vendorID string) (foureyes.Limits, error)
}

var (
	_ attribution.Remapper = (*Service)(nil)
	_ delivery.Correcter   = (*Service)(nil)
)

// Remap makes one pair of adjustment lines for each move, inside the transaction of the change.
func (s *Service) Remap(ctx context.Context, moves []attribution.Move) error {
	moves = slices.Clone(moves)
	slices.SortFunc(moves, func(a, b attribution.Move) int {
		return cmp.Or(cmp.Compare(a.Cycle, b.Cycle), cmp.Compare(a.Source, b.Source), cmp.Compare(a.Key, b.Key),
			cmp.Compare(a.Currency, b.Currency), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	for _, m := range moves {
		if err := s.pair(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

// pair writes the out side, priced as it was billed, and the in side, priced by the rules in force
// for the lines' charge time.
func (s *Service) pair(ctx context.Context, m attribution.Move) error {
	into, err := s.Cycles.OpenFor(ctx, m.VendorID, m.Cycle)
	if err != nil {
		return err
	}
	pairID := id.New()
	for _, side := range []Side{SideOut, SideIn} {
		a := &Adjustment{VendorID: m.VendorID, Cycle: into, Corrects: m.Cycle, Kind: KindRemap, PairID: pairID, Side: side,
			SourceID: m.SourceID, Key: m.Key, Currency: m.Currency, CustomerID: m.To, Reason: "remap"}
		var book *price.Book
		if side == SideOut {
			a.CustomerID = m.From
			book, err = s.billedBook(ctx, a)
		} else {
			book, err = s.newestBook(ctx, m.VendorID)
		}
		if err != nil {
			return err
		}
		if err := s.fromLines(ctx, a, book, asKept(m.Lines)); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) billedBook(ctx context.Context, a *Adjustment) (*price.Book, error) {
	seq, err := s.Store.BilledSeq(ctx, a.VendorID, a.SourceID, a.Key, a.CustomerID, a.Currency, a.Corrects)
	if err != nil {
		return nil, err
	}
	return s.Books.Book(ctx, a.VendorID, seq)
}

func (s *Service) newestBook(ctx context.Context, vendorID string) (*price.Book, error) {
	seq, err := s.Books.Seq(ctx, vendorID)
	if err != nil {
		return nil, err
	}
	return s.Books.Book(ctx, vendorID, seq)
}

// stream gives lines, or parts of spread lines, each with the place of the kept line.
type stream func(ctx context.Context, fn func(*usage.Stored, usage.Place) error) error

// asKept gives lines at their own place.
func asKept(lines func(context.Context, func(*usage.Stored) error) error) stream {
	return func(ctx context.Context, fn func(*usage.Stored, usage.Place) error) error {
		return lines(ctx, func(l *usage.Stored) error { return fn(l, l.Place()) })
	}
}

// spread gives the parts of lines that wait to be spread instead of the lines, by the weights the
// cycle was billed with. Without weights a line stays whole and has no customer.
func spread(lines stream, weights map[string][]usage.Weight) stream {
	return func(ctx context.Context, fn func(*usage.Stored, usage.Place) error) error {
		return lines(ctx, func(l *usage.Stored, at usage.Place) error {
			if l.CustomerID != usage.CustomerSpread {
				return fn(l, at)
			}
			for _, share := range usage.SpreadLine(l, weights[l.Currency]) {
				if err := fn(&share.Part, at); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

// fromLines sums and prices the lines, writes the adjustment, and then one move for each line; the
// lines are streamed twice so that memory stays flat.
func (s *Service) fromLines(ctx context.Context, a *Adjustment, book *price.Book, lines stream) error {
	if err := s.sum(ctx, a, book, lines); err != nil || a.LineCount == 0 {
		return err
	}
	if err := s.born(ctx, a); err != nil {
		return err
	}
	return lines(ctx, func(_ *usage.Stored, at usage.Place) error {
		return s.Store.AddMove(ctx, a.ID, Move{Place: at, Sign: a.sign()})
	})
}

func (a *Adjustment) sign() int64 {
	if a.Side == SideOut {
		return -1
	}
	return 1
}

// sum fills in what the lines are worth for the adjustment's customer.
func (s *Service) sum(ctx context.Context, a *Adjustment, book *price.Book, lines stream) error {
	pricer, err := s.pricer(ctx, a, book)
	if err != nil {
		return err
	}
	sums := newWorth(pricer)
	err = lines(ctx, func(l *usage.Stored, _ usage.Place) error {
		a.LineCount++
		if l.Kind == usage.KindTax {
			a.TaxBase = a.TaxBase.Add(signed(l.Billed, a.sign()))
		} else {
			a.Base = a.Base.Add(signed(l.Billed, a.sign()))
		}
		return sums.add(l, a.CustomerID, a.sign())
	})
	a.PriceSeq, a.Prices = book.Seq(), sums.prices()
	return err
}

// Reprice computes an adjustment again from the kept lines it moves, with the price book it was made
// with; it writes nothing.
func (s *Service) Reprice(ctx context.Context, a *Adjustment, lines func(context.Context, func(*usage.Stored) error) error) error {
	book, err := s.Books.Book(ctx, a.VendorID, a.PriceSeq)
	if err != nil {
		return err
	}
	weights, err := s.Store.Weights(ctx, a.SourceID, a.Corrects)
	if err != nil {
		return err
	}
	parts := spread(asKept(lines), weights)
	a.LineCount, a.Base, a.TaxBase = 0, money.Exact{}, money.Exact{}
	return s.sum(ctx, a, book, func(ctx context.Context, fn func(*usage.Stored, usage.Place) error) error {
		return parts(ctx, func(l *usage.Stored, at usage.Place) error {
			if at.CustomerID == usage.CustomerSpread && l.CustomerID != a.CustomerID {
				return nil
			}
			return fn(l, at)
		})
	})
}

func (s *Service) pricer(ctx context.Context, a *Adjustment, book *price.Book) (*bill.Pricer, error) {
	parties, err := s.Parties.Parties(ctx, a.VendorID)
	if err != nil {
		return nil, err
	}
	slots, err := s.Store.Slots(ctx, a.VendorID, a.Corrects)
	if err != nil {
		return nil, err
	}
	return bill.NewPricer(bill.Config{VendorID: a.VendorID, Cycle: a.Corrects, Book: book, Parties: parties, Slots: slots})
}

// born writes an adjustment the program computed: approved from the start, recorded in log and audit.
func (s *Service) born(ctx context.Context, a *Adjustment) error {
	now := s.Clock.Now()
	a.ID, a.State, a.Version = id.New(), StateApproved, 1
	a.CreatedBy, a.CreatedAt, a.ApprovedBy, a.ApprovedAt = "system", now, "system", now
	if err := s.Store.Insert(ctx, a); err != nil {
		return err
	}
	if err := Flow.Begin(ctx, s.Log, a.ID, a.State, scope.System("system"), now, nil); err != nil {
		return err
	}
	return s.record(ctx, scope.System("system"), "adjustment.make", a)
}

func (s *Service) record(ctx context.Context, sc scope.Scope, action string, a *Adjustment) error {
	return s.Audit.Record(ctx, audit.Entry{Actor: sc.Login(), OrgID: a.VendorID, Action: action, Object: "adjustment:" + a.ID, Outcome: "done",
		Detail: map[string]any{"kind": string(a.Kind), "side": string(a.Side), "cycle": string(a.Cycle), "corrects": string(a.Corrects),
			"key": a.Key, "currency": a.Currency, "base": a.Base.String(), "lines": a.LineCount, "reason": a.Reason}})
}

// Late makes adjustment lines of what reached an issued cycle: lines added are billed, lines that
// vanished are given back as they were billed. They go by customer, key and currency.
func (s *Service) Late(ctx context.Context, c delivery.LateChange) error {
	into, err := s.Cycles.OpenFor(ctx, c.VendorID, c.Cycle)
	if err != nil {
		return err
	}
	weights, err := s.Store.Weights(ctx, c.SourceID, c.Cycle)
	if err != nil {
		return err
	}
	for _, part := range []struct {
		side  Side
		lines stream
	}{{SideOut, spread(asKept(c.Removed), weights)}, {SideIn, spread(asKept(c.Added), weights)}} {
		groups, err := lateGroups(ctx, part.lines)
		if err != nil {
			return err
		}
		for _, g := range groups {
			a := &Adjustment{VendorID: c.VendorID, Cycle: into, Corrects: c.Cycle, Kind: KindLate, PairID: c.DeliveryID, Side: part.side,
				SourceID: c.SourceID, Key: g.key, Currency: g.currency, CustomerID: g.customer, Reason: "late"}
			if err := s.late(ctx, a, g, part.lines); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Service) late(ctx context.Context, a *Adjustment, g lateGroup, lines stream) error {
	var book *price.Book
	var err error
	if a.Side == SideOut {
		book, err = s.billedBook(ctx, a)
	} else {
		book, err = s.newestBook(ctx, a.VendorID)
	}
	if err != nil {
		return err
	}
	return s.fromLines(ctx, a, book, func(ctx context.Context, fn func(*usage.Stored, usage.Place) error) error {
		return lines(ctx, func(l *usage.Stored, at usage.Place) error {
			if groupOf(l) != g {
				return nil
			}
			return fn(l, at)
		})
	})
}

type lateGroup struct{ customer, key, currency string }

func groupOf(l *usage.Stored) lateGroup {
	key := l.Account.SubAccount
	if key == "" {
		key = l.Account.SourceKey
	}
	return lateGroup{l.CustomerID, key, l.Currency}
}

func lateGroups(ctx context.Context, lines stream) ([]lateGroup, error) {
	seen := map[lateGroup]bool{}
	var out []lateGroup
	err := lines(ctx, func(l *usage.Stored, _ usage.Place) error {
		if g := groupOf(l); !seen[g] {
			seen[g] = true
			out = append(out, g)
		}
		return nil
	})
	slices.SortFunc(out, func(a, b lateGroup) int {
		return cmp.Or(cmp.Compare(a.customer, b.customer), cmp.Compare(a.key, b.key), cmp.Compare(a.currency, b.currency))
	})
	return out, err
}

// Lines are the approved adjustments of a cycle as the bill builder takes them.
func (s *Service) Lines(ctx context.Context, vendorID string, c cycle.Cycle) ([]bill.Adjustment, error) {
	list, err := s.Store.List(ctx, scope.System("system"), Filter{VendorID: vendorID, Cycle: c, State: StateApproved})
	if err != nil {
		return nil, err
	}
	out := make([]bill.Adjustment, 0, len(list))
	for i := range list {
		name := ""
		if list[i].SourceID != "" {
			if name, err = s.Store.SourceName(ctx, list[i].SourceID); err != nil {
				return nil, err
			}
		}
		out = append(out, list[i].Line(name))
	}
	return out, nil
}
