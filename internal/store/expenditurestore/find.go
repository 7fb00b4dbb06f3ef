package expenditurestore

import (
	"bytes"
	"context"

	"huoban/internal/cycle"
	"huoban/internal/expenditure"
	"huoban/internal/scope"
	"huoban/internal/store"
	"huoban/internal/usage"
)

// OfAccount are the customers with charges of an account in those cycles, among those the organisation deals
// with.
func (s *Store) OfAccount(ctx context.Context, sc scope.Scope, from, to cycle.Cycle, account string) ([]string, error) {
	var out []string
	err := s.db.Cells(ctx, qOfAccount, []any{string(from), string(to), account, sc.OrgID()}, func(c store.RowCells) error {
		out = append(out, c.Text(0))
		return nil
	})
	return out, err
}

// Weight is how many lines ByNumber would look at.
func (s *Store) Weight(ctx context.Context, sc scope.Scope, at cycle.Cycle) (lines int64, err error) {
	err = s.db.Row(ctx, qWeight, unknownCode, []any{string(at), sc.OrgID()}, &lines)
	return lines, err
}

// ByNumber are lines of a cycle whose key begins as given, of the customers the organisation deals with.
func (s *Store) ByNumber(ctx context.Context, sc scope.Scope, at cycle.Cycle, begins []byte) ([]expenditure.Place, error) {
	// No key is as great as its beginning followed by more bytes of the highest value than it has.
	end := append(bytes.Clone(begins), bytes.Repeat([]byte{0xff}, len(usage.Hash{}))...)
	var out []expenditure.Place
	err := s.db.Cells(ctx, qByNumber, []any{string(at), begins, end, sc.OrgID()}, func(c store.RowCells) error {
		p := expenditure.Place{Cycle: at, Currency: c.Text(5), Product: c.Text(6)}
		p.Place = usage.Place{SlotID: c.Int(0), CustomerID: c.Text(1), Occurrence: c.Int(4)}
		copy(p.Key[:], c.Bytes(3))
		start, err := c.Time(2)
		p.Charged, p.Start = start, start.UTC().Format(usage.StartText)
		out = append(out, p)
		return err
	})
	return out, err
}
