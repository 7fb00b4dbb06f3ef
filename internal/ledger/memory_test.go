package ledger

import (
	"context"
	"slices"
	"time"

	"huoban/internal/audit"
	"huoban/internal/money"
)

// books keep everything in memory and undo what a failed transaction did.
type books struct {
	states  map[string]State
	entries map[string]Posted // by vendor and key
	lines   map[string][]Movement
	undo    []func()
	inside  bool
}

func newBooks() *books {
	return &books{states: map[string]State{}, entries: map[string]Posted{}, lines: map[string][]Movement{}}
}

func (b *books) InTx(ctx context.Context, fn func(ctx context.Context) error) error {
	if b.inside {
		return fn(ctx)
	}
	b.inside, b.undo = true, nil
	err := fn(ctx)
	if err != nil {
		for _, u := range slices.Backward(b.undo) {
			u()
		}
	}
	b.inside = false
	return err
}

func (b *books) Record(context.Context, audit.Entry) error { return nil }

func (b *books) Account(_ context.Context, id string) (State, bool, error) {
	s, ok := b.states[id]
	return s, ok, nil
}

func (b *books) put(s State) {
	id := s.ID()
	was, had := b.states[id]
	b.undo = append(b.undo, func() {
		if had {
			b.states[id] = was
		} else {
			delete(b.states, id)
		}
	})
	b.states[id] = s
}

func (b *books) Open(_ context.Context, s State) error { b.put(s); return nil }

func (b *books) Move(_ context.Context, s State, seq int64) (bool, error) {
	if b.states[s.ID()].Seq != seq {
		return false, nil
	}
	b.put(s)
	return true, nil
}

func (b *books) SetLine(_ context.Context, id string, line money.Amount, seq int64) (bool, error) {
	s := b.states[id]
	if s.Seq != seq {
		return false, nil
	}
	s.Line = line
	b.put(s)
	return true, nil
}

func (b *books) ByKey(_ context.Context, vendorID, key string) (Posted, bool, error) {
	p, ok := b.entries[vendorID+"/"+key]
	return p, ok, nil
}

func (b *books) InsertEntry(_ context.Context, p Posted) error {
	key := p.VendorID + "/" + p.Key
	b.undo = append(b.undo, func() { delete(b.entries, key) })
	b.entries[key] = p
	return nil
}

func (b *books) InsertLine(_ context.Context, p Posted, no int, s State) error {
	id := s.ID()
	was := b.lines[id]
	b.undo = append(b.undo, func() { b.lines[id] = was })
	b.lines[id] = append(was, Movement{EntryID: p.ID, Seq: s.Seq, At: p.At, Type: p.Type, Detail: p.Detail, Amount: p.Lines[no-1].Amount, After: s.Balance})
	return nil
}

func (b *books) Accounts(_ context.Context, vendorID, partnerID string) (out []State, _ error) {
	for _, s := range b.states {
		if s.VendorID == vendorID && (partnerID == "" || s.PartnerID == partnerID) {
			out = append(out, s)
		}
	}
	return out, nil
}

func (b *books) OfPartner(_ context.Context, partnerID string) (out []State, _ error) {
	for _, s := range b.states {
		if s.PartnerID == partnerID {
			out = append(out, s)
		}
	}
	return out, nil
}

func (b *books) OfCustomer(_ context.Context, customerID string) (out []State, _ error) {
	for _, s := range b.states {
		if s.CustomerID == customerID {
			out = append(out, s)
		}
	}
	return out, nil
}

func (b *books) Movements(_ context.Context, f Filter, _ int64, _ bool, _ int) ([]Movement, error) {
	return b.lines[f.AccountID], nil
}

func (b *books) Totals(_ context.Context, f Filter) (t Totals, _ error) {
	for _, m := range b.lines[f.AccountID] {
		t.Count++
		if m.Income() {
			t.In += m.Amount
		} else {
			t.Out -= m.Amount
		}
	}
	return t, nil
}

func (b *books) Before(_ context.Context, id string, at time.Time) (a money.Amount, _ error) {
	for _, m := range b.lines[id] {
		if m.At.Before(at) {
			a = m.After
		}
	}
	return a, nil
}

func (b *books) Adjustments(context.Context, AdjustFilter, AdjustAt, bool, int) ([]Adjustment, error) {
	return nil, nil
}

func (b *books) AdjustTotals(context.Context, AdjustFilter) ([]AdjustTotal, error) { return nil, nil }

func (b *books) Sums(_ context.Context, vendorID string) (out []Sum, _ error) {
	for id, s := range b.states {
		if s.VendorID != vendorID {
			continue
		}
		x := Sum{State: s, Lines: int64(len(b.lines[id]))}
		for _, m := range b.lines[id] {
			if m.Amount > 0 {
				x.Credit += m.Amount
			} else {
				x.Debit -= m.Amount
			}
			x.LastAfter = m.After
		}
		out = append(out, x)
	}
	return out, nil
}
