package bill

import (
	"context"
	"time"

	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/money"
	"huoban/internal/price"
	"huoban/internal/scope"
	"huoban/internal/usage"
)

// Store is what computing bills reads besides lines.
type Store interface {
	Parties(ctx context.Context, vendorID string) (Parties, error)
	// Slots are the active slots of the cycle in order of source name and number.
	Slots(ctx context.Context, vendorID string, c cycle.Cycle) ([]Slot, error)
	// PriceSeq is the state of the book the stored bills of the cycle were made with; ok is false
	// where there are none.
	PriceSeq(ctx context.Context, vendorID string, c cycle.Cycle) (seq int64, ok bool, err error)
}

// Books gives price books.
type Books interface {
	Seq(ctx context.Context, vendorID string) (int64, error)
	Book(ctx context.Context, vendorID string, seq int64) (*price.Book, error)
}

// Adjustments gives the approved adjustment lines that stand on a cycle's bills.
type Adjustments interface {
	Lines(ctx context.Context, vendorID string, c cycle.Cycle) ([]Adjustment, error)
}

// Service computes and explains bills. Adjustments and Histories may be nil.
type Service struct {
	Store       Store
	LineStore   LineStore
	Books       Books
	Histories   Histories
	Reader      usage.Reader
	Adjustments Adjustments
	Vouchers    Uses // what vouchers paid; nil: nothing
}

// Compute is the bills of a vendor's cycle with today's book: the estimate of an open cycle and the
// content of a draft. Run it in one transaction for a consistent view.
// Faults: those of Builder.
func (s *Service) Compute(ctx context.Context, vendorID string, c cycle.Cycle) (*Result, error) {
	seq, err := s.Books.Seq(ctx, vendorID)
	if err != nil {
		return nil, err
	}
	return s.ComputeAt(ctx, vendorID, c, seq)
}

// ComputeAt computes with the book in state seq, for checking a bill made with it.
func (s *Service) ComputeAt(ctx context.Context, vendorID string, c cycle.Cycle, seq int64) (*Result, error) {
	book, err := s.Books.Book(ctx, vendorID, seq)
	if err != nil {
		return nil, err
	}
	results, err := s.run(ctx, vendorID, c, book)
	if err != nil {
		return nil, err
	}
	return results[0], nil
}

