package price

import (
	"context"

	"huoban/internal/fault"
	"huoban/internal/scope"
)

// Seq is the newest state of a vendor's book; 0 is the empty book.
func (s *Service) Seq(ctx context.Context, vendorID string) (int64, error) {
	all, err := s.Store.Versions(ctx, vendorID)
	return seqOf(all), err
}

// Book is the book in state seq, as it was then and ever will be.
func (s *Service) Book(ctx context.Context, vendorID string, seq int64) (*Book, error) {
	all, err := s.Store.Versions(ctx, vendorID)
	if err != nil {
		return nil, err
	}
	return NewBook(vendorID, seq, all), nil
}

// Newest is the book in force.
func (s *Service) Newest(ctx context.Context, vendorID string) (*Book, error) {
	all, err := s.Store.Versions(ctx, vendorID)
	if err != nil {
		return nil, err
	}
	return NewBook(vendorID, seqOf(all), all), nil
}

// List is a vendor's rules in force, in order of number. Faults: price.vendor_missing,
// scope.permission_missing.
func (s *Service) List(ctx context.Context, sc scope.Scope, vendorID string) ([]Rule, error) {
	return s.filtered(ctx, sc, vendorID, func(r *Rule) bool { return r.State == StateActive && r.EndedSeq == 0 })
}

// Drafts are the drafts that wait, in order of number.
func (s *Service) Drafts(ctx context.Context, sc scope.Scope, vendorID string) ([]Rule, error) {
	return s.filtered(ctx, sc, vendorID, func(r *Rule) bool { return r.State == StateDraft && r.EndedSeq == 0 })
}

// History is every version of one rule, oldest first.
func (s *Service) History(ctx context.Context, sc scope.Scope, vendorID string, number int64) ([]Rule, error) {
	return s.filtered(ctx, sc, vendorID, func(r *Rule) bool { return r.Number == number })
}

func (s *Service) filtered(ctx context.Context, sc scope.Scope, vendorID string, keep func(*Rule) bool) ([]Rule, error) {
	if err := s.may(sc, vendorID, scope.ItemPriceView); err != nil {
		return nil, err
	}
	all, err := s.Store.Versions(ctx, vendorID)
	if err != nil {
		return nil, err
	}
	out := all[:0]
	for i := range all {
		if keep(&all[i]) {
			out = append(out, all[i])
		}
	}
	return out, nil
}

// Previous is the version a chosen version took the place of; ok is false for a first version. It is
// the program's own view, for explaining a figure.
func (s *Service) Previous(ctx context.Context, vendorID string, number, version int64) (Rule, bool, error) {
	all, err := s.Store.Versions(ctx, vendorID)
	if err != nil {
		return Rule{}, false, err
	}
	var best *Rule
	for i := range all {
		r := &all[i]
		if r.Number == number && r.Version < version && r.State == StateActive && (best == nil || r.Version > best.Version) {
			best = r
		}
	}
	if best == nil {
		return Rule{}, false, nil
	}
	return *best, true, nil
}

// Withdraw takes a rule out of the book from now on; bills made before keep it.
// Faults: price.rule_unknown, scope.permission_missing.
func (s *Service) Withdraw(ctx context.Context, sc scope.Scope, vendorID string, number int64) error {
	if err := s.may(sc, vendorID, scope.ItemPriceChange); err != nil {
		return err
	}
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		all, err := s.Store.Versions(ctx, vendorID)
		if err != nil {
			return err
		}
		for i := range all {
			r := &all[i]
			if r.Number != number || r.State != StateActive || r.EndedSeq != 0 {
				continue
			}
			r.EndedSeq = seqOf(all) + 1
			if err := s.Store.End(ctx, r.ID, r.EndedSeq); err != nil {
				return err
			}
			return s.record(ctx, sc, "price.withdraw", r, r)
		}
		return fault.NotFound("price.rule_unknown", fault.Args{"Number": number})
	})
}

// Activate puts all drafts into the book as one new state. Nothing waiting is no fault.
// Faults: price.file_refused with price.tie, scope.permission_missing.
func (s *Service) Activate(ctx context.Context, sc scope.Scope, vendorID string) (activated int, err error) {
	if err := s.may(sc, vendorID, scope.ItemPriceChange); err != nil {
		return 0, err
	}
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		activated = 0
		all, err := s.Store.Versions(ctx, vendorID)
		if err != nil {
			return err
		}
		live, _ := inPlay(all, true)
		var changes []Change
		for _, r := range live {
			if r.State == StateDraft {
				changes = append(changes, Change{Rule: *r})
			}
		}
		if err := objections(nil, tiesOf(live, changes), nil); err != nil {
			return err
		}
		seq := seqOf(all) + 1
		for _, c := range changes {
			if err := s.activate(ctx, sc, c.Rule, inForce(all, c.Rule.Number), seq); err != nil {
				return err
			}
			activated++
		}
		return nil
	})
	return activated, err
}

// activate puts one draft in the place of the version in force, which may be none.
func (s *Service) activate(ctx context.Context, sc scope.Scope, r Rule, old *Rule, seq int64) error {
	if old != nil {
		old.EndedSeq = seq
		if err := s.Store.End(ctx, old.ID, seq); err != nil {
			return err
		}
	}
	if err := s.Store.Activate(ctx, r.ID, seq); err != nil {
		return err
	}
	r.State, r.Seq = StateActive, seq
	return s.record(ctx, sc, "price.activate", &r, old)
}

func inForce(all []Rule, number int64) *Rule {
	for i := range all {
		if r := &all[i]; r.Number == number && r.State == StateActive && r.EndedSeq == 0 {
			return r
		}
	}
	return nil
}

// Discard gives up all drafts.
func (s *Service) Discard(ctx context.Context, sc scope.Scope, vendorID string) (discarded int, err error) {
	if err := s.may(sc, vendorID, scope.ItemPriceChange); err != nil {
		return 0, err
	}
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		discarded = 0
		all, err := s.Store.Versions(ctx, vendorID)
		if err != nil {
			return err
		}
		for i := range all {
			r := &all[i]
			if r.State != StateDraft || r.EndedSeq != 0 {
				continue
			}
			r.EndedSeq = Withdrawn
			if err := s.Store.End(ctx, r.ID, Withdrawn); err != nil {
				return err
			}
			if err := s.record(ctx, sc, "price.discard", r, r); err != nil {
				return err
			}
			discarded++
		}
		return nil
	})
	return discarded, err
}