// run reads the lines once for all books.
func (s *Service) run(ctx context.Context, vendorID string, c cycle.Cycle, books ...*price.Book) ([]*Result, error) {
	cfg, err := s.Config(ctx, vendorID, c, nil)
	if err != nil {
		return nil, err
	}
	builders := make([]*Builder, len(books))
	for i, book := range books {
		cfg.Book = book
		if builders[i], err = NewBuilder(cfg); err != nil {
			return nil, err
		}
	}
	if err := s.feed(ctx, cfg, builders); err != nil {
		return nil, err
	}
	out := make([]*Result, len(builders))
	for i, b := range builders {
		if out[i], err = b.Result(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Config gathers what bills of the cycle depend on besides lines.
func (s *Service) Config(ctx context.Context, vendorID string, c cycle.Cycle, book *price.Book) (Config, error) {
	parties, err := s.Store.Parties(ctx, vendorID)
	if err != nil {
		return Config{}, err
	}
	slots, err := s.Store.Slots(ctx, vendorID, c)
	if err != nil {
		return Config{}, err
	}
	return Config{VendorID: vendorID, Cycle: c, Book: book, Parties: parties, Slots: slots}, nil
}

func (s *Service) feed(ctx context.Context, cfg Config, builders []*Builder) error {
	ids := make([]int64, len(cfg.Slots))
	for i := range cfg.Slots {
		ids[i] = cfg.Slots[i].ID
	}
	if len(ids) > 0 {
		if err := s.lines(ctx, ids, builders); err != nil {
			return err
		}
		err := s.Reader.Shares(scope.AsSystem(ctx, "shares"), ids, func(sh usage.Share) error {
			return each(builders, func(b *Builder) error { return b.AddShare(&sh) })
		})
		if err != nil {
			return err
		}
	}
	if s.Adjustments == nil {
		return nil
	}
	lines, err := s.Adjustments.Lines(ctx, cfg.VendorID, cfg.Cycle)
	if err != nil {
		return err
	}
	for i := range lines {
		if err := each(builders, func(b *Builder) error { return b.AddAdjustment(&lines[i]) }); err != nil {
			return err
		}
	}
	return nil
}

// lines reads the lines in several parts at once and brings the parts together.
func (s *Service) lines(ctx context.Context, slots []int64, builders []*Builder) error {
	q := usage.ChargeQuery{Slots: slots}
	for _, b := range builders {
		for _, r := range b.pricer.cfg.Book.Rules() {
			q.Others = q.Others || r.Base != price.BaseBilled
		}
	}
	var all []parts
	err := s.Reader.EachCharge(ctx, q, func() (usage.Charges, error) {
		p := make(parts, len(builders))
		for i, b := range builders {
			var err error
			if p[i], err = b.Part(); err != nil {
				return nil, err
			}
		}
		all = append(all, p)
		return p, nil
	})
	if err != nil {
		return err
	}
	for _, p := range all {
		for i, b := range builders {
			if err := b.Merge(p[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// parts are the parts of several builders that take the same lines.
type parts []*Builder

// Take gives the line to all.
func (p parts) Take(g *usage.Group, c *usage.Charge) error {
	return each(p, func(b *Builder) error { return b.Take(g, c) })
}

// Steady is true where it is for all.
func (p parts) Steady(g *usage.Group, first, last time.Time) (bool, error) {
	all := true
	err := each(p, func(b *Builder) error {
		one, err := b.Steady(g, first, last)
		all = all && one
		return err
	})
	return all, err
}

func each(builders []*Builder, fn func(*Builder) error) error {
	for _, b := range builders {
		if err := fn(b); err != nil {
			return err
		}
	}
	return nil
}

// Comparison is one bill before and after; either is nil where only the other exists.
type Comparison struct{ Old, New *Document }

// Difference is how much more is due after than before.
func (c Comparison) Difference() money.Exact {
	var d money.Exact
	if c.New != nil {
		d = c.New.Due.Exact()
	}
	if c.Old != nil {
		d = d.Sub(c.Old.Due.Exact())
	}
	return d
}

// Simulation is what drafts would make of a cycle. OldSeq is the state of the book before.
type Simulation struct {
	Cycle     cycle.Cycle
	OldSeq    int64
	Bills     []Comparison
	Fallbacks []Fallback
}

// Simulate prices a cycle with drafts standing in for the rules they would become, by the same code
// as the close: what it shows is what a close with these rules makes. Before is the cycle as billed,
// or as of now where no bill is stored.
// Faults: scope.permission_missing, bill.vendor_unknown, price.tie and those of Builder.
func (s *Service) Simulate(ctx context.Context, sc scope.Scope, vendorID string, c cycle.Cycle, drafts []price.Rule) (*Simulation, error) {
	if !sc.SeesVendor(vendorID) {
		return nil, fault.NotFound("bill.vendor_unknown", nil)
	}
	if err := sc.Require(scope.ItemPriceSimulate); err != nil {
		return nil, err
	}
	now, err := s.Books.Seq(ctx, vendorID)
	if err != nil {
		return nil, err
	}
	current, err := s.Books.Book(ctx, vendorID, now)
	if err != nil {
		return nil, err
	}
	before, oldSeq := current, now
	if seq, ok, err := s.Store.PriceSeq(ctx, vendorID, c); err != nil {
		return nil, err
	} else if ok && seq != now {
		oldSeq = seq
		if before, err = s.Books.Book(ctx, vendorID, seq); err != nil {
			return nil, err
		}
	}
	results, err := s.run(ctx, vendorID, c, before, current.Overlaid(drafts))
	if err != nil {
		return nil, err
	}
	return &Simulation{Cycle: c, OldSeq: oldSeq, Bills: compare(results[0].Documents, results[1].Documents),
		Fallbacks: results[1].Fallbacks}, nil
}

// compare pairs two lists in canonical order.
func compare(old, now []Document) []Comparison {
	name := func(d *Document) [3]string { return [3]string{d.Partner.ID, d.Currency, d.Entity.ID} }
	at := map[[3]string]int{}
	var out []Comparison
	for i := range old {
		at[name(&old[i])] = len(out)
		out = append(out, Comparison{Old: &old[i]})
	}
	for i := range now {
		if n, ok := at[name(&now[i])]; ok {
			out[n].New = &now[i]
			continue
		}
		out = append(out, Comparison{New: &now[i]})
	}
	return out
}
